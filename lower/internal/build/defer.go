package build

import (
	"go/token"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers defer statements outside of loops. Whether a statement has
// been executed is a flag in a stack object, zeroed on entry; what it evaluated
// waits in stack objects beside it. On return the calls are made, last first, of
// the statements whose flag is set. The blocks are lowered in an order in which
// a statement that can be executed after another is lowered after it.
//
// A panic ends the program without running them: what a function holds is then
// released by the panic itself.

// A deferred call is what a defer statement has evaluated.
type deferred struct {
	flag   address
	callee *ssa.Function
	args   []savedOperand
}

// A savedOperand is an operand of a deferred call, by its shape and the stack
// objects that hold what the shape leaves open.
type savedOperand struct {
	shape shape
	slots []*ir.Slot
}

type defers struct{ calls []deferred }

func (fn *function) lowerDefer(d *ssa.Defer) {
	if d.DeferStack != nil {
		fn.fail(diag.UnsupportedStmt, "collect what is to be done in an array and do it after the loop", "defer statement in the body of a range over a function")
		return
	}
	if fn.cyclic[d.Block().Index] {
		fn.fail(diag.UnsupportedStmt, "move the body of the loop into a function of its own", "defer statement in a loop")
		return
	}
	if _, ok := d.Call.Value.(*ssa.Builtin); ok {
		fn.fail(diag.UnsupportedStmt, "defer a function literal that makes the call", "defer of a built-in function")
		return
	}
	callee, args, ok := fn.resolve(&d.Call)
	if !ok {
		return
	}
	if pos, ok := recovers(callee); ok {
		fn.pos = pos
		fn.fail(diag.UnsupportedExpr, "test for the condition before it panics", "call of recover: a panic ends a BPF program")
		return
	}
	dc := deferred{callee: callee}
	flag := fn.f.NewSlot("defer", 8, 8, ir.Pos(fn.pos))
	fn.zeroOnEntry(flag)
	dc.flag = fn.slotAddr(flag)
	fn.storeLeaf(dc.flag, 8, fn.constant(ir.I64, 1))
	params := paramTypes(callee)
	for i, a := range args {
		if len(callee.Blocks) > 0 && fn.b.directiveOf(callee) == nil {
			a = fn.argument(a, params[i])
		}
		dc.args = append(dc.args, fn.save(fn.settled(a)))
	}
	if fn.defers == nil {
		fn.defers = &defers{}
	}
	fn.defers.calls = append(fn.defers.calls, dc)
}

// recovers reports whether f calls recover, and where. It is asked even where the
// call is not reached by returning, because a panic would reach it.
func recovers(f *ssa.Function) (token.Pos, bool) {
	for _, blk := range f.Blocks {
		for _, instr := range blk.Instrs {
			if c, ok := instr.(*ssa.Call); ok {
				if b, ok := c.Call.Value.(*ssa.Builtin); ok && b.Name() == "recover" {
					return c.Pos(), true
				}
			}
		}
	}
	return token.NoPos, false
}

// zeroOnEntry zeroes slot at the start of the function.
func (fn *function) zeroOnEntry(slot *ir.Slot) {
	saved := fn.cur
	fn.cur = fn.f.Entry()
	a := fn.slotAddr(slot)
	fn.storeLeaf(a, 8, fn.constant(ir.I64, 0))
	fn.cur = saved
}

// save stores the values of o in stack objects.
func (fn *function) save(o operand) savedOperand {
	s := savedOperand{shape: shapeOf(o)}
	for _, v := range flatten(nil, o) {
		slot := fn.f.NewSlot("defer", 8, 8, ir.Pos(fn.pos))
		fn.storeLeaf(fn.slotAddr(slot), uint8(v.Type.Size()), v)
		s.slots = append(s.slots, slot)
	}
	return s
}

// restore is the reverse of save.
func (fn *function) restore(s savedOperand) operand {
	slots := s.slots
	return s.shape.inflate(func(t ir.Type) *ir.Value {
		a := fn.slotAddr(slots[0])
		slots = slots[1:]
		return fn.loadLeaf(a, leaf{typ: t, width: uint8(t.Size())})
	}, nil)
}

// lowerRunDefers makes the deferred calls.
func (fn *function) lowerRunDefers() {
	if fn.defers == nil {
		return
	}
	pos := ir.Pos(fn.pos)
	for i := len(fn.defers.calls) - 1; i >= 0; i-- {
		d := fn.defers.calls[i]
		run, next := fn.f.NewBlock(), fn.f.NewBlock()
		set := fn.loadLeaf(fn.slotAddr(d.flag.base.Slot()), leaf{typ: ir.I64, width: 8})
		fn.cur.Branch(pos, fn.emit(ir.OpNe, ir.I32, set, fn.constant(ir.I64, 0)), ir.Edge{To: run}, ir.Edge{To: next})
		fn.cur = run
		fn.storeLeaf(fn.slotAddr(d.flag.base.Slot()), 8, fn.constant(ir.I64, 0))
		var args []operand
		for _, a := range d.args {
			args = append(args, fn.restore(a))
		}
		fn.callResolved(d.callee, args, nil)
		fn.cur.Jump(pos, next)
		fn.cur = next
	}
}
