package build

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// This file finds upper bounds of integers that the source shows: by their expression, or by a
// comparison that leads to where they are used:
//
//	if n > 16 {
//		return
//	}
//	s := make([]byte, n)

// boundAt returns an upper bound of v in blk.
func boundAt(v ssa.Value, blk *ssa.BasicBlock) (n int64, ok bool) {
	n, ok = upperBound(v)
	for at := blk; at != nil; at = at.Idom() {
		before := at.Idom()
		if before == nil || len(at.Preds) != 1 || at.Preds[0] != before {
			continue
		}
		test, isIf := before.Instrs[len(before.Instrs)-1].(*ssa.If)
		if !isIf || before.Succs[0] == before.Succs[1] {
			continue
		}
		if m, known := boundBy(test.Cond, before.Succs[0] == at, v); known && (!ok || m < n) {
			n, ok = m, true
		}
	}
	if c, isConvert := v.(*ssa.Convert); isConvert && !ok {
		from, isInt := intTypeOf(c.X.Type())
		to, _ := intTypeOf(c.Type())
		if isInt && (!from.signed || to.signed && to.bits >= from.bits) {
			return boundAt(c.X, blk)
		}
	}
	return n, ok
}

// boundBy returns the upper bound of v that follows from cond being want.
func boundBy(cond ssa.Value, want bool, v ssa.Value) (n int64, ok bool) {
	c, isCmp := cond.(*ssa.BinOp)
	if !isCmp {
		return 0, false
	}
	op, x, y := c.Op, c.X, c.Y
	if !want {
		op = negatedOrder[op]
	}
	if y == v {
		op, x, y = swappedOrder[op], y, x
	}
	n, ok = upperBound(y)
	if _, isInt := intTypeOf(v.Type()); x != v || !ok || !isInt {
		return 0, false
	}
	switch op {
	case token.LSS:
		return n - 1, true
	case token.LEQ:
		return n, true
	}
	return 0, false
}
