package opt

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file is what is known about a value at some place: bounds of an integer,
// read as unsigned and as signed, and its certain bits; that a pointer is not nil.
// It is the kernel verifier's view of a scalar (struct bpf_reg_state), at the
// width of the value's type.
//
// There are two ways to find facts, and passes must choose the right one:
//
//   - sound facts are true, by whatever argument. They may decide what has nothing
//     to do with memory.
//   - verifier facts are those that the kernel verifier finds, too, when it
//     follows the same instructions. Only they may remove a check that memory safety
//     depends on. The verifier knows nothing of quotients, remainders, byte swaps
//     and variable shifts, not even that the upper half of a 32-bit result is 0;
//     it loses a product's bounds early, and learns from comparisons with
//     constants only. The older ones (feature operand-ranges) know as little of
//     products, |, and ^ of two variables.
//
// References: kernel/bpf/verifier.c (adjust_scalar_min_max_vals,
// reg_bounds_sync, reg_set_min_max) and kernel/bpf/tnum.c.

// A fact is what is known of a value. Bounds are inclusive; those of an I32 are
// of its 32 bits.
type fact struct {
	umin, umax uint64
	smin, smax int64
	zero, one  uint64 // bits that are certainly 0 and 1, within the type
	nonNil     bool   // of a pointer
	// extended is that the verifier knows the upper half of an I32's register to be
	// 0, as it is. A verifier fact of OpZExt is one of the whole register.
	extended bool
}

// minInt and maxInt return the bounds of a signed integer of type t.
func minInt(t ir.Type) int64 { return -1 << (t.Bits() - 1) }
func maxInt(t ir.Type) int64 { return 1<<(t.Bits()-1) - 1 }

// anything returns what is known of every value of type t.
func anything(t ir.Type) fact {
	if !t.IsInt() {
		return fact{}
	}
	return fact{umax: typeMask(t), smin: minInt(t), smax: maxInt(t)}
}

// exactly returns what is known of the constant c.
func exactly(t ir.Type, c int64) fact {
	u := unsigned(t, c)
	return fact{umin: u, umax: u, smin: c, smax: c, zero: typeMask(t) &^ u, one: u}
}

// between returns the fact of unsigned bounds.
func between(t ir.Type, lo, hi uint64) fact {
	f := anything(t)
	f.umin, f.umax = lo, hi
	return f.sync(t)
}

// betweenSigned returns the fact of signed bounds.
func betweenSigned(t ir.Type, lo, hi int64) fact {
	f := anything(t)
	f.smin, f.smax = lo, hi
	return f.sync(t)
}

// certain returns the fact of known bits.
func certain(t ir.Type, zero, one uint64) fact {
	f := anything(t)
	f.zero, f.one = zero, one
	return f.sync(t)
}

// isConst returns the value if f leaves only one.
func (f fact) isConst(t ir.Type) (int64, bool) {
	return canonical(t, int64(f.umin)), f.umin == f.umax && t.IsInt()
}

// isNonNegative reports whether the sign is 0.
func (f fact) isNonNegative() bool { return f.smin >= 0 }

// and returns what follows from f and g together. If they contradict each
// other, which is so in code that is never reached, it returns f.
func (f fact) and(g fact, t ir.Type) fact {
	if !t.IsInt() {
		return fact{nonNil: f.nonNil || g.nonNil}
	}
	h := fact{
		umin: max(f.umin, g.umin), umax: min(f.umax, g.umax),
		smin: max(f.smin, g.smin), smax: min(f.smax, g.smax),
		zero: f.zero | g.zero, one: f.one | g.one,
		extended: f.extended || g.extended,
	}.sync(t)
	if h.umin > h.umax || h.smin > h.smax || h.zero&h.one != 0 {
		return f
	}
	return h
}

// or returns what holds if f or g does.
func (f fact) or(g fact) fact {
	return fact{
		umin: min(f.umin, g.umin), umax: max(f.umax, g.umax),
		smin: min(f.smin, g.smin), smax: max(f.smax, g.smax),
		zero: f.zero & g.zero, one: f.one & g.one,
		nonNil:   f.nonNil && g.nonNil,
		extended: f.extended && g.extended,
	}
}

// implies reports whether f says at least what g says.
func (f fact) implies(g fact) bool { return f.or(g) == g }

// sync lets bounds and bits learn from each other, as the verifier's
// reg_bounds_sync does.
func (f fact) sync(t ir.Type) fact {
	for range 2 {
		f.umin = max(f.umin, f.one)
		f.umax = min(f.umax, typeMask(t)&^f.zero)
		if f.umin > f.umax || f.smin > f.smax {
			return f
		}
		top := uint64(maxInt(t))
		if f.umax <= top || f.umin > top { // the sign is certain
			f.smin = max(f.smin, canonical(t, int64(f.umin)))
			f.smax = min(f.smax, canonical(t, int64(f.umax)))
		}
		if f.smin >= 0 || f.smax < 0 {
			f.umin = max(f.umin, unsigned(t, f.smin))
			f.umax = min(f.umax, unsigned(t, f.smax))
		}
		// The leading bits that the bounds have in common are certain.
		common := ^lowBits(int64(bits.Len64(f.umin ^ f.umax)))
		f.zero |= common &^ f.umax & typeMask(t)
		f.one |= common & f.umin
	}
	return f
}

// decide decides the comparison op of integers of type t with facts f and g.
func decide(op ir.Op, f, g fact, t ir.Type) (holds, ok bool) {
	switch op {
	case ir.OpEq, ir.OpNe:
		if f.umax < g.umin || g.umax < f.umin || f.smax < g.smin || g.smax < f.smin ||
			f.zero&g.one|f.one&g.zero != 0 {
			return op == ir.OpNe, true
		}
		return op == ir.OpEq, f.umin == f.umax && g.umin == g.umax
	case ir.OpULt, ir.OpSGe, ir.OpULe, ir.OpSGt, ir.OpUGt, ir.OpSLe, ir.OpUGe, ir.OpSLt:
	default:
		panic("BUG: decide of " + op.String())
	}
	switch op {
	case ir.OpULt:
		return f.umax < g.umin, f.umax < g.umin || f.umin >= g.umax
	case ir.OpULe:
		return f.umax <= g.umin, f.umax <= g.umin || f.umin > g.umax
	case ir.OpSLt:
		return f.smax < g.smin, f.smax < g.smin || f.smin >= g.smax
	case ir.OpSLe:
		return f.smax <= g.smin, f.smax <= g.smin || f.smin > g.smax
	}
	holds, ok = decide(op.Negated(), f, g, t)
	return !holds && ok, ok
}

// assume returns what f becomes where op holds between it and g.
func (f fact) assume(op ir.Op, g fact, t ir.Type) fact {
	h := anything(t)
	switch op {
	case ir.OpEq:
		h = g
	case ir.OpNe:
		return f.without(g, t)
	case ir.OpULt:
		if g.umax == 0 {
			return f
		}
		h.umax = g.umax - 1
	case ir.OpULe:
		h.umax = g.umax
	case ir.OpUGt:
		if g.umin == typeMask(t) {
			return f
		}
		h.umin = g.umin + 1
	case ir.OpUGe:
		h.umin = g.umin
	case ir.OpSLt:
		if g.smax == minInt(t) {
			return f
		}
		h.smax = g.smax - 1
	case ir.OpSLe:
		h.smax = g.smax
	case ir.OpSGt:
		if g.smin == maxInt(t) {
			return f
		}
		h.smin = g.smin + 1
	case ir.OpSGe:
		h.smin = g.smin
	}
	return f.and(h.sync(t), t)
}

// without returns what f becomes where it is not the constant g, if g is one.
func (f fact) without(g fact, t ir.Type) fact {
	c, ok := g.isConst(t)
	if !ok || f.umin == f.umax {
		return f
	}
	h := f
	if u := unsigned(t, c); u == f.umin {
		h.umin++
	} else if u == f.umax {
		h.umax--
	}
	if c == f.smin {
		h.smin++
	} else if c == f.smax {
		h.smax--
	}
	return f.and(h.sync(t), t)
}

// widen returns bounds that hold for f and g and that no sequence of such steps
// moves often: a bound that has moved goes on to the next of the limits, which are
// ascending and positive, to 0 or to the end of the type. Of the bits only those are kept
// that tell how an offset is aligned.
func (f fact) widen(g fact, t ir.Type, limits []int64) fact {
	h := f.or(g)
	if !t.IsInt() {
		return h
	}
	next := func(c uint64) uint64 {
		for _, l := range limits {
			if l := uint64(l); l >= c && l <= uint64(maxInt(t)) {
				return l
			}
		}
		return max(c, uint64(maxInt(t)))
	}
	if h.umin < f.umin {
		h.umin = 0
	}
	if h.umax > f.umax {
		if h.umax = next(g.umax); h.umax > uint64(maxInt(t)) {
			h.umax = typeMask(t)
		}
	}
	if h.smin < f.smin {
		h.smin = minInt(t)
		if g.smin >= 0 {
			h.smin = 0
		}
	}
	if h.smax > f.smax {
		h.smax = int64(next(uint64(max(g.smax, 0))))
	}
	if h.zero != f.zero || h.one != f.one {
		aligned := bits.TrailingZeros64(^h.zero)
		h.zero, h.one = lowBits(int64(min(aligned, maxAlignBits))), 0
	}
	return h
}

// maxAlignBits is the binary logarithm of the alignment of the widest access.
const maxAlignBits = 3
