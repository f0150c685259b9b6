package build

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers comparisons.

// orderOps gives, for each ordering token, the operation for unsigned and for
// signed operands.
var orderOps = map[token.Token][2]ir.Op{
	token.LSS: {ir.OpULt, ir.OpSLt},
	token.LEQ: {ir.OpULe, ir.OpSLe},
	token.GTR: {ir.OpUGt, ir.OpSGt},
	token.GEQ: {ir.OpUGe, ir.OpSGe},
}

func (fn *function) lowerCompare(e *ssa.BinOp) operand {
	t := e.X.Type()
	x, y := fn.operand(e.X), fn.operand(e.Y)
	if e.Op == token.EQL || e.Op == token.NEQ {
		v, ok := fn.equal(x, y, t, e.Y.Type())
		if !ok {
			return badOperand
		}
		if e.Op == token.NEQ {
			v = fn.inverted(v)
		}
		return single(v)
	}
	if isString(t) {
		return fn.lowerStringOrder(e.Op, x, y)
	}
	i, ok := intTypeOf(t)
	if !ok {
		return fn.failOperation(e, t)
	}
	op := orderOps[e.Op][0]
	if i.signed {
		op = orderOps[e.Op][1]
	}
	return single(fn.emit(op, ir.I32, fn.scalarOf(x), fn.scalarOf(y)))
}

// inverted returns the negation of v, which equal has returned.
func (fn *function) inverted(v *ir.Value) *ir.Value {
	if v.Op == ir.OpEq || v.Op == ir.OpNe {
		if n := len(fn.cur.Instrs); n > 0 && fn.cur.Instrs[n-1] == v {
			v.Op = v.Op.Negated()
			return v
		}
	}
	return fn.not(v)
}

// equal returns whether x == y, values of types t and u, of which at most one is
// an interface and the other not. It has no effect, whatever the operands are.
func (fn *function) equal(x, y operand, t, u types.Type) (v *ir.Value, ok bool) {
	if x.m != nil || y.m != nil {
		if v, ok := fn.equalMaps(x, y, t); ok {
			return v, true
		}
		return nil, false
	}
	if isInterface(t) || isInterface(u) {
		return fn.equalInterfaces(x, y, t)
	}
	switch t := t.Underlying().(type) {
	case *types.Basic:
		if isString(t) {
			return fn.equalStrings(x, y), true
		}
	case *types.Signature:
		// One of them is nil.
		if x.fn != nil || y.fn != nil {
			return fn.constant(ir.I32, 0), true
		}
		if isNil(x) && isNil(y) {
			return fn.constant(ir.I32, 1), true
		}
		x, y = fn.dynamic(x, t, nil), fn.dynamic(y, t, nil)
		return fn.emit(ir.OpEq, ir.I32, x.vals[0], y.vals[0]), true
	case *types.Slice:
		// One of them is nil.
		xs, ys := fn.settled(x), fn.settled(y)
		return fn.emit(ir.OpEq, ir.I32, xs.vals[0], ys.vals[0]), true
	case *types.Struct, *types.Array:
		return fn.equalAggregates(x, y, t)
	}
	if _, ok := fn.b.scalarLeaf(t); !ok {
		fn.failOperation(nil, t)
		return nil, false
	}
	if x.isBad() || y.isBad() {
		return nil, false
	}
	return fn.equalScalars(x, y), true
}

// equalScalars compares integers or pointers. Two pointers with the same base
// differ exactly if their displacements do.
func (fn *function) equalScalars(x, y operand) *ir.Value {
	if x.off != 0 && x.nonnil && isNil(y) || y.off != 0 && y.nonnil && isNil(x) {
		return fn.constant(ir.I32, 0)
	}
	if x.off != y.off && x.vals[0] == y.vals[0] {
		return fn.constant(ir.I32, 0)
	}
	if x.off == y.off {
		x.off, y.off = 0, 0
	}
	x, y = fn.settled(x), fn.settled(y)
	if x.isBad() || y.isBad() {
		return fn.constant(ir.I32, 0)
	}
	return fn.emit(ir.OpEq, ir.I32, x.vals[0], y.vals[0])
}

// isNil reports whether o is known to be nil.
func isNil(o operand) bool {
	if o.dyn == nilType {
		return true
	}
	if o.dyn == errnoType || o.dyn == recoveredType {
		return isNil(o.parts[0])
	}
	if len(o.vals) == 0 {
		return false
	}
	c, ok := o.vals[0].IsConst()
	return ok && c == 0
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// equalAggregates compares structs or arrays of a comparable type, leaf by leaf.
func (fn *function) equalAggregates(x, y operand, t types.Type) (v *ir.Value, ok bool) {
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return nil, false
	}
	if l.big() {
		return fn.equalBig(address{base: fn.inMemory(x, t)}, address{base: fn.inMemory(y, t)}, t)
	}
	if l.count == 0 {
		return fn.constant(ir.I32, 1), true
	}
	return fn.equalLeaves(fn.leaves(x, t), fn.leaves(y, t), t)
}

// equalLeaves compares the exploded forms of two values of type t.
func (fn *function) equalLeaves(xs, ys []*ir.Value, t types.Type) (v *ir.Value, ok bool) {
	if len(xs) == 0 {
		return fn.constant(ir.I32, 1), true
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if fn.failUnavailable(f) {
				return nil, false
			}
		}
		return fn.allEqual(u.NumFields(), func(i int) types.Type {
			if u.Field(i).Name() == "_" {
				return nil
			}
			return u.Field(i).Type()
		}, u.Field, xs, ys)
	case *types.Array:
		return fn.allEqual(int(u.Len()), func(int) types.Type { return u.Elem() }, nil, xs, ys)
	}
	return fn.equal(operand{vals: xs}, operand{vals: ys}, t, t)
}

// allEqual compares n parts of the given types, nil for those that do not count.
func (fn *function) allEqual(n int, compared func(int) types.Type, field func(int) *types.Var, xs, ys []*ir.Value) (*ir.Value, bool) {
	var all *ir.Value
	for i := range n {
		t := compared(i)
		part := t
		if t == nil {
			part = field(i).Type()
		}
		l, _ := fn.b.layoutOf(part)
		k := len(l.leaves)
		if t != nil && k > 0 {
			eq, ok := fn.equalLeaves(xs[:k], ys[:k], t)
			if !ok {
				return nil, false
			}
			if all == nil {
				all = eq
			} else {
				all = fn.emit(ir.OpAnd, ir.I32, all, eq)
			}
		}
		xs, ys = xs[k:], ys[k:]
	}
	if all == nil {
		all = fn.constant(ir.I32, 1)
	}
	return all, true
}

// equalBig compares two values of type t in memory: an array by a loop over its
// elements, a struct field by field.
func (fn *function) equalBig(x, y address, t types.Type) (v *ir.Value, ok bool) {
	l, _ := fn.b.layoutOf(t)
	if !l.big() {
		return fn.equalLeaves(fn.loadLeaves(x, t).vals, fn.loadLeaves(y, t).vals, t)
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		all := fn.constant(ir.I32, 1)
		for i, off := range fieldOffsets(u) {
			if fn.failUnavailable(u.Field(i)) {
				return nil, false
			}
			if u.Field(i).Name() == "_" {
				continue
			}
			eq, ok := fn.equalBig(x.plus(off), y.plus(off), u.Field(i).Type())
			if !ok {
				return nil, false
			}
			all = fn.emit(ir.OpAnd, ir.I32, all, eq)
		}
		return all, true
	case *types.Array:
		return fn.equalArrays(x, y, u)
	}
	panic("BUG: big value of type " + t.String())
}

// equalArrays compares two arrays in memory by a loop that ends at the first
// difference.
func (fn *function) equalArrays(x, y address, t *types.Array) (*ir.Value, bool) {
	xp, yp := fn.flat(x), fn.flat(y)
	size := sizes.Sizeof(t.Elem())
	ok := true
	result := fn.loop(fn.constant(ir.I64, t.Len()), func(i *ir.Value) *ir.Value {
		off := fn.emit(ir.OpMul, ir.I64, i, fn.constant(ir.I64, size))
		xe := fn.emit(ir.OpPtrAdd, xp.Type, xp, off)
		ye := fn.emit(ir.OpPtrAdd, yp.Type, yp, off)
		eq, good := fn.equalBig(address{base: xe}, address{base: ye}, t.Elem())
		if !good {
			ok = false
			return fn.constant(ir.I32, 1)
		}
		return eq
	})
	return result, ok
}

// loop emits a loop that calls body for i from 0 to n-1 as long as it returns a
// true condition, and returns whether it always did. n is an I64.
func (fn *function) loop(n *ir.Value, body func(i *ir.Value) *ir.Value) *ir.Value {
	pos := ir.Pos(fn.pos)
	head, inner, exit := fn.f.NewBlock(), fn.f.NewBlock(), fn.f.NewBlock()
	i := head.AddParam(ir.I64, pos)
	result := exit.AddParam(ir.I32, pos)

	fn.cur.Jump(pos, head, fn.constant(ir.I64, 0))
	fn.cur = head
	more := fn.emit(ir.OpULt, ir.I32, i, n)
	one := fn.constant(ir.I32, 1)
	head.Branch(pos, more, ir.Edge{To: inner}, ir.Edge{To: exit, Args: []*ir.Value{one}})

	fn.cur = inner
	cond := body(i)
	next := fn.emit(ir.OpAdd, ir.I64, i, fn.constant(ir.I64, 1))
	zero := fn.constant(ir.I32, 0)
	fn.cur.Branch(pos, cond, ir.Edge{To: head, Args: []*ir.Value{next}}, ir.Edge{To: exit, Args: []*ir.Value{zero}})
	fn.cur = exit
	return result
}

// equalInterfaces compares interfaces of type t.
func (fn *function) equalInterfaces(x, y operand, t types.Type) (v *ir.Value, ok bool) {
	xnil, ynil := isNil(x), isNil(y)
	switch {
	case x.dyn == recoveredType:
		return fn.equalRecovered(x, y, t)
	case y.dyn == recoveredType:
		return fn.equalRecovered(y, x, t)
	case isDynamic(x) && !xnil, isDynamic(y) && !ynil:
		return fn.equalDynamic(x, y, t)
	case x.dyn == errnoType:
		return fn.equalErrors(x, y)
	case y.dyn == errnoType:
		return fn.equalErrors(y, x)
	case xnil && ynil:
		return fn.constant(ir.I32, 1), true
	case xnil && y.dyn != nil, ynil && x.dyn != nil:
		return fn.constant(ir.I32, 0), true
	case x.dyn != nil && y.dyn != nil:
		if !types.Identical(x.dyn, y.dyn) {
			return fn.constant(ir.I32, 0), true
		}
		return fn.equal(x.parts[0], y.parts[0], x.dyn, y.dyn)
	}
	panic("BUG: comparison of interfaces of unknown form")
}
