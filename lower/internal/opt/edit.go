package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// A renaming collects which values are to be replaced by which, so that a pass
// can rewrite all operands of a function in one sweep at its end. Replacements
// may themselves be replaced; chains are followed.
type renaming struct {
	f  *ir.Func
	to []*ir.Value // by Value.ID, nil for values that stay
	// any is set by the first replacement, retyped by the first that
	// changes the type of a pointer.
	any, retyped bool
}

func newRenaming(f *ir.Func) *renaming {
	return &renaming{f: f, to: make([]*ir.Value, f.NumValues())}
}

// set replaces old by v, which is not old and whose definition dominates the
// uses of old.
func (r *renaming) set(old, v *ir.Value) {
	if old == v {
		panic("BUG: value replaced by itself")
	}
	if n := int(old.ID) + 1; n > len(r.to) {
		r.to = append(r.to, make([]*ir.Value, n-len(r.to))...)
	}
	r.to[old.ID] = v
	r.any = true
	if old.Type != v.Type {
		r.retyped = true
	}
}

// get returns what v is replaced by, or v.
func (r *renaming) get(v *ir.Value) *ir.Value {
	w := v
	for int(w.ID) < len(r.to) && r.to[w.ID] != nil {
		w = r.to[w.ID]
	}
	for v != w { // compress the path
		v, r.to[v.ID] = r.to[v.ID], w
	}
	return w
}

// args replaces the elements of list.
func (r *renaming) args(list []*ir.Value) {
	for i, a := range list {
		list[i] = r.get(a)
	}
}

// term replaces the operands and edge arguments of t.
func (r *renaming) term(t *ir.Term) {
	r.args(t.Args)
	for i := range t.Succs {
		r.args(t.Succs[i].Args)
	}
}

// apply rewrites all operands of the function. Where a pointer has been
// replaced by one of better known provenance, what is derived from it is given
// the better type, too.
func (r *renaming) apply() {
	if !r.any {
		return
	}
	for _, b := range r.f.Blocks {
		for _, v := range b.Instrs {
			r.args(v.Args)
		}
		r.term(&b.Term)
	}
	if r.retyped {
		refinePointers(r.f)
	}
}

// canReplace reports whether v may stand wherever old stands, as far as types
// go: it has the same type or is a pointer of better known provenance.
func canReplace(old, v *ir.Value) bool {
	return old.Type == v.Type || old.Type == ir.PtrAny && v.Type.IsPtr()
}

// removeParams removes the parameters of b for which drop returns true,
// together with the arguments that preds, all its edges, pass for them. It
// reports whether there were any.
func removeParams(b *ir.Block, preds []ir.Pred, drop func(*ir.Value) bool) bool {
	before := len(b.Params)
	for i := before - 1; i >= 0; i-- {
		if drop(b.Params[i]) {
			b.RemoveParam(i, preds)
		}
	}
	return len(b.Params) < before
}

// constant returns a new constant of type t, canonical as ir wants it, that is
// not yet in any block.
func constant(f *ir.Func, t ir.Type, c int64) *ir.Value {
	v := f.NewValue(ir.OpConst, t, 0)
	v.Imm = canonical(t, c)
	return v
}

// sameArgs reports whether a and b are the same values; constants count by
// what they are.
func sameArgs(a, b []*ir.Value) bool { return slices.EqualFunc(a, b, sameValue) }

// sameValue reports whether a and b are one value or equal constants.
func sameValue(a, b *ir.Value) bool {
	return a == b ||
		a.Op == ir.OpConst && b.Op == ir.OpConst && a.Type == b.Type && a.Imm == b.Imm
}

// isConst reports whether v is the constant c.
func isConst(v *ir.Value, c int64) bool { return v.Op == ir.OpConst && v.Imm == c }
