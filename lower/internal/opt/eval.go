package opt

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file computes operations on constants, with BPF's total semantics: see
// the package comment of ir.

// canonical returns the low bits of c that a constant of type t has, in the form
// ir wants: sign-extended.
func canonical(t ir.Type, c int64) int64 {
	if t == ir.I32 {
		return int64(int32(c))
	}
	return c
}

// unsigned returns the value of constant c of type t as an unsigned number.
func unsigned(t ir.Type, c int64) uint64 {
	if t == ir.I32 {
		return uint64(uint32(c))
	}
	return uint64(c)
}

// typeMask returns the bits that an integer of type t has.
func typeMask(t ir.Type) uint64 {
	if t == ir.I32 {
		return 1<<32 - 1
	}
	return 1<<64 - 1
}

// evalBinary returns a op b for constants of type t, an integer type.
func evalBinary(op ir.Op, t ir.Type, a, b int64) int64 {
	ua, ub := unsigned(t, a), unsigned(t, b)
	shift := ub & uint64(t.Bits()-1)
	var r int64
	switch op {
	case ir.OpAdd:
		r = a + b
	case ir.OpSub:
		r = a - b
	case ir.OpMul:
		r = a * b
	case ir.OpUDiv:
		if b != 0 {
			r = int64(ua / ub)
		}
	case ir.OpURem:
		r = a
		if b != 0 {
			r = int64(ua % ub)
		}
	case ir.OpSDiv:
		switch b {
		case 0:
		case -1:
			r = -a
		default:
			r = a / b
		}
	case ir.OpSRem:
		switch b {
		case 0:
			r = a
		case -1:
		default:
			r = a % b
		}
	case ir.OpAnd:
		r = a & b
	case ir.OpOr:
		r = a | b
	case ir.OpXor:
		r = a ^ b
	case ir.OpShl:
		r = a << shift
	case ir.OpLShr:
		r = int64(ua >> shift)
	case ir.OpAShr:
		r = a >> shift // a is sign-extended
	default:
		panic("BUG: evalBinary of " + op.String())
	}
	return canonical(t, r)
}

// evalCompare returns whether a op b holds for constants of type t.
func evalCompare(op ir.Op, t ir.Type, a, b int64) bool {
	ua, ub := unsigned(t, a), unsigned(t, b)
	switch op {
	case ir.OpEq:
		return a == b
	case ir.OpNe:
		return a != b
	case ir.OpULt:
		return ua < ub
	case ir.OpULe:
		return ua <= ub
	case ir.OpUGt:
		return ua > ub
	case ir.OpUGe:
		return ua >= ub
	case ir.OpSLt:
		return a < b
	case ir.OpSLe:
		return a <= b
	case ir.OpSGt:
		return a > b
	case ir.OpSGe:
		return a >= b
	}
	panic("BUG: evalCompare of " + op.String())
}

// evalUnary returns the result of v, an operation of one integer operand, when
// that is the constant a.
func evalUnary(v *ir.Value, a int64) int64 {
	switch v.Op {
	case ir.OpNeg:
		return canonical(v.Type, -a)
	case ir.OpSExtIn:
		s := 64 - uint(v.Imm)
		return a << s >> s
	case ir.OpTrunc, ir.OpSExt:
		return int64(int32(a))
	case ir.OpZExt:
		return int64(uint32(a))
	case ir.OpBswap:
		return canonical(v.Type, int64(bits.ReverseBytes64(uint64(a))>>(64-uint(v.Imm))))
	}
	panic("BUG: evalUnary of " + v.Op.String())
}

// boolConst returns 1 for true.
func boolConst(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
