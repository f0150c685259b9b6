package regalloc

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A regSet is a set of physical registers.
type regSet uint16

const (
	clobbered regSet = 1<<mir.R0 | 1<<mir.R1 | 1<<mir.R2 | 1<<mir.R3 | 1<<mir.R4 | 1<<mir.R5
	preserved regSet = 1<<mir.R6 | 1<<mir.R7 | 1<<mir.R8 | 1<<mir.R9
)

func setOf(r mir.Reg) regSet { return 1 << r }

func (s regSet) has(r mir.Reg) bool { return s&(1<<r) != 0 }

func (s regSet) count() int { return bits.OnesCount16(uint16(s)) }

// A graph is the control flow graph of the reachable blocks, numbered in
// reverse postorder, and its loops.
type graph struct {
	f      *mir.Func
	blocks []*mir.Block
	succs  [][]int32
	preds  [][]int32
	depth  []int32 // loop nesting depth
	loops  []loop  // by header, in reverse postorder
	header []int32 // index in loops of the loop a block heads, or -1
}

// A loop is the set of blocks that reach a retreating edge to the header
// without passing it.
type loop struct {
	header int32
	body   []int32 // with the header
}

// newGraph removes the unreachable blocks of f and computes its graph.
func newGraph(f *mir.Func) *graph {
	g := &graph{f: f}
	const unseen, seen = -2, -1
	number := make([]int32, f.NumBlocks())
	for i := range number {
		number[i] = unseen
	}
	type frame struct {
		b    *mir.Block
		next int
	}
	var post []*mir.Block
	var buf [2]*mir.Block
	stack := []frame{{b: f.Blocks[0]}}
	number[f.Blocks[0].ID] = seen
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		succs := top.b.Succs(buf[:0])
		if top.next == len(succs) {
			post = append(post, top.b)
			stack = stack[:len(stack)-1]
			continue
		}
		s := succs[top.next]
		top.next++
		if number[s.ID] == unseen {
			number[s.ID] = seen
			stack = append(stack, frame{b: s})
		}
	}
	n := len(post)
	g.blocks = make([]*mir.Block, n)
	for i, b := range post {
		g.blocks[n-1-i] = b
		number[b.ID] = int32(n - 1 - i)
	}
	if n < len(f.Blocks) {
		kept := f.Blocks[:0]
		for _, b := range f.Blocks {
			if number[b.ID] >= 0 {
				kept = append(kept, b)
			}
		}
		f.Blocks = kept
	}
	g.succs = make([][]int32, n)
	g.preds = make([][]int32, n)
	for i, b := range g.blocks {
		for _, s := range b.Succs(buf[:0]) {
			j := number[s.ID]
			g.succs[i] = append(g.succs[i], j)
			g.preds[j] = append(g.preds[j], int32(i))
		}
	}
	g.findLoops()
	return g
}

// findLoops computes loops and depths. An edge is retreating if it goes back in
// reverse postorder; the body of an irreducible loop is cut at the blocks
// before its header, which makes spilling choices worse but never wrong.
func (g *graph) findLoops() {
	n := len(g.blocks)
	g.depth = make([]int32, n)
	g.header = make([]int32, n)
	mark := make([]int32, n)
	for h := range int32(n) {
		g.header[h] = -1
		mark[h] = -1
	}
	for h := range int32(n) {
		var work []int32
		for _, p := range g.preds[h] {
			if p >= h && mark[p] != h {
				mark[p] = h
				work = append(work, p)
			}
		}
		if work == nil {
			continue
		}
		body := []int32{h}
		mark[h] = h
		for len(work) > 0 {
			b := work[len(work)-1]
			work = work[:len(work)-1]
			if b == h {
				continue
			}
			body = append(body, b)
			for _, p := range g.preds[b] {
				if p >= h && mark[p] != h {
					mark[p] = h
					work = append(work, p)
				}
			}
		}
		for _, b := range body {
			g.depth[b]++
		}
		g.header[h] = int32(len(g.loops))
		g.loops = append(g.loops, loop{h, body})
	}
}

// weight estimates how often block b runs: ten times for every loop around it.
func (g *graph) weight(b int) float64 {
	w := 1.0
	for range min(g.depth[b], 8) {
		w *= 10
	}
	return w
}

// An operand is a register operand of an instruction.
type operand struct {
	reg   mir.Reg
	use   mir.RegUse
	field field
}

// A field tells where an operand stands in its instruction.
type field uint8

const (
	implicit field = iota
	fieldDst
	fieldSrc
	fieldSrc2
)

// set changes the register of an explicit operand of in.
func (op operand) set(in *mir.Inst, r mir.Reg) {
	switch op.field {
	case fieldDst:
		in.Dst = r
	case fieldSrc:
		in.Src = r
	case fieldSrc2:
		in.Src2 = r
	}
}

// An operands lists the operands of one instruction at a time.
type operands struct {
	list  []operand
	in    *mir.Inst
	visit func(r *mir.Reg, use mir.RegUse)
}

func newOperands() *operands {
	o := &operands{}
	o.visit = func(r *mir.Reg, use mir.RegUse) {
		op := operand{reg: *r, use: use}
		switch r {
		case &o.in.Dst:
			op.field = fieldDst
		case &o.in.Src:
			op.field = fieldSrc
		case &o.in.Src2:
			op.field = fieldSrc2
		}
		o.list = append(o.list, op)
	}
	return o
}

// of returns the operands of in, sources first, valid until the next call. It is
// what VisitRegs says, by a shorter way where that has no special cases.
func (o *operands) of(in *mir.Inst) []operand {
	o.list = o.list[:0]
	info := in.Op.Info()
	if info.Call || in.Op == mir.OpAtomic || in.Op == mir.OpExit || in.Op == mir.OpPanic {
		o.in = in
		in.VisitRegs(o.visit)
		return o.list
	}
	if in.Src != mir.NoReg && info.Src != mir.NoUse {
		o.list = append(o.list, operand{in.Src, info.Src, fieldSrc})
	}
	if in.Src2 != mir.NoReg && info.Src2 != mir.NoUse {
		o.list = append(o.list, operand{in.Src2, info.Src2, fieldSrc2})
	}
	if in.Dst != mir.NoReg && info.Dst != mir.NoUse {
		o.list = append(o.list, operand{in.Dst, info.Dst, fieldDst})
	}
	return o.list
}

// variable returns the number of virtual register r.
func variable(r mir.Reg) int32 { return int32(r - mir.FirstVirtual) }

// register returns the virtual register of variable v.
func register(v int32) mir.Reg { return mir.FirstVirtual + mir.Reg(v) }

// isCopy reports whether in copies one register to another unchanged.
func isCopy(in *mir.Inst) bool {
	return in.Op == mir.OpMov && !in.W32 && in.Src != mir.NoReg && in.Src != mir.R10
}

// isRemat reports whether in computes a value that any other place of the
// function can compute as well: a constant or an address.
func isRemat(in *mir.Inst) bool {
	switch in.Op {
	case mir.OpMov:
		return in.Src == mir.NoReg || in.Src == mir.R10
	case mir.OpFrameAddr, mir.OpLoadSym:
		return true
	}
	return false
}
