package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file computes before a loop what is computed behind it from the loop's bound.
//
// When the verifier has followed a loop that runs n times, it knows on each way out of it
// what n is, and so what n+1 is. Added to something that lives on, as the place in a packet
// where the next name begins, that makes as many states of one, which it follows each by itself: in
// a loop around the first one their number grows exponentially. A sum that was made before
// the loop remains one unknown number.
//
// Method: loops are visited inner ones first. Sums and differences that are computed
// behind a loop from what it compares its counter with are moved in front of it, if all operands
// are known there.
//
// Precondition: loops are entered by one edge; others are left alone.
//
// Before:                          After:
//
//	b1(v2 i64):                     v5 = add i64 v0, v1
//	v3 = ult i32 v2, v1             b1(v2 i64):
//	branch v3, b2(), b3()           v3 = ult i32 v2, v1
//	b3:                             branch v3, b2(), b3()
//	v5 = add i64 v0, v1             b3:

// Settle makes sums of the bounds of f's loops before the loops.
func Settle(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	dom := ir.Dominators(f)
	nest := ir.Loops(dom)
	for _, l := range slices.Backward(nest.Loops) {
		from, ok := enteredBy(dom, l.Header)
		if !ok {
			continue
		}
		s := &settler{l: l, nest: nest, dom: dom, into: from.Block, bounds: make(map[*ir.Value]bool)}
		for _, t := range loopTests(l, nest, dom) {
			if y := unchecked(t.y); y.Op != ir.OpConst && y.Type.IsInt() && s.known(y) {
				s.bounds[y] = true
			}
		}
		if len(s.bounds) > 0 {
			s.move()
		}
	}
}

type settler struct {
	l      *ir.Loop
	nest   *ir.LoopNest
	dom    *ir.DomTree
	into   *ir.Block
	bounds map[*ir.Value]bool // what the loop compares with
}

// known reports whether v is known in front of the loop.
func (s *settler) known(v *ir.Value) bool {
	return v.Op == ir.OpConst || !s.nest.Contains(s.l, v.Block) && s.dom.Dominates(v.Block, s.into)
}

// move moves the sums.
func (s *settler) move() {
	for _, b := range s.dom.Order() {
		if s.nest.Contains(s.l, b) || !s.dom.StrictlyDominates(s.l.Header, b) {
			continue
		}
		b.RemoveFunc(func(v *ir.Value) bool {
			if (v.Op != ir.OpAdd && v.Op != ir.OpSub) || !slices.ContainsFunc(v.Args, s.isBound) ||
				slices.ContainsFunc(v.Args, func(a *ir.Value) bool { return !s.known(a) }) {
				return false
			}
			for i, a := range v.Args {
				if a.Op == ir.OpConst {
					v.Args[i] = s.into.Append(constant(b.Func, a.Type, a.Imm))
				}
			}
			s.into.Append(v)
			return true
		})
	}
}

// isBound reports whether v is a bound of the loop, or differs from one by a constant, or
// is one of another type.
func (s *settler) isBound(v *ir.Value) bool {
	for range maxBitsDepth {
		v = unchecked(v)
		switch {
		case s.bounds[v]:
			return true
		case v.Op == ir.OpAdd && v.Args[1].Op == ir.OpConst, v.Op == ir.OpZExt, v.Op == ir.OpSExt, v.Op == ir.OpTrunc:
			v = v.Args[0]
		default:
			return false
		}
	}
	return false
}
