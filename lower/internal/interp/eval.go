package interp

import (
	"fmt"
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// evalBinary computes op on the low bits of a and b that type t has.
func evalBinary(op ir.Op, t ir.Type, a, b uint64) uint64 {
	if t == ir.I32 {
		return uint64(binaryOp[uint32, int32](op, uint32(a), uint32(b), 32))
	}
	return binaryOp[uint64, int64](op, a, b, 64)
}

// binaryOp computes op in U, and in S of the same size where signs matter. All
// operations are total in the way of BPF.
func binaryOp[U uint32 | uint64, S int32 | int64](op ir.Op, a, b, width U) U {
	switch op {
	case ir.OpAdd:
		return a + b
	case ir.OpSub:
		return a - b
	case ir.OpMul:
		return a * b
	case ir.OpUDiv:
		if b == 0 {
			return 0
		}
		return a / b
	case ir.OpSDiv:
		if b == 0 {
			return 0
		}
		return U(S(a) / S(b))
	case ir.OpURem:
		if b == 0 {
			return a
		}
		return a % b
	case ir.OpSRem:
		if b == 0 {
			return a
		}
		return U(S(a) % S(b))
	case ir.OpAnd:
		return a & b
	case ir.OpOr:
		return a | b
	case ir.OpXor:
		return a ^ b
	case ir.OpShl:
		return a << (b & (width - 1))
	case ir.OpLShr:
		return a >> (b & (width - 1))
	case ir.OpAShr:
		return U(S(a) >> (b & (width - 1)))
	}
	panic(fmt.Sprintf("BUG: %s is not binary", op))
}

// evalUnary computes op on a. The caller drops what the result type does not
// have.
func evalUnary(op ir.Op, imm int64, a uint64) uint64 {
	switch op {
	case ir.OpNeg:
		return -a
	case ir.OpSExtIn:
		return signExtend(a, imm)
	case ir.OpTrunc, ir.OpZExt:
		return a // I32 is kept zero-extended
	case ir.OpSExt:
		return signExtend(a, 32)
	case ir.OpBswap:
		return bits.ReverseBytes64(a) >> (64 - uint(imm))
	}
	panic(fmt.Sprintf("BUG: %s is not unary", op))
}

// signExtend returns the low n bits of a, sign-extended.
func signExtend(a uint64, n int64) uint64 {
	shift := uint(64 - n)
	return uint64(int64(a<<shift) >> shift)
}

// evalCompare returns 1 if op holds for a and b of type t, else 0.
func evalCompare(op ir.Op, t ir.Type, a, b uint64) uint64 {
	sa, sb := int64(a), int64(b)
	if t == ir.I32 {
		sa, sb = int64(int32(a)), int64(int32(b))
	}
	holds := false
	switch op {
	case ir.OpEq:
		holds = a == b
	case ir.OpNe:
		holds = a != b
	case ir.OpULt:
		holds = a < b
	case ir.OpULe:
		holds = a <= b
	case ir.OpUGt:
		holds = a > b
	case ir.OpUGe:
		holds = a >= b
	case ir.OpSLt:
		holds = sa < sb
	case ir.OpSLe:
		holds = sa <= sb
	case ir.OpSGt:
		holds = sa > sb
	case ir.OpSGe:
		holds = sa >= sb
	default:
		panic(fmt.Sprintf("BUG: %s is not a comparison", op))
	}
	if holds {
		return 1
	}
	return 0
}
