package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds what decides whether a loop goes on: branches, checks, and accesses to
// objects of known size.

// A loopTest is a comparison that every iteration of a loop makes, and after
// which the loop goes on only if op holds between x and y.
type loopTest struct {
	op   ir.Op
	x, y *ir.Value
	// cond is the comparison, the check or the access.
	cond *ir.Value
	// others must not be negative for the test to be one.
	others []*ir.Value
}

// loopTests returns the tests of l, those of checks included.
func loopTests(l *ir.Loop, nest *ir.LoopNest, dom *ir.DomTree) []loopTest {
	var tests []loopTest
	for _, b := range l.Blocks {
		everyTime := nest.Innermost(b) == l
		for _, p := range l.Latches {
			everyTime = everyTime && dom.Dominates(b, p.Block)
		}
		if !everyTime {
			continue
		}
		for _, v := range b.Instrs {
			switch v.Op {
			case ir.OpCheck:
				tests = appendTests(tests, v.Args[0], true)
			case ir.OpCheckIdx, ir.OpCheckULe:
				if v.Type.IsInt() {
					tests = append(tests, loopTest{op: checkCompare(v.Op), x: v.Args[0], y: v.Args[1], cond: v})
				}
			case ir.OpLoad, ir.OpStore:
				tests = appendAccess(tests, v)
			}
		}
		if t := &b.Term; t.Kind == ir.TermBranch {
			yes, no := nest.Contains(l, t.Succs[0].To), nest.Contains(l, t.Succs[1].To)
			if yes != no {
				tests = appendTests(tests, t.Args[0], yes)
			}
		}
	}
	return tests
}

// appendTests appends the comparisons that hold if cond is not 0, or if it is 0.
func appendTests(tests []loopTest, cond *ir.Value, holds bool) []loopTest {
	switch {
	case cond.Op.Is(ir.Compare) && cond.Args[0].Type.IsInt():
		op := cond.Op
		if !holds {
			op = op.Negated()
		}
		x, y := cond.Args[0], cond.Args[1]
		if x.Type == ir.I32 && isConst(y, 0) && (x.Op.Is(ir.Compare) || x.Op == ir.OpAnd) && (op == ir.OpEq || op == ir.OpNe) {
			return appendTests(tests, x, op == ir.OpNe)
		}
		return append(tests, loopTest{op: op, x: x, y: y, cond: cond}, loopTest{op: op.Swapped(), x: y, y: x, cond: cond})
	case cond.Op == ir.OpAnd && holds && slices.ContainsFunc(cond.Args, func(c *ir.Value) bool { return c.Op.Is(ir.Compare) }):
		for _, c := range cond.Args {
			if c.Op.Is(ir.Compare) {
				tests = appendTests(tests, c, true)
			}
		}
	default:
		op := ir.OpEq
		if holds {
			op = ir.OpNe
		}
		zero := &ir.Value{Op: ir.OpConst, Type: ir.I32}
		return append(tests, loopTest{op: op, x: cond, y: zero, cond: cond})
	}
	return tests
}

// appendAccess appends what follows from the access v to a variable or to data being
// inside of it: each variable offset is less than the size. The verifier is told so by
// checks (guard.go) where Go's own do not say it.
func appendAccess(tests []loopTest, v *ir.Value) []loopTest {
	limit := -v.Imm - int64(v.Width)
	var terms []*ir.Value
	p := v.Args[0]
	for p.Op == ir.OpPtrAdd || p.Op == ir.OpPi || p.Op == ir.OpCheckNonNil {
		if p.Op == ir.OpPtrAdd {
			if c, ok := constArg(p, 1); ok {
				limit -= c
			} else {
				terms = append(terms, p.Args[1])
			}
		}
		p = p.Args[0]
	}
	switch p.Op {
	case ir.OpSlotAddr:
		limit += p.Slot().Size
	case ir.OpDataAddr:
		limit += int64(len(p.Data().Bytes)) - p.Imm
	default:
		return tests
	}
	for i, x := range terms {
		x, scale := factorOf(x)
		if limit < 0 || scale <= 0 {
			continue
		}
		y := &ir.Value{Op: ir.OpConst, Type: x.Type, Imm: limit / scale}
		others := slices.Concat(terms[:i], terms[i+1:])
		tests = append(tests, loopTest{op: ir.OpULe, x: x, y: y, cond: v, others: others})
	}
	return tests
}

// factorOf returns what v is a constant multiple of.
func factorOf(v *ir.Value) (*ir.Value, int64) {
	v = sameBits(v)
	if len(v.Args) != 2 {
		return v, 1
	}
	c, ok := constArg(v, 1)
	switch {
	case ok && v.Op == ir.OpMul:
		return v.Args[0], c
	case ok && v.Op == ir.OpShl && c >= 0 && c < 32:
		return v.Args[0], 1 << c
	}
	return v, 1
}

// decides reports whether cond is one of what v is put together from.
func decides(v, cond *ir.Value) bool {
	if v == cond {
		return true
	}
	if v.Op == ir.OpAnd || v.Op.Is(ir.Compare) {
		return slices.ContainsFunc(v.Args, func(a *ir.Value) bool { return a.Type == ir.I32 && decides(a, cond) })
	}
	return false
}
