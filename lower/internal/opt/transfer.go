package opt

import (
	"math"
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file derives the fact of a result from those of the operands, operation
// by operation. Where the verifier knows less than is true, the analysis' mode
// decides.

// transfer returns the fact of v's result.
func (a *analysis) transfer(v *ir.Value) fact {
	if a.sound {
		return a.operation(v)
	}
	f := anything(v.Type)
	if a.follows(v) {
		f = a.operation(v)
	}
	f.extended = v.Type == ir.I32 && a.extends(v)
	return f
}

// follows reports whether the verifier computes bounds of the integer v as it
// does for constants.
func (a *analysis) follows(v *ir.Value) bool {
	switch v.Op {
	case ir.OpOr, ir.OpXor, ir.OpMul:
		return a.target.Has(target.OperandRanges) || v.Args[0].Op == ir.OpConst || v.Args[1].Op == ir.OpConst
	}
	return true
}

// extends reports whether the verifier knows that the upper half of the I32 v is 0,
// where it is defined.
func (a *analysis) extends(v *ir.Value) bool {
	switch v.Op {
	case ir.OpAdd, ir.OpSub, ir.OpNeg, ir.OpAnd, ir.OpTrunc, ir.OpSExtIn, ir.OpLoad:
		return true
	case ir.OpOr, ir.OpXor, ir.OpMul:
		return a.follows(v)
	case ir.OpShl, ir.OpLShr, ir.OpAShr:
		_, ok := shiftCount(v)
		return ok
	case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe:
		return a.get(v.Args[0]).extended
	case ir.OpSelect:
		return a.get(v.Args[1]).extended && a.get(v.Args[2]).extended
	}
	return v.Op.Is(ir.Compare)
}

// operation returns the fact of v's result where the verifier follows it.
func (a *analysis) operation(v *ir.Value) fact {
	t := v.Type
	switch {
	case !t.IsInt():
		return fact{nonNil: a.pointerNonNil(v)}
	case v.Op.Is(ir.Compare):
		return a.transferCompare(v)
	}
	arg := func(i int) fact { return a.get(v.Args[i]) }
	switch v.Op {
	case ir.OpAdd, ir.OpSub:
		f := sumFact(v.Op, arg(0), arg(1), t)
		if a.sound && v.Op == ir.OpSub {
			if less, ok := a.decideCompare(ir.OpULe, v.Args[1], v.Args[0]); less && ok {
				f = f.and(between(t, 0, arg(0).umax-arg(1).umin), t)
			}
		}
		return f
	case ir.OpNeg:
		return sumFact(ir.OpSub, exactly(t, 0), arg(0), t)
	case ir.OpMul:
		return productFact(arg(0), arg(1), t)
	case ir.OpAnd, ir.OpOr, ir.OpXor:
		return bitwiseFact(v.Op, arg(0), arg(1), t)
	case ir.OpShl, ir.OpLShr, ir.OpAShr:
		return shiftFact(v, arg(0))
	case ir.OpUDiv, ir.OpURem, ir.OpSDiv, ir.OpSRem:
		if a.sound {
			return quotientFact(v.Op, arg(0), arg(1), t)
		}
	case ir.OpOpaque:
		if a.sound {
			return arg(0)
		}
	case ir.OpBswap:
		if a.sound && v.Imm < 64 {
			return between(t, 0, lowBits(v.Imm))
		}
	case ir.OpPtrDiff:
		if v.Args[0].Type == ir.PtrPacketEnd { // the length of a packet, or of what is left of it
			if a.sound {
				return between(t, 0, math.MaxInt32)
			}
			return between(t, 0, math.MaxUint32) // see ptrDiff in package isel
		}
	case ir.OpSExtIn:
		return a.extendInFact(v, arg(0))
	case ir.OpTrunc:
		return truncFact(arg(0))
	case ir.OpZExt:
		f := arg(0)
		if !a.sound && !f.extended {
			return anything(t)
		}
		return fact{umin: f.umin, umax: f.umax, smin: 0, smax: math.MaxInt64, zero: f.zero | 0xffffffff<<32, one: f.one}.sync(t)
	case ir.OpSExt:
		return a.extendFact(arg(0))
	case ir.OpSelect:
		return a.transferSelect(v)
	case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe:
		return arg(0) // refined by assumeCheck
	case ir.OpLoad:
		if w := int64(v.Width) * 8; w < int64(t.Bits()) || w < 64 && t == ir.I64 {
			if v.Signed {
				return betweenSigned(t, -1<<(w-1), 1<<(w-1)-1)
			}
			return between(t, 0, lowBits(w))
		}
	}
	return anything(t)
}

// pointerNonNil reports whether the pointer v is not nil.
func (a *analysis) pointerNonNil(v *ir.Value) bool {
	switch v.Op {
	case ir.OpPtrAdd, ir.OpPi, ir.OpCheckULe:
		return a.get(v.Args[0]).nonNil || isNonNil(v)
	case ir.OpSelect:
		return a.get(v.Args[1]).nonNil && a.get(v.Args[2]).nonNil
	}
	return v.Type.IsPtr() && isNonNil(v)
}

func (a *analysis) transferCompare(v *ir.Value) fact {
	if holds, ok := a.decide(v); ok {
		return exactly(ir.I32, boolConst(holds))
	}
	return between(ir.I32, 0, 1)
}

func (a *analysis) transferSelect(v *ir.Value) fact {
	cond, yes, no := a.get(v.Args[0]), v.Args[1], v.Args[2]
	if c, ok := cond.isConst(ir.I32); ok {
		if c != 0 {
			return a.get(yes)
		}
		return a.get(no)
	}
	if !a.sound { // which register is compared is for later stages to choose
		return a.get(yes).or(a.get(no))
	}
	f := a.under(v.Args[0], true, func() fact { return a.get(yes) })
	return f.or(a.under(v.Args[0], false, func() fact { return a.get(no) }))
}

// sumFact is for OpAdd and OpSub. A sum that may wrap around has no bounds.
func sumFact(op ir.Op, f, g fact, t ir.Type) fact {
	h := anything(t)
	h.zero, h.one = knownSum(op == ir.OpSub, f.one, typeMask(t)&^(f.zero|f.one), g.one, typeMask(t)&^(g.zero|g.one))
	h.zero, h.one = h.zero&typeMask(t), h.one&typeMask(t)
	if op == ir.OpAdd {
		if hi, carry := bits.Add64(f.umax, g.umax, 0); carry == 0 && hi <= typeMask(t) {
			h.umin, h.umax = f.umin+g.umin, hi
		}
		lo, ok1 := addSigned(f.smin, g.smin, t)
		hi, ok2 := addSigned(f.smax, g.smax, t)
		if ok1 && ok2 {
			h.smin, h.smax = lo, hi
		}
		return h.sync(t)
	}
	if f.umin >= g.umax {
		h.umin, h.umax = f.umin-g.umax, f.umax-g.umin
	}
	if g.smin > math.MinInt64 { // so that it can be negated
		lo, ok1 := addSigned(f.smin, -g.smax, t)
		hi, ok2 := addSigned(f.smax, -g.smin, t)
		if ok1 && ok2 {
			h.smin, h.smax = lo, hi
		}
	}
	return h.sync(t)
}

// addSigned returns a + b and whether that is in the range of t.
func addSigned(a, b int64, t ir.Type) (int64, bool) {
	c := a + b
	wrapped := (a < 0) == (b < 0) && (c < 0) != (a < 0)
	return c, !wrapped && c >= minInt(t) && c <= maxInt(t)
}

// productFact is for OpMul: bounds hold for factors of at most half the bits.
func productFact(f, g fact, t ir.Type) fact {
	h := anything(t)
	h.zero = knownProduct(f.zero, g.zero, typeMask(t))
	if half := typeMask(t) >> (t.Bits() / 2); f.umax <= half && g.umax <= half {
		h.umin, h.umax = f.umin*g.umin, f.umax*g.umax
	}
	return h.sync(t)
}

func bitwiseFact(op ir.Op, f, g fact, t ir.Type) fact {
	switch op {
	case ir.OpAnd:
		h := certain(t, f.zero|g.zero, f.one&g.one)
		h.umax = min(h.umax, f.umax, g.umax)
		return h.sync(t)
	case ir.OpOr:
		h := certain(t, f.zero&g.zero, f.one|g.one)
		h.umin = max(h.umin, f.umin, g.umin)
		return h.sync(t)
	}
	return certain(t, f.zero&g.zero|f.one&g.one, f.zero&g.one|f.one&g.zero)
}

// shiftFact is for shifts by a constant; nothing is known of others.
func shiftFact(v *ir.Value, f fact) fact {
	t := v.Type
	n, ok := shiftCount(v)
	if !ok {
		return anything(t)
	}
	zero, one := knownShift(v, f.zero, f.one, uint(n), typeMask(t))
	h := certain(t, zero, one)
	switch v.Op {
	case ir.OpShl:
		if f.umax <= typeMask(t)>>(n+1) {
			h.umin, h.umax = max(h.umin, f.umin<<n), min(h.umax, f.umax<<n)
		}
	case ir.OpLShr:
		h.umin, h.umax = max(h.umin, f.umin>>n), min(h.umax, f.umax>>n)
	case ir.OpAShr:
		h.smin, h.smax = max(h.smin, f.smin>>n), min(h.smax, f.smax>>n)
	}
	return h.sync(t)
}

// quotientFact is for the divisions, with BPF's results for a divisor of 0.
func quotientFact(op ir.Op, f, g fact, t ir.Type) fact {
	if op == ir.OpSDiv || op == ir.OpSRem {
		if !f.isNonNegative() || !g.isNonNegative() {
			return signedRemainderFact(op, g, t)
		}
		op -= ir.OpSDiv - ir.OpUDiv // OpUDiv, OpSDiv, OpURem, OpSRem
	}
	if op == ir.OpUDiv {
		lo := uint64(0)
		if g.umin > 0 {
			lo = f.umin / g.umax
		}
		return between(t, lo, f.umax/max(g.umin, 1))
	}
	if g.umin == 0 {
		return between(t, 0, f.umax)
	}
	if f.umax < g.umin {
		return f
	}
	return between(t, 0, min(f.umax, g.umax-1))
}

// signedRemainderFact bounds a remainder by a constant divisor.
func signedRemainderFact(op ir.Op, g fact, t ir.Type) fact {
	c, ok := g.isConst(t)
	if op != ir.OpSRem || !ok || c == 0 || c == minInt(t) {
		return anything(t)
	}
	if c < 0 {
		c = -c
	}
	return betweenSigned(t, 1-c, c-1)
}

// extendInFact is for OpSExtIn, which is a pair of shifts to older kernels.
func (a *analysis) extendInFact(v *ir.Value, f fact) fact {
	t, n := v.Type, v.Imm
	lo, hi := int64(-1)<<(n-1), int64(1)<<(n-1)-1
	if a.sound && f.smin >= lo && f.smax <= hi {
		return f
	}
	h := certain(t, extendSign(f.zero, uint(n))&typeMask(t), extendSign(f.one, uint(n))&typeMask(t))
	h.smin, h.smax = max(h.smin, lo), min(h.smax, hi)
	return h.sync(t)
}

// truncFact is for OpTrunc: bounds remain if they agree in the high half.
func truncFact(f fact) fact {
	h := certain(ir.I32, f.zero&0xffffffff, f.one&0xffffffff)
	if f.umin>>32 == f.umax>>32 {
		h.umin, h.umax = max(h.umin, f.umin&0xffffffff), min(h.umax, f.umax&0xffffffff)
	}
	if f.smin >= math.MinInt32 && f.smax <= math.MaxInt32 {
		h.smin, h.smax = max(h.smin, f.smin), min(h.smax, f.smax)
	}
	return h.sync(ir.I32)
}

// extendFact is for OpSExt. The verifier keeps only bounds that are not negative
// over the shifts that older kernels need for it.
func (a *analysis) extendFact(f fact) fact {
	lo, hi := f.smin, f.smax
	if !a.sound {
		if lo < 0 {
			lo = math.MinInt32
		}
		if hi < 0 {
			hi = math.MaxInt32
		}
	}
	return betweenSigned(ir.I64, lo, hi)
}
