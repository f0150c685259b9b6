package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file removes dead code.
//
// Method: everything is dead until proven live. Instructions with an effect and
// the operands of terminators are live; so is whatever a live instruction uses,
// and an argument of an edge if the parameter it is for is live. Hence a cycle of
// values that only keep each other alive, such as a counter nobody reads, goes as
// a whole. What is left unmarked is removed, parameters together with the
// arguments for them. Slots nobody refers to are removed last.
//
// The control flow stays as it is: whether a loop without effects ends is not
// for this pass to say.
//
// Before:                          After:
//
//	jump b1(v0, v9)                 jump b1(v0)
//	b1(v1 i32, v2 i32):             b1(v1 i32):
//	v3 = add i32 v2, v8             v4 = ult i32 v1, v7
//	v4 = ult i32 v1, v7             branch v4, b1(v4), b2()
//	branch v4, b1(v4, v3), b2()
//
// Reference: Cytron et al., "Efficiently Computing Static Single Assignment Form
// and the Control Dependence Graph", 7.1, without its treatment of branches.

// DCE removes from f what does not contribute to its results or effects, and numbers what is
// left anew.
func DCE(f *ir.Func, _ *Config) {
	removeDead(f)
	f.Compact()
}

func removeDead(f *ir.Func) {
	ir.RemoveUnreachable(f)
	d := &deadCode{live: make([]bool, f.NumValues()), preds: ir.Preds(f)}
	for _, p := range f.Params() {
		d.live[p.ID] = true // the signature stays
	}
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if hasEffect(v) {
				d.mark(v)
			}
		}
		for _, a := range b.Term.Args {
			d.mark(a)
		}
	}
	d.propagate()
	for _, b := range f.Blocks {
		d.sweep(b)
	}
	removeSlots(f)
}

// hasEffect reports whether v does more than compute its result.
func hasEffect(v *ir.Value) bool {
	if v.Op == ir.OpHelper {
		// A helper that is given nothing and touches no memory can only be a
		// query. Others may do anything to the kernel.
		h := v.Helper()
		return len(h.Args) > 0 || h.Flags != 0 || h.InvalidatesPacket || h.Result == ir.Void
	}
	return v.Op.Info().Flags&(ir.WritesMem|ir.MayPanic) != 0
}

type deadCode struct {
	live  []bool // by Value.ID
	work  []*ir.Value
	preds [][]ir.Pred
}

func (d *deadCode) mark(v *ir.Value) {
	if !d.live[v.ID] {
		d.live[v.ID] = true
		d.work = append(d.work, v)
	}
}

// propagate marks what the marked values need.
func (d *deadCode) propagate() {
	for len(d.work) > 0 {
		v := d.work[len(d.work)-1]
		d.work = d.work[:len(d.work)-1]
		for _, a := range v.Args {
			d.mark(a)
		}
		if v.Op == ir.OpParam {
			n := slices.Index(v.Block.Params, v)
			for _, p := range d.preds[v.Block.ID] {
				d.mark(p.Edge().Args[n])
			}
		}
	}
}

// sweep removes what is not marked from b.
func (d *deadCode) sweep(b *ir.Block) {
	dead := func(v *ir.Value) bool { return !d.live[v.ID] }
	b.RemoveFunc(dead)
	removeParams(b, d.preds[b.ID], dead)
}

// removeSlots drops the slots that no instruction refers to and renumbers the
// others.
func removeSlots(f *ir.Func) {
	used := make([]bool, len(f.Slots))
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpSlotAddr {
				used[v.Slot().Index] = true
			}
		}
	}
	f.Slots = slices.DeleteFunc(f.Slots, func(s *ir.Slot) bool { return !used[s.Index] })
	for i, s := range f.Slots {
		s.Index = i
	}
}
