package build

import (
	"encoding/binary"
	"fmt"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file gives pointers to maps a form in memory.
//
// A pointer to a map is the number of the map in the world, and a method that is called on
// it a choice between the maps that the program stores, like a call of a function value.
// That is for variables that hold now one map, now another. Mostly it is known: a map in a
// field of a package-level variable is a number in the initial value of that variable,
// which nothing in the program can write, so that a load from there is the map itself. To
// see that in functions that are passed the address of such a variable, they are built for
// that address, as for a constant. A map that is a field itself, not a pointer, has its
// number in its first word.

// mapID returns the number of o, or 0 if it is a map that belongs to another.
func (w *world) mapID(o *mapObject) int64 {
	if o.key == (mapKey{}) {
		return 0
	}
	for i, m := range w.maps {
		if m == o {
			return int64(i) + 1
		}
	}
	w.maps = append(w.maps, o)
	return int64(len(w.maps))
}

// mapCandidates returns the numbers of the maps that a *t can point to, where t is the type of a
// map or of what is embedded in it.
func (w *world) mapCandidates(t types.Type) []int64 {
	w.asked = true
	var ids []int64
	for i, m := range w.maps[:w.knownMaps] {
		if m.decl.Type != nil && beginsWith(m.decl.Type, t) {
			ids = append(ids, int64(i)+1)
		}
	}
	return ids
}

// beginsWith reports whether t is whole or the type of its first field, however deep.
func beginsWith(whole, t types.Type) bool {
	for {
		if types.Identical(whole, t) {
			return true
		}
		s, ok := whole.Underlying().(*types.Struct)
		if !ok || s.NumFields() == 0 {
			return false
		}
		whole = s.Field(0).Type()
	}
}

// mapNumber returns o, a pointer to a map, as it is in memory.
func (fn *function) mapNumber(o operand) operand {
	if o = fn.settled(o); o.isBad() {
		return o
	}
	if o.m != nil {
		if id := fn.b.world.mapID(o.m); id != 0 {
			return single(fn.emit(ir.OpIntToPtr, ir.PtrAny, fn.constant(ir.I64, id)))
		}
	} else if v, ok := fn.numberOf(o); ok {
		return single(v)
	}
	what := "map that a lookup returned"
	if o.m != nil {
		what = describeStatic(o)
	}
	fn.fail(diag.UnresolvedCall, "keep it in a variable of its own that is assigned once, or pass it as an argument",
		"%s is stored in memory, where it is not known when compiling", what)
	return badOperand
}

// numberOf returns the number, as a pointer, of the map that o points to, which is not known
// when compiling. ok is false if it is one without a number.
func (fn *function) numberOf(o operand) (v *ir.Value, ok bool) {
	switch v := o.vals[0]; v.Type {
	case ir.PtrAny:
		return v, true
	case ir.PtrData, ir.PtrStack: // a map that is a field itself
		return fn.loadLeaf(address{v, o.off}, leaf{typ: ir.PtrAny, width: 8}), true
	}
	return nil, false
}

// mapAt returns the map that the pointer at a points to, or whose place a is, if that is known.
func (fn *function) mapAt(a address) (operand, bool) {
	d, off := constAddress(a)
	if d == nil || !fn.b.mapData[d] || off < 0 || off+8 > int64(len(d.Bytes)) {
		return operand{}, false
	}
	id := binary.LittleEndian.Uint64(d.Bytes[off:])
	if id == 0 || id > uint64(len(fn.b.world.maps)) {
		return operand{}, false
	}
	return operand{m: fn.b.world.maps[id-1], nonnil: true}, true
}

// constAddress returns the object that a is in, and where, if that is constant.
func constAddress(a address) (d *ir.Data, off int64) {
	v, off := a.base, a.off
	for {
		switch {
		case v.Op == ir.OpDataAddr:
			return v.Data(), off + v.Imm
		case v.Op == ir.OpPtrAdd && v.Args[1].Op == ir.OpConst:
			off += v.Args[1].Imm
			v = v.Args[0]
		case v.Op.Is(ir.Proof):
			v = v.Args[0]
		default:
			return nil, 0
		}
	}
}

// fixMaps makes the addresses of data that holds maps in o part of s.
func (s *shape) fixMaps(b *builder, o operand) {
	for i := range s.parts {
		s.parts[i].fixMaps(b, o.parts[i])
	}
	if len(o.vals) != 1 || o.vals[0].Type != ir.PtrData {
		return
	}
	if d, off := constAddress(address{o.vals[0], o.off}); d != nil && b.mapData[d] {
		s.fixed, s.data, s.value, s.nonnil = true, d, off, true
	}
}

// isMapMethod reports whether f is a method of a map type of package ebpf.
func isMapMethod(f *ssa.Function) bool {
	recv := f.Signature.Recv()
	return recv != nil && len(f.FreeVars) == 0 && isMapPointer(recv.Type()) && packageOf(f) != nil && packageOf(f).Pkg.Path() == ebpfPath
}

// isNumbered reports whether o, a pointer to a map, is not known when compiling but has a
// number.
func isNumbered(o operand) bool {
	if o.isStatic() || o.isBad() || len(o.vals) != 1 {
		return false
	}
	switch o.vals[0].Type {
	case ir.PtrAny, ir.PtrData, ir.PtrStack:
		return true
	}
	return false
}

// dispatchMap calls callee, a method of a map, with args, of which the first is a map with a
// number. c is as for call.
func (fn *function) dispatchMap(callee *ssa.Function, args []operand, c *ssa.Call) operand {
	recv := fn.settled(args[0])
	if o, ok := fn.mapAt(address{base: recv.vals[0]}); ok {
		args[0] = o
		return fn.call(callee, args, c)
	}
	p, _ := fn.numberOf(recv)
	id := fn.emit(ir.OpPtrToInt, ir.I64, p)
	fn.check(fn.emit(ir.OpNe, ir.I32, id, fn.constant(ir.I64, 0)), ir.PanicNil, nilDeref)
	ids := fn.b.world.mapCandidates(elemType(callee.Signature.Recv().Type()))
	return fn.choose(id, ids, resultType(callee.Signature), callValue(c), func(n int64) operand {
		of := append([]operand{{m: fn.b.world.maps[n-1], nonnil: true}}, args[1:]...)
		return fn.call(callee, of, c)
	})
}

// equalMaps compares pointers to maps of type t, of which one at least is known.
func (fn *function) equalMaps(x, y operand, t types.Type) (*ir.Value, bool) {
	if x.m != nil && y.m != nil || isNil(x) || isNil(y) {
		return fn.constant(ir.I32, b2i(x.m == y.m)), true
	}
	x, y = fn.dynamic(x, t, nil), fn.dynamic(y, t, nil)
	if x.isBad() || y.isBad() {
		return nil, false
	}
	word := func(o operand) *ir.Value { return fn.emit(ir.OpPtrToInt, ir.I64, o.vals[0]) }
	return fn.emit(ir.OpEq, ir.I32, word(x), word(y)), true
}

// noteMaps notes that d, which holds the initial value of a t, holds numbers of maps, if t has
// room for them.
func (b *builder) noteMaps(d *ir.Data, t types.Type) {
	if holdsMaps(t) {
		b.mapData[d] = true
	}
}

// holdsMaps reports whether values of type t hold maps or pointers to them.
func holdsMaps(t types.Type) bool {
	if isMapPointer(t) || isMapType(t) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return holdsMaps(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if holdsMaps(f.Type()) {
				return true
			}
		}
	}
	return false
}

// hasOtherPointers reports whether a value of type t can hold the address of a variable
// that is not a map.
func hasOtherPointers(t types.Type) bool {
	if isMapPointer(t) || isMapType(t) {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return hasOtherPointers(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if hasOtherPointers(f.Type()) {
				return true
			}
		}
		return false
	}
	return hasPointers(t)
}

// constructedMap returns the map that call, which the package initialiser makes, puts
// into a part of a variable or, if it does no such thing, nil.
func (b *builder) constructedMap(call *ssa.Call) *mapObject {
	if !b.isConstructor(call) || call.Parent().Synthetic != "package initializer" {
		return nil
	}
	g, path := placeOf(call)
	if g == nil {
		return nil
	}
	if path == "" {
		return b.mapOfVariable(g)
	}
	key := mapKey{call: call}
	if o := b.world.objects[key]; o != nil {
		return o
	}
	return b.world.newMap(key, b.declareMap(g, path, call.Type(), call))
}

// placeOf returns the variable that v, a value of the package initialiser, is stored in, and in
// which part of it, such as .events or .queues[1].
func placeOf(v ssa.Value) (g *ssa.Global, path string) {
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Val != v {
				continue
			}
			path := pathOf(r.Addr)
			switch root := rootOf(r.Addr).(type) {
			case *ssa.Global:
				return root, path
			case *ssa.Alloc: // of a composite literal
				if g, outer := placeOf(root); g != nil {
					return g, outer + path
				}
			}
		case *ssa.UnOp, *ssa.Slice: // a copy of the map or of the literal
			if g, path := placeOf(r.(ssa.Value)); g != nil {
				return g, path
			}
		}
	}
	return nil, ""
}

// pathOf returns which part addr is of the variable that it is in.
func pathOf(addr ssa.Value) string {
	switch a := addr.(type) {
	case *ssa.FieldAddr:
		return pathOf(a.X) + "." + elemType(a.X.Type()).Underlying().(*types.Struct).Field(a.Field).Name()
	case *ssa.IndexAddr:
		n, _ := constInt(a.Index)
		return fmt.Sprintf("%s[%d]", pathOf(a.X), n)
	}
	return ""
}
