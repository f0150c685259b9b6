package build

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers defer statements of functions in which one may be executed more than
// once: in a loop, or in the body of a range over a function, whose deferred calls are
// made when the function returns that has the loop.
//
// What such a function defers is on a stack, in variables of its own: the number of
// calls, for each the number of its statement, and for each value that a statement
// evaluates an array of these. On return a loop goes through the stack from its
// top and chooses among the statements; another, in the landing block, does after a panic:
//
//	for k := range capacity {
//		if p := capacity - 1 - k; p < count {
//			count = p
//			switch ids[p] {
//			case 1: f1(x[p], y[p])
//			case 2: f2(z[p])
//			}
//		}
//	}
//
// so that unrolling, where it is worth it, leaves nothing of the stack. Values that are the same
// whenever a call is deferred, such as addresses of variables, are not stored.
//
// The capacity is how often the statements are executed at most, where the source tells
// (executions.go), and [maxDeferred] where it does not. A call too many panics.
//
// The body of a range over a function is a function itself, which go/ssa passes the
// address of the stack as a captured variable. The operand of that holds the addresses of the
// variables; how many are needed is known when the body has been built, so that
// its function is then lowered again.

// maxDeferred is how many calls a function can defer in loops of which it is not known how
// often they run: as many as tables of pointers can have elements, see opt/ptrtable.go.
const maxDeferred = 32

// A deferStack is the deferred calls of an activation of owner.
type deferStack struct {
	owner    *function
	capacity int64
	count    *ir.Slot
	ids      *ir.Slot      // a byte for each call: the number of its statement
	stmts    []*deferred   // by number
	arrays   []*deferArray // of values
	// shared are the first of arrays, which bodies of ranges over functions use; taken is how
	// many of them have a use, or would have if there were more.
	shared, taken int
	runs          []pendingRun
	// lost says that go/ssa has left out the instructions that make the calls.
	lost bool
}

// A deferArray holds a value for each deferred call that a statement may have on the stack.
type deferArray struct {
	slot   *ir.Slot
	stride int64 // or 0 if there is only one
}

// A pendingRun is a return that makes the deferred calls between two blocks, when all
// statements are known.
type pendingRun struct {
	from, to *ir.Block
	at       *ssa.BasicBlock
	pos      token.Pos
}

// startDefers gives fn a stack of deferred calls if it needs one.
func (fn *function) startDefers() {
	if fn.src.Recover == nil {
		return // nothing is deferred
	}
	s := &deferStack{owner: fn, shared: *fn.sharedDefers, lost: true}
	needed := false
	for _, blk := range fn.src.Blocks {
		for _, instr := range blk.Instrs {
			switch instr := instr.(type) {
			case *ssa.Defer:
				n, ok := executions(blk)
				if !ok {
					n = maxDeferred
				}
				s.capacity += n
				needed = needed || fn.cyclic[blk.Index] || instr.DeferStack != nil
			case *ssa.RunDefers:
				s.lost = false
			case *ssa.Call:
				if blt, ok := instr.Call.Value.(*ssa.Builtin); ok && blt.Name() == deferStackBuiltin {
					s.capacity += maxDeferred
					needed = true
				}
			}
		}
	}
	if !needed {
		return
	}
	s.capacity = min(s.capacity, maxDeferred)
	s.count = fn.f.NewSlot("defer", 8, 8, ir.Pos(fn.pos))
	s.ids = fn.f.NewSlot("defer", s.capacity, 1, ir.Pos(fn.pos))
	for range s.shared {
		s.newArray(0)
	}
	fn.stack = s
}

// newArray adds an array of elements of stride bytes.
func (s *deferStack) newArray(stride int64) *deferArray {
	size := max(8, stride*s.capacity)
	a := &deferArray{slot: s.owner.f.NewSlot("defer", size, 8, ir.Pos(s.owner.pos)), stride: stride}
	s.arrays = append(s.arrays, a)
	return a
}

// deferStackBuiltin is go/ssa's name for the function that returns the stack of deferred calls of
// the function that calls it.
const deferStackBuiltin = "ssa:deferstack"

// lowerDeferStack lowers the call of that.
func (fn *function) lowerDeferStack() operand {
	if fn.stack == nil {
		return single(fn.constant(ir.PtrAny, 0)) // nothing is deferred
	}
	o := operand{defers: fn.stack, vals: []*ir.Value{fn.slotAddr(fn.stack.count).base, fn.slotAddr(fn.stack.ids).base}}
	for _, a := range fn.stack.arrays[:fn.stack.shared] {
		o.vals = append(o.vals, fn.slotAddr(a.slot).base)
	}
	return o
}

// isDeferStack reports whether t is go/ssa's type of what the function above returns.
func isDeferStack(t types.Type) bool {
	n, ok := t.(*types.Named)
	return ok && n.Obj().Name() == "deferStack" && n.Obj().Pkg().Path() == "$ssa"
}

// A push is the execution of a defer statement.
type push struct {
	fn    *function
	stack *deferStack
	refs  []*ir.Value // the addresses that fn was passed, if the stack is another's
	stmt  *deferred
	index *ir.Value
	// single says that the statement is executed once.
	single bool
	reused []int // indices of the shared arrays that the statement has already
	// elements are the addresses of big values in arrays.
	elements map[*ir.Value]*deferArray
}

// pushDefer executes d, which defers on s.
func (fn *function) pushDefer(d *ssa.Defer, s *deferStack) {
	dc, args, ok := fn.deferredCall(d)
	if !ok {
		return
	}
	p := &push{fn: fn, stack: s, stmt: dc}
	count, ids := fn.deferSlots(d, p)
	n := fn.loadLeaf(count, leaf{typ: ir.I64, width: 8})
	site := fn.b.site(ir.PanicIndex, fmt.Sprintf("more than %d deferred calls", s.capacity), fn.pos)
	p.index = fn.proof(ir.OpCheckIdx, ir.OpULt, site, n, fn.constant(ir.I64, s.capacity))
	fn.storeLeaf(count, 8, fn.emit(ir.OpAdd, ir.I64, p.index, fn.constant(ir.I64, 1)))
	id := s.register(p)
	fn.storeLeaf(fn.element(ids, p.index, types.Typ[types.Uint8]), 1, fn.constant(ir.I32, id))
	var types []types.Type
	if dc.callee != nil {
		types = paramTypes(dc.callee)
	}
	for i, a := range args {
		if i < len(types) {
			a = p.keepBig(a, types[i])
		}
		dc.args = append(dc.args, p.save(fn.settled(a)))
	}
}

// deferSlots returns the addresses of the number of deferred calls and of the numbers of their
// statements.
func (fn *function) deferSlots(d *ssa.Defer, p *push) (count, ids address) {
	if p.stack.owner == fn {
		n, known := executions(d.Block())
		p.single = known && n == 1
		return fn.slotAddr(p.stack.count), fn.slotAddr(p.stack.ids)
	}
	p.refs = fn.operand(d.DeferStack).vals
	return address{base: p.refs[0]}, address{base: p.refs[1]}
}

// register gives the statement a number. If the function that p is in is lowered again, it
// keeps its own.
func (s *deferStack) register(p *push) int64 {
	p.stmt.by = p.fn.inst
	for i, d := range s.stmts {
		if d.stmt == p.stmt.stmt && d.by == p.stmt.by {
			p.reused = d.shared
			s.stmts[i] = p.stmt
			return int64(i)
		}
	}
	s.stmts = append(s.stmts, p.stmt)
	return int64(len(s.stmts)) - 1
}

// save keeps o until the call is made.
func (p *push) save(o operand) savedOperand {
	fn := p.fn
	if outer, ok := p.ownersValue(o); ok {
		return savedOperand{shape: shapeOf(outer), values: []savedValue{{known: outer.vals[0]}}}
	}
	s := savedOperand{shape: shapeOf(o)}
	for _, v := range flatten(nil, o) {
		if p.single && p.refs == nil {
			s.values = append(s.values, fn.saveOnce(v))
			continue
		}
		s.values = append(s.values, p.saveValue(v))
	}
	return s
}

// keepBig returns o, a value of type t, with the parts of it that are in memory copied to memory of
// this deferred call.
func (p *push) keepBig(o operand, t types.Type) operand {
	o.parts = slices.Clone(o.parts)
	switch {
	case p.single && p.refs == nil || o.isBad():
	case o.mem != nil:
		l, err := p.fn.b.layoutOf(t)
		if err != nil {
			return o
		}
		array, at := p.array(roundUp(l.size, 8))
		if array == nil {
			return o // until the next attempt
		}
		p.fn.memCopy(address{base: at}, address{base: o.mem}, l.size)
		if p.elements == nil {
			p.elements = make(map[*ir.Value]*deferArray)
		}
		p.elements[at] = array
		o.mem = at
	case o.dyn != nil && len(o.parts) > 0:
		o.parts[0] = p.keepBig(o.parts[0], o.dyn)
	case o.fn != nil:
		for i := range o.parts {
			o.parts[i] = p.keepBig(o.parts[i], o.fn.FreeVars[i].Type())
		}
	case o.cell && len(o.parts) > 0:
		o.parts[0] = p.keepBig(o.parts[0], elemType(t))
	}
	return o
}

// saveValue keeps v.
func (p *push) saveValue(v *ir.Value) savedValue {
	fn := p.fn
	if array := p.elements[v]; array != nil {
		return savedValue{array: array, address: true}
	}
	if fn.repeatable(v, p.refs == nil) {
		return savedValue{known: v}
	}
	if root := rootSlot(v); root != nil && p.refs != nil {
		fn.fail(diag.EscapingVariable, "copy its value, or declare it before the loop",
			"address of variable %s is passed to a deferred call, which is made after the loop that declares it", root.Name)
		return savedValue{known: fn.constant(v.Type, 0)}
	}
	array, at := p.array(8)
	if array == nil {
		return savedValue{known: fn.constant(v.Type, 0)} // until the next attempt
	}
	fn.storeLeaf(address{base: at}, uint8(v.Type.Size()), v)
	return savedValue{array: array}
}

// array returns an array for values of a statement, and the address of the element of this
// deferred call, or nil if there are too few of those that are shared.
func (p *push) array(stride int64) (a *deferArray, at *ir.Value) {
	s := p.stack
	element := func(base *ir.Value) *ir.Value {
		off := p.fn.emit(ir.OpMul, ir.I64, p.index, p.fn.constant(ir.I64, stride))
		return p.fn.emit(ir.OpPtrAdd, base.Type, base, off)
	}
	if p.refs == nil {
		a = s.newArray(stride)
		return a, element(p.fn.slotAddr(a.slot).base)
	}
	i := s.taken
	if n := len(p.stmt.shared); n < len(p.reused) {
		i = p.reused[n]
	} else {
		s.taken++
	}
	p.stmt.shared = append(p.stmt.shared, i)
	if i >= s.shared {
		return nil, nil
	}
	a = s.arrays[i]
	a.stride, a.slot.Size = stride, stride*s.capacity
	return a, element(p.refs[2+i])
}

// ownersValue returns what o is in the function that owns the stack, if it is a variable
// of that which the body of a range over a function captures.
func (p *push) ownersValue(o operand) (operand, bool) {
	if p.refs == nil || len(o.vals) != 1 || o.off != 0 {
		return operand{}, false
	}
	for _, fv := range p.fn.src.FreeVars {
		if c := p.fn.vals[fv]; c.cell || len(c.vals) != 1 || c.vals[0] != o.vals[0] {
			continue
		}
		var v ssa.Value = fv
		for v != nil && v.Parent() != p.stack.owner.src {
			v = boundTo(v)
		}
		outer, ok := p.stack.owner.vals[v]
		return outer, ok && len(outer.vals) == 1 && p.stack.owner.repeatable(outer.vals[0], true)
	}
	return operand{}, false
}

// boundTo returns what the captured variable v is bound to in the function around, or nil.
func boundTo(v ssa.Value) ssa.Value {
	fv, ok := v.(*ssa.FreeVar)
	if !ok {
		return nil
	}
	for _, blk := range fv.Parent().Parent().Blocks {
		for _, instr := range blk.Instrs {
			if m, ok := instr.(*ssa.MakeClosure); ok && m.Fn == fv.Parent() {
				return m.Bindings[slices.Index(fv.Parent().FreeVars, fv)]
			}
		}
	}
	return nil
}

// repeatable reports whether v is computed from nothing that may change, so that it can be
// computed again in the function that owns the stack. own says that v is a value of that.
func (fn *function) repeatable(v *ir.Value, own bool) bool {
	switch v.Op {
	case ir.OpConst, ir.OpDataAddr:
		return true
	case ir.OpSlotAddr:
		return own
	case ir.OpParam:
		return own && v.Block == fn.f.Entry()
	case ir.OpPtrAdd:
		_, isConst := v.Args[1].IsConst()
		return isConst && fn.repeatable(v.Args[0], own)
	}
	return false
}

// again computes v, which is repeatable, here.
func (fn *function) again(v *ir.Value) *ir.Value {
	switch v.Op {
	case ir.OpConst:
		return fn.constant(v.Type, v.Imm)
	case ir.OpParam:
		return v
	case ir.OpPtrAdd:
		return fn.ptrAdd(fn.again(v.Args[0]), v.Args[1].Imm)
	}
	c := fn.emit(v.Op, v.Type)
	c.Aux = v.Aux
	return c
}

// rootSlot returns the variable that v is an address in, if it is known.
func rootSlot(v *ir.Value) *ir.Slot {
	for v.Op == ir.OpPtrAdd || v.Op.Is(ir.Proof) {
		v = v.Args[0]
	}
	if v.Op == ir.OpSlotAddr {
		return v.Slot()
	}
	return nil
}
