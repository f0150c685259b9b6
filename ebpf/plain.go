package ebpf

import (
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file says which Go types can be keys and values of maps, and where they
// have padding.

// The layout of types is that of 64-bit machines on both sides.
var _ [strconv.IntSize - 64]struct{}

// plain returns an error that says what to write instead if values of type t are no
// plain data of fixed size. Floating-point numbers in keys would not
// be equal where their bytes are.
func plain(t reflect.Type, key bool) error {
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer:
		return fmt.Errorf("%s is a pointer, which means nothing on the other side of the kernel boundary: "+
			"use what it points to, or for a kernel address uint64", t)
	case reflect.Slice:
		return fmt.Errorf("%s is a slice, whose elements are elsewhere: use an array, such as [16]%s", t, t.Elem())
	case reflect.String:
		return fmt.Errorf("%s is a string, whose bytes are elsewhere: use an array, such as [16]byte", t)
	case reflect.Map:
		return fmt.Errorf("%s is a map of the language: use one of this package as the variable, or a map of maps", t)
	case reflect.Chan, reflect.Func:
		return fmt.Errorf("%s has no meaning in the kernel: use an integer that stands for it", t)
	case reflect.Interface:
		return fmt.Errorf("%s is an interface, whose value is elsewhere: use a concrete type", t)
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		if key {
			return fmt.Errorf("%s in a key would be compared by its bytes, not as a number: use an integer", t)
		}
	case reflect.Array:
		return plain(t.Elem(), key)
	case reflect.Struct:
		if key && len(bind.KernelFields(t)) > 0 {
			return fmt.Errorf("%s has a field that belongs to the kernel, which only values can have", t)
		}
		for f := range fields(t) {
			if err := plain(f.Type, key); err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
	}
	return nil
}

func fields(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// A span is a range of bytes.
type span struct{ from, to uintptr }

// paddings caches the results of padding.
var paddings sync.Map // reflect.Type to []span

// padding returns the bytes of a value of type t that belong to no field, to
// one named _, which Go does not compare either, or to the kernel.
func padding(t reflect.Type) []span {
	if t == nil {
		return nil
	}
	if s, ok := paddings.Load(t); ok {
		return s.([]span)
	}
	spans := findPadding(t)
	paddings.Store(t, spans)
	return spans
}

func findPadding(t reflect.Type) []span {
	used := make([]bool, t.Size())
	markUsed(used, t)
	for _, f := range bind.KernelFields(t) {
		clear(used[f.Offset : f.Offset+f.Size])
	}
	var spans []span
	for i := 0; i < len(used); i++ {
		if used[i] {
			continue
		}
		from := i
		for i < len(used) && !used[i] {
			i++
		}
		spans = append(spans, span{uintptr(from), uintptr(i)})
	}
	return spans
}

func markUsed(used []bool, t reflect.Type) {
	switch t.Kind() {
	case reflect.Array:
		for i := range t.Len() {
			markUsed(used[uintptr(i)*t.Elem().Size():], t.Elem())
		}
	case reflect.Struct:
		for f := range fields(t) {
			if f.Name != "_" {
				markUsed(used[f.Offset:], f.Type)
			}
		}
	default:
		for i := range t.Size() {
			used[i] = true
		}
	}
}

// zeroPadding zeroes the padding of *p.
func zeroPadding[T any](p *T) {
	b := bytesOf(p)
	for _, s := range padding(reflect.TypeFor[T]()) {
		clear(b[s.from:s.to])
	}
}

// bytesOf returns the memory of *p.
func bytesOf[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}
