package opt

import (
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds the pointers to values of maps, to reserved records and the like whose size is
// known, and those that mean one of several variables of one size or nil, for guard.go.
//
// Method: what a helper returns the address of has the size that ir.Value.Size says. A block parameter or
// a select has the size of all that it may be: greatest fixed point. If these differ in size it has
// none: a check for the smaller would fail where Go does not panic.

// objectSizes returns the sizes of the objects that values of f are the addresses of, where that
// is known. preds are the edges to each block of f.
func objectSizes(f *ir.Func, preds [][]ir.Pred) map[*ir.Value]int64 {
	sizes := make(map[*ir.Value]int64)
	var merged []*ir.Value
	for _, b := range f.Blocks {
		for _, v := range b.Params {
			if v.Type.IsPtr() && len(preds[b.ID]) > 0 {
				merged = append(merged, v)
				sizes[v] = math.MaxInt64
			}
		}
		for _, v := range b.Instrs {
			switch {
			case v.Op == ir.OpHelper && v.Size > 0:
				sizes[v] = v.Size
			case v.Op == ir.OpSelect && v.Type.IsPtr():
				merged = append(merged, v)
				sizes[v] = math.MaxInt64
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, v := range merged {
			size := sizes[v]
			for _, x := range sourcesOf(v, preds) {
				size = mergedSize(size, sizeOfObject(sizes, v.Type, x))
			}
			changed = changed || size != sizes[v]
			sizes[v] = size
		}
	}
	for _, v := range merged {
		if sizes[v] == 0 || sizes[v] == math.MaxInt64 { // or always nil
			delete(sizes, v)
		}
	}
	return sizes
}

// mergedSize returns the size of an object that has either of two sizes, each of which may be that of
// no object.
func mergedSize(x, y int64) int64 {
	if x != y && x != math.MaxInt64 && y != math.MaxInt64 {
		return 0
	}
	return min(x, y)
}

// sourcesOf returns what the parameter or select v may be.
func sourcesOf(v *ir.Value, preds [][]ir.Pred) []*ir.Value {
	if v.Op == ir.OpSelect {
		return v.Args[1:]
	}
	var list []*ir.Value
	for i, p := range v.Block.Params {
		if p == v {
			for _, pred := range preds[v.Block.ID] {
				list = append(list, pred.Edge().Args[i])
			}
		}
	}
	return list
}

// sizeOfObject returns the size of the object that p, a source of a pointer of type t, is the
// address of, 0 if it is not known. Nil takes no part.
func sizeOfObject(sizes map[*ir.Value]int64, t ir.Type, p *ir.Value) int64 {
	for p.Op == ir.OpPi || p.Op == ir.OpCheckNonNil {
		p = p.Args[0]
	}
	switch p.Op {
	case ir.OpConst:
		return math.MaxInt64
	case ir.OpSlotAddr:
		if t == ir.PtrStack {
			return p.Slot().Size
		}
	}
	return sizes[p]
}
