package build

import (
	"go/types"
	"math"
)

// Sizes lays types out as the gc compiler does for 64-bit machines. It is what
// types.SizesFor("gc", "amd64") is, but for the time it takes: that one measures the
// last field of a struct twice, so that its time is exponential in how deep structs nest.
var Sizes types.Sizes = gcSizes{}

type gcSizes struct{}

var scalarSizes = types.SizesFor("gc", "amd64")

// Sizeof returns the size of t, or a negative number if it is too large.
func (gcSizes) Sizeof(t types.Type) int64 {
	size, _ := measure(t)
	return size
}

// Alignof returns the alignment of t.
func (gcSizes) Alignof(t types.Type) int64 {
	_, align := measure(t)
	return align
}

// Offsetsof returns the offsets of the fields of a struct, negative from where they
// are too large.
func (gcSizes) Offsetsof(fields []*types.Var) []int64 {
	offsets := make([]int64, len(fields))
	var end int64
	for i, f := range fields {
		size, align := measure(f.Type())
		offsets[i] = alignTo(end, align)
		end = addSize(offsets[i], size)
	}
	return offsets
}

// measure returns the size of t, negative if it is too large, and its alignment.
func measure(t types.Type) (size, align int64) {
	switch u := t.Underlying().(type) {
	case *types.Array:
		size, align = measure(u.Elem())
		switch n := u.Len(); {
		case n <= 0 || size == 0:
			return 0, align
		case size < 0 || n > math.MaxInt64/size:
			return -1, align
		default:
			return n * size, align
		}
	case *types.Struct:
		var end, last int64
		align = 1
		for f := range u.Fields() {
			var a int64
			last, a = measure(f.Type())
			align = max(align, a)
			end = addSize(alignTo(end, a), last)
		}
		if end > 0 && last == 0 {
			end = addSize(end, 1) // the address of the last field must be inside
		}
		return alignTo(end, align), align
	}
	return scalarSizes.Sizeof(t), scalarSizes.Alignof(t)
}

// addSize adds sizes, negative if too large.
func addSize(x, y int64) int64 {
	if x < 0 || y < 0 || x > math.MaxInt64-y {
		return -1
	}
	return x + y
}

// alignTo rounds a size up to a multiple of align, negative if too large.
func alignTo(x, align int64) int64 {
	if x = addSize(x, align-1); x < 0 {
		return -1
	}
	return x &^ (align - 1)
}
