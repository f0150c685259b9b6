package corpus

import (
	"math/rand/v2"
	"reflect"
	"unsafe"
)

// Inputs returns up to limit argument lists for a function of type t: all
// combinations of boundary values, or a sample of them. They are the same every
// time.
func Inputs(t reflect.Type, limit int) [][]reflect.Value {
	rnd := rand.New(rand.NewPCG(1, 2))
	sets := make([][]reflect.Value, t.NumIn())
	total := 1
	for i := range sets {
		sets[i] = boundaries(t.In(i), rnd)
		total = min(total*len(sets[i]), 1<<20)
	}
	var lists [][]reflect.Value
	if total <= limit {
		for n := range total {
			in := make([]reflect.Value, len(sets))
			for i, s := range sets {
				in[i] = s[n%len(s)]
				n /= len(s)
			}
			lists = append(lists, in)
		}
		return lists
	}
	for range limit {
		in := make([]reflect.Value, len(sets))
		for i, s := range sets {
			in[i] = s[rnd.IntN(len(s))]
		}
		lists = append(lists, in)
	}
	return lists
}

// boundaries returns values of type t at which operations tend to go wrong.
func boundaries(t reflect.Type, rnd *rand.Rand) []reflect.Value {
	var vals []reflect.Value
	add := func(set func(v reflect.Value)) {
		v := reflect.New(t).Elem()
		set(v)
		vals = append(vals, v)
	}
	switch t.Kind() {
	case reflect.Bool:
		add(func(v reflect.Value) { v.SetBool(false) })
		add(func(v reflect.Value) { v.SetBool(true) })
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		top := int64(1)<<(t.Bits()-1) - 1
		for _, n := range []int64{0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 100, 255, 256, 65535, 1 << 31, 1 << 32, top, top - 1,
			-1, -2, -3, -7, -8, -100, -128, -129, -32768, -1 << 31, -1<<31 - 1, -top, -top - 1, rnd.Int64()} {
			if !reflect.New(t).Elem().OverflowInt(n) {
				add(func(v reflect.Value) { v.SetInt(n) })
			}
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		top := uint64(1)<<(t.Bits()-1) - 1
		for _, n := range []uint64{0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 32767, 65535, 1 << 31, 1 << 32,
			1<<32 - 1, top, top + 1, 2*top + 1, 2 * top, rnd.Uint64()} {
			if !reflect.New(t).Elem().OverflowUint(n) {
				add(func(v reflect.Value) { v.SetUint(n) })
			}
		}
	case reflect.Struct:
		for range 12 {
			add(func(v reflect.Value) {
				for i := range t.NumField() {
					s := boundaries(t.Field(i).Type, rnd)
					f := t.Field(i)
					field := reflect.NewAt(f.Type, unsafe.Add(v.Addr().UnsafePointer(), f.Offset))
					field.Elem().Set(s[rnd.IntN(len(s))])
				}
			})
		}
		add(func(reflect.Value) {})
	case reflect.Array:
		for range 8 {
			add(func(v reflect.Value) {
				s := boundaries(t.Elem(), rnd)
				for i := range t.Len() {
					v.Index(i).Set(s[rnd.IntN(len(s))])
				}
			})
		}
		add(func(reflect.Value) {})
	default:
		panic("no values of type " + t.String())
	}
	return vals
}
