package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file moves computations out of loops that are the same in all iterations
// (loop-invariant code motion).
//
// Only operations that are slow go, multiplications and divisions above all, and
// no more than maxHoisted from each loop: BPF has four registers for values that
// live across calls, and a value that is spilled in the loop costs what the
// operation did. Additions, masks and comparisons stay where they are also for
// the verifier's sake, which follows every iteration with what it knows there of
// an index. Loads stay because stores are in the way.
//
// Method: loops are visited inner ones first, so that a computation can leave several.
// What all operands of are defined outside the loop goes to the end of the block
// that leads into it. Arithmetic is total, so that it does no harm if the loop
// would not have come to it.
//
// Precondition: loops have one entry edge, from a block that ends in a jump;
// others are left alone.
//
// Before:                          After:
//
//	jump b1(v8)                     v4 = udiv i64 v0, v1
//	b1(v2 i64):                     jump b1(v8)
//	v4 = udiv i64 v0, v1            b1(v2 i64):
//	v5 = add i64 v2, v4             v5 = add i64 v2, v4
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 13.2.

// maxHoisted is the number of computations that leave one loop.
const maxHoisted = 3

// LICM moves slow computations out of the loops of f.
func LICM(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	dom := ir.Dominators(f)
	nest := ir.Loops(dom)
	for _, l := range slices.Backward(nest.Loops) {
		if into := preheader(l, nest, dom); into != nil {
			hoist(l, nest, into)
		}
	}
}

// preheader returns the block that leads into l and nowhere else, or nil.
func preheader(l *ir.Loop, nest *ir.LoopNest, dom *ir.DomTree) *ir.Block {
	var from *ir.Block
	for _, p := range dom.Preds()[l.Header.ID] {
		if nest.Contains(l, p.Block) {
			continue
		}
		if from != nil || p.Block.Term.Kind != ir.TermJump {
			return nil
		}
		from = p.Block
	}
	return from
}

// hoist moves what is slow and does not change in l to the end of into.
func hoist(l *ir.Loop, nest *ir.LoopNest, into *ir.Block) {
	left := maxHoisted
	for _, b := range l.Blocks {
		b.RemoveFunc(func(v *ir.Value) bool {
			inside := func(a *ir.Value) bool { return nest.Contains(l, a.Block) }
			if left == 0 || !isSlow(v.Op) || slices.ContainsFunc(v.Args, func(a *ir.Value) bool {
				return inside(a) && a.Op != ir.OpConst
			}) {
				return false
			}
			for i, a := range v.Args {
				if inside(a) {
					v.Args[i] = into.Append(constant(b.Func, a.Type, a.Imm))
				}
			}
			left--
			into.Append(v)
			return true
		})
	}
}

// isSlow reports whether op takes much longer to run than to keep its result.
func isSlow(op ir.Op) bool {
	switch op {
	case ir.OpMul, ir.OpUDiv, ir.OpSDiv, ir.OpURem, ir.OpSRem:
		return true
	}
	return false
}
