package build

import (
	"fmt"
	"go/types"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file says how Go types are laid out and which leaves they have. The
// layout is that of the gc compiler for 64-bit machines, so that memory can be
// shared with the host.

var sizes = Sizes

// maxLeaves is the number of leaves up to which a struct or an array is held in
// SSA values. Above it a copy in memory is cheaper than the spills.
const maxLeaves = 16

// maxSize is the size of the largest type that is looked at: more than a BPF
// program can have, and little enough to be worked on.
const maxSize = 1 << 20

// A leaf is a scalar part of a Go type.
type leaf struct {
	off    int64
	typ    ir.Type
	width  uint8 // bytes in memory
	signed bool  // an integer that loads with sign extension
	blank  bool  // part of a field named _, which comparisons skip
}

// A layout is what lowering needs to know of a Go type.
type layout struct {
	size, align int64
	count       int64  // number of leaves
	leaves      []leaf // nil if count > maxLeaves
}

// big reports whether values of the type are held in memory.
func (l *layout) big() bool { return l.count > maxLeaves }

// A typeError says why a type has no layout.
type typeError struct {
	code diag.Code
	what string
	fix  string
}

// scalarLeaf returns the leaf of a type that is a single scalar.
func (b *builder) scalarLeaf(t types.Type) (leaf, bool) {
	switch t := t.Underlying().(type) {
	case *types.Basic:
		i, ok := intTypeOf(t)
		if ok {
			return leaf{typ: i.irType(), width: uint8(i.bits / 8), signed: i.signed}, true
		}
		if t.Kind() == types.UnsafePointer || t.Kind() == types.UntypedNil {
			return leaf{typ: ir.PtrAny, width: 8}, true
		}
	case *types.Pointer:
		return leaf{typ: ir.PtrAny, width: 8}, true
	case *types.Signature:
		return leaf{typ: b.world.funcLeaf(t), width: 8}, true // see dynamic.go
	}
	return leaf{}, false
}

// layoutOf returns the layout of t, or why it has none.
func (b *builder) layoutOf(t types.Type) (*layout, *typeError) {
	t = types.Default(t) // go/ssa leaves some constants and comparisons untyped
	if r, ok := b.layouts[t]; ok {
		return r.l, r.err
	}
	l, err := b.computeLayout(t)
	b.layouts[t] = layoutResult{l, err}
	return l, err
}

type layoutResult struct {
	l   *layout
	err *typeError
}

func (b *builder) computeLayout(t types.Type) (*layout, *typeError) {
	if err := b.checkType(t); err != nil {
		return nil, err
	}
	if t == nilType {
		t = types.Typ[types.UnsafePointer]
	}
	t = types.Default(t)
	l := &layout{size: sizes.Sizeof(t), align: max(1, sizes.Alignof(t))}
	if l.size > maxSize || l.size < 0 { // negative if it overflows
		return nil, &typeError{diag.StackOverflow, fmt.Sprintf("type %s of %d bytes", t, l.size), "use a map for what is large"}
	}
	l.count = b.countLeaves(t)
	if l.count <= maxLeaves {
		l.leaves = b.appendLeaves(nil, t, 0, false)
	}
	return l, nil
}

// checkType reports why values of type t cannot exist in a BPF program.
func (b *builder) checkType(t types.Type) *typeError {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsFloat != 0:
			return &typeError{diag.UnsupportedFloat, "floating point type " + t.String(), "use integers, scaled where fractions are needed"}
		case u.Info()&types.IsComplex != 0:
			return &typeError{diag.UnsupportedFloat, "complex type " + t.String(), "use a struct of integers"}
		case u.Kind() == types.Invalid:
			return &typeError{diag.UnsupportedType, "invalid type", ""}
		}
	case *types.Array:
		if _, err := b.layoutOf(u.Elem()); err != nil {
			return err
		}
	case *types.Struct:
		for f := range u.Fields() {
			if b.isUnavailable(f) {
				continue
			}
			if _, err := b.layoutOf(f.Type()); err != nil {
				return err
			}
		}
	case *types.Map:
		return &typeError{diag.UnsupportedType, "map type " + t.String(), "use a map of the ebpf package, declared as a package-level variable"}
	case *types.Chan:
		return &typeError{diag.UnsupportedType, "channel type " + t.String(), "a BPF program has no goroutines; pass data to the host through a map"}
	case *types.TypeParam:
		return &typeError{diag.UnsupportedType, "type parameter " + t.String() + " that is not instantiated", "instantiate the function with a concrete type"}
	}
	return nil
}

// isUnavailable reports whether the field f has no value, see Input.
func (b *builder) isUnavailable(f *types.Var) bool { return b.in.Unavailable[f.Origin()] != "" }

func (b *builder) countLeaves(t types.Type) int64 {
	if isKernelField(t) {
		return 0
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		elem, _ := b.layoutOf(u.Elem())
		if elem.count == 0 || u.Len() > (1<<40)/elem.count {
			return min(elem.count, 1) << 40
		}
		return elem.count * u.Len()
	case *types.Struct:
		var n int64
		for f := range u.Fields() {
			if b.isUnavailable(f) {
				continue
			}
			l, _ := b.layoutOf(f.Type())
			n = min(n+l.count, 1<<40)
		}
		return n
	case *types.Slice:
		return 3
	case *types.Interface:
		return 2
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			return 2
		}
	case *types.Tuple:
		return 0
	}
	return 1
}

// appendLeaves appends the leaves of t at offset off in memory order.
func (b *builder) appendLeaves(to []leaf, t types.Type, off int64, blank bool) []leaf {
	if l, ok := b.scalarLeaf(t); ok {
		l.off, l.blank = off, blank
		return append(to, l)
	}
	word := func(n int64, typ ir.Type, signed bool) leaf {
		return leaf{off: off + 8*n, typ: typ, width: 8, signed: signed, blank: blank}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic: // string
		return append(to, word(0, ir.PtrAny, false), word(1, ir.I64, true))
	case *types.Slice:
		return append(to, word(0, ir.PtrAny, false), word(1, ir.I64, true), word(2, ir.I64, true))
	case *types.Interface:
		return append(to, word(0, ir.I64, false), word(1, ir.PtrAny, false)) // see dynamic.go
	case *types.Array:
		if b.countLeaves(u) == 0 {
			return to // of any length
		}
		size := sizes.Sizeof(u.Elem())
		for i := range u.Len() {
			to = b.appendLeaves(to, u.Elem(), off+i*size, blank)
		}
	case *types.Struct:
		if isKernelField(t) {
			return to
		}
		if isOpaqueContext(t) {
			return append(to, word(0, ir.PtrCtx, false))
		}
		offs := fieldOffsets(u)
		for i := range u.NumFields() {
			f := u.Field(i)
			if b.isUnavailable(f) {
				continue
			}
			to = b.appendLeaves(to, f.Type(), off+offs[i], blank || f.Name() == "_")
		}
	}
	return to
}

// isOpaqueContext reports whether t is ebpf.Context: a struct whose only field
// is the context, which stays known as such when it goes through memory.
func isOpaqueContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Context" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == ebpfPath
}

// fieldOffsets returns the offsets of the fields of s in bytes.
func fieldOffsets(s *types.Struct) []int64 {
	fields := make([]*types.Var, s.NumFields())
	for i := range fields {
		fields[i] = s.Field(i)
	}
	return sizes.Offsetsof(fields)
}

// Layout returns the layout of the buffer through which a shim passes arguments
// and results: a struct of the parameters (a receiver first) followed, 8-byte
// aligned, by a struct of the results, both as gc lays them out. size is a
// multiple of 8; args and results are offsets into the buffer.
func Layout(sig *types.Signature) (size int, args, results []int64) {
	var params []*types.Var
	if r := sig.Recv(); r != nil {
		params = append(params, r)
	}
	for v := range sig.Params().Variables() {
		params = append(params, v)
	}
	place := func(vars []*types.Var, base int64) (offs []int64, end int64) {
		if len(vars) == 0 {
			return nil, base
		}
		offs = sizes.Offsetsof(vars)
		for i := range offs {
			offs[i] += base
		}
		last := len(vars) - 1
		return offs, roundUp(offs[last]+sizes.Sizeof(vars[last].Type()), 8)
	}
	args, end := place(params, 0)
	var outs []*types.Var
	for v := range sig.Results().Variables() {
		outs = append(outs, v)
	}
	results, end = place(outs, end)
	return int(end), args, results
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }
