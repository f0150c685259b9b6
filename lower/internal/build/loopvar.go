package build

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// This file lowers the variables that a for clause declares. Each iteration has
// its own, with the value of the last one's to begin with. For those whose address is
// taken, be it by a function literal, go/ssa writes that out:
//
//	pre:  outer = alloc; *outer = ...
//	loop: i = phi [pre: outer, post: next]
//	post: t = *i; next = alloc; *next = t; ...
//
// As long as no address of one outlives its iteration nothing tells them
// from one variable, and that is what becomes of them: outer.

// shareLoopVar makes p and the variable that reaches it along the backward edge
// another name of the first iteration's variable, if p joins the variables of a
// for clause that can be one. It reports whether that is so.
func (fn *function) shareLoopVar(p *ssa.Phi) bool {
	if len(p.Edges) != 2 {
		return false
	}
	outer, isOuter := p.Edges[0].(*ssa.Alloc)
	next, isNext := p.Edges[1].(*ssa.Alloc)
	if !isOuter || !isNext || next.Comment != outer.Comment || !copiesLoopVar(next, p) {
		return false
	}
	if !fn.keptInIteration(next, p.Block(), p) {
		return false
	}
	o, ok := fn.known(outer)
	if !ok || o.isBad() || len(o.vals) != 1 {
		return false
	}
	fn.vals[p] = o
	fn.loopVars[next] = o
	return true
}

// copiesLoopVar reports whether next is initialised by what i points to.
func copiesLoopVar(next *ssa.Alloc, i *ssa.Phi) bool {
	for _, r := range *next.Referrers() {
		if s, ok := r.(*ssa.Store); ok && s.Addr == next && s.Block() == next.Block() {
			load, ok := s.Val.(*ssa.UnOp)
			return ok && load.Op == token.MUL && load.X == i
		}
	}
	return false
}
