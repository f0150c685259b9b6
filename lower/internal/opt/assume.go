package opt

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file is what the analysis learns from decisions: branches, checks, and the
// comparisons that these are about.

// A pair is two values that have been compared, that with the lower ID first.
type pair struct{ a, b *ir.Value }

// relations is the set of comparisons that are known to hold from a to b of a
// pair, a bit for each.
type relations uint16

func relation(op ir.Op) relations { return 1 << (op - ir.OpEq) }

// implied returns all comparisons that hold if op does.
func implied(op ir.Op) relations {
	switch r := relation(op); op {
	case ir.OpEq:
		return r | relation(ir.OpULe) | relation(ir.OpUGe) | relation(ir.OpSLe) | relation(ir.OpSGe)
	case ir.OpULt:
		return r | relation(ir.OpULe) | relation(ir.OpNe)
	case ir.OpUGt:
		return r | relation(ir.OpUGe) | relation(ir.OpNe)
	case ir.OpSLt:
		return r | relation(ir.OpSLe) | relation(ir.OpNe)
	case ir.OpSGt:
		return r | relation(ir.OpSGe) | relation(ir.OpNe)
	default:
		return r
	}
}

// ordered returns the pair of x and y and the comparison that op is for it.
func ordered(op ir.Op, x, y *ir.Value) (ir.Op, pair) {
	if x.ID > y.ID {
		return op.Swapped(), pair{y, x}
	}
	return op, pair{x, y}
}

// relate notes that op holds between x and y.
func (a *analysis) relate(op ir.Op, x, y *ir.Value) {
	op, p := ordered(op, x, y)
	old := a.relations[p]
	a.trail = append(a.trail, undo{pair: p, rel: old})
	a.relations[p] = old | implied(op)
}

// assume takes cond, an I32, to be other than 0 or to be 0.
func (a *analysis) assume(cond *ir.Value, holds bool) {
	if cond.Op == ir.OpConst {
		return
	}
	f := a.get(cond)
	switch {
	case !holds:
		f = exactly(ir.I32, 0)
	case f.umax == 1:
		f = exactly(ir.I32, 1)
	default:
		f = f.without(exactly(ir.I32, 0), ir.I32)
	}
	a.set(cond, f)
	switch {
	case cond.Op.Is(ir.Compare):
		op := cond.Op
		if !holds {
			op = op.Negated()
		}
		a.assumeCompare(op, cond.Args[0], cond.Args[1])
	case a.sound && (cond.Op == ir.OpAnd && holds || cond.Op == ir.OpOr && !holds):
		for _, c := range cond.Args {
			if a.get(c).umax <= 1 { // bit by bit is then all or nothing
				a.assume(c, holds)
			}
		}
	}
}

// assumeCompare takes op to hold between x and y.
func (a *analysis) assumeCompare(op ir.Op, x, y *ir.Value) {
	if x == y {
		return
	}
	if !x.Type.IsInt() {
		if op == ir.OpNe && isConst(y, 0) {
			a.set(x, fact{nonNil: true})
		}
		return
	}
	a.relate(op, x, y)
	f, g := a.get(x), a.get(y)
	a.refine(x, op, f, y, g)
	a.refine(y, op.Swapped(), g, x, f)
}

// refine learns about x, of which f is known, from op between it and y, of
// which g is known. The verifier learns from comparisons with constants, the newer ones
// (feature branch-ranges) from others as well, but nothing from inequality.
func (a *analysis) refine(x *ir.Value, op ir.Op, f fact, y *ir.Value, g fact) {
	if x.Op == ir.OpConst || !a.sound && (op == ir.OpNe || y.Op != ir.OpConst && !a.target.Has(target.BranchRanges)) {
		return
	}
	h := f.assume(op, g, x.Type)
	// All bits are compared, unless the comparison is signed or the constant is,
	// which the instruction would extend.
	h.extended = f.extended || x.Type == ir.I32 && !a.sound && unsignedForm(op) == op && y.Op == ir.OpConst && y.Imm >= 0
	if h != f {
		a.set(x, h)
	}
}

// assumeCheck takes the check v to have passed.
func (a *analysis) assumeCheck(v *ir.Value) {
	switch v.Op {
	case ir.OpCheck:
		a.assume(v.Args[0], true)
	case ir.OpCheckNonNil:
		a.set(v, fact{nonNil: true})
		a.set(v.Args[0], fact{nonNil: true})
	case ir.OpCheckIdx, ir.OpCheckULe:
		if !v.Type.IsInt() {
			return
		}
		op := checkCompare(v.Op)
		a.assumeCompare(op, v, v.Args[1])
		if a.sound {
			a.assumeCompare(op, v.Args[0], v.Args[1])
		} else {
			a.relate(op, v.Args[0], v.Args[1])
		}
	}
}

// checkCompare returns the comparison that the check op makes.
func checkCompare(op ir.Op) ir.Op {
	if op == ir.OpCheckIdx {
		return ir.OpULt
	}
	return ir.OpULe
}

// decide decides the comparison v as far as the facts go.
func (a *analysis) decide(v *ir.Value) (holds, ok bool) {
	return a.decideCompare(v.Op, v.Args[0], v.Args[1])
}

func (a *analysis) decideCompare(op ir.Op, x, y *ir.Value) (holds, ok bool) {
	if !x.Type.IsInt() {
		if (op == ir.OpEq || op == ir.OpNe) && isConst(y, 0) && a.get(x).nonNil {
			return op == ir.OpNe, true
		}
		return false, false
	}
	if x == y {
		return evalCompare(op, ir.I64, 0, 0), true
	}
	if holds, ok = decide(op, a.get(x), a.get(y), x.Type); ok {
		return holds, true
	}
	op, p := ordered(op, x, y)
	switch r := a.relations[p]; {
	case r&relation(op) != 0:
		return true, true
	case r&relation(op.Negated()) != 0:
		return false, true
	}
	return false, false
}
