package build

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// A shape is what is statically known of an operand, and what it is made of. A
// function is built once for each list of shapes of its arguments; the values
// that shapes leave open are its parameters in the IR.
type shape struct {
	types  []ir.Type // of vals
	mem    ir.Type   // of mem, or Void
	nonnil bool
	fn     *ssa.Function
	dyn    types.Type
	cell   bool
	m      *mapObject
	field  string
	defers *deferStack
	parts  []shape
	limit  int64
	// fixed says that the value is the constant value, of type types[0], or value bytes
	// into data: it is not passed.
	fixed bool
	value int64
	data  *ir.Data
}

// shapeOf returns the shape of o, which is settled.
func shapeOf(o operand) shape {
	s := shape{fn: o.fn, dyn: o.dyn, cell: o.cell, m: o.m, field: o.field, defers: o.defers, nonnil: o.nonnil, limit: o.limit}
	for _, v := range o.vals {
		s.types = append(s.types, v.Type)
	}
	if o.mem != nil {
		s.mem = o.mem.Type
	}
	for _, p := range o.parts {
		s.parts = append(s.parts, shapeOf(p))
	}
	return s
}

func shapesEqual(a, b []shape) bool { return slices.EqualFunc(a, b, shape.equal) }

func (s shape) equal(t shape) bool {
	return slices.Equal(s.types, t.types) && s.mem == t.mem && s.nonnil == t.nonnil && s.limit == t.limit && s.fn == t.fn &&
		s.cell == t.cell && s.m == t.m && s.field == t.field && s.defers == t.defers && s.fixed == t.fixed && s.value == t.value && s.data == t.data && (s.dyn == nil) == (t.dyn == nil) && (s.dyn == nil || types.Identical(s.dyn, t.dyn)) &&
		slices.EqualFunc(s.parts, t.parts, shape.equal)
}

// flattenOpen appends the values of o that s, its shape, leaves open.
func flattenOpen(to []*ir.Value, o operand, s *shape) []*ir.Value {
	if s.fixed {
		return to
	}
	to = append(to, o.vals...)
	if o.mem != nil {
		to = append(to, o.mem)
	}
	for i, p := range o.parts {
		to = flattenOpen(to, p, &s.parts[i])
	}
	return to
}

// flatten is flattenOpen for a shape that fixes nothing.
func flatten(to []*ir.Value, o operand) []*ir.Value {
	to = append(to, o.vals...)
	if o.mem != nil {
		to = append(to, o.mem)
	}
	for _, p := range o.parts {
		to = flatten(to, p)
	}
	return to
}

// inflate is the reverse of flatten: it makes an operand of shape s from the
// values that next returns for the types it is asked for, and fixed for shapes
// that are, of which the shapes of results have none.
func (s shape) inflate(next func(ir.Type) *ir.Value, fixed func(shape) *ir.Value) operand {
	o := operand{fn: s.fn, dyn: s.dyn, cell: s.cell, m: s.m, field: s.field, defers: s.defers, nonnil: s.nonnil, limit: s.limit}
	if s.fixed {
		return operand{vals: []*ir.Value{fixed(s)}, nonnil: s.nonnil}
	}
	for _, t := range s.types {
		o.vals = append(o.vals, next(t))
	}
	if s.mem != ir.Void {
		o.mem = next(s.mem)
	}
	for _, p := range s.parts {
		o.parts = append(o.parts, p.inflate(next, fixed))
	}
	return o
}

// flatTypes appends the types of the values that s leaves open.
func (s shape) flatTypes(to []ir.Type) []ir.Type {
	to = append(to, s.types...)
	if s.mem != ir.Void {
		to = append(to, s.mem)
	}
	for _, p := range s.parts {
		to = p.flatTypes(to)
	}
	return to
}

// join returns the shape of a value that has shape s on one path and t on
// another. ok is false if the two differ in what must be known statically.
func (s shape) join(t shape) (j shape, ok bool) {
	if len(s.types) != len(t.types) || (s.mem == ir.Void) != (t.mem == ir.Void) || s.fn != t.fn || s.cell != t.cell ||
		s.m != t.m || s.field != t.field || s.defers != t.defers ||
		(s.dyn == nil) != (t.dyn == nil) || s.dyn != nil && !types.Identical(s.dyn, t.dyn) ||
		len(s.parts) != len(t.parts) {
		return shape{}, false
	}
	j = shape{fn: s.fn, dyn: s.dyn, cell: s.cell, m: s.m, field: s.field, defers: s.defers, nonnil: s.nonnil && t.nonnil}
	if s.limit > 0 && t.limit > 0 {
		j.limit = max(s.limit, t.limit)
	}
	for i := range s.types {
		j.types = append(j.types, joinType(s.types[i], t.types[i]))
	}
	if s.mem != ir.Void {
		j.mem = joinType(s.mem, t.mem)
	}
	for i := range s.parts {
		p, ok := s.parts[i].join(t.parts[i])
		if !ok {
			return shape{}, false
		}
		j.parts = append(j.parts, p)
	}
	return j, true
}

func joinType(a, b ir.Type) ir.Type {
	if a.IsPtr() && b.IsPtr() {
		return ir.JoinPtr(a, b)
	}
	return a
}
