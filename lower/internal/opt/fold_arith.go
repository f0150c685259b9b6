package opt

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file folds addition, multiplication and division.
//
// Division by a constant that is no power of two stays a division: the reciprocal
// needs a 128-bit product, which BPF has no instruction for.

func foldAdd(s *folder, v *ir.Value) *ir.Value {
	if constRight(v) {
		return v
	}
	x, y := v.Args[0], v.Args[1]
	c, isConst := y.IsConst()
	switch {
	case isConst && c == 0:
		return x
	case isConst && x.Op == ir.OpAdd && x.Args[1].Op == ir.OpConst: // (x + c1) + c2
		return s.become(v, ir.OpAdd, x.Args[0], s.constant(v.Type, x.Args[1].Imm+c))
	case isConst && x.Op == ir.OpSub && x.Args[0].Op == ir.OpConst: // (c1 - x) + c2
		return s.become(v, ir.OpSub, s.constant(v.Type, x.Args[0].Imm+c), x.Args[1])
	case x.Op == ir.OpNeg: // -x + y
		return s.become(v, ir.OpSub, y, x.Args[0])
	case y.Op == ir.OpNeg: // x + -y
		return s.become(v, ir.OpSub, x, y.Args[0])
	case x.Op == ir.OpSub && x.Args[1] == y: // (x - y) + y
		return x.Args[0]
	case y.Op == ir.OpSub && y.Args[1] == x: // x + (y - x)
		return y.Args[0]
	}
	return nil
}

func foldSub(s *folder, v *ir.Value) *ir.Value {
	x, y := v.Args[0], v.Args[1]
	if c, ok := y.IsConst(); ok {
		return s.become(v, ir.OpAdd, x, s.constant(v.Type, -c))
	}
	c, isConst := x.IsConst()
	switch {
	case x == y:
		return s.constant(v.Type, 0)
	case isConst && c == 0:
		return s.become(v, ir.OpNeg, y)
	case isConst && y.Op == ir.OpAdd && y.Args[1].Op == ir.OpConst: // c1 - (y + c2)
		return s.become(v, ir.OpSub, s.constant(v.Type, c-y.Args[1].Imm), y.Args[0])
	case isConst && y.Op == ir.OpSub && y.Args[0].Op == ir.OpConst: // c1 - (c2 - y)
		return s.become(v, ir.OpAdd, y.Args[1], s.constant(v.Type, c-y.Args[0].Imm))
	case y.Op == ir.OpNeg: // x - -y
		return s.become(v, ir.OpAdd, x, y.Args[0])
	case x.Op == ir.OpAdd && x.Args[0] == y: // (x + z) - x
		return x.Args[1]
	case x.Op == ir.OpAdd && x.Args[1] == y:
		return x.Args[0]
	case y.Op == ir.OpAdd && y.Args[0] == x: // x - (x + z)
		return s.become(v, ir.OpNeg, y.Args[1])
	case y.Op == ir.OpAdd && y.Args[1] == x:
		return s.become(v, ir.OpNeg, y.Args[0])
	case y.Op == ir.OpSub && y.Args[0] == x: // x - (x - z)
		return y.Args[1]
	}
	// The length of s[i:i+c], whose bounds are names that checks have given. A constant
	// takes no part in what the checks prove.
	if x := withoutChecks(x); x.Op == ir.OpAdd && x.Args[1].Op == ir.OpConst && withoutChecks(x.Args[0]) == withoutChecks(y) {
		return s.constant(v.Type, x.Args[1].Imm)
	}
	return nil
}

// withoutChecks returns the number that v is, which checks may have given other names.
// It is for comparing numbers, and not to be used in place of v.
func withoutChecks(v *ir.Value) *ir.Value {
	for v.Op == ir.OpPi || v.Op == ir.OpCheckIdx || v.Op == ir.OpCheckULe {
		v = v.Args[0]
	}
	return v
}

func foldNeg(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	switch {
	case x.Op == ir.OpNeg:
		return x.Args[0]
	case x.Op == ir.OpSub && s.single(x):
		return s.become(v, ir.OpSub, x.Args[1], x.Args[0])
	}
	return nil
}

func foldMul(s *folder, v *ir.Value) *ir.Value {
	if constRight(v) {
		return v
	}
	x := v.Args[0]
	c, ok := constArg(v, 1)
	if !ok {
		return nil
	}
	k, isPower := log2(v.Type, c)
	switch {
	case c == 0:
		return v.Args[1]
	case c == 1:
		return x
	case c == -1:
		return s.become(v, ir.OpNeg, x)
	case isPower:
		return s.become(v, ir.OpShl, x, s.constant(v.Type, k))
	case x.Op == ir.OpMul && x.Args[1].Op == ir.OpConst:
		return s.become(v, ir.OpMul, x.Args[0], s.constant(v.Type, x.Args[1].Imm*c))
	case x.Op == ir.OpShl && x.Args[1].Op == ir.OpConst:
		product := evalBinary(ir.OpShl, v.Type, c, x.Args[1].Imm)
		return s.become(v, ir.OpMul, x.Args[0], s.constant(v.Type, product))
	case x.Op == ir.OpNeg:
		return s.become(v, ir.OpMul, x.Args[0], s.constant(v.Type, -c))
	}
	return nil
}

// log2 returns k if c, a constant of type t, is 2 to the k as an unsigned number.
func log2(t ir.Type, c int64) (k int64, ok bool) {
	u := unsigned(t, c)
	return int64(bits.TrailingZeros64(u)), bits.OnesCount64(u) == 1
}

func foldUDiv(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	if isConst(x, 0) {
		return x
	}
	c, ok := constArg(v, 1)
	if !ok {
		return nil
	}
	k, isPower := log2(v.Type, c)
	switch {
	case c == 0:
		return v.Args[1]
	case c == 1:
		return x
	case isPower:
		return s.become(v, ir.OpLShr, x, s.constant(v.Type, k))
	case x.Op == ir.OpUDiv && x.Args[1].Op == ir.OpConst: // (x / c1) / c2
		hi, product := bits.Mul64(unsigned(v.Type, x.Args[1].Imm), unsigned(v.Type, c))
		if hi == 0 && product&^typeMask(v.Type) == 0 && product != 0 {
			return s.become(v, ir.OpUDiv, x.Args[0], s.constant(v.Type, int64(product)))
		}
	}
	return nil
}

func foldURem(s *folder, v *ir.Value) *ir.Value {
	x := v.Args[0]
	c, ok := constArg(v, 1)
	switch {
	case isConst(x, 0):
		return x
	case !ok:
		return nil
	case c == 0:
		return x
	}
	if _, isPower := log2(v.Type, c); isPower {
		return s.become(v, ir.OpAnd, x, s.constant(v.Type, c-1))
	}
	return nil
}

func foldSDiv(s *folder, v *ir.Value) *ir.Value {
	x, y := v.Args[0], v.Args[1]
	if isConst(x, 0) {
		return x
	}
	if isNonNegative(x) && isNonNegative(y) {
		return s.become(v, ir.OpUDiv, x, y)
	}
	c, ok := y.IsConst()
	if !ok {
		return nil
	}
	k, isPower := log2(v.Type, c)
	switch {
	case c == 0:
		return y
	case c == 1:
		return x
	case c == -1:
		return s.become(v, ir.OpNeg, x)
	case isPower && c > 0:
		// Rounding is towards zero: add 2^k - 1 to negative numbers first.
		biased := s.emit(ir.OpAdd, v.Type, x, s.bias(v.Type, x, k))
		return s.become(v, ir.OpAShr, biased, s.constant(v.Type, k))
	case c < -1 && canonical(v.Type, -c) > 0: // not the smallest integer
		q := s.emit(ir.OpSDiv, v.Type, x, s.constant(v.Type, -c))
		return s.become(v, ir.OpNeg, q)
	}
	return nil
}

// bias returns 2^k - 1 if x is negative and 0 otherwise.
func (s *folder) bias(t ir.Type, x *ir.Value, k int64) *ir.Value {
	w := int64(t.Bits())
	sign := s.emit(ir.OpAShr, t, x, s.constant(t, w-1))
	return s.emit(ir.OpLShr, t, sign, s.constant(t, w-k))
}

func foldSRem(s *folder, v *ir.Value) *ir.Value {
	x, y := v.Args[0], v.Args[1]
	if isConst(x, 0) {
		return x
	}
	if isNonNegative(x) && isNonNegative(y) {
		return s.become(v, ir.OpURem, x, y)
	}
	c, ok := y.IsConst()
	if !ok {
		return nil
	}
	if c < 0 && canonical(v.Type, -c) > 0 { // the sign of the divisor does not matter
		c = -c
		v = s.become(v, ir.OpSRem, x, s.constant(v.Type, c))
	}
	k, isPower := log2(v.Type, c)
	switch {
	case c == 0:
		return x
	case c == 1:
		return s.constant(v.Type, 0)
	case isPower && c > 0:
		bias := s.bias(v.Type, x, k)
		low := s.emit(ir.OpAnd, v.Type, s.emit(ir.OpAdd, v.Type, x, bias), s.constant(v.Type, c-1))
		return s.become(v, ir.OpSub, low, bias)
	case c != y.Imm:
		return v
	}
	return nil
}
