package opt

import (
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file replaces loads by what is known to be in memory: what was stored or
// loaded before (store-to-load forwarding, redundant load elimination), zero
// after a memzero, and what a memcopy copied.
//
// Method: a forward dataflow analysis. The state is a list of cells, places whose
// content is known; an instruction adds cells and removes those that it may write
// to (alias.go). Where paths meet, the cells survive that are the same on all of
// them. Blocks are visited in reverse postorder, assuming at first that the edges
// back to a loop bring whatever the others do, until nothing changes; then
// the loads are replaced in a last walk.
//
// A load may be narrower than the cell and inside it: it becomes a shift and an
// extension. A load from a copy becomes a load from the original, if that is
// unchanged, which may leave the copy without readers.
//
// Only the values of memory are looked at here, never the checks on the pointers
// to it: the address of a load is not changed but to that of an equal copy.
//
// Before:                          After:
//
//	store.8 v0 +0, v1               store.8 v0 +0, v1
//	v2 = helper i64 now()           v2 = helper i64 now()
//	v3 = load.4 i32 v0 +4           v4 = lshr i64 v1, v9   (v9 is 32)
//	                                v3 = trunc i32 v4
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 12.4.

const (
	// maxCells is the number of cells that are followed; the oldest are
	// forgotten first.
	maxCells = 64
	// maxForwardRounds bounds the rounds of the analysis. Without an end by
	// then nothing is done, which takes a deep nest of loops that each spoil
	// what the one around it relies on.
	maxForwardRounds = 12
)

// A cell is a place whose content is known.
type cellState struct {
	place
	// value's low bytes are the content, if it is not nil.
	value *ir.Value
	// Otherwise the content is that of the same number of bytes at
	// source, or zero if there is none.
	source    *ir.Value
	sourceOff int64
}

// Forward replaces the loads of f whose result is known.
func Forward(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	w := &forwarder{f: f, memory: newMemory(f), names: newRenaming(f), out: make([][]cellState, f.NumBlocks())}
	order := ir.RPO(f)
	preds := ir.Preds(f)
	visited := make([]bool, f.NumBlocks())
	for round, changed := 0, true; changed; round++ {
		if round == maxForwardRounds {
			return
		}
		changed = false
		for _, b := range order {
			w.cells = w.meet(preds[b.ID], visited)
			for _, v := range b.Instrs {
				w.step(v)
			}
			if !visited[b.ID] || !sameCells(w.out[b.ID], w.cells) {
				visited[b.ID], changed = true, true
				w.out[b.ID] = w.cells
			}
		}
	}
	for _, b := range order {
		w.cells = w.meet(preds[b.ID], visited)
		w.rewrite(b)
	}
	w.names.apply()
	removeDead(f)
}

type forwarder struct {
	*memory
	f     *ir.Func
	names *renaming
	out   [][]cellState // by Block.ID: the state at its end
	cells []cellState   // the current state
}

// meet returns the cells that all visited predecessors agree on.
func (w *forwarder) meet(preds []ir.Pred, visited []bool) []cellState {
	var cells []cellState
	first := true
	for _, p := range preds {
		if !visited[p.Block.ID] {
			continue
		}
		if first {
			cells = append(cells, w.out[p.Block.ID]...)
			first = false
			continue
		}
		kept := cells[:0]
		for _, c := range cells {
			if hasCell(w.out[p.Block.ID], c) {
				kept = append(kept, c)
			}
		}
		cells = kept
	}
	return cells
}

func hasCell(cells []cellState, c cellState) bool {
	for _, d := range cells {
		if d == c {
			return true
		}
	}
	return false
}

func sameCells(a, b []cellState) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// step brings the state over v.
func (w *forwarder) step(v *ir.Value) {
	e := effectOf(v)
	w.kill(e)
	switch v.Op {
	case ir.OpStore:
		// What is read from a context need not be what was written.
		if e.writes[0].memClass() != ir.PtrCtx {
			w.add(cellState{place: e.writes[0], value: v.Args[1]})
		}
	case ir.OpLoad:
		if w.find(e.reads[0]) == nil {
			w.add(cellState{place: e.reads[0], value: v})
		}
	case ir.OpMemZero:
		w.add(cellState{place: e.writes[0]})
	case ir.OpMemCopy:
		if !e.writes[0].sameBase(e.reads[0]) {
			w.add(cellState{place: e.writes[0], source: v.Args[1]})
		}
	}
}

func (w *forwarder) add(c cellState) {
	if n := len(w.cells); n >= maxCells {
		w.cells = append(w.cells[:0:0], w.cells[n-maxCells+1:]...)
	}
	w.cells = append(w.cells, c)
}

// kill forgets the cells that e may change.
func (w *forwarder) kill(e effect) {
	if len(e.writes) == 0 && !e.shared && !e.leaked {
		return
	}
	kept := make([]cellState, 0, len(w.cells)+1)
	for _, c := range w.cells {
		switch {
		case c.source != nil && w.changes(e, c.origin()):
		case !w.changes(e, c.place):
			kept = append(kept, c)
		case c.value == nil && len(e.writes) == 1 && !e.shared && !e.leaked:
			kept = c.without(e.writes[0], kept)
		}
	}
	w.cells = kept
}

// without appends to cells what remains of c, which holds zeros or a copy,
// after a write to l.
func (c cellState) without(l place, cells []cellState) []cellState {
	if !c.sameBase(l) || c.anchor != l.anchor {
		return cells
	}
	before, after := c, c
	before.size = l.off - c.off
	after.off = l.off + l.size
	after.size = c.off + c.size - after.off
	after.sourceOff += after.off - c.off
	for _, part := range []cellState{before, after} {
		if part.size > 0 {
			cells = append(cells, part)
		}
	}
	return cells
}

// origin returns the place that c is a copy of.
func (c *cellState) origin() place { return placeOf(c.source, c.sourceOff, c.size) }

// changes reports whether e may write to l.
func (w *forwarder) changes(e effect, l place) bool {
	slot, onStack := l.onStack()
	switch {
	case e.shared && !onStack:
		return true
	case e.leaked && (slot == nil || w.leaked[slot.Index]):
		return true
	}
	for _, x := range e.writes {
		if w.mayMeet(x, l) {
			return true
		}
	}
	return false
}

// find returns the cell that l is in.
func (w *forwarder) find(l place) *cellState {
	for i := len(w.cells) - 1; i >= 0; i-- {
		if w.cells[i].contains(l) {
			return &w.cells[i]
		}
	}
	return nil
}

// rewrite replaces the loads of b.
func (w *forwarder) rewrite(b *ir.Block) {
	old := b.Instrs
	b.Instrs = make([]*ir.Value, 0, len(old))
	for _, v := range old {
		switch v.Op {
		case ir.OpLoad:
			if w.replace(b, v) {
				// The state names the load, not what replaces it, which
				// is the same in all blocks and what the renaming is for.
				w.step(v)
				continue
			}
		case ir.OpMemCopy:
			if p := w.original(b, v.Args[1], placeOf(v.Args[1], 0, v.Size)); p != nil && p != v.Args[0] {
				v.Args[1] = p
			}
		}
		b.Append(v)
		w.step(v)
	}
}

// original returns a pointer to what the copy at l, to which p points, was copied
// from, if l is part of a slot that holds a copy and the original is unchanged.
func (w *forwarder) original(b *ir.Block, p *ir.Value, l place) *ir.Value {
	slot, ok := l.base.(*ir.Slot)
	if !ok {
		return nil
	}
	c := w.find(l)
	if c == nil && l.anchor != nil { // somewhere in it
		c = w.find(place{base: slot, root: l.root, size: slot.Size})
	}
	// The verifier knows no bounds of a context or of a packet at an offset that
	// varies.
	if c == nil || c.source == nil || c.source.Type == ir.PtrCtx || c.source.Type == ir.PtrPacket {
		return nil
	}
	return rebase(b, p, displaced(b, c.source, c.sourceOff-c.off))
}

// rebase appends what makes of p, which is derived from the address of a slot, the
// pointer that is derived in the same way from root.
func rebase(b *ir.Block, p, root *ir.Value) *ir.Value {
	switch p.Op {
	case ir.OpSlotAddr:
		return root
	case ir.OpPtrAdd:
		q := rebase(b, p.Args[0], root)
		return b.Add(ir.OpPtrAdd, q.Type, p.Pos, q, p.Args[1])
	}
	return rebase(b, p.Args[0], root)
}

// replace appends to b what computes the result of the load v, if it is known.
func (w *forwarder) replace(b *ir.Block, v *ir.Value) bool {
	l := placeOf(v.Args[0], v.Imm, int64(v.Width))
	c := w.find(l)
	if c == nil {
		if l.anchor != nil {
			if p := w.original(b, v.Args[0], l); p != nil {
				v.Args[0] = p
			}
		}
		return false
	}
	for c.value == nil && c.source != nil {
		disp := l.off - c.off + c.sourceOff
		if disp < math.MinInt16 || disp > math.MaxInt16 || c.source.Type == ir.PtrCtx ||
			v.Type.IsPtr() && disp%8 != 0 || !aligned(c.source, disp, v.Width) {
			return false
		}
		v.Args[0], v.Imm = c.source, disp
		l = placeOf(c.source, disp, int64(v.Width))
		if c = w.find(l); c == nil {
			return false // reads the original
		}
	}
	if c.value == nil {
		w.names.set(v, b.Const(v.Type, 0))
		return true
	}
	x := c.value
	if x.Type.IsPtr() || v.Type.IsPtr() {
		if c.size != l.size || !x.Type.IsPtr() || !v.Type.IsPtr() || !canReplace(v, x) {
			return false
		}
		w.names.set(v, x)
		return true
	}
	w.names.set(v, extract(b, v, x, l.off-c.off))
	return true
}

// aligned reports whether ir.Verify accepts an access of width bytes at p+disp.
func aligned(p *ir.Value, disp int64, width uint8) bool {
	return p.Op != ir.OpSlotAddr || disp%int64(width) == 0 && p.Slot().Align >= int64(width)
}

// extract appends what makes of x, whose bytes from off on are those that the
// load v reads, the result of v, and returns that.
func extract(b *ir.Block, v, x *ir.Value, off int64) *ir.Value {
	if off > 0 {
		x = b.Add(ir.OpLShr, x.Type, v.Pos, x, b.Const(x.Type, off*8))
	}
	if v.Type == ir.I32 && x.Type == ir.I64 {
		x = b.Add(ir.OpTrunc, ir.I32, v.Pos, x)
	}
	n := int64(v.Width) * 8
	switch bits := int64(x.Type.Bits()); {
	case n == bits:
	case v.Signed:
		x = b.Add(ir.OpSExtIn, x.Type, v.Pos, x)
		x.Imm = n
	case n == 32: // of 64, without a constant that is no immediate
		x = b.Add(ir.OpTrunc, ir.I32, v.Pos, x)
	default:
		x = b.Add(ir.OpAnd, x.Type, v.Pos, x, b.Const(x.Type, 1<<n-1))
	}
	if v.Type == ir.I64 && x.Type == ir.I32 {
		op := ir.OpZExt
		if v.Signed {
			op = ir.OpSExt
		}
		x = b.Add(op, ir.I64, v.Pos, x)
	}
	return x
}
