package opt

import (
	"iter"
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
// Method: the sums and differences of the function are listed by what may be the bound in them.
// Loops are visited inner ones first. Those sums of what a loop compares its counter with that
// are computed behind it are moved in front of it, if all operands are known there.
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
	if len(nest.Loops) == 0 {
		return
	}
	s := &settler{nest: nest, dom: dom, sums: make(map[*ir.Value][]*ir.Value), place: make(map[*ir.Value]int)}
	s.list()
	for _, l := range slices.Backward(nest.Loops) {
		from, ok := enteredBy(dom, l.Header)
		if !ok {
			continue
		}
		s.l, s.into = l, from.Block
		var bounds []*ir.Value
		for _, t := range loopTests(l, nest, dom) {
			if y := unchecked(t.y); y.Op != ir.OpConst && y.Type.IsInt() && s.known(y) {
				bounds = append(bounds, y)
			}
		}
		s.move(bounds)
	}
	for _, b := range dom.Order() { // what has moved
		b.RemoveFunc(func(v *ir.Value) bool { return v.Block != b })
	}
}

type settler struct {
	nest  *ir.LoopNest
	dom   *ir.DomTree
	sums  map[*ir.Value][]*ir.Value // sums and differences, by what may be the bound in them
	place map[*ir.Value]int         // of each of them in the function
	l     *ir.Loop
	into  *ir.Block // in front of l
}

// list finds the sums and differences.
func (s *settler) list() {
	for _, b := range s.dom.Order() {
		for _, v := range b.Instrs {
			if v.Op != ir.OpAdd && v.Op != ir.OpSub {
				continue
			}
			s.place[v] = len(s.place)
			for _, a := range v.Args {
				for y := range boundsIn(a) {
					s.sums[y] = append(s.sums[y], v)
				}
			}
		}
	}
}

// known reports whether v is known in front of the loop.
func (s *settler) known(v *ir.Value) bool {
	return v.Op == ir.OpConst || !s.nest.Contains(s.l, v.Block) && s.dom.Dominates(v.Block, s.into)
}

// move moves the sums of bounds. They stay in the lists of their old blocks for now.
func (s *settler) move(bounds []*ir.Value) {
	var sums []*ir.Value
	for _, y := range bounds {
		sums = append(sums, s.sums[y]...)
	}
	slices.SortFunc(sums, func(v, w *ir.Value) int { return s.place[v] - s.place[w] })
	for _, v := range slices.Compact(sums) {
		b := v.Block
		if s.nest.Contains(s.l, b) || !s.dom.StrictlyDominates(s.l.Header, b) ||
			slices.ContainsFunc(v.Args, func(a *ir.Value) bool { return !s.known(a) }) {
			continue
		}
		for i, a := range v.Args {
			if a.Op == ir.OpConst {
				v.Args[i] = s.into.Append(constant(b.Func, a.Type, a.Imm))
			}
		}
		s.into.Append(v)
	}
}

// boundsIn returns the values that v is, differs from by a constant, or is in another type.
func boundsIn(v *ir.Value) iter.Seq[*ir.Value] {
	return func(yield func(*ir.Value) bool) {
		for range maxBitsDepth {
			v = unchecked(v)
			if !yield(v) {
				return
			}
			switch {
			case v.Op == ir.OpAdd && v.Args[1].Op == ir.OpConst, v.Op == ir.OpZExt, v.Op == ir.OpSExt, v.Op == ir.OpTrunc:
				v = v.Args[0]
			default:
				return
			}
		}
	}
}
