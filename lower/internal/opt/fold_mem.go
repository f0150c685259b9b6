package opt

import (
	"encoding/binary"
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file folds the computation of addresses into the operations that use
// them, loads of constant data, and checks that hold by the way their operand
// is made.

func foldPtrAdd(s *folder, v *ir.Value) *ir.Value {
	p, n := v.Args[0], v.Args[1]
	c, ok := n.IsConst()
	if !ok {
		// A constant added first is added last instead, so that it can become
		// a displacement. Not for packets: their bounds are tracked by the
		// order of additions.
		if p.Op == ir.OpPtrAdd && p.Args[1].Op == ir.OpConst && p.Type != ir.PtrPacket && s.single(p) {
			sum := s.emit(ir.OpPtrAdd, p.Args[0].Type, p.Args[0], n)
			return s.become(v, ir.OpPtrAdd, sum, p.Args[1])
		}
		return nil
	}
	switch {
	case c == 0:
		return p
	case p.Op == ir.OpPtrAdd && p.Args[1].Op == ir.OpConst:
		return s.become(v, ir.OpPtrAdd, p.Args[0], s.constant(ir.I64, p.Args[1].Imm+c))
	case p.Op == ir.OpDataAddr:
		size := int64(len(p.Data().Bytes))
		if off := p.Imm + c; off >= 0 && off <= size && c >= -size && c <= size {
			v.Op, v.Args, v.Imm, v.Aux = ir.OpDataAddr, nil, off, p.Aux
			return v
		}
	}
	return nil
}

func foldPtrDiff(s *folder, v *ir.Value) *ir.Value {
	p, q := v.Args[0], v.Args[1]
	switch {
	case p == q:
		return s.constant(ir.I64, 0)
	case p.Op == ir.OpPtrAdd && p.Args[0] == q:
		return p.Args[1]
	case q.Op == ir.OpPtrAdd && q.Args[0] == p:
		return s.become(v, ir.OpNeg, q.Args[1])
	// What is added to a pointer may be more than the verifier lets be added.
	case p.Op == ir.OpPtrAdd:
		return s.become(v, ir.OpAdd, s.emit(ir.OpPtrDiff, ir.I64, p.Args[0], q), p.Args[1])
	case q.Op == ir.OpPtrAdd:
		return s.become(v, ir.OpSub, s.emit(ir.OpPtrDiff, ir.I64, p, q.Args[0]), q.Args[1])
	}
	return nil
}

// foldDisp moves a constant from the address of a memory operation to its
// displacement, which is 16 bits and signed.
func foldDisp(s *folder, v *ir.Value) *ir.Value {
	p := v.Args[0]
	if p.Op != ir.OpPtrAdd || p.Args[1].Op != ir.OpConst {
		return nil
	}
	c := p.Args[1].Imm
	if c < math.MinInt16 || c > math.MaxInt16 || v.Imm+c < math.MinInt16 || v.Imm+c > math.MaxInt16 {
		return nil
	}
	if v.Op != ir.OpMemZero && !keepsAlignment(v, p.Args[0], c) {
		return nil
	}
	v.Args[0] = p.Args[0]
	s.addUses(v.Args[0], 1)
	v.Imm += c
	return v
}

// keepsAlignment reports whether ir.Verify accepts v at c more bytes from base.
func keepsAlignment(v, base *ir.Value, c int64) bool {
	if base.Op == ir.OpSlotAddr && base.Slot().Align < int64(v.Width) {
		return false
	}
	whole := v.Op == ir.OpAtomic || base.Op == ir.OpSlotAddr ||
		v.Op == ir.OpLoad && v.Type.IsPtr() || v.Op == ir.OpStore && v.Args[1].Type.IsPtr()
	return !whole || (v.Imm+c)%int64(v.Width) == 0
}

func foldLoad(s *folder, v *ir.Value) *ir.Value {
	if w := foldDisp(s, v); w != nil {
		return w
	}
	p := v.Args[0]
	if p.Op != ir.OpDataAddr || p.Data().Mutable || !v.Type.IsInt() {
		return nil
	}
	off, data := p.Imm+v.Imm, p.Data().Bytes
	if off < 0 || off+int64(v.Width) > int64(len(data)) || holdsRef(p.Data(), off, int64(v.Width)) {
		return nil
	}
	var word [8]byte
	copy(word[:v.Width], data[off:])
	c := int64(binary.LittleEndian.Uint64(word[:]))
	if v.Signed {
		c = int64(extendSign(uint64(c), uint(v.Width)*8))
	}
	return s.constant(v.Type, c)
}

func foldStore(s *folder, v *ir.Value) *ir.Value {
	if w := foldDisp(s, v); w != nil {
		return w
	}
	x := v.Args[1]
	if !x.Type.IsInt() {
		return nil
	}
	if w := s.demand(x, lowBits(int64(v.Width)*8)); w != x {
		v.Args[1] = w
		s.addUses(w, 1)
		return v
	}
	return nil
}

// foldCheckBound removes a bounds check that holds by the way the index is made.
// The verifier knows as much of the index without the check, so that no name
// needs to carry the proof.
func foldCheckBound(s *folder, v *ir.Value) *ir.Value {
	x, limit := v.Args[0], v.Args[1]
	if !x.Type.IsInt() {
		return nil
	}
	_, hi := unsignedRange(x)
	lo, _ := unsignedRange(limit)
	if hi < lo || hi == lo && v.Op == ir.OpCheckULe {
		return x
	}
	return nil
}

// foldPi removes the name of a constant, which carries its own fact.
func foldPi(_ *folder, v *ir.Value) *ir.Value {
	if v.Args[0].Op == ir.OpConst && v.Type.IsInt() {
		return v.Args[0]
	}
	return nil
}

// foldCheckNonNil removes the check of an address that is not nil.
func foldCheckNonNil(_ *folder, v *ir.Value) *ir.Value {
	if isNonNil(v.Args[0]) {
		return v.Args[0]
	}
	return nil
}
