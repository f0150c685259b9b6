package build

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers defer statements outside of loops; deferstack.go has the others. Whether a statement has
// been executed is a flag in a stack object, zeroed on entry; what it evaluated
// waits in stack objects beside it. On return the calls are made, last first, of
// the statements whose flag is set. The blocks are lowered in an order in which
// a statement that can be executed after another is lowered after it.
//
// A panic leads to a second copy of the calls, in the landing block, where each is
// followed by a block for panics with that call and the later ones done. What panics in
// a deferred call goes there:
//
//	return:            landing(s):
//	                     if flag2 { flag2 = false; s2 = call @f2(); if s2 != 0 { s = s2 } }
//	    run f2 ------> landing1(s):
//	                     if flag1 { flag1 = false; s = recovering call @f1(s) }
//	    run f1 ------> landing0(s):
//	    return           if s != 0 { go on with the panic }
//	                     return what the results hold
//
// The calls are lowered twice, so that what a function returns normally does not
// pay for the other way.

// A deferred call is what a defer statement has evaluated.
type deferred struct {
	stmt   *ssa.Defer
	flag   *ir.Slot
	callee *ssa.Function // nil for a built-in function, or a nil one
	args   []savedOperand

	// Of a statement that defers on a stack: the instance that it is in, and the indices
	// of the shared arrays that it uses.
	by     *instance
	shared []int
}

// A savedOperand is an operand of a deferred call, by its shape and what holds
// the values that the shape leaves open.
type savedOperand struct {
	shape  shape
	values []savedValue
}

// A savedValue is a value that can be computed again, or is in an array, or is the address of
// an element of the array.
type savedValue struct {
	known   *ir.Value
	array   *deferArray
	address bool
}

func (fn *function) lowerDefer(d *ssa.Defer) {
	stack := fn.stack
	if d.DeferStack != nil {
		stack = fn.operand(d.DeferStack).defers
	}
	if stack != nil {
		fn.pushDefer(d, stack)
		return
	}
	dc, args, ok := fn.deferredCall(d)
	if !ok {
		return
	}
	dc.flag = fn.f.NewSlot("defer", 8, 8, ir.Pos(fn.pos))
	fn.zeroOnEntry(dc.flag)
	fn.storeLeaf(fn.slotAddr(dc.flag), 8, fn.constant(ir.I64, 1))
	for _, a := range args {
		dc.args = append(dc.args, fn.save(fn.settled(a)))
	}
	fn.defers = append(fn.defers, dc)
}

// deferredCall evaluates the function and the arguments of d.
func (fn *function) deferredCall(d *ssa.Defer) (dc *deferred, args []operand, ok bool) {
	dc = &deferred{stmt: d}
	if _, ok := d.Call.Value.(*ssa.Builtin); ok {
		for _, a := range d.Call.Args {
			args = append(args, fn.operand(a))
		}
		return dc, args, true
	}
	if f := fn.operand(d.Call.Value); !d.Call.IsInvoke() && isNil(f) {
		return dc, nil, true // it panics when it is called
	}
	dc.callee, args, ok = fn.resolve(&d.Call)
	if !ok {
		return nil, nil, false
	}
	if len(dc.callee.Blocks) > 0 && fn.b.directiveOf(dc.callee) == nil {
		params := paramTypes(dc.callee)
		for i, a := range args {
			args[i] = fn.argument(a, params[i])
		}
	}
	return dc, args, true
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
		s.values = append(s.values, fn.saveOnce(v))
	}
	return s
}

// saveOnce stores v in a stack object of its own, unless it can be computed again: the verifier,
// which does not know what has been deferred, accepts an address that was not stored only if it
// is not loaded.
func (fn *function) saveOnce(v *ir.Value) savedValue {
	if fn.repeatable(v, true) {
		return savedValue{known: v}
	}
	slot := fn.f.NewSlot("defer", 8, 8, ir.Pos(fn.pos))
	fn.storeLeaf(fn.slotAddr(slot), uint8(v.Type.Size()), v)
	return savedValue{array: &deferArray{slot: slot}}
}

// lowerRunDefers makes the deferred calls before a return.
func (fn *function) lowerRunDefers() {
	if fn.stack != nil {
		fn.runStack()
		return
	}
	top := fn.landing
	for i := len(fn.defers) - 1; i >= 0; i-- {
		fn.landing = fn.landingAfter(i)
		fn.runDeferred(fn.defers[i], nil)
	}
	fn.landing = top
}

// landingAfter returns the block for panics when all deferred calls but the first n
// have been made.
func (fn *function) landingAfter(n int) *ir.Block {
	for len(fn.landings) <= n {
		b := fn.f.NewBlock()
		fn.addThrown(b)
		fn.landings = append(fn.landings, b)
	}
	return fn.landings[n]
}

// landDefers makes the deferred calls because of the panic p, and returns from
// the function if one recovers. It returns the panic that is left.
func (fn *function) landDefers(p thrown) thrown {
	mayRecover := false
	pos := ir.Pos(fn.pos)
	if fn.stack != nil {
		mayRecover = slices.ContainsFunc(fn.stack.stmts, func(d *deferred) bool { return d.callee != nil && recovers(d.callee) })
		p = fn.unstack(p)
	}
	for i := len(fn.defers) - 1; i >= 0; i-- {
		d := fn.defers[i]
		fn.landing = fn.landingAfter(i)
		mayRecover = mayRecover || d.callee != nil && recovers(d.callee)
		p = fn.runDeferred(d, p)
		fn.cur.Jump(pos, fn.landing, p.args()...)
		fn.cur, p = fn.landing, fn.landing.Params
	}
	if !mayRecover {
		return p
	}
	left, done := fn.f.NewBlock(), fn.f.NewBlock()
	fn.cur.Branch(pos, fn.noPanic(p), ir.Edge{To: done}, ir.Edge{To: left})
	fn.blocks[fn.src.Recover.Index] = done
	fn.block(fn.src.Recover)
	fn.cur = left
	return p
}

// runDeferred makes the call d if its statement has been executed, because of the panic p if
// that is not nil; the one that is left is returned.
func (fn *function) runDeferred(d *deferred, p thrown) thrown {
	pos := ir.Pos(fn.pos)
	run, next := fn.f.NewBlock(), fn.f.NewBlock()
	set := fn.emit(ir.OpNe, ir.I32, fn.loadLeaf(fn.slotAddr(d.flag), leaf{typ: ir.I64, width: 8}), fn.constant(ir.I64, 0))
	fn.cur.Branch(pos, set, ir.Edge{To: run}, ir.Edge{To: next, Args: p.args()})
	fn.cur = run
	fn.storeLeaf(fn.slotAddr(d.flag), 8, fn.constant(ir.I64, 0))
	var args []operand
	for _, a := range d.args {
		args = append(args, fn.restore(a, nil))
	}
	left := fn.callDeferred(d, args, p)
	fn.cur.Jump(pos, next, left.args()...)
	if p != nil {
		left = fn.addThrown(next)
	}
	fn.cur = next
	return left
}

// callDeferred makes the call d with args.
func (fn *function) callDeferred(d *deferred, args []operand, p thrown) thrown {
	blt, isBuiltin := d.stmt.Call.Value.(*ssa.Builtin)
	switch {
	case isBuiltin:
		for i, a := range d.stmt.Call.Args {
			if _, isConst := a.(*ssa.Const); !isConst {
				fn.vals[a] = args[i]
			}
		}
		results := blt.Type().(*types.Signature).Results()
		var t types.Type = results
		if results.Len() == 1 {
			t = results.At(0).Type()
		}
		fn.lowerBuiltin(blt, &d.stmt.Call, t)
	case d.callee == nil:
		fn.check(fn.constant(ir.I32, 0), ir.PanicNil, nilDeref)
	case p != nil && recovers(d.callee):
		_, p = fn.callRecovering(d.callee, args, nil, p)
	default:
		fn.callResolved(d.callee, args, nil)
	}
	return p
}
