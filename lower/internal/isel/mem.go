package isel

import (
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file selects addresses, loads, stores and atomic operations.

// An addr is what a memory access refers to: a displacement from a register or,
// if slot is not nil, into a frame object.
type addr struct {
	base mir.Reg
	slot *mir.Slot
	off  int32
}

// plus returns the address n bytes further on.
func (a addr) plus(n int64) addr {
	a.off += int32(n)
	return a
}

// address returns the address of size bytes at ptr+disp, which are accessed in
// pieces that need an alignment of align at most. Additions of constants become
// part of the displacement.
func (s *selector) address(ptr *ir.Value, disp, size, align int64) addr {
	if r := s.root(ptr); r.slot != nil {
		off := r.off + disp
		if off >= 0 && off+size <= r.slot.Size && off%align == 0 && r.slot.Align%align == 0 {
			return addr{base: mir.NoReg, slot: r.slot, off: int32(off)}
		}
		// Outside of the object, which a check before it makes unreachable, or
		// misaligned: the verifier shall judge.
	}
	for {
		root := s.values[ptr.ID].root
		if root.Op != ir.OpPtrAdd || s.isMadeAnew(root) {
			break
		}
		c, ok := s.constant(root.Args[1])
		if !ok || !fits16(disp+c) || !fits16(disp+c+size) {
			break
		}
		ptr, disp = root.Args[0], disp+c
	}
	base := s.reg(ptr)
	if !fits16(disp) || !fits16(disp+size) {
		t := s.out.NewReg()
		s.addConst(t, base, disp)
		base, disp = t, 0
	}
	return addr{base: base, off: int32(disp)}
}

// addConst is dst = src + c, on pointers or 64-bit integers.
func (s *selector) addConst(dst, src mir.Reg, c int64) {
	s.mov(dst, src)
	switch {
	case c == 0:
	case fits32(c):
		s.aluImm(mir.OpAdd, false, dst, c)
	default:
		t := s.out.NewReg()
		s.movImm(t, ir.I64, c)
		s.alu(mir.OpAdd, false, dst, t)
	}
}

// ptrAdd selects the addition of an offset to a pointer. The sum may be made in
// the register of either: the verifier tracks scalar += pointer as it does
// pointer += scalar.
func (s *selector) ptrAdd(v *ir.Value) {
	d := s.def(v)
	ptr, off := v.Args[0], v.Args[1]
	c, ok := s.imm(off)
	switch {
	case ok:
		s.moveTo(d, ptr)
		s.aluImm(mir.OpAdd, false, d, c)
	case !s.isMadeAnew(ptr) && s.prefersSecond(v):
		s.moveTo(d, off)
		s.alu(mir.OpAdd, false, d, s.reg(ptr))
	default:
		s.moveTo(d, ptr)
		s.alu(mir.OpAdd, false, d, s.reg(off))
	}
}

// ptrDiff selects the difference of pointers. That the length of a packet has 32 bits
// and is not negative the verifier must be shown.
func (s *selector) ptrDiff(v *ir.Value) {
	s.sub(v)
	if v.Args[0].Type == ir.PtrPacketEnd {
		d := s.def(v)
		s.mov32(d, d)
	}
}

func (s *selector) dataAddr(v *ir.Value) { s.loadSym(s.def(v), dataSym(v), v.Imm) }

func dataSym(v *ir.Value) mir.Sym { return mir.Sym{Kind: mir.SymData, Name: v.Data().Name} }

func (s *selector) load(v *ir.Value) {
	d, width := s.def(v), v.Width
	a := s.address(v.Args[0], v.Imm, int64(width), int64(width))
	t := v.Type
	if s.values[v.ID].wide {
		t = ir.I64
	}
	switch {
	case !v.Signed:
		s.loadMem(d, a, width, false)
	case t == ir.I64 && s.hasV4():
		s.loadMem(d, a, width, true)
	default:
		s.loadMem(d, a, width, false)
		s.extendInPlace(t, d, width)
	}
}

func (s *selector) store(v *ir.Value) {
	width := v.Width
	a := s.address(v.Args[0], v.Imm, int64(width), int64(width))
	val := s.lowBytes(v.Args[1], width)
	c, ok := s.constant(val)
	if width <= 4 {
		c = int64(int32(c))
	}
	if ok && fits32(c) {
		s.storeConst(v.Args[0], a, width, c)
		return
	}
	s.storeMem(a, width, s.reg(val))
}

// storeConst stores c to a, which is computed from ptr: from a register where the
// target does not take immediates.
func (s *selector) storeConst(ptr *ir.Value, a addr, width uint8, c int64) {
	if ptr.Type != ir.PtrCtx || s.target.Has(target.CtxStoreImm) {
		s.storeImm(a, width, c)
		return
	}
	t := s.out.NewReg()
	s.movImm(t, ir.I64, c)
	s.storeMem(a, width, t)
}

// lowBytes returns a value with the same low bytes as v that is nearer to the
// inputs: whatever only changes the bits above is of no use to a store.
func (s *selector) lowBytes(v *ir.Value, bytes uint8) *ir.Value {
	for {
		root := s.values[v.ID].root
		if s.isMadeAnew(v) || s.values[root.ID].reg != mir.NoReg {
			return v
		}
		switch root.Op {
		case ir.OpSExtIn:
			if root.Imm < 8*int64(bytes) {
				return v
			}
			v = root.Args[0]
		case ir.OpSExt, ir.OpTrunc:
			if bytes > 4 {
				return v
			}
			v = root.Args[0]
		case ir.OpAnd:
			c, ok := s.constant(root.Args[1])
			if mask := int64(uint64(math.MaxUint64) >> (64 - 8*bytes)); !ok || c&mask != mask {
				return v
			}
			v = root.Args[0]
		default:
			return v
		}
	}
}

// atomicOps gives the operation code of each atomic operation.
var atomicOps = [ir.NumAtomicOps]int64{
	ir.AtomicAdd:      mir.AtomicAdd,
	ir.AtomicAnd:      mir.AtomicAnd,
	ir.AtomicOr:       mir.AtomicOr,
	ir.AtomicXor:      mir.AtomicXor,
	ir.AtomicFetchAdd: mir.AtomicFetchAdd,
	ir.AtomicFetchAnd: mir.AtomicFetchAnd,
	ir.AtomicFetchOr:  mir.AtomicFetchOr,
	ir.AtomicFetchXor: mir.AtomicFetchXor,
	ir.AtomicXchg:     mir.AtomicXchg,
	ir.AtomicCmpXchg:  mir.AtomicCmpXchg,
}

// atomic selects an atomic operation. A fetching one whose result nobody wants
// becomes the one that does not fetch, where there is such.
func (s *selector) atomic(v *ir.Value) {
	op := v.Aux.(ir.AtomicOp)
	code, d := atomicOps[op], s.def(v)
	a := s.address(v.Args[0], v.Imm, int64(v.Width), int64(v.Width))
	if op == ir.AtomicCmpXchg {
		src := s.reg(v.Args[2])
		s.moveTo(mir.R0, v.Args[1])
		s.atomicMem(code, a, v.Width, src)
		if d != mir.NoReg {
			s.mov(d, mir.R0)
		}
		return
	}
	if d == mir.NoReg && op != ir.AtomicXchg {
		s.atomicMem(code&^mir.AtomicFetch, a, v.Width, s.reg(v.Args[1]))
		return
	}
	if d == mir.NoReg {
		d = s.out.NewReg()
	}
	s.moveTo(d, v.Args[1])
	s.atomicMem(code, a, v.Width, d)
}

func (s *selector) atomicMem(code int64, a addr, width uint8, src mir.Reg) {
	s.emit(mir.Inst{Op: mir.OpAtomic, Width: width, Dst: a.base, Src: src, Src2: mir.NoReg, Slot: a.slot, Off: a.off, Imm: code})
}

// newSlots makes the frame objects for the slots of f. Small alignments are
// raised to what the size permits, up to 8: it costs a few bytes of padding and
// lets whole objects be cleared and copied in large pieces.
func newSlots(f *ir.Func) []*mir.Slot {
	slots := make([]*mir.Slot, len(f.Slots))
	for i, o := range f.Slots {
		align := o.Align
		for align < 8 && 2*align <= o.Size {
			align *= 2
		}
		slots[i] = &mir.Slot{Name: o.Name, Index: -1, Size: o.Size, Align: align, Pos: mir.Pos(o.Pos)}
	}
	return slots
}

// attachSlots gives the function the frame objects that its code mentions, in
// the order of the IR.
func (s *selector) attachSlots() {
	used := make(map[*mir.Slot]bool)
	for _, b := range s.out.Blocks {
		for i := range b.Insts {
			used[b.Insts[i].Slot] = true
		}
	}
	for _, o := range s.slots {
		if used[o] {
			o.Index = len(s.out.Slots)
			s.out.Slots = append(s.out.Slots, o)
		}
	}
}
