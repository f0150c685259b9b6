package build

import (
	"encoding/binary"
	"fmt"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file gives function values and interfaces a form in memory. That of maps is in
// mapvalue.go.
//
// A function value is its number in the world. Where functions of its type capture
// variables, it is the address of an object instead: the number, followed by 8 bytes
// for each captured value.
//
// An interface is two words: the number of its dynamic type, 0 if it is nil, and the
// dynamic value, if that is a single integer or pointer, or the address of a copy.

// isDynamic reports whether o, a function or an interface, has the form of memory.
func isDynamic(o operand) bool { return !o.isStatic() && len(o.vals) > 0 }

// dynamic returns o, a function or interface of type t, in the form in which it is in
// memory. v is the Go value that o is of, for how long it lives, or nil if it is used
// on the spot.
func (fn *function) dynamic(o operand, t types.Type, v ssa.Value) operand {
	switch {
	case isMapPointer(t) && !o.isBad():
		return fn.mapNumber(o)
	case !o.isStatic() || o.isBad():
		return fn.settled(o)
	case o.dyn == recoveredType:
		return fn.recovered(o)
	case o.m != nil:
		fn.fail(diag.UnresolvedCall, "keep it in a variable of its own that is assigned once, or pass it as an argument",
			"%s is stored in memory, where it is not known when compiling", describeStatic(o))
		return badOperand
	}
	if sig, ok := t.Underlying().(*types.Signature); ok {
		return fn.dynamicFunc(o, sig, v)
	}
	switch {
	case isNil(o):
		return operand{vals: []*ir.Value{fn.constant(ir.I64, 0), fn.constant(ir.PtrAny, 0)}}
	case o.dyn == errnoType:
		n := o.parts[0].vals[0]
		id := fn.constant(ir.I64, fn.b.world.typeID(errnoType))
		some := fn.emit(ir.OpNe, ir.I32, n, fn.constant(ir.I64, 0))
		id = fn.emit(ir.OpSelect, ir.I64, some, id, fn.constant(ir.I64, 0))
		return operand{vals: []*ir.Value{id, fn.emit(ir.OpIntToPtr, ir.PtrAny, n)}}
	}
	dyn := o.dyn
	if isErrnoNamed(dyn) {
		dyn = errnoType
	}
	id := fn.constant(ir.I64, fn.b.world.typeID(dyn))
	data := fn.boxed(o.parts[0], o.dyn, v)
	if data == nil {
		return badOperand
	}
	return operand{vals: []*ir.Value{id, data}}
}

// dynamicFunc is dynamic for a function.
func (fn *function) dynamicFunc(o operand, sig *types.Signature, v ssa.Value) operand {
	t := fn.b.world.funcLeaf(sig)
	if isNil(o) {
		return single(fn.constant(t, 0))
	}
	o = fn.settled(o)
	if o.isBad() {
		return badOperand
	}
	f := storedFunc{fn: o.fn}
	var captured []*ir.Value
	for _, p := range o.parts {
		if p.cell && len(p.parts) > 0 && p.parts[0].defers != nil {
			fn.fail(diag.UnsupportedStmt, "let the iterator call the function that it is passed, or defer before the loop",
				"function value %s, the body of a loop that defers, is stored in memory", o.fn.Name())
			return badOperand
		}
		s := shapeOf(p).widen()
		s.nonnil = p.nonnil
		f.captured = append(f.captured, s)
		captured = flatten(captured, p)
	}
	id := fn.b.world.funcID(f)
	if t == ir.I64 {
		return single(fn.constant(ir.I64, id))
	}
	if len(captured) == 0 {
		d := fn.b.funcObjects[id]
		if d == nil {
			d = &ir.Data{Name: fmt.Sprintf("func.%d", id), Bytes: binary.LittleEndian.AppendUint64(nil, uint64(id)), Align: 8}
			fn.b.funcObjects[id] = d
			fn.b.addFixed(d)
		}
		addr := fn.emit(ir.OpDataAddr, ir.PtrData)
		addr.Aux = d
		return single(addr)
	}
	obj := fn.holder(v, "closure", frame{size: 8 + 8*int64(len(captured)), align: 8, pos: o.fn.Pos()})
	fn.storeLeaf(obj, 8, fn.constant(ir.I64, id))
	for i, c := range captured {
		fn.storeLeaf(obj.plus(8+8*int64(i)), uint8(c.Type.Size()), c)
	}
	return single(obj.base)
}

// holder returns memory that lives as long as v.
func (fn *function) holder(v ssa.Value, name string, fr frame) address {
	if _, ok := v.(ssa.Instruction); ok {
		return fn.variable(v, name, fr)
	}
	slot := fn.f.NewSlot(name, max(fr.size, 1), fr.align, fr.irPos())
	return fn.slotAddr(slot)
}

// boxed returns the second word of an interface that holds o, a value of type t, or
// nil if it cannot be had.
func (fn *function) boxed(o operand, t types.Type, v ssa.Value) *ir.Value {
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return nil
	}
	if isStaticType(t) {
		o = fn.dynamic(o, t, v)
	}
	if o = fn.settled(o); o.isBad() {
		return nil
	}
	switch {
	case l.count == 0:
		return fn.constant(ir.PtrAny, 0)
	case l.count > 1:
		box := fn.holder(v, "interface", frame{size: max(l.size, 1), align: 8, pos: fn.pos})
		fn.store(box, t, o)
		return box.base
	}
	w := fn.leaves(o, t)[0]
	switch w.Type {
	case ir.I32:
		return fn.emit(ir.OpIntToPtr, ir.PtrAny, fn.emit(ir.OpZExt, ir.I64, w))
	case ir.I64:
		return fn.emit(ir.OpIntToPtr, ir.PtrAny, w)
	}
	return w
}

// unboxed is the reverse of boxed.
func (fn *function) unboxed(data *ir.Value, t types.Type) operand {
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	switch {
	case l.count == 0:
		return operand{}
	case l.big():
		return operand{mem: data}
	case l.count > 1:
		return fn.loadLeaves(address{base: data}, t)
	}
	switch l.leaves[0].typ {
	case ir.I32:
		return single(fn.emit(ir.OpTrunc, ir.I32, fn.emit(ir.OpPtrToInt, ir.I64, data)))
	case ir.I64:
		return single(fn.emit(ir.OpPtrToInt, ir.I64, data))
	}
	return single(data)
}

// An arm is the end of one way to compute a value.
type arm struct {
	block  *ir.Block
	result operand
}

// choose computes a value of type t, which may be a tuple, in the way that id, one of
// ids, says. v is the Go value that is computed.
func (fn *function) choose(id *ir.Value, ids []int64, t types.Type, v ssa.Value, compute func(id int64) operand) operand {
	pos := ir.Pos(fn.pos)
	var arms []arm
	for i, n := range ids {
		if i < len(ids)-1 {
			this, others := fn.f.NewBlock(), fn.f.NewBlock()
			is := fn.emit(ir.OpEq, ir.I32, id, fn.constant(ir.I64, n))
			fn.cur.Branch(pos, is, ir.Edge{To: this}, ir.Edge{To: others})
			fn.cur = this
			arms = append(arms, fn.arm(compute(n)))
			fn.cur = others
			continue
		}
		arms = append(arms, fn.arm(compute(n)))
	}
	if len(ids) == 0 {
		fn.cur.Term = ir.Term{Kind: ir.TermUnreachable}
		fn.cur = fn.f.NewBlock()
		return fn.zero(t)
	}
	return fn.joinArms(arms, t, v)
}

func (fn *function) arm(o operand) arm { return arm{fn.cur, o} }

// joinArms continues where all arms meet, with their result, of type t.
func (fn *function) joinArms(arms []arm, t types.Type, v ssa.Value) operand {
	if len(arms) == 1 {
		return arms[0].result
	}
	meet := fn.f.NewBlock()
	var args = make([][]*ir.Value, len(arms))
	var result operand
	one := func(t types.Type, of func(operand) operand) operand {
		return fn.joinPart(arms, args, meet, t, v, of)
	}
	if slices.ContainsFunc(arms, func(a arm) bool { return a.result.isBad() }) {
		result = badOperand
	} else if tup, ok := t.(*types.Tuple); ok {
		for i := range tup.Len() {
			result.parts = append(result.parts, one(tup.At(i).Type(), func(o operand) operand { return o.parts[i] }))
		}
	} else if t != nil {
		result = one(t, func(o operand) operand { return o })
	}
	for i, a := range arms {
		a.block.Jump(ir.Pos(fn.pos), meet, args[i]...)
	}
	fn.cur = meet
	return result
}

// joinPart joins the part that of selects from the results of arms. It appends to the
// arguments of each arm and adds parameters to meet.
func (fn *function) joinPart(arms []arm, args [][]*ir.Value, meet *ir.Block, t types.Type, v ssa.Value, of func(operand) operand) operand {
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	parts := make([]operand, len(arms))
	for i, a := range arms {
		parts[i] = of(a.result)
	}
	if l.big() {
		fn.cur = fn.f.Entry()
		slot := fn.tempSlot(t).base.Slot()
		for i, a := range arms {
			fn.cur = a.block
			fn.store(fn.slotAddr(slot), t, parts[i])
		}
		fn.cur = meet
		return operand{mem: fn.slotAddr(slot).base}
	}
	for i, a := range arms {
		fn.cur = a.block
		if parts[i].mem != nil {
			parts[i] = operand{vals: fn.leaves(parts[i], t)}
		}
		parts[i] = fn.settled(parts[i])
	}
	s, ok := joinShapes(parts)
	if !ok && isStaticType(t) {
		for i, a := range arms {
			fn.cur = a.block
			parts[i] = fn.dynamic(parts[i], t, v)
			if parts[i].isBad() {
				return badOperand
			}
		}
		s, ok = joinShapes(parts)
	}
	if !ok {
		fn.fail(diag.UnresolvedCall, "use a value of the same origin in all cases", "value that is not known when compiling in the same way on all paths")
		return badOperand
	}
	for i := range arms {
		args[i] = flatten(args[i], parts[i])
	}
	return s.inflate(func(t ir.Type) *ir.Value { return meet.AddParam(t, ir.Pos(fn.pos)) }, nil)
}

// joinShapes returns the shape of a value that is any of parts.
func joinShapes(parts []operand) (s shape, ok bool) {
	s, ok = shapeOf(parts[0]), true
	for _, p := range parts[1:] {
		if s, ok = s.join(shapeOf(p)); !ok {
			return shape{}, false
		}
	}
	return s, true
}
