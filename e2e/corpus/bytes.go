package corpus

import (
	"reflect"
	"unsafe"
)

// Bytes returns the bytes of v with zeros for padding and blank fields.
func Bytes(v reflect.Value) []byte {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	from := unsafe.Slice((*byte)(p.UnsafePointer()), v.Type().Size())
	to := make([]byte, len(from))
	copyLeaves(to, from, v.Type())
	return to
}

// copyLeaves copies what counts of a value of type t.
func copyLeaves(to, from []byte, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name != "_" {
				copyLeaves(to[f.Offset:], from[f.Offset:], f.Type)
			}
		}
	case reflect.Array:
		for i := range t.Len() {
			off := t.Elem().Size() * uintptr(i)
			copyLeaves(to[off:], from[off:], t.Elem())
		}
	default:
		copy(to[:t.Size()], from)
	}
}
