package build

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file captures variables by value. In Go a closure holds the variables that it uses, and
// not what is in them; but nothing can tell the difference if nobody assigns to such a
// variable any more once the closure is made. The closure then needs no memory to outlive the
// iteration of the loop, or the function, that makes it:
//
//	for i := range fs {
//		fs[i] = func() int { return i }
//	}
//
// Such a variable is a cell to the closure (see static.go), whose content is part of
// the function value.

// capture returns what m holds of the variable at address v, one of its bindings.
func (fn *function) capture(m *ssa.MakeClosure, v ssa.Value) operand {
	o := fn.operand(v)
	if o.cell || o.m != nil || !capturedByValue(m, v) {
		return o
	}
	l, err := fn.b.layoutOf(elemType(v.Type()))
	if err != nil || l.big() || len(o.vals) != 1 || o.vals[0].Type == ir.PtrCtx {
		return o
	}
	content := fn.loadLeaves(address{o.vals[0], o.off}, elemType(v.Type()))
	content.limit = o.limit
	return operand{cell: true, nonnil: true, parts: []operand{content}}
}

// capturedByValue reports whether nothing is assigned to the variable at address v after m,
// which captures it, has been made.
func capturedByValue(m *ssa.MakeClosure, v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Alloc:
		return onlyAssignedBefore(v, m)
	case *ssa.Phi: // the variable of a for clause, see loopvar.go
		return neverStored(v) && !slices.ContainsFunc(v.Edges, func(e ssa.Value) bool {
			a, ok := e.(*ssa.Alloc)
			return !ok || len(storesInBlock(a)) == 0
		})
	}
	return false
}

// onlyAssignedBefore reports whether m captures the variable a, and all stores to it come
// before that. Its address is used for nothing else but loading and capturing.
func onlyAssignedBefore(a *ssa.Alloc, m *ssa.MakeClosure) bool {
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Addr != a || mayFollow(r, m, a.Block()) {
				return false
			}
		case *ssa.MakeClosure:
			for i, b := range r.Bindings {
				if b == a && !onlyLoaded(r.Fn.(*ssa.Function).FreeVars[i]) {
					return false
				}
			}
		case *ssa.UnOp, *ssa.DebugRef:
		default:
			return false
		}
	}
	return true
}

// mayFollow reports whether a may be executed after b before the block without is
// entered again.
func mayFollow(a, b ssa.Instruction, without *ssa.BasicBlock) bool {
	if a.Block() == b.Block() && !comesAfter(b, a) {
		return true
	}
	seen := map[*ssa.BasicBlock]bool{without: true}
	work := slices.Clone(b.Block().Succs)
	for len(work) > 0 {
		blk := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[blk] {
			continue
		}
		if seen[blk] = true; blk == a.Block() {
			return true
		}
		work = append(work, blk.Succs...)
	}
	return false
}
