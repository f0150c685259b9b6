package opt

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds bits of integers that are certain, from the operations that
// make them.
//
// It knows no more than the kernel verifier does about the same instructions
// (tnum.c and the bounds of scalars in verifier.c), so that a mask or comparison
// that folds because of it is one whose outcome the verifier knows, too. In
// particular nothing is known of quotients, remainders and byte swaps.
//
// Reference: Vishwanathan et al., "Sound, Precise, and Fast Abstract
// Interpretation with Tristate Numbers" (CGO 2022), for sums and differences.

// maxBitsDepth bounds how many operations deep is looked.
const maxBitsDepth = 5

// knownBits returns which bits of the integer v are certainly 0 and which are
// certainly 1. Bits that its type does not have are in neither.
func knownBits(v *ir.Value) (zero, one uint64) { return knownBitsAt(v, 0) }

func knownBitsAt(v *ir.Value, depth int) (zero, one uint64) {
	mask := typeMask(v.Type)
	if v.Op == ir.OpConst {
		one = unsigned(v.Type, v.Imm)
		return mask &^ one, one
	}
	if depth == maxBitsDepth || !v.Type.IsInt() {
		return 0, 0
	}
	arg := func(i int) (zero, one uint64) { return knownBitsAt(v.Args[i], depth+1) }
	switch v.Op {
	case ir.OpAnd:
		z0, o0 := arg(0)
		z1, o1 := arg(1)
		return z0 | z1, o0 & o1
	case ir.OpOr:
		z0, o0 := arg(0)
		z1, o1 := arg(1)
		return z0 & z1, o0 | o1
	case ir.OpXor:
		z0, o0 := arg(0)
		z1, o1 := arg(1)
		return z0&z1 | o0&o1, z0&o1 | o0&z1
	case ir.OpAdd, ir.OpSub:
		z0, o0 := arg(0)
		z1, o1 := arg(1)
		zero, one = knownSum(v.Op == ir.OpSub, o0, mask&^(z0|o0), o1, mask&^(z1|o1))
		return zero & mask, one & mask
	case ir.OpMul:
		z0, _ := arg(0)
		z1, _ := arg(1)
		return knownProduct(z0, z1, mask), 0
	case ir.OpShl, ir.OpLShr, ir.OpAShr:
		n, ok := shiftCount(v)
		if !ok {
			return 0, 0
		}
		z, o := arg(0)
		return knownShift(v, z, o, uint(n), mask)
	case ir.OpTrunc:
		z, o := arg(0)
		return z & mask, o & mask
	case ir.OpZExt:
		z, o := arg(0)
		return z | 0xffffffff<<32, o
	case ir.OpSExt:
		z, o := arg(0)
		return extendSign(z, 32), extendSign(o, 32)
	case ir.OpSExtIn:
		z, o := arg(0)
		return extendSign(z, uint(v.Imm)) & mask, extendSign(o, uint(v.Imm)) & mask
	case ir.OpSelect:
		z0, o0 := arg(1)
		z1, o1 := arg(2)
		return z0 & z1, o0 & o1
	case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe:
		zero, one = arg(0)
		if limit, ok := checkLimit(v); ok {
			zero |= mask &^ lowBits(int64(bits.Len64(limit)))
		}
		return zero, one
	case ir.OpLoad:
		if !v.Signed {
			return mask &^ lowBits(int64(v.Width)*8), 0
		}
	}
	if v.Op.Is(ir.Compare) {
		return mask &^ 1, 0
	}
	return 0, 0
}

// checkLimit returns the largest value that v, the result of a check against a
// constant, can have.
func checkLimit(v *ir.Value) (uint64, bool) {
	if v.Op != ir.OpCheckIdx && v.Op != ir.OpCheckULe {
		return 0, false
	}
	c, ok := constArg(v, 1)
	limit := unsigned(v.Type, c)
	if v.Op == ir.OpCheckIdx {
		if limit == 0 {
			return 0, false // never passes
		}
		limit--
	}
	return limit, ok
}

// knownSum is tnum_add and tnum_sub: of numbers with certain bits v and
// uncertain bits m.
func knownSum(sub bool, v0, m0, v1, m1 uint64) (zero, one uint64) {
	var v, chi uint64
	if sub {
		v = v0 - v1
		chi = (v + m0) ^ (v - m1)
	} else {
		v = v0 + v1
		chi = (v + m0 + m1) ^ v
	}
	unknown := chi | m0 | m1
	return ^v &^ unknown, v &^ unknown
}

// knownProduct returns the bits of a product that are 0: the trailing zeros of
// both factors, and the leading ones if it cannot overflow.
func knownProduct(z0, z1, mask uint64) uint64 {
	trailing := bits.TrailingZeros64(^z0) + bits.TrailingZeros64(^z1)
	zero := lowBits(int64(min(trailing, 64)))
	if a, b := bits.Len64(mask&^z0), bits.Len64(mask&^z1); a <= 32 && b <= 32 && a+b < 64 {
		zero |= ^lowBits(int64(a + b))
	}
	return zero & mask
}

func knownShift(v *ir.Value, z, o uint64, n uint, mask uint64) (zero, one uint64) {
	switch v.Op {
	case ir.OpShl:
		return (z<<n | lowBits(int64(n))) & mask, o << n & mask
	case ir.OpLShr:
		return z>>n | mask&^(mask>>n), o >> n
	}
	w := uint(v.Type.Bits())
	z, o = extendSign(z, w), extendSign(o, w)
	return uint64(int64(z)>>n) & mask, uint64(int64(o)>>n) & mask
}

// extendSign copies bit n-1 of x to all higher bits.
func extendSign(x uint64, n uint) uint64 { return uint64(int64(x<<(64-n)) >> (64 - n)) }

// isNonNegative reports whether the sign of v is certainly 0.
func isNonNegative(v *ir.Value) bool {
	zero, _ := knownBits(v)
	return zero>>(v.Type.Bits()-1) != 0
}

// unsignedRange returns bounds of v as an unsigned number.
func unsignedRange(v *ir.Value) (lo, hi uint64) {
	zero, one := knownBits(v)
	hi = typeMask(v.Type) &^ zero
	if limit, ok := checkLimit(v); ok {
		hi = min(hi, limit)
	}
	return one, hi
}

// signBits returns how many of the highest bits of the integer v are certainly
// copies of the sign, itself included.
func signBits(v *ir.Value) int { return signBitsAt(v, 0) }

func signBitsAt(v *ir.Value, depth int) int {
	w := v.Type.Bits()
	if c, ok := v.IsConst(); ok {
		return w - bits.Len64(uint64(c^c>>63))
	}
	n := 1
	if depth < maxBitsDepth {
		arg := func(i int) int { return signBitsAt(v.Args[i], depth+1) }
		switch v.Op {
		case ir.OpSExtIn:
			n = max(w-int(v.Imm)+1, arg(0))
		case ir.OpSExt:
			n = 32 + arg(0)
		case ir.OpAShr:
			if c, ok := shiftCount(v); ok {
				n = min(w, arg(0)+int(c))
			}
		case ir.OpAnd, ir.OpOr, ir.OpXor:
			n = min(arg(0), arg(1))
		case ir.OpAdd, ir.OpSub:
			n = max(1, min(arg(0), arg(1))-1)
		case ir.OpSelect:
			n = min(arg(1), arg(2))
		case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe:
			n = arg(0)
		case ir.OpTrunc:
			n = max(1, arg(0)-32)
		case ir.OpLoad:
			if v.Signed {
				n = w - int(v.Width)*8 + 1
			}
		}
	}
	zero, one := knownBitsAt(v, depth)
	leading := func(x uint64) int { return bits.LeadingZeros64(^(x << (64 - w))) }
	return max(n, leading(zero), leading(one))
}
