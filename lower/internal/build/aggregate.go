package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers the parts of structs: fields of values and of variables.

// lowerField lowers x.f for a struct value x.
func (fn *function) lowerField(f *ssa.Field) operand {
	s := f.X.Type().Underlying().(*types.Struct)
	if fn.failUnavailable(s.Field(f.Field)) {
		return badOperand
	}
	return fn.part(fn.operand(f.X), f.X.Type(), s.Field(f.Field).Type(), fieldOffsets(s)[f.Field], fn.leavesBefore(s, f.Field))
}

// leavesBefore returns the number of leaves of the fields before number n.
func (fn *function) leavesBefore(s *types.Struct, n int) int64 {
	var before int64
	for i := range n {
		if fn.b.isUnavailable(s.Field(i)) {
			continue
		}
		if l, err := fn.b.layoutOf(s.Field(i).Type()); err == nil {
			before += l.count
		}
	}
	return before
}

// part returns the part of type t of the aggregate o of type whole: off bytes
// and first leaves into it.
func (fn *function) part(o operand, whole, t types.Type, off, first int64) operand {
	if o.mem != nil {
		l, err := fn.b.layoutOf(t)
		switch {
		case err != nil:
			fn.failType(err)
			return badOperand
		case l.big():
			return operand{mem: fn.ptrAdd(o.mem, off)}
		}
		return fn.loadLeaves(address{o.mem, off}, t)
	}
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	return operand{vals: o.vals[first : first+l.count]}
}

// lowerFieldAddr lowers &p.f.
func (fn *function) lowerFieldAddr(f *ssa.FieldAddr) operand {
	s := elemType(f.X.Type()).Underlying().(*types.Struct)
	if _, err := fn.b.layoutOf(s); err != nil {
		fn.failType(err)
		return badOperand
	}
	if fn.failUnavailable(s.Field(f.Field)) {
		return badOperand
	}
	if o := fn.vals[f.X]; o.m != nil {
		return fn.mapField(o, s, f.Field)
	}
	a := fn.deref(f.X)
	return pointerTo(a.plus(fieldOffsets(s)[f.Field]))
}

// pointerTo returns the pointer that holds a, the address of a part of
// something that exists.
func pointerTo(a address) operand {
	return operand{vals: []*ir.Value{a.base}, off: a.off, nonnil: true}
}

// elemType returns what the pointer type t points to.
func elemType(t types.Type) types.Type { return t.Underlying().(*types.Pointer).Elem() }
