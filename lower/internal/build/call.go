package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers calls of functions whose identity is known: declared ones,
// closures and methods of interfaces that are statically known.

// lowerCall lowers a call and returns its result, a tuple if there are several.
func (fn *function) lowerCall(c *ssa.Call) operand {
	if blt, ok := c.Call.Value.(*ssa.Builtin); ok {
		if blt.Name() == "recover" {
			return fn.lowerRecover(c)
		}
		return fn.lowerBuiltin(blt, &c.Call, c.Type())
	}
	if f := c.Call.StaticCallee(); f != nil {
		if d := fn.b.directiveOf(f); d != nil && d.intrinsic != "" {
			return fn.lowerIntrinsic(d.intrinsic, f, &c.Call)
		}
	}
	if fn.tailCall(c) {
		return operand{}
	}
	before := fn.b.diags.Len()
	if f := fn.operand(c.Call.Value); isDynamic(f) && !isNil(f) {
		var params []operand
		for _, a := range c.Call.Args {
			params = append(params, fn.operand(a))
		}
		if c.Call.IsInvoke() {
			return fn.dispatchMethod(f, c.Call.Value.Type(), c.Call.Method, params, c)
		}
		return fn.dispatchFunc(f, c.Call.Signature(), params, c)
	}
	callee, args, ok := fn.resolve(&c.Call)
	if !ok {
		if fn.b.diags.Len() > before {
			return badOperand
		}
		return fn.zero(c.Type()) // after a call of nil, which panics
	}
	return fn.callResolved(callee, args, c)
}

// insteadOf is what to do instead of calling functions that cannot be compiled.
var insteadOf = map[string]string{
	"sort.Slice":       "call slices.SortFunc",
	"sort.SliceStable": "call slices.SortStableFunc",
}

// callResolved calls callee, a helper or a function. c is as for call.
func (fn *function) callResolved(callee *ssa.Function, args []operand, c *ssa.Call) operand {
	d := fn.b.directiveOf(callee)
	switch {
	case isErrorText(callee):
		fn.fail(diag.UnresolvedCall, "compare the error with the variable that holds it", "text of an error made with errors.New")
		return badOperand
	case d == nil:
		if name, ok := atomicFunc(callee); ok {
			return fn.lowerAtomic(name, callee, args, c)
		}
		if isMapMethod(callee) && isNumbered(args[0]) {
			return fn.dispatchMap(callee, args, c)
		}
		return fn.call(callee, args, c)
	case d.helper != nil:
		return fn.lowerHelper(d.helper, callee, args)
	case d.unavailable != "":
		fix := insteadOf[callee.String()]
		if fix == "" {
			fix = "do it on the host, or copy what is needed of it into this package"
		}
		fn.fail(diag.NoBody, fix, "call of %s, which cannot be compiled for the kernel: %s", callee, d.unavailable)
		return badOperand
	}
	fn.fail(diag.UnresolvedCall, "call it by name", "call of intrinsic %s as a function value", callee.Name())
	return badOperand
}

// resolve returns the function that c calls and the arguments to give it: the
// variables a closure is bound to, the receiver, the arguments.
func (fn *function) resolve(c *ssa.CallCommon) (callee *ssa.Function, args []operand, ok bool) {
	var params []operand
	for _, a := range c.Args {
		params = append(params, fn.operand(a))
	}
	f := fn.operand(c.Value)
	if c.IsInvoke() {
		return fn.resolveMethod(f, c, params)
	}
	if f.fn == nil {
		if isNil(f) {
			fn.check(fn.constant(ir.I32, 0), ir.PanicNil, nilDeref)
			return nil, nil, false
		}
		fn.fail(diag.UnresolvedCall, "call functions by name, or pass the function as an argument",
			"call of a function value that is not known when compiling")
		return nil, nil, false
	}
	return f.fn, append(append(args, f.parts...), params...), true
}

// resolveMethod finds the method that an interface method call reaches.
func (fn *function) resolveMethod(recv operand, c *ssa.CallCommon, params []operand) (callee *ssa.Function, args []operand, ok bool) {
	if isNil(recv) {
		fn.check(fn.constant(ir.I32, 0), ir.PanicNil, nilDeref)
		return nil, nil, false
	}
	if recv.dyn == nil {
		fn.fail(diag.UnresolvedCall, "call the method on the concrete type, or pass the concrete type as a type argument",
			"call of method %s of an interface whose dynamic type is not known when compiling", c.Method.Name())
		return nil, nil, false
	}
	sel := fn.src.Prog.MethodSets.MethodSet(recv.dyn).Lookup(c.Method.Pkg(), c.Method.Name())
	if sel == nil {
		fn.failErrnoMethod(c.Method.Name())
		return nil, nil, false
	}
	callee = fn.src.Prog.MethodValue(sel)
	return callee, append([]operand{recv.parts[0]}, params...), true
}

// call calls callee, or reports why that cannot be. The result is that of c,
// which is nil if nobody uses it.
func (fn *function) call(callee *ssa.Function, args []operand, c *ssa.Call) operand {
	if fn.panicking != nil && fn.src.Synthetic != "" && recovers(callee) {
		slot := fn.slotAddr(fn.panicking)
		result, left := fn.callRecovering(callee, args, c, fn.loadPanic(slot))
		fn.savePanic(slot, left)
		return result
	}
	inst, vals := fn.prepareCall(callee, args, false)
	if inst == nil {
		return badOperand
	}
	result, left := fn.emitCall(inst, vals, nil, c)
	if inst.status {
		fn.unwindIf(left, inst.sites...)
		fn.inst.throwsMemory = max(fn.inst.throwsMemory, inst.throwsMemory)
	}
	return result
}

// callRecovering calls callee to recover from the panic p, and returns
// besides the result the panic that is left.
func (fn *function) callRecovering(callee *ssa.Function, args []operand, c *ssa.Call, p thrown) (operand, thrown) {
	inst, vals := fn.prepareCall(callee, args, true)
	if inst == nil {
		return badOperand, p
	}
	result, left := fn.emitCall(inst, vals, p, c)
	fn.mayUnwind(inst.sites...)
	fn.inst.throwsMemory = max(fn.inst.throwsMemory, inst.throwsMemory)
	return result, left
}

// prepareCall returns what to call for callee with args, and with what. The instance
// is nil if that cannot be.
func (fn *function) prepareCall(callee *ssa.Function, args []operand, recovers bool) (*instance, []*ir.Value) {
	if len(callee.Blocks) == 0 {
		fn.failNoBody(callee)
		return nil, nil
	}
	params := paramTypes(callee)
	shapes := make([]shape, len(args))
	constants := passesCtx(args)
	for i, a := range args {
		args[i] = fn.argument(a, params[i])
		if args[i].isBad() {
			return nil, nil
		}
		shapes[i] = shapeOf(args[i])
		if !fn.b.makesStrings(callee) {
			shapes[i].limit = 0
		}
		if constants {
			shapes[i].fixConstant(args[i])
		}
		shapes[i].fixMaps(fn.b, args[i])
	}
	inst := fn.b.instanceOf(callee, shapes, fn.unwinds(), recovers, fn.pos)
	if inst == nil {
		return nil, nil
	}
	var vals []*ir.Value
	for i, a := range args {
		vals = flattenOpen(vals, a, &shapes[i])
	}
	return inst, vals
}

// emitCall emits the call of inst and collects its results. p is nil unless the
// function recovers.
func (fn *function) emitCall(inst *instance, vals []*ir.Value, p thrown, c *ssa.Call) (operand, thrown) {
	sig := inst.src.Signature.Results()
	var outs []address
	for v := range sig.Variables() {
		if l, err := fn.b.layoutOf(v.Type()); err == nil && l.big() {
			a := fn.tempSlot(v.Type())
			outs = append(outs, a)
			vals = append(vals, a.base)
		}
	}
	vals = append(vals, p...)
	for _, fr := range inst.frames {
		vals = append(vals, fn.frameOf(inst, fr, c).base)
	}
	t := ir.Void
	if len(inst.f.Results) == 1 {
		t = inst.f.Results[0]
	}
	call := fn.emit(ir.OpCall, t, vals...)
	call.Aux = inst.f
	n := 0
	next := func(t ir.Type) *ir.Value {
		if len(inst.f.Results) == 1 {
			return call
		}
		r := fn.emit(ir.OpResult, t, call)
		r.Imm = int64(n)
		n++
		return r
	}
	if inst.status {
		p = nil
		for _, t := range fn.b.thrownTypes() {
			p = append(p, next(t))
		}
	}
	result := inst.result.inflate(next, nil)
	parts := result.parts
	if sig.Len() == 1 {
		parts = []operand{result}
	}
	for i := range sig.Len() {
		if l, err := fn.b.layoutOf(sig.At(i).Type()); err == nil && l.big() {
			parts[i] = operand{mem: outs[0].base}
			outs = outs[1:]
		}
	}
	if sig.Len() == 1 {
		return parts[0], p
	}
	return operand{parts: parts}, p
}

// frameOf returns the memory fr that inst wants from c, the call of it, which is nil for a deferred one.
func (fn *function) frameOf(inst *instance, fr frame, c *ssa.Call) address {
	switch {
	case fr.thrown:
		if fr.pointed && (fn.f.Callback || c != nil && fn.cyclic[c.Block().Index]) {
			fn.pos = fr.pos
			fn.fail(diag.EscapingVariable, "panic with a value without pointers, such as an integer or a constant string",
				"the address of a variable is in the value of a panic, in a program that looks at what recover returns")
		}
		return fn.thrownMemory(fr)
	case c == nil:
		return fn.slotAddr(fn.f.NewSlot("", fr.size, fr.align, fr.irPos()))
	}
	return fn.variable(c, inst.src.Name(), fr)
}

// argument brings o, a value of type t, to the form in which it is passed: big
// values in memory, others exploded.
func (fn *function) argument(o operand, t types.Type) operand {
	l, err := fn.b.layoutOf(t)
	switch {
	case err != nil:
		fn.failType(err)
		return badOperand
	case o.isStatic() || o.isBad():
		return fn.settled(o)
	case l.big():
		return operand{mem: fn.inMemory(o, t)}
	case o.mem != nil:
		return operand{vals: fn.leaves(o, t)}
	case len(o.vals) > 0 && o.vals[0].Type == ir.PtrCtx:
		if o.off != 0 {
			fn.failCtxAddress()
			return badOperand
		}
		o.nonnil = true
	}
	return fn.settled(o)
}

// paramTypes returns the types of the free variables and parameters of f.
func paramTypes(f *ssa.Function) []types.Type {
	var ts []types.Type
	for _, v := range f.FreeVars {
		ts = append(ts, v.Type())
	}
	for _, v := range f.Params {
		ts = append(ts, v.Type())
	}
	return ts
}

// passesCtx reports whether the context is among args. A function that gets it
// is also specialised for its constant arguments, because the kernel takes only
// constant offsets into the context.
func passesCtx(args []operand) bool {
	for _, a := range args {
		for _, v := range a.vals {
			if v.Type == ir.PtrCtx {
				return true
			}
		}
	}
	return false
}

// fixConstant makes the value of o, if it is an integer constant, part of s.
func (s *shape) fixConstant(o operand) {
	if len(o.vals) != 1 || len(o.parts) > 0 {
		return
	}
	if c, ok := o.vals[0].IsConst(); ok && o.vals[0].Type.IsInt() {
		s.fixed, s.value = true, c
	}
}

// failNoBody reports a call of a function that there is no source for.
func (fn *function) failNoBody(callee *ssa.Function) {
	fix := "write it in Go, or declare it as a helper"
	if callee.Pkg != nil {
		switch callee.Pkg.Pkg.Path() {
		case "fmt", "log", "os":
			fix = "print with ebpf.Printk"
		case "errors":
			fix = "return a status as an integer"
		case "time":
			fix = "use ebpf.KtimeGetNs"
		}
	}
	fn.fail(diag.NoBody, fix, "call of %s, which has no source that can be compiled for the kernel", callee.String())
}
