package regalloc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file is a symbolic checker of register allocation, in the manner of that
// of regalloc2 (src/checker.rs) and of Rideau and Leroy, "Validating Register
// Allocation and Spilling", 2010. It knows nothing of how the allocation was
// made: it walks the function before and the function after side by side and
// keeps, for every physical register and spill slot, the set of those registers
// of the function before whose value it holds on every path.
//
// The instructions of a block are of two kinds. Copies, constants and addresses,
// and after allocation also loads and stores of spill slots, only move values
// around: the allocator may add and remove them, and each side executes its own.
// A copy in the function after copies the set of a location; a copy in the
// function before adds its destination to the sets that contain its source. The
// two kinds of updates commute, so it does not matter how the moves of the two
// sides are interleaved. All other instructions must appear on both sides in the
// same order with the same operands, and each location read must hold the
// register that the function before reads there.
//
// Two rules are about what the verifier of the kernel knows rather than about
// values. What OpCheck compares counts as written: locations that hold a copy
// of the register do not hold the checked register. And a branch on a comparison
// with a constant takes its register out of the spill slots.

// Check reports whether after, the result of register allocation, computes what
// before does. before is a [mir.Func.Clone] made before allocation; it must be
// valid. The error lists all places where after reads a wrong value.
func Check(before, after *mir.Func) error {
	c := &checker{
		blocks: make(map[int]*mir.Block, len(before.Blocks)),
		consts: make(map[mir.Inst]int),
		before: newOperands(),
		after:  newOperands(),
	}
	for _, b := range before.Blocks {
		c.blocks[b.ID] = b
	}
	c.findLive(before)
	c.graph = graphOf(after)
	c.nlocs = mir.NumPhys + len(after.Slots)
	c.solve(before.Params)
	for b, blk := range c.graph.blocks {
		c.report = func(in *mir.Inst, format string, args ...any) {
			c.errs = append(c.errs, fmt.Errorf("%s: %v: %v: %w", after.Name, blk, in, fmt.Errorf(format, args...)))
		}
		c.block(blk, c.entry[b].clone())
	}
	return errors.Join(c.errs...)
}

// graphOf returns the graph of f and leaves f alone.
func graphOf(f *mir.Func) *graph {
	g := *f
	g.Blocks = slices.Clone(f.Blocks)
	return newGraph(&g)
}

// A checker checks one allocation.
type checker struct {
	blocks map[int]*mir.Block // of the function before, by ID
	live   map[int][]mir.Reg  // by ID: live on entry, sorted
	graph  *graph             // of the function after
	nlocs  int                // locations: physical registers, then slots by index
	entry  []*locations       // by block of graph
	consts map[mir.Inst]int   // numbers of constants and addresses, from 1
	before *operands
	after  *operands

	report func(in *mir.Inst, format string, args ...any)
	errs   []error
}

// findLive computes what is live at block starts. It serves to forget what does
// not matter any more: a mistake in it could make a check fail, not pass.
func (c *checker) findLive(before *mir.Func) {
	g := graphOf(before)
	in := liveRegs(g, before.NumRegs()-int(mir.FirstVirtual))
	c.live = make(map[int][]mir.Reg, len(g.blocks))
	for b, blk := range g.blocks {
		for _, v := range in[b] {
			c.live[blk.ID] = append(c.live[blk.ID], register(v))
		}
	}
}

// locations is what is known at a point of the function.
type locations struct {
	holds  [][]mir.Reg     // by location: registers of the function before
	consts []int           // by location: constant it holds, or 0
	known  map[mir.Reg]int // registers of the function before that are constants
}

func (l *locations) clone() *locations {
	n := &locations{make([][]mir.Reg, len(l.holds)), slices.Clone(l.consts), make(map[mir.Reg]int, len(l.known))}
	for i, h := range l.holds {
		n.holds[i] = slices.Clone(h)
	}
	for r, k := range l.known {
		n.known[r] = k
	}
	return n
}

// intersect keeps what holds in m as well and reports whether l changed.
func (l *locations) intersect(m *locations) (changed bool) {
	for i := range l.holds {
		n := len(l.holds[i])
		l.holds[i] = slices.DeleteFunc(l.holds[i], func(r mir.Reg) bool { return !slices.Contains(m.holds[i], r) })
		changed = changed || len(l.holds[i]) != n
		if l.consts[i] != 0 && l.consts[i] != m.consts[i] {
			l.consts[i], changed = 0, true
		}
	}
	for r, k := range l.known {
		if m.known[r] != k {
			delete(l.known, r)
			changed = true
		}
	}
	return changed
}

// kill forgets where register r of the function before was.
func (l *locations) kill(r mir.Reg) {
	for i, h := range l.holds {
		if k := slices.Index(h, r); k >= 0 {
			l.holds[i] = slices.Delete(h, k, k+1)
		}
	}
	delete(l.known, r)
}

// clear forgets what location loc holds.
func (l *locations) clear(loc int) {
	l.holds[loc] = l.holds[loc][:0]
	l.consts[loc] = 0
}

// serves reports whether location loc holds register r of the function before.
func (l *locations) serves(loc int, r mir.Reg) bool {
	if r == mir.R10 || loc == int(mir.R10) {
		return loc == int(r)
	}
	k := l.known[r]
	return k != 0 && l.consts[loc] == k || slices.Contains(l.holds[loc], r)
}

// solve computes the entry states: the largest that the blocks agree with.
func (c *checker) solve(params int) {
	g := c.graph
	c.report = func(*mir.Inst, string, ...any) {}
	start := &locations{make([][]mir.Reg, c.nlocs), make([]int, c.nlocs), map[mir.Reg]int{}}
	for i := range mir.Reg(params) {
		start.holds[mir.R1+i] = []mir.Reg{mir.R1 + i}
	}
	c.entry = make([]*locations, len(g.blocks))
	c.entry[0] = start
	pending := make([]bool, len(g.blocks))
	pending[0] = true
	for again := true; again; {
		again = false
		for b, blk := range g.blocks {
			if !pending[b] {
				continue
			}
			pending[b] = false
			exit := c.entry[b].clone()
			c.block(blk, exit)
			for _, s := range g.succs[b] {
				out := exit.clone()
				c.forget(out, g.blocks[s])
				if c.entry[s] == nil {
					c.entry[s] = out
				} else if !c.entry[s].intersect(out) {
					continue
				}
				pending[s] = true
				again = again || int(s) <= b
			}
		}
	}
}

// forget prepares l for the start of block b: it drops what is not live there.
func (c *checker) forget(l *locations, b *mir.Block) {
	for c.blocks[b.ID] == nil && b.Term().Op == mir.OpJmp && b.Term().To != b {
		b = b.Term().To
	}
	live := c.live[b.ID]
	isDead := func(r mir.Reg) bool {
		_, ok := slices.BinarySearch(live, r)
		return !ok
	}
	for i := range l.holds {
		l.holds[i] = slices.DeleteFunc(l.holds[i], isDead)
	}
	for r, k := range l.known {
		if isDead(r) {
			delete(l.known, r)
			continue
		}
		// Where another predecessor brings another value, it is not known to be
		// the constant any more, but still to be where the constant is.
		for i := range l.holds {
			if l.consts[i] == k && !slices.Contains(l.holds[i], r) {
				l.holds[i] = append(l.holds[i], r)
			}
		}
	}
}

// block executes one block of the function after, and the block of the function
// before that it stems from, if any.
func (c *checker) block(blk *mir.Block, l *locations) {
	old := c.blocks[blk.ID]
	i := 0
	for j := range blk.Insts {
		in := &blk.Insts[j]
		if c.moveAfter(in, l) {
			continue
		}
		if old == nil {
			if in.Op != mir.OpJmp {
				c.report(in, "not a move, in a block that allocation made")
			}
			continue
		}
		for i < len(old.Insts) && c.moveBefore(&old.Insts[i], l) {
			i++
		}
		if i == len(old.Insts) {
			c.report(in, "instruction that was not there before")
			return
		}
		c.inst(&old.Insts[i], in, l)
		i++
	}
	if old != nil && i < len(old.Insts) {
		c.report(&old.Insts[i], "instruction is gone")
	}
}

// moveAfter executes in, of the function after, if it moves values.
func (c *checker) moveAfter(in *mir.Inst, l *locations) bool {
	spill := in.Slot != nil && in.Slot.Spill
	switch {
	case in.Dst.IsVirtual() || in.Src.IsVirtual():
		return false
	case isRemat(in) && !spill:
		l.clear(int(in.Dst))
		l.consts[in.Dst] = c.constant(in)
	case isCopy(in):
		l.move(int(in.Dst), int(in.Src))
	case spill && (in.Op != mir.OpLoad && in.Op != mir.OpStore || in.Width != 8 || in.Off != 0 || in.Signed):
		c.report(in, "spill slot not accessed as a whole")
	case spill && in.Op == mir.OpLoad:
		l.move(int(in.Dst), mir.NumPhys+in.Slot.Index)
	case spill && in.Src.IsPhys():
		l.move(mir.NumPhys+in.Slot.Index, int(in.Src))
	default:
		return false
	}
	return true
}

// move copies what is known of location src to dst.
func (l *locations) move(dst, src int) {
	if dst != src {
		l.holds[dst] = append(l.holds[dst][:0], l.holds[src]...)
		l.consts[dst] = l.consts[src]
	}
}

// moveBefore executes in, of the function before, if it moves values.
func (c *checker) moveBefore(in *mir.Inst, l *locations) bool {
	switch {
	case isRemat(in):
		l.kill(in.Dst)
		l.known[in.Dst] = c.constant(in)
	case isCopy(in):
		if in.Dst == in.Src {
			break
		}
		l.kill(in.Dst)
		for i, h := range l.holds {
			if slices.Contains(h, in.Src) {
				l.holds[i] = append(h, in.Dst)
			}
		}
		if k := l.known[in.Src]; k != 0 {
			l.known[in.Dst] = k
		}
	default:
		return false
	}
	return true
}

// constant returns the number of the constant or address that in computes.
func (c *checker) constant(in *mir.Inst) int {
	key := *in
	key.Dst, key.Pos = mir.NoReg, 0
	if c.consts[key] == 0 {
		c.consts[key] = len(c.consts) + 1
	}
	return c.consts[key]
}

// inst executes an instruction that both functions have.
func (c *checker) inst(old, in *mir.Inst, l *locations) {
	if !c.same(old, in) {
		c.report(in, "was %v", old)
		return
	}
	olds, ops := c.before.of(old), c.after.of(in)
	reads := true
	for k, op := range ops {
		if op.reg.IsVirtual() {
			c.report(in, "%v is not allocated", op.reg)
			return
		}
		reads = reads && (op.use&mir.Read == 0 || l.serves(int(op.reg), olds[k].reg))
	}
	if !reads && !c.commuted(old, in, l) {
		for k, op := range ops {
			if op.use&mir.Read != 0 && !l.serves(int(op.reg), olds[k].reg) {
				c.report(in, "%v does not hold %v, which %v reads", op.reg, olds[k].reg, old)
			}
		}
	}
	if in.Op == mir.OpCSet && (in.Dst == in.Src || in.Dst == in.Src2) {
		c.report(in, "destination is written before it is read as a source")
	}
	if in.Clobbers() {
		for r := mir.R0; r <= mir.R5; r++ {
			l.kill(r)
			l.clear(int(r))
		}
	}
	for k, op := range ops {
		if op.use&mir.Write == 0 {
			continue
		}
		r := olds[k].reg
		l.kill(r)
		if in.Op != mir.OpCheck {
			l.clear(int(op.reg))
		}
		l.holds[op.reg] = append(l.holds[op.reg], r)
	}
	if in.Op == mir.OpBr && in.Src == mir.NoReg {
		for i := mir.NumPhys; i < len(l.holds); i++ {
			l.holds[i] = slices.DeleteFunc(l.holds[i], func(r mir.Reg) bool { return r == old.Dst })
		}
	}
}

// commuted reports whether the registers of in hold the operands of old in
// exchange, and that does not matter.
func (c *checker) commuted(old, in *mir.Inst, l *locations) bool {
	return in.Op.Info().Commutes && in.Src != mir.NoReg &&
		l.serves(int(in.Dst), old.Src) && l.serves(int(in.Src), old.Dst)
}

// same reports whether two instructions differ at most in their registers.
func (c *checker) same(old, in *mir.Inst) bool {
	x, y := *old, *in
	for _, r := range [...][2]*mir.Reg{{&x.Dst, &y.Dst}, {&x.Src, &y.Src}, {&x.Src2, &y.Src2}} {
		if (*r[0] == mir.NoReg) != (*r[1] == mir.NoReg) {
			return false
		}
		*r[0], *r[1] = mir.NoReg, mir.NoReg
	}
	if x.Sym != nil && y.Sym != nil && *x.Sym == *y.Sym {
		y.Sym = x.Sym
	}
	if x.Slot != nil && y.Slot != nil && x.Slot.Index == y.Slot.Index && !y.Slot.Spill {
		y.Slot = x.Slot
	}
	y.To, y.Else = c.target(y.To), c.target(y.Else)
	return x == y
}

// target returns the block of the function before that a jump to b of the function
// after leads to.
func (c *checker) target(b *mir.Block) *mir.Block {
	for range 2 {
		if b == nil || c.blocks[b.ID] != nil {
			break
		}
		b = b.Term().To
	}
	if b == nil {
		return nil
	}
	return c.blocks[b.ID]
}
