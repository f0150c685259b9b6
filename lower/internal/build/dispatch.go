package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers what is done with function values and interfaces that come from
// memory: each operation is a choice between the functions or types of the world.

// dispatchFunc calls the function value f with params.
func (fn *function) dispatchFunc(f operand, sig *types.Signature, params []operand, c *ssa.Call) operand {
	w := fn.b.world
	id := fn.settled(f).vals[0]
	obj := address{}
	if w.funcLeaf(sig) == ir.PtrAny {
		obj.base = fn.checkNonNil(id)
		id = fn.loadLeaf(obj, leaf{typ: ir.I64, width: 8})
	} else {
		fn.check(fn.emit(ir.OpNe, ir.I32, id, fn.constant(ir.I64, 0)), ir.PanicNil, nilDeref)
	}
	return fn.choose(id, w.candidates(sig), resultType(sig), callValue(c), func(n int64) operand {
		target := w.funcs[n-1]
		var args []operand
		at := obj
		for _, s := range target.captured {
			args = append(args, s.inflate(func(t ir.Type) *ir.Value {
				at = at.plus(8)
				return fn.loadLeaf(at, leaf{typ: t, width: uint8(t.Size())})
			}, nil))
		}
		return fn.callResolved(target.fn, append(args, params...), c)
	})
}

// dispatchMethod calls method m of the interface recv, of type t, with params.
func (fn *function) dispatchMethod(recv operand, t types.Type, m *types.Func, params []operand, c *ssa.Call) operand {
	w := fn.b.world
	recv = fn.settled(recv)
	id, data := recv.vals[0], recv.vals[1]
	fn.check(fn.emit(ir.OpNe, ir.I32, id, fn.constant(ir.I64, 0)), ir.PanicNil, nilDeref)
	sig := m.Type().(*types.Signature)
	return fn.choose(id, w.implementers(t.Underlying().(*types.Interface)), resultType(sig), callValue(c), func(n int64) operand {
		dyn := w.types[n-1]
		if dyn == runtimeErrorType {
			if c != nil && fromRecover(c.Call.Value, nil) {
				fn.fail(diag.UnresolvedCall, "assert the type of the value that panic was called with", "call of method %s of what may be an error of Go's runtime, of which the text is not kept", m.Name())
				return badOperand
			}
			// All values of the interface may have come from elsewhere, so that this is no mistake yet.
			fn.check(fn.constant(ir.I32, 0), ir.PanicExplicit, noErrorText)
			return fn.zero(resultType(sig))
		}
		sel := fn.src.Prog.MethodSets.MethodSet(dyn).Lookup(m.Pkg(), m.Name())
		if sel == nil {
			fn.failErrnoMethod(m.Name())
			return badOperand
		}
		args := append([]operand{fn.unboxed(data, dyn)}, params...)
		return fn.callResolved(fn.src.Prog.MethodValue(sel), args, c)
	})
}

// failErrnoMethod refuses the methods of errors that are made in the kernel.
func (fn *function) failErrnoMethod(name string) {
	fn.fail(diag.UnresolvedCall, "compare the error with nil or with a syscall.Errno",
		"call of method %s of an error that may be a number", name)
}

// resultType returns the type of a call of a function of type sig, as go/ssa has it.
func resultType(sig *types.Signature) types.Type {
	if r := sig.Results(); r.Len() != 1 {
		return r
	}
	return sig.Results().At(0).Type()
}

// callValue returns c as a value, nil if there is none.
func callValue(c *ssa.Call) ssa.Value {
	if c == nil {
		return nil
	}
	return c
}

// assertDynamic lowers the type assertion a on the interface o from memory.
func (fn *function) assertDynamic(o operand, a *ssa.TypeAssert) operand {
	o = fn.settled(o)
	t := a.AssertedType
	ok := fn.hasType(o.vals[0], t)
	if !a.CommaOk {
		fn.check(ok, ir.PanicAssert, "interface conversion: interface is not "+t.String())
		if isInterface(t) {
			return o
		}
		return fn.unboxed(o.vals[1], t)
	}
	pos := ir.Pos(fn.pos)
	yes, no := fn.f.NewBlock(), fn.f.NewBlock()
	fn.cur.Branch(pos, ok, ir.Edge{To: yes}, ir.Edge{To: no})
	result := func(o operand, ok int64) arm {
		return fn.arm(operand{parts: []operand{o, single(fn.constant(ir.I32, ok))}})
	}
	fn.cur = yes
	v := o
	if !isInterface(t) {
		v = fn.unboxed(o.vals[1], t)
	}
	arms := []arm{result(v, 1)}
	fn.cur = no
	arms = append(arms, result(fn.zero(t), 0))
	return fn.joinArms(arms, a.Type(), a)
}

// hasType returns whether the dynamic type with number id is t, or implements it.
func (fn *function) hasType(id *ir.Value, t types.Type) *ir.Value {
	iface, isIface := t.Underlying().(*types.Interface)
	if !isIface {
		if isErrnoNamed(t) {
			t = errnoType
		}
		return fn.emit(ir.OpEq, ir.I32, id, fn.constant(ir.I64, fn.b.world.typeID(t)))
	}
	if iface.Empty() {
		return fn.emit(ir.OpNe, ir.I32, id, fn.constant(ir.I64, 0))
	}
	ok := fn.constant(ir.I32, 0)
	for _, n := range fn.b.world.implementers(iface) {
		ok = fn.emit(ir.OpOr, ir.I32, ok, fn.emit(ir.OpEq, ir.I32, id, fn.constant(ir.I64, n)))
	}
	return ok
}

// equalDynamic compares the interfaces x and y, of which at least one is from memory.
func (fn *function) equalDynamic(x, y operand, t types.Type) (*ir.Value, bool) {
	if isNil(y) {
		x, y = y, x
	}
	if isNil(x) {
		return fn.emit(ir.OpEq, ir.I32, fn.settled(y).vals[0], fn.constant(ir.I64, 0)), true
	}
	if fn.mayBeRuntimeErrors(x, y) {
		fn.fail(diag.UnresolvedCall, "assert the type of one of them", "comparison of interfaces of which both may hold an error of Go's runtime")
		return nil, false
	}
	x, y = fn.dynamic(x, t, nil), fn.dynamic(y, t, nil)
	if x.isBad() || y.isBad() {
		return nil, false
	}
	word := func(v *ir.Value) *ir.Value { return fn.emit(ir.OpPtrToInt, ir.I64, v) }
	sameType := fn.emit(ir.OpEq, ir.I32, x.vals[0], y.vals[0])
	sameWord := fn.emit(ir.OpEq, ir.I32, word(x.vals[1]), word(y.vals[1]))
	same := fn.emit(ir.OpAnd, ir.I32, sameType, sameWord)
	pos := ir.Pos(fn.pos)
	for _, n := range fn.b.world.implementers(types.NewInterfaceType(nil, nil)) {
		dyn := fn.b.world.types[n-1]
		l, err := fn.b.layoutOf(dyn)
		if err != nil || !types.Comparable(dyn) {
			fn.fail(diag.UnresolvedCall, "compare the concrete values", "comparison of interfaces of which one may hold a %s", dyn)
			return nil, false
		}
		if l.count <= 1 {
			continue
		}
		// What is in memory is compared there.
		deep, next := fn.f.NewBlock(), fn.f.NewBlock()
		is := fn.emit(ir.OpAnd, ir.I32, sameType, fn.emit(ir.OpEq, ir.I32, x.vals[0], fn.constant(ir.I64, n)))
		fn.cur.Branch(pos, is, ir.Edge{To: deep}, ir.Edge{To: next, Args: []*ir.Value{same}})
		fn.cur = deep
		eq, ok := fn.equal(fn.unboxed(x.vals[1], dyn), fn.unboxed(y.vals[1], dyn), dyn, dyn)
		if !ok {
			return nil, false
		}
		fn.cur.Jump(pos, next, eq)
		fn.cur = next
		same = next.AddParam(ir.I32, pos)
	}
	return same, true
}
