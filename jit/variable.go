package jit

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/undergo-ebpf/undergo/lower"
)

// A Variable is a package-level variable of a program, in memory that the program and the
// host share. Its methods may be called concurrently, also while the program runs and
// after it was closed, when nobody else changes the variable any more.
type Variable[T any] struct {
	object *dataObject // keeps p valid
	p      *T
}

// Var returns the package-level variable of p that is called name, or package.name if
// another package has one of the same name. T must be the type of the variable, or a type
// with the same layout. The variable must be one that the program assigns to:
// others are constants of the program. For what only the host changes there is
// [ebpf.Var].
//
// The variable that the host's own Go code knows by this name is another one: only this one is
// shared with the program.
func Var[T any](p *Program, name string) (*Variable[T], error) {
	fail := func(format string, args ...any) (*Variable[T], error) {
		return nil, fmt.Errorf("variable %s of %s: %s", name, p.name, fmt.Sprintf(format, args...))
	}
	var found []lower.Var
	for _, v := range p.unit.Vars {
		if v.VarDecl.Var == name || v.Name() == name {
			found = append(found, v)
		}
	}
	switch {
	case len(found) == 0:
		return fail("the program does not use it")
	case len(found) > 1:
		return fail("there are several; name its package, as in %s", found[0].Name())
	}
	v := found[0]
	t := reflect.TypeFor[T]()
	switch {
	case !sameType(v.Type, t):
		return fail("is of type %s, not %s", typeName(v.Type), t)
	case v.Section != lower.DataSectionName:
		return fail("the program never assigns to it, so that it is a constant; use an ebpf.Var for what the host changes")
	case p.vars == nil:
		return fail("the program was not loaded")
	}
	pl := p.vars.places[v.Name()]
	return &Variable[T]{pl.object, (*T)(unsafe.Pointer(&pl.object.mem[pl.offset]))}, nil
}

// Pointer returns where the variable is. It is valid as long as the Variable is in use.
func (v *Variable[T]) Pointer() *T { return v.p }

// Load returns the value. A value of 4 or 8 bytes is read at once, and a larger one in
// parts.
func (v *Variable[T]) Load() (x T) {
	switch unsafe.Sizeof(x) {
	case 4:
		*(*uint32)(unsafe.Pointer(&x)) = atomic.LoadUint32((*uint32)(unsafe.Pointer(v.p)))
	case 8:
		*(*uint64)(unsafe.Pointer(&x)) = atomic.LoadUint64((*uint64)(unsafe.Pointer(v.p)))
	default:
		x = *v.p
	}
	return x
}

// Store sets the value. A value of 4 or 8 bytes is written at once, and a larger one
// in parts.
func (v *Variable[T]) Store(x T) {
	switch unsafe.Sizeof(x) {
	case 4:
		atomic.StoreUint32((*uint32)(unsafe.Pointer(v.p)), *(*uint32)(unsafe.Pointer(&x)))
	case 8:
		atomic.StoreUint64((*uint64)(unsafe.Pointer(v.p)), *(*uint64)(unsafe.Pointer(&x)))
	default:
		*v.p = x
	}
}

// Add adds delta to the value, which must be an integer of 32 or 64 bits, and wraps
// around. No other addition that is atomic is lost.
func (v *Variable[T]) Add(delta T) {
	switch t := reflect.TypeFor[T](); t.Kind() {
	case reflect.Int32, reflect.Uint32:
		atomic.AddUint32((*uint32)(unsafe.Pointer(v.p)), *(*uint32)(unsafe.Pointer(&delta)))
	case reflect.Int, reflect.Uint, reflect.Int64, reflect.Uint64, reflect.Uintptr:
		atomic.AddUint64((*uint64)(unsafe.Pointer(v.p)), *(*uint64)(unsafe.Pointer(&delta)))
	default:
		panic(fmt.Sprintf("jit: Add of %s: only integers of 32 and 64 bits can be added to atomically", t))
	}
}
