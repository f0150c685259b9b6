package build

import (
	"encoding/binary"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file initialises a package as a whole, when the value of one of its variables depends on
// functions named init, or holds addresses that are computed:
//
//	var first = newNode(1, newNode(2, nil))
//
// The package initialiser, which go/ssa makes of all that initialises variables, in the order of
// their dependencies, and of the functions named init, is lowered as any function and interpreted.
// What it leaves in the variables is their initial value. What its own variables hold that can be
// reached from there becomes objects: it is what in Go would be on the heap.

// initialise runs the initialiser of the package of g, which has an object, and reports whether it
// can. If not, it may have reported why.
func (b *builder) initialise(g *ssa.Global) bool {
	init := g.Pkg.Func("init")
	if init == nil || len(init.Blocks) == 0 || b.initialising[g.Pkg] {
		return false
	}
	b.initialising[g.Pkg] = true
	before := b.diags.Len()
	fn := b.buildInit(init, g)
	if failed := b.diags.All()[before:]; len(failed) > 0 {
		for _, d := range failed {
			d.Message += ", in what is run when compiling for the value of variable " + g.Name()
		}
		return false
	}
	globals := b.globalsOf(g.Pkg)
	m := &ir.Module{Funcs: calledFrom(fn.f), Data: slices.Clone(b.m.Data), Maps: b.m.Maps, Sites: b.m.Sites}
	for _, v := range globals {
		o := b.globals[v]
		o.Mutable, o.Refs = true, nil
		clear(o.Bytes)
		if !slices.Contains(m.Data, o) {
			m.Data = append(m.Data, o)
		}
	}
	vm := interp.New(m, interp.Options{Fuel: maxEvaluation, KeepSlots: true})
	_, panicked, err := vm.Run(fn.f)
	fail := func(pos token.Pos, fix, what string) bool {
		b.fail(diag.UnsupportedExpr, pos, fix, fmt.Sprintf("initialiser of package %s %s", g.Pkg.Pkg.Name(), what))
		return false
	}
	switch {
	case panicked != nil:
		return fail(token.Pos(panicked.Pos), "correct it", "panics: "+panicked.Message)
	case errors.Is(err, interp.ErrFuel):
		return fail(g.Pos(), "write the values as composite literals", "takes too long")
	case err != nil:
		return fail(g.Pos(), "set what depends on the kernel in the program, or by jit.WithConst",
			"cannot be run when compiling, as the value of "+g.Name()+" needs: "+err.Error())
	}
	h := &harvest{b: b, vm: vm, name: g.Pkg.Pkg.Path(), objects: make(map[*interp.Object]*ir.Data), seen: make(map[harvested]bool)}
	for _, o := range m.Data {
		obj, _, _ := vm.Object(vm.Address(o))
		h.objects[obj] = o
	}
	for _, v := range globals {
		o := b.globals[v]
		if o.Mutable = false; slices.Contains(b.fixed, o) {
			continue // an error, which is nothing but its address
		}
		copy(o.Bytes, vm.Data(o))
		if mem, ok := b.in.Globals[v]; ok {
			copy(o.Bytes, mem)
			continue
		}
		if what := h.follow(b.globals[v], 0, elemType(v.Type())); what != "" {
			return fail(v.Pos(), "initialise it with constants and addresses of variables", "leaves "+what+" in variable "+v.Name())
		}
	}
	return true
}

// buildInit builds a function that calls the package initialiser. The functions that this calls are
// not those of the program, of which some are being built.
func (b *builder) buildInit(init *ssa.Function, g *ssa.Global) *function {
	instances, active := b.instances, b.active
	b.instances, b.active = make(map[*ssa.Function][]*instance), nil
	defer func() { b.instances, b.active = instances, active }()
	fn := b.evaluation(init, g)
	fn.call(init, nil, nil)
	fn.cur.Return(ir.Pos(fn.pos))
	return fn
}

// globalsOf returns the variables of pkg that have an object, by name.
func (b *builder) globalsOf(pkg *ssa.Package) []*ssa.Global {
	var list []*ssa.Global
	for _, name := range slices.Sorted(maps.Keys(pkg.Members)) {
		if g, ok := pkg.Members[name].(*ssa.Global); ok && b.globals[g] != nil {
			list = append(list, g)
		}
	}
	return list
}

// A harvest makes objects of what an initialiser leaves in memory.
type harvest struct {
	b       *builder
	vm      *interp.Machine
	name    string // of the package
	objects map[*interp.Object]*ir.Data
	seen    map[harvested]bool
}

// A harvested value is one of type t at offset off of d.
type harvested struct {
	d   *ir.Data
	off int64
	t   types.Type
}

// follow replaces the addresses in the value of type t at offset off of d by references, and
// follows them. It returns what it is that has no form in data, or "".
func (h *harvest) follow(d *ir.Data, off int64, t types.Type) string {
	key := harvested{d, off, t}
	if h.seen[key] || !hasPointers(t) {
		return ""
	}
	h.seen[key] = true
	if isMapPointer(t) || isMapRef(t) {
		return "a map"
	}
	word := func(n int64) uint64 { return binary.LittleEndian.Uint64(d.Bytes[off+8*n:]) }
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return h.refer(d, off, types.Typ[types.Uint8], 1)
	case *types.Pointer:
		return h.refer(d, off, u.Elem(), 1)
	case *types.Slice:
		return h.refer(d, off, u.Elem(), int64(word(2)))
	case *types.Signature:
		if h.b.world.funcLeaf(u) == ir.PtrAny && word(0) != 0 {
			return h.refer(d, off, types.Typ[types.Uint64], 1)
		}
	case *types.Interface:
		return h.followInterface(d, off, word(0))
	case *types.Array:
		for i := range u.Len() {
			if what := h.follow(d, off+i*sizes.Sizeof(u.Elem()), u.Elem()); what != "" {
				return what
			}
		}
	case *types.Struct:
		offs := fieldOffsets(u)
		for i := range u.NumFields() {
			if what := h.follow(d, off+offs[i], u.Field(i).Type()); what != "" {
				return what
			}
		}
	}
	return ""
}

// followInterface is follow for an interface whose dynamic type has the number id.
func (h *harvest) followInterface(d *ir.Data, off int64, id uint64) string {
	if id == 0 {
		return ""
	}
	t := h.b.world.types[id-1]
	l, err := h.b.layoutOf(t)
	_, isPtr := t.Underlying().(*types.Pointer)
	switch {
	case err != nil || l.count == 1 && hasPointers(t) && !isPtr:
		return "a value of type " + t.String()
	case isPtr:
		return h.follow(d, off+8, t)
	case l.count > 1:
		return h.refer(d, off+8, t, 1)
	}
	return ""
}

// refer replaces the address of n values of type t at offset off of d by a reference.
func (h *harvest) refer(d *ir.Data, off int64, t types.Type, n int64) string {
	addr := binary.LittleEndian.Uint64(d.Bytes[off:])
	if addr == 0 {
		return ""
	}
	obj, at, err := h.vm.Object(addr)
	if err != nil || obj.Map != nil || obj.Func != nil {
		return "a pointer to no variable"
	}
	to := h.objects[obj]
	if to == nil {
		to = &ir.Data{Name: h.b.dataName(h.name + ".init"), Bytes: slices.Clone(obj.Bytes), Align: 8}
		h.objects[obj] = to
		h.b.m.Data = append(h.b.m.Data, to)
	}
	clear(d.Bytes[off : off+8])
	d.AddRef(ir.Ref{Off: off, To: to, ToOff: at})
	for i := int64(0); i < n && hasPointers(t); i++ {
		if what := h.follow(to, at+i*sizes.Sizeof(t), t); what != "" {
			return what
		}
	}
	return ""
}
