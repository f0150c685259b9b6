package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds values that are computed twice (global value numbering).
//
// Method: the dominator tree is walked with a scoped hash table of the expressions
// available: those of the blocks that dominate the current one. An expression is
// an operation with its operands, which have been replaced already, commutative
// ones in order of their number. One that is in the table is replaced by what the
// table has; parameters of one block with equal arguments on all edges count as
// equal. Values that only a loop would show to be equal are not found.
//
// Checks are expressions, too: where a check dominates an equal one the second
// holds, and the result of the first carries the proof. Otherwise a check's
// result, and a pi's, is a value of its own, so that what is computed from it is
// never confused with what is computed from the unchecked value.
//
// A comparison that has become the condition of several branches is copied to
// each of them again by sinkcond.go.
//
// Before:                          After:
//
//	v2 = add i32 v0, v1             v2 = add i32 v0, v1
//	v3 = checkidx i32 v2, v9 !0     v3 = checkidx i32 v2, v9 !0
//	v4 = add i32 v1, v0             v7 = mul i32 v3, v3
//	v5 = checkidx i32 v4, v9 !1
//	v6 = mul i32 v3, v5
//
// Reference: Briggs, Cooper, Simpson, "Value Numbering" (1997), the
// dominator-based technique.

// GVN removes computations of f that are redundant.
func GVN(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	g := &numberer{
		names: newRenaming(f),
		table: make(map[expression]*ir.Value),
		dom:   ir.Dominators(f),
		marks: make([]int, f.NumBlocks()),
	}
	walkDominators(g.dom, g.enter, g.leave)
	g.names.apply()
}

// An expression is what makes two values equal.
type expression struct {
	op   ir.Op
	typ  ir.Type
	imm  int64
	aux  ir.Aux
	args [3]ir.ID // one more than the ID of each operand, 0 if there is none
}

type numberer struct {
	names *renaming
	dom   *ir.DomTree
	table map[expression]*ir.Value
	trail []expression // what has been added to table
	marks []int        // by Block.ID: length of trail before the block
}

func (g *numberer) leave(b *ir.Block) {
	for _, e := range g.trail[g.marks[b.ID]:] {
		delete(g.table, e)
	}
	g.trail = g.trail[:g.marks[b.ID]]
}

func (g *numberer) enter(b *ir.Block) {
	g.marks[b.ID] = len(g.trail)
	g.mergeParams(b)
	kept := b.Instrs[:0]
	for _, v := range b.Instrs {
		g.names.args(v.Args)
		if w := g.find(v); w == nil {
			kept = append(kept, v)
		} else if v.Type != ir.Void {
			g.names.set(v, w)
		}
	}
	clear(b.Instrs[len(kept):])
	b.Instrs = kept
	g.names.term(&b.Term)
}

// find returns the value that makes v superfluous, or nil after adding v to the
// table.
func (g *numberer) find(v *ir.Value) *ir.Value {
	isCheck := v.Op.Is(ir.MayPanic) && v.Op != ir.OpCall
	if !v.Op.Is(ir.Pure) && !isCheck {
		return nil
	}
	if a := v.Args; isCheck && v.Op.Is(ir.Proof) && a[0].Op == v.Op && sameArgs(a[0].Args[1:], a[1:]) {
		return a[0] // checked again against the same bound
	}
	e := expressionOf(v)
	if w := g.table[e]; w != nil {
		return w
	}
	g.table[e] = v
	g.trail = append(g.trail, e)
	return nil
}

func expressionOf(v *ir.Value) expression {
	e := expression{op: v.Op, typ: v.Type, imm: v.Imm}
	if v.Op.Info().Aux != ir.AuxSite { // it does not matter where a check would panic
		e.aux = v.Aux
	}
	for i, a := range v.Args {
		e.args[i] = a.ID + 1
	}
	if e.args[0] > e.args[1] && len(v.Args) == 2 {
		switch {
		case v.Op.Is(ir.Compare):
			e.op = v.Op.Swapped()
			fallthrough
		case v.Op.Is(ir.Commutative):
			e.args[0], e.args[1] = e.args[1], e.args[0]
		}
	}
	return e
}

// mergeParams replaces parameters of b by others that have the same arguments.
func (g *numberer) mergeParams(b *ir.Block) {
	preds := g.dom.Preds()[b.ID]
	if len(preds) == 0 {
		return // the entry's are given from outside
	}
	removeParams(b, preds, func(p *ir.Value) bool {
		n := slices.Index(b.Params, p)
		for i, q := range b.Params[:n] {
			if q.Type == p.Type && g.equalArgs(preds, i, n) {
				g.names.set(p, q)
				return true
			}
		}
		return false
	})
}

// equalArgs reports whether all of preds pass the same value for parameters i
// and n.
func (g *numberer) equalArgs(preds []ir.Pred, i, n int) bool {
	for _, p := range preds {
		args := p.Edge().Args
		if !sameValue(g.names.get(args[i]), g.names.get(args[n])) {
			return false
		}
	}
	return true
}
