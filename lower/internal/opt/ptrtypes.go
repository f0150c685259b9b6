package opt

import "github.com/undergo-ebpf/undergo/lower/internal/ir"

// This file narrows the types of pointers: where inlining or promotion of memory
// has shown what a pointer of unknown provenance points into, everything that is
// derived from it learns so as well.
//
// Method: the pointer types form a flat lattice, unknown yet above the
// specific types above PtrAny. Values typed PtrAny start unknown; the function
// is walked in reverse postorder, taking the type of each from its operands,
// until nothing changes. Each value changes at most twice. The constant nil fits
// every type and has no say.
//
// Before:                          After:
//
//	jump b1(v0: ptr.stack)          jump b1(v0)
//	b1(v1 ptr):                     b1(v1 ptr.stack):
//	v2 = ptradd ptr v1, v9          v2 = ptradd ptr.stack v1, v9

// RefinePointers gives pointers of unknown provenance the type of what they
// point into where that is the same on all paths.
func RefinePointers(f *ir.Func, _ *Config) { refinePointers(f) }

func refinePointers(f *ir.Func) {
	r := &pointerTypes{of: make([]ir.Type, f.NumValues())}
	order := ir.RPO(f)
	for changed := true; changed; {
		changed = false
		for i, b := range order {
			for _, v := range b.Instrs {
				changed = r.visit(v) || changed
			}
			for _, e := range b.Term.Succs {
				for n, a := range e.Args {
					p := e.To.Params[n]
					if p.Type == ir.PtrAny {
						changed = r.join(p, r.get(a)) || changed
					}
				}
			}
			if i == 0 {
				for _, p := range b.Params { // the callers' business
					if p.Type == ir.PtrAny {
						changed = r.join(p, ir.PtrAny) || changed
					}
				}
			}
		}
	}
	for _, b := range order {
		for _, v := range b.Params {
			r.settle(v)
		}
		for _, v := range b.Instrs {
			r.settle(v)
		}
	}
}

// pointerTypes is the state of the analysis.
type pointerTypes struct {
	of []ir.Type // by Value.ID; Void is unknown yet
}

// get returns the type of v as far as it is known.
func (r *pointerTypes) get(v *ir.Value) ir.Type {
	switch {
	case v.Op == ir.OpConst:
		return ir.Void
	case v.Type != ir.PtrAny && !derivesPointer(v.Op):
		return v.Type
	}
	return r.of[v.ID]
}

// join takes into account that v may be of type t and reports whether that is
// news.
func (r *pointerTypes) join(v *ir.Value, t ir.Type) bool {
	old := r.of[v.ID]
	switch {
	case t == ir.Void || t == old:
		return false
	case old == ir.Void:
		r.of[v.ID] = t
	default:
		r.of[v.ID] = ir.JoinPtr(old, t)
	}
	return r.of[v.ID] != old
}

// derivesPointer reports whether op's result has the type of its first operand.
func derivesPointer(op ir.Op) bool {
	switch op {
	case ir.OpPtrAdd, ir.OpPi, ir.OpCheckNonNil, ir.OpCheckULe:
		return true
	}
	return false
}

func (r *pointerTypes) visit(v *ir.Value) bool {
	switch {
	case !v.Type.IsPtr():
		return false
	case derivesPointer(v.Op):
		return r.join(v, r.get(v.Args[0]))
	case v.Type != ir.PtrAny || v.Op == ir.OpConst:
		return false
	case v.Op == ir.OpSelect:
		changed := r.join(v, r.get(v.Args[1]))
		return r.join(v, r.get(v.Args[2])) || changed
	}
	return r.join(v, ir.PtrAny)
}

// settle writes the result back.
func (r *pointerTypes) settle(v *ir.Value) {
	t := r.of[v.ID]
	if !v.Type.IsPtr() || t == ir.Void && !derivesPointer(v.Op) {
		return
	}
	if t == ir.Void { // derived from nil
		t = v.Args[0].Type
	}
	v.Type = t
}
