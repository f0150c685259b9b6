package isel

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file words comparisons so that the verifiers before Linux 6.8 can follow
// a loop to its end (feature branch-ranges).
//
// A verifier goes through a loop round by round. It knows the counter of each
// round exactly, since it has computed it from constants, and has to see that the
// loop ends once the counter leaves the range of what it is compared with. The
// old ones see that only if what they know exactly is the second operand (or an
// immediate), and learn nothing from x != 0, but x >= 1 from x > 0.

// exactValues returns, by ID, the values that a verifier knows exactly wherever it
// has followed a path to them: those that are computed from constants alone. It
// is the greatest fixed point of that rule, so that the counter of a loop is one: it
// is a constant at first, and then computed from itself.
func exactValues(f *ir.Func, order []*ir.Block) []bool {
	exact := make([]bool, f.NumValues())
	for _, b := range order {
		for _, p := range b.Params {
			exact[p.ID] = b != f.Entry() && p.Type.IsInt()
		}
		for _, v := range b.Instrs {
			exact[v.ID] = v.Op == ir.OpConst || v.Op.Is(ir.Pure) && v.Type.IsInt() && len(v.Args) > 0
		}
	}
	for changed := true; changed; {
		changed = false
		drop := func(v *ir.Value) {
			changed = changed || exact[v.ID]
			exact[v.ID] = false
		}
		for _, b := range order {
			for _, v := range b.Instrs {
				for _, a := range v.Args {
					if !exact[a.ID] {
						drop(v)
					}
				}
			}
			for _, e := range b.Term.Succs {
				for i, a := range e.Args {
					if !exact[a.ID] {
						drop(e.To.Params[i])
					}
				}
			}
		}
	}
	return exact
}

// reword changes c to what the target's verifier follows best, and means the same.
func (s *selector) reword(c *cond) {
	if s.target.Has(target.BranchRanges) || !c.x.Type.IsInt() {
		return
	}
	if c.y != nil {
		if cc, ok := swapped[c.cc]; ok && s.exact[c.x.ID] && !s.exact[c.y.ID] {
			c.cc, c.x, c.y = cc, c.y, c.x
		}
		return
	}
	if c.imm == 0 {
		switch c.cc {
		case mir.Ne:
			c.cc = mir.UGt
		case mir.Eq:
			c.cc = mir.ULe
		}
	}
}

// swapped gives the condition of y, x for that of x, y.
var swapped = map[mir.Cond]mir.Cond{
	mir.Eq: mir.Eq, mir.Ne: mir.Ne,
	mir.ULt: mir.UGt, mir.ULe: mir.UGe, mir.UGt: mir.ULt, mir.UGe: mir.ULe,
	mir.SLt: mir.SGt, mir.SLe: mir.SGe, mir.SGt: mir.SLt, mir.SGe: mir.SLe,
}
