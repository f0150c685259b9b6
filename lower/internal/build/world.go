package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file keeps account of the function values, dynamic types and maps that go
// through memory.
//
// Most are known where they are used, see static.go. One that is assigned to a
// variable more than once, or stored in a struct, is a number in memory, and a call
// of it is a choice between all functions that it can be. Which these are is
// known only when everything has been built: the world is closed. So a program in
// which somebody asked and something was added is built again, for the world as it
// was at the end, until nothing is added any more. Numbers do not change from
// one time to the next.

// A world is the function values, dynamic types and maps that are stored in memory
// anywhere in the program.
type world struct {
	funcs []storedFunc // a function value is 1 plus its index here
	types []types.Type // the first word of an interface is 1 plus the index here
	maps  []*mapObject // a pointer to a map is 1 plus its index here

	objects map[mapKey]*mapObject // all maps but those that belong to others

	// knownFuncs, knownTypes and knownMaps are how many there were when the attempt began.
	knownFuncs, knownTypes, knownMaps int
	asked                             bool
	// inspects is set if something looks at what recover returns, and knewInspects if that
	// was known when the attempt began.
	inspects, knewInspects bool
}

// A storedFunc is a function value with the shapes of what it captures.
type storedFunc struct {
	fn       *ssa.Function
	captured []shape
}

// captures reports whether f holds values that only the running program knows.
func (f storedFunc) captures() bool {
	for _, s := range f.captured {
		if len(s.flatTypes(nil)) > 0 {
			return true
		}
	}
	return false
}

// begin starts an attempt to build the program.
func (w *world) begin() {
	w.knownFuncs, w.knownTypes, w.knownMaps, w.asked = len(w.funcs), len(w.types), len(w.maps), false
	w.knewInspects = w.inspects
}

// complete reports whether the last attempt knew all that it asked for.
func (w *world) complete() bool {
	return w.inspects == w.knewInspects && (!w.asked || len(w.funcs) == w.knownFuncs && len(w.types) == w.knownTypes && len(w.maps) == w.knownMaps)
}

// funcID returns the number of f.
func (w *world) funcID(f storedFunc) int64 {
	for i, g := range w.funcs {
		if g.fn == f.fn && shapesEqual(g.captured, f.captured) {
			return int64(i) + 1
		}
	}
	w.funcs = append(w.funcs, f)
	return int64(len(w.funcs))
}

// typeID returns the number of the dynamic type t.
func (w *world) typeID(t types.Type) int64 {
	for i, u := range w.types {
		if types.Identical(t, u) {
			return int64(i) + 1
		}
	}
	w.types = append(w.types, t)
	return int64(len(w.types))
}

// candidates returns the numbers of the functions that a value of type sig can be.
func (w *world) candidates(sig *types.Signature) []int64 {
	w.asked = true
	var ids []int64
	for i, f := range w.funcs[:w.knownFuncs] {
		if types.Identical(f.fn.Signature, sig) {
			ids = append(ids, int64(i)+1)
		}
	}
	return ids
}

// implementers returns the numbers of the types that an interface of type t can have.
func (w *world) implementers(t *types.Interface) []int64 {
	w.asked = true
	var ids []int64
	for i, u := range w.types[:w.knownTypes] {
		if types.Implements(u, t) || u == errnoType && types.Identical(t, errorType.Underlying()) {
			ids = append(ids, int64(i)+1)
		}
	}
	return ids
}

// funcLeaf returns the type of function values of type sig in memory: their number,
// or, if any captures variables, the address of an object that starts with it.
func (w *world) funcLeaf(sig *types.Signature) ir.Type {
	for _, id := range w.candidates(sig) {
		if w.funcs[id-1].captures() {
			return ir.PtrAny
		}
	}
	return ir.I64
}
