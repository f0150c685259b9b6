package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file tells which accesses to memory can meet.
//
// A pointer is followed back through additions and names to its base, the
// value it was derived from. If that is the address of a slot or of data, the
// object is known; two different objects never meet. Other pointers meet only
// within their class, the kind of memory their type says they point into, and
// reach a slot only if its address has got out of sight (leaked).

// A place is a range of memory: size bytes from off on, relative to base.
type place struct {
	// base is the *ir.Slot or *ir.Data, or else the value the pointer derives
	// from.
	base ir.Aux
	root *ir.Value // the value that base was found at
	// off counts from anchor, if there is one: an address somewhere in the
	// object. Otherwise it counts from the base.
	off, size int64
	anchor    *ir.Value
}

// memory is what is known about the memory of a function.
type memory struct {
	f      *ir.Func
	leaked []bool // by Slot.Index
}

// newMemory finds the slots whose address leaks: those that a pointer can reach
// whose base is not the slot.
func newMemory(f *ir.Func) *memory {
	m := &memory{f: f, leaked: make([]bool, len(f.Slots))}
	leak := func(v *ir.Value) {
		if v.Type.IsPtr() {
			if s, ok := placeOf(v, 0, 0).base.(*ir.Slot); ok {
				m.leaked[s.Index] = true
			}
		}
	}
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			switch v.Op {
			case ir.OpLoad, ir.OpMemZero, ir.OpMemCopy, ir.OpPtrAdd, ir.OpPi, ir.OpCheckNonNil, ir.OpCheckULe, ir.OpHelper, ir.OpPtrDiff:
			case ir.OpStore, ir.OpAtomic:
				for _, a := range v.Args[1:] {
					leak(a)
				}
			default:
				if !v.Op.Is(ir.Compare) {
					for _, a := range v.Args {
						leak(a)
					}
				}
			}
		}
		for _, e := range b.Term.Succs {
			for _, a := range e.Args {
				leak(a)
			}
		}
	}
	return m
}

// placeOf returns the place of size bytes at p plus disp.
func placeOf(p *ir.Value, disp, size int64) place {
	l := place{off: disp, size: size}
	for {
		switch p.Op {
		case ir.OpPtrAdd:
			switch c, ok := unchecked(p.Args[1]).IsConst(); {
			case l.anchor != nil:
			case ok:
				l.off += c
			default:
				l.anchor = p
			}
		case ir.OpPi, ir.OpCheckNonNil, ir.OpCheckULe:
		case ir.OpSlotAddr:
			l.base, l.root = p.Slot(), p
			return l
		case ir.OpDataAddr:
			l.base, l.root = p.Data(), p
			if l.anchor == nil {
				l.off += p.Imm
			}
			return l
		default:
			l.root = p
			return l
		}
		p = p.Args[0]
	}
}

// unchecked returns the number that v is another name of. It is for reasoning
// about the number only: v carries a proof that it does not.
func unchecked(v *ir.Value) *ir.Value {
	for v.Op.Is(ir.Proof) {
		v = v.Args[0]
	}
	return v
}

// sameBase reports whether k and l are in the same object for certain.
func (k place) sameBase(l place) bool {
	if k.base != nil || l.base != nil {
		return k.base == l.base
	}
	return k.root == l.root
}

// contains reports whether all of l is certainly in k.
func (k place) contains(l place) bool {
	return k.sameBase(l) && k.anchor == l.anchor && k.off <= l.off && l.off+l.size <= k.off+k.size
}

// memClass is the kind of memory a pointer points into, as far as it is known;
// ir.PtrAny if it is not.
func (k place) memClass() ir.Type {
	switch k.base.(type) {
	case *ir.Slot:
		return ir.PtrStack
	case *ir.Data:
		return ir.PtrData
	}
	return k.root.Type
}

// onStack reports whether k is certainly in a slot, and in which if that is
// known.
func (k place) onStack() (*ir.Slot, bool) {
	s, ok := k.base.(*ir.Slot)
	return s, ok || k.root.Type == ir.PtrStack
}

// mayMeet reports whether k and l can overlap.
func (m *memory) mayMeet(k, l place) bool {
	if k.sameBase(l) {
		return k.anchor != l.anchor || k.off < l.off+l.size && l.off < k.off+k.size
	}
	if k.base != nil && l.base != nil {
		return false
	}
	if a, b := k.memClass(), l.memClass(); a != b && a != ir.PtrAny && b != ir.PtrAny {
		return false
	}
	for _, x := range []place{k, l} {
		if s, ok := x.base.(*ir.Slot); ok && !m.leaked[s.Index] {
			return false
		}
	}
	return true
}

// An effect is what an instruction may read and write besides its result.
type effect struct {
	reads, writes []place
	// exact says that every byte of writes is written.
	exact bool
	// shared says that all memory that others can reach, which is all but the
	// stack, may be read and written; leaked the same for leaked slots.
	shared, leaked bool
	// observed says that the program may end here, and others see what it
	// has written.
	observed bool
}

// effectOf returns what v does to memory.
func effectOf(v *ir.Value) effect {
	switch v.Op {
	case ir.OpLoad:
		return effect{reads: []place{placeOf(v.Args[0], v.Imm, int64(v.Width))}}
	case ir.OpStore:
		return effect{writes: []place{placeOf(v.Args[0], v.Imm, int64(v.Width))}, exact: true}
	case ir.OpMemZero:
		return effect{writes: []place{placeOf(v.Args[0], v.Imm, v.Size)}, exact: true}
	case ir.OpMemCopy:
		return effect{
			reads:  []place{placeOf(v.Args[1], 0, v.Size)},
			writes: []place{placeOf(v.Args[0], 0, v.Size)},
			exact:  true,
		}
	case ir.OpAtomic:
		// Atomic operations order accesses to shared memory.
		l := placeOf(v.Args[0], v.Imm, int64(v.Width))
		return effect{reads: []place{l}, writes: []place{l}, shared: true, observed: true}
	case ir.OpCall:
		return effect{shared: true, leaked: true, observed: true}
	case ir.OpHelper:
		return helperEffect(v)
	}
	return effect{observed: v.Op.Is(ir.MayPanic)}
}

// helperEffect returns the effect of a helper call. Helpers follow no pointer but
// those they are given, except that a function they call back may do anything.
func helperEffect(v *ir.Value) effect {
	h := v.Helper()
	e := effect{shared: hasEffect(v), observed: hasEffect(v), exact: true}
	e.leaked = slices.Contains(h.Args, ir.ArgFunc)
	for i, a := range v.Args {
		k := h.Args[i]
		if !a.Type.IsPtr() || k == ir.ArgCtx {
			continue
		}
		l, sized := placeOf(a, 0, 0), false
		if i < len(h.Sizes) && h.Sizes[i] >= 0 && h.Sizes[i] < len(v.Args) {
			l.size, sized = v.Args[h.Sizes[i]].IsConst()
		}
		if !sized {
			l.anchor = v // who knows where
		}
		if k != ir.ArgOut || h.Flags&ir.ReadsMem != 0 || !sized {
			e.reads = append(e.reads, l)
		}
		if k == ir.ArgOut || k == ir.ArgKernel {
			e.writes = append(e.writes, l)
			// The kernel demands of helpers that they fill what they are given.
			e.exact = e.exact && sized && k == ir.ArgOut
		}
	}
	return e
}
