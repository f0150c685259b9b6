package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file removes what allocation left over: copies to registers that hold
// the value already, reloads of what is still in some register, stores of what
// memory holds, and what becomes dead by that. It numbers values within
// extended basic blocks, that is along edges to blocks with one predecessor.
//
// OpCheck gives its register a new value here, so that it is never replaced by
// an unchecked copy. A branch that the verifier learns from does so for what
// is in memory.

// A slotValue is what a spill slot is known to hold.
type slotValue struct {
	slot  *mir.Slot
	value int32
}

// A constValue is the number of a constant or an address.
type constValue struct {
	in    mir.Inst // without Dst and Pos
	value int32
}

// contents is what registers and slots hold at some point.
type contents struct {
	regs   [mir.NumPhys]int32
	slots  []slotValue
	consts []constValue
}

func (c *contents) clone() *contents {
	return &contents{c.regs, slices.Clone(c.slots), slices.Clone(c.consts)}
}

func (c *contents) slot(s *mir.Slot) *slotValue {
	for i := range c.slots {
		if c.slots[i].slot == s {
			return &c.slots[i]
		}
	}
	return nil
}

// A tidier rewrites a function on physical registers.
type tidier struct {
	*allocator
	now   *contents
	fresh int32
	o     *operands
}

// maxKnown bounds the slots and constants kept track of, and so the time.
const maxKnown = 32

func (a *allocator) tidy() {
	t := &tidier{allocator: a, o: newOperands()}
	exits := make([]*contents, len(a.g.blocks))
	for b, blk := range a.g.blocks {
		if p := a.g.preds[b]; len(p) == 1 && int(p[0]) < b {
			t.now = exits[p[0]].clone()
		} else {
			t.now = &contents{}
			for r := range t.now.regs {
				t.now.regs[r] = t.next()
			}
		}
		kept := blk.Insts[:0]
		for i := range blk.Insts {
			if in := blk.Insts[i]; t.inst(&in) {
				kept = append(kept, in)
			}
		}
		blk.Insts = kept
		exits[b] = t.now
	}
	removeDeadPhys(a.g, len(a.f.Slots))
}

func (t *tidier) next() int32 {
	t.fresh++
	return t.fresh
}

// inst updates what is known for in, may simplify it, and reports whether it is
// needed.
func (t *tidier) inst(in *mir.Inst) bool {
	regs := &t.now.regs
	switch {
	case isCopy(in):
		return t.put(in.Dst, regs[in.Src])
	case isSpillLoad(in):
		s := t.now.slot(in.Slot)
		if s == nil {
			regs[in.Dst] = t.next()
			t.hold(in.Slot, regs[in.Dst])
			return true
		}
		if r := t.holder(s.value); r != mir.NoReg && r != in.Dst {
			*in = mir.Inst{Op: mir.OpMov, Dst: in.Dst, Src: r, Src2: mir.NoReg, Pos: in.Pos}
		}
		return t.put(in.Dst, s.value)
	case isSpillStore(in):
		if s := t.now.slot(in.Slot); s != nil && s.value == regs[in.Src] {
			return false
		}
		t.hold(in.Slot, regs[in.Src])
		return true
	case isRemat(in):
		return t.put(in.Dst, t.constant(in))
	}
	if in.Clobbers() {
		for r := mir.R1; r <= mir.R5; r++ {
			regs[r] = t.next()
		}
	}
	for _, op := range t.o.of(in) {
		if op.use&mir.Write != 0 {
			regs[op.reg] = t.next()
		}
	}
	if in.Op == mir.OpBr && in.Src == mir.NoReg {
		for i := range t.now.slots {
			if s := &t.now.slots[i]; s.value == regs[in.Dst] {
				s.value = t.next()
			}
		}
	}
	return true
}

// put makes r hold value and reports whether it did not before.
func (t *tidier) put(r mir.Reg, value int32) bool {
	if t.now.regs[r] == value {
		return false
	}
	t.now.regs[r] = value
	return true
}

// hold makes slot s hold value.
func (t *tidier) hold(s *mir.Slot, value int32) {
	if known := t.now.slot(s); known != nil {
		known.value = value
		return
	}
	if len(t.now.slots) == maxKnown {
		t.now.slots = slices.Delete(t.now.slots, 0, 1)
	}
	t.now.slots = append(t.now.slots, slotValue{s, value})
}

// holder returns a register that holds value, or NoReg.
func (t *tidier) holder(value int32) mir.Reg {
	for r := mir.R0; r <= mir.R9; r++ {
		if t.now.regs[r] == value {
			return r
		}
	}
	return mir.NoReg
}

// constant returns the number of what in computes.
func (t *tidier) constant(in *mir.Inst) int32 {
	key := *in
	key.Dst, key.Pos = mir.NoReg, 0
	for _, c := range t.now.consts {
		if c.in == key {
			return c.value
		}
	}
	if len(t.now.consts) == maxKnown {
		t.now.consts = slices.Delete(t.now.consts, 0, 1)
	}
	v := t.next()
	t.now.consts = append(t.now.consts, constValue{key, v})
	return v
}

// removeEmptyBlocks bypasses the blocks that splitting edges made, those
// numbered first or more, if no code is left in them.
func (a *allocator) removeEmptyBlocks(first int) {
	empty := func(b *mir.Block) bool { return b.ID >= first && len(b.Insts) == 1 }
	kept := a.f.Blocks[:0]
	for _, b := range a.f.Blocks {
		if empty(b) {
			continue
		}
		if t := b.Term(); t.Op == mir.OpBr || t.Op == mir.OpJmp {
			if empty(t.To) {
				t.To = t.To.Term().To
			}
			if t.Op == mir.OpBr && empty(t.Else) {
				t.Else = t.Else.Term().To
			}
		}
		kept = append(kept, b)
	}
	a.f.Blocks = kept
}
