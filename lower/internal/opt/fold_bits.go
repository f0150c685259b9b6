package opt

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file folds bitwise operations, shifts and changes of width.

func foldAnd(s *folder, v *ir.Value) *ir.Value {
	if constRight(v) {
		return v
	}
	x, y := v.Args[0], v.Args[1]
	if x == y {
		return x
	}
	c, ok := y.IsConst()
	if !ok {
		return nil
	}
	mask := unsigned(v.Type, c)
	zero, one := knownBits(x)
	switch {
	case (mask|zero)&typeMask(v.Type) == typeMask(v.Type): // clears nothing that is not clear
		return x
	case (zero|one)&mask == mask:
		return s.constant(v.Type, int64(one&mask))
	case x.Op == ir.OpAnd && x.Args[1].Op == ir.OpConst:
		return s.become(v, ir.OpAnd, x.Args[0], s.constant(v.Type, x.Args[1].Imm&c))
	case x.Op == ir.OpZExt && s.single(x): // on 32 bits the mask is an immediate
		low := s.emit(ir.OpAnd, ir.I32, x.Args[0], s.constant(ir.I32, c))
		return s.become(v, ir.OpZExt, low)
	case x.Op == ir.OpSExt && mask>>32 == 0 && s.single(x):
		low := s.emit(ir.OpAnd, ir.I32, x.Args[0], s.constant(ir.I32, c))
		return s.become(v, ir.OpZExt, low)
	}
	if w := s.demand(x, mask); w != x {
		return s.become(v, ir.OpAnd, w, y)
	}
	return nil
}

// maxDemandDepth bounds how far demand looks.
const maxDemandDepth = 4

// demand returns a value that agrees with x in the bits of mask, given that the
// place that asks looks at no others. It leaves out extensions and masks that
// affect only the other bits.
func (s *folder) demand(x *ir.Value, mask uint64) *ir.Value {
	return s.demandOf(x, mask, 0, true)
}

// demandOf is demand; alone says that nobody but the place that asks looks at x
// through its user.
func (s *folder) demandOf(x *ir.Value, mask uint64, depth int, alone bool) *ir.Value {
	if depth == maxDemandDepth {
		return x
	}
	alone = alone && s.single(x)
	low := uint64(1)<<bits.Len64(mask) - 1 // what carries into mask
	var from uint64                        // bits of the operands that matter
	switch x.Op {
	case ir.OpSExtIn:
		if mask>>uint(x.Imm) == 0 {
			return s.demandOf(x.Args[0], mask, depth+1, alone)
		}
		return x
	case ir.OpAnd:
		if c, ok := constArg(x, 1); ok && unsigned(x.Type, c)&mask == mask {
			return s.demandOf(x.Args[0], mask, depth+1, alone)
		}
		from = mask
	case ir.OpOr, ir.OpXor:
		if c, ok := constArg(x, 1); ok && unsigned(x.Type, c)&mask == 0 {
			return s.demandOf(x.Args[0], mask, depth+1, alone)
		}
		from = mask
	case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpNeg:
		from = low
	default:
		return x
	}
	// The operation stays, but its operands need no more than it does: for that
	// nobody else may look at it.
	if !alone {
		return x
	}
	for i, a := range x.Args {
		if w := s.demandOf(a, from, depth+1, true); w != a {
			s.changed = true
			s.addUses(w, 1)
			x.Args[i] = w
		}
	}
	return x
}

func foldOr(s *folder, v *ir.Value) *ir.Value {
	if constRight(v) {
		return v
	}
	x, y := v.Args[0], v.Args[1]
	if x == y {
		return x
	}
	c, ok := y.IsConst()
	if !ok {
		return nil
	}
	zero, one := knownBits(x)
	set := unsigned(v.Type, c)
	switch {
	case set&^one == 0:
		return x
	case (zero|one|set)&typeMask(v.Type) == typeMask(v.Type):
		return s.constant(v.Type, int64(one|set))
	case x.Op == ir.OpOr && x.Args[1].Op == ir.OpConst:
		return s.become(v, ir.OpOr, x.Args[0], s.constant(v.Type, x.Args[1].Imm|c))
	}
	return nil
}

func foldXor(s *folder, v *ir.Value) *ir.Value {
	if constRight(v) {
		return v
	}
	x, y := v.Args[0], v.Args[1]
	if x == y {
		return s.constant(v.Type, 0)
	}
	c, ok := y.IsConst()
	switch {
	case !ok:
		return nil
	case c == 0:
		return x
	case x.Op == ir.OpXor && x.Args[1].Op == ir.OpConst:
		return s.become(v, ir.OpXor, x.Args[0], s.constant(v.Type, x.Args[1].Imm^c))
	case c == 1 && x.Op.Is(ir.Compare):
		return s.become(v, x.Op.Negated(), x.Args[0], x.Args[1])
	}
	return nil
}

// shiftCount returns the constant shift count of v, modulo the width.
func shiftCount(v *ir.Value) (int64, bool) {
	c, ok := constArg(v, 1)
	return c & int64(v.Type.Bits()-1), ok
}

// foldShift is what the three shifts have in common.
func foldShift(s *folder, v *ir.Value) *ir.Value {
	n, ok := shiftCount(v)
	switch {
	case isConst(v.Args[0], 0):
		return v.Args[0]
	case !ok:
		return nil
	case n == 0:
		return v.Args[0]
	case n != v.Args[1].Imm:
		return s.become(v, v.Op, v.Args[0], s.constant(v.Type, n))
	}
	return nil
}

// innerShift returns the operand and count of x if it is a shift by a constant.
func innerShift(x *ir.Value, op ir.Op) (*ir.Value, int64, bool) {
	if x.Op != op {
		return nil, 0, false
	}
	n, ok := shiftCount(x)
	return x.Args[0], n, ok
}

func foldShl(s *folder, v *ir.Value) *ir.Value {
	if w := foldShift(s, v); w != nil {
		return w
	}
	n, ok := shiftCount(v)
	if !ok {
		return nil
	}
	w := int64(v.Type.Bits())
	if x, m, ok := innerShift(v.Args[0], ir.OpShl); ok {
		if n+m >= w {
			return s.constant(v.Type, 0)
		}
		return s.become(v, ir.OpShl, x, s.constant(v.Type, n+m))
	}
	for _, op := range []ir.Op{ir.OpLShr, ir.OpAShr} {
		if x, m, ok := innerShift(v.Args[0], op); ok && m == n && (n < 32 || w == 32) {
			return s.become(v, ir.OpAnd, x, s.constant(v.Type, -1<<n))
		}
	}
	if x := s.demand(v.Args[0], typeMask(v.Type)>>n); x != v.Args[0] {
		return s.become(v, ir.OpShl, x, v.Args[1])
	}
	return nil
}

func foldLShr(s *folder, v *ir.Value) *ir.Value {
	if w := foldShift(s, v); w != nil {
		return w
	}
	n, ok := shiftCount(v)
	if !ok {
		return nil
	}
	w := int64(v.Type.Bits())
	if x, m, ok := innerShift(v.Args[0], ir.OpLShr); ok {
		if n+m >= w {
			return s.constant(v.Type, 0)
		}
		return s.become(v, ir.OpLShr, x, s.constant(v.Type, n+m))
	}
	// A mask that is a positive 32-bit immediate is one instruction.
	if x, m, ok := innerShift(v.Args[0], ir.OpShl); ok && m == n && (w-n < 32 || w == 32) {
		return s.become(v, ir.OpAnd, x, s.constant(v.Type, int64(typeMask(v.Type)>>n)))
	}
	if zero, _ := knownBits(v.Args[0]); zero>>n == typeMask(v.Type)>>n {
		return s.constant(v.Type, 0)
	}
	return nil
}

func foldAShr(s *folder, v *ir.Value) *ir.Value {
	if w := foldShift(s, v); w != nil {
		return w
	}
	n, ok := shiftCount(v)
	if !ok {
		return nil
	}
	if isNonNegative(v.Args[0]) {
		return s.become(v, ir.OpLShr, v.Args[0], v.Args[1])
	}
	w := int64(v.Type.Bits())
	if x, m, ok := innerShift(v.Args[0], ir.OpAShr); ok {
		return s.become(v, ir.OpAShr, x, s.constant(v.Type, min(n+m, w-1)))
	}
	if x, m, ok := innerShift(v.Args[0], ir.OpShl); ok && m == n {
		if left := w - n; left == 8 || left == 16 || left == 32 {
			return s.becomeImm(v, ir.OpSExtIn, left, x)
		}
	}
	return nil
}

func foldSExtIn(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	if signBits(x) > v.Type.Bits()-int(v.Imm) {
		return x
	}
	switch {
	case x.Op == ir.OpSExtIn: // from more bits
		return s.becomeImm(v, ir.OpSExtIn, v.Imm, x.Args[0])
	case v.Imm == 32 && x.Op == ir.OpZExt:
		return s.become(v, ir.OpSExt, x.Args[0])
	case v.Imm < 32 && (x.Op == ir.OpZExt || x.Op == ir.OpSExt):
		low := s.emitImm(ir.OpSExtIn, ir.I32, v.Imm, x.Args[0])
		return s.become(v, ir.OpSExt, low)
	}
	if zero, _ := knownBits(x); v.Imm < 32 && zero>>(v.Imm-1)&1 != 0 { // the sign is known
		return s.become(v, ir.OpAnd, x, s.constant(v.Type, 1<<v.Imm-1))
	}
	if w := s.demand(x, 1<<v.Imm-1); w != x {
		return s.becomeImm(v, ir.OpSExtIn, v.Imm, w)
	}
	return nil
}

func foldTrunc(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	if x.Op == ir.OpZExt || x.Op == ir.OpSExt {
		return x.Args[0]
	}
	if w := s.demand(x, 1<<32-1); w != x {
		return s.become(v, ir.OpTrunc, w)
	}
	if s.single(x) && narrows(x) {
		args := make([]*ir.Value, len(x.Args))
		for i, a := range x.Args {
			args[i] = s.emit(ir.OpTrunc, ir.I32, a)
		}
		return s.become(v, x.Op, args...)
	}
	return nil
}

// narrows reports whether the low half of x is the same operation on the low
// halves of its operands, and these cost nothing.
func narrows(x *ir.Value) bool {
	free := 0
	for _, a := range x.Args {
		if a.Op == ir.OpConst || a.Op == ir.OpZExt || a.Op == ir.OpSExt {
			free++
		}
	}
	switch x.Op {
	case ir.OpNeg:
		return free == 1
	case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpAnd, ir.OpOr, ir.OpXor:
		return free > 0
	case ir.OpShl:
		n, ok := shiftCount(x)
		return ok && n < 32
	}
	return false
}

func foldZExt(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	if x.Op == ir.OpTrunc {
		if zero, _ := knownBits(x.Args[0]); zero>>32 == 1<<32-1 {
			return x.Args[0]
		}
	}
	return nil
}

func foldSExt(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	switch {
	case isNonNegative(x):
		return s.become(v, ir.OpZExt, x)
	case x.Op == ir.OpTrunc:
		return s.becomeImm(v, ir.OpSExtIn, 32, x.Args[0])
	}
	return nil
}

func foldBswap(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	if x.Op == ir.OpBswap && x.Imm == v.Imm {
		return s.become(v, ir.OpAnd, x.Args[0], s.constant(v.Type, int64(lowBits(v.Imm))))
	}
	if w := s.demand(x, lowBits(v.Imm)); w != x {
		return s.becomeImm(v, ir.OpBswap, v.Imm, w)
	}
	return nil
}

// lowBits returns the n lowest bits set.
func lowBits(n int64) uint64 { return 1<<uint(n) - 1 }
