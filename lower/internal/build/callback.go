package build

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers functions that helpers call back.
//
// The kernel calls a function of its own convention: pointers that it has checked, and
// as the last argument a pointer to memory on the stack that the helper passes on. A
// function in between the two gets the variables that a literal captures from there:
//
//	outer:                              callback(..., ctx):
//	    ctx.panicked = 0                    ctx.panicked = -1
//	    ctx.captured = ...                  r = literal(ctx.captured, ...)
//	    helper(..., callback, &ctx)         ctx.panicked = 0
//	    if ctx.panicked: leave              return r
//
// A panic in the literal makes the callback return what ends the helper's loop, and
// the outer function goes on with the panic. The site has been counted by then, unless
// the outer function has deferred calls: then ctx.panicked is the status of the panic, and
// its value, if there is one, is behind what is captured.

// A callback is a function argument of a helper.
type callback struct {
	fnArg, ctxArg int
	addr          *ir.Value
	slot          *ir.Slot // the context, or nil
	value         int64    // where in it the value of a panic is
	unwinds       bool     // the function returns the status of a panic
	sites         []*ir.Site
}

// callbackStops is what callbacks return to end the helper's loop, by helper name. The
// others do not loop, or have it ended by 0.
var callbackStops = map[string]int32{"for_each_map_elem": 1, "loop": 1, "user_ringbuf_drain": 1}

// arg returns argument i if that belongs to the callback.
func (c *callback) arg(i int) *ir.Value {
	switch {
	case c == nil:
		return nil
	case i == c.fnArg:
		return c.addr
	case i == c.ctxArg && c.slot != nil:
		b := c.addr.Block
		v := b.Add(ir.OpSlotAddr, ir.PtrStack, c.addr.Pos)
		v.Aux = c.slot
		return v
	}
	return nil
}

// callbackOf makes the callback that a call of h with args has, if any.
func (fn *function) callbackOf(h *helper, args []operand, sig *types.Signature) (cb *callback, ok bool) {
	n := slices.Index(h.ir.Args, ir.ArgFunc)
	if n < 0 {
		return nil, true
	}
	f := args[n]
	if f.isBad() {
		return nil, false
	}
	if f.fn == nil {
		fn.fail(diag.HelperArgument, "pass a function by name, or a function literal", "argument %d of bpf_%s is not known when compiling", n+1, h.directive.name)
		return nil, false
	}
	f = fn.settled(f)
	cb = &callback{fnArg: n, ctxArg: slices.IndexFunc(h.kinds, func(k argKind) bool { return k.name == "fnctx" })}
	var captured []*ir.Value
	shapes := make([]shape, len(f.parts))
	for i, p := range f.parts {
		shapes[i] = shapeOf(p)
		shapes[i].fixMaps(fn.b, p)
		captured = flattenOpen(captured, p, &shapes[i])
	}
	// A context of the program's own is passed as it is.
	if cb.ctxArg >= 0 && !isNil(args[cb.ctxArg]) {
		if len(captured) > 0 {
			fn.fail(diag.HelperArgument, "pass nil, and let the function literal capture what it needs", "context of a callback that captures variables")
			return nil, false
		}
		cb.ctxArg = -1
	}
	if cb.ctxArg < 0 && len(captured) > 0 {
		fn.fail(diag.UnsupportedExpr, "use package-level variables, or values of maps", "bpf_%s calls the function later, when variables that it captures no longer exist", h.directive.name)
		return nil, false
	}
	if cb.ctxArg >= 0 {
		cb.value = 8 + 8*int64(len(captured))
		cb.slot = fn.f.NewSlot("callback", cb.value+8*int64(len(fn.b.thrownTypes())-1), 8, ir.Pos(fn.pos))
		ctx := fn.slotAddr(cb.slot)
		fn.storeLeaf(ctx, 8, fn.constant(ir.I64, 0))
		for i, v := range captured {
			fn.storeLeaf(ctx.plus(8+8*int64(i)), uint8(v.Type.Size()), v)
		}
	}
	w := fn.wrapCallback(h, f.fn, shapes, sig.Params().At(n).Type().Underlying().(*types.Signature), cb.slot != nil)
	if w == nil {
		return nil, false
	}
	cb.unwinds, cb.sites = w.landed, w.inst.sites
	cb.addr = fn.emit(ir.OpFuncAddr, ir.FuncRef)
	cb.addr.Aux = w.f
	return cb, true
}

// after passes on the panic of a callback, after the call of the helper.
func (c *callback) after(fn *function) {
	if c == nil || c.slot == nil {
		return
	}
	pos := ir.Pos(fn.pos)
	panicked := fn.loadLeaf(fn.slotAddr(c.slot), leaf{typ: ir.I64, width: 8})
	leave, next := fn.f.NewBlock(), fn.f.NewBlock()
	fn.cur.Branch(pos, fn.emit(ir.OpEq, ir.I32, panicked, fn.constant(ir.I64, 0)), ir.Edge{To: next}, ir.Edge{To: leave})
	if c.unwinds {
		fn.cur = leave
		counted := fn.emit(ir.OpSLt, ir.I32, panicked, fn.constant(ir.I64, 0))
		p := thrown{panicked}
		if fn.b.world.knewInspects {
			value := fn.slotAddr(c.slot).plus(c.value)
			data := fn.loadLeaf(value.plus(8), leaf{typ: ir.I64, width: 8})
			p = append(p, fn.loadLeaf(value, leaf{typ: ir.I64, width: 8}), fn.emit(ir.OpIntToPtr, ir.PtrAny, data))
		}
		fn.unwindUnless(counted, p, c.sites...)
		leave = fn.cur
	}
	leave.PassPanic(pos, leave.Const(ir.I64, -1))
	fn.cur = next
}

// wrapCallback makes the function that the helper h calls for f, which captures values of the
// given shapes. Sig is that of the helper's parameter; ours says that the last argument is the
// context of this file.
func (fn *function) wrapCallback(h *helper, f *ssa.Function, captured []shape, sig *types.Signature, ours bool) *function {
	w := &function{b: fn.b, src: f, pos: fn.pos, at: fn.at, vals: make(map[ssa.Value]operand)}
	w.f = fn.b.newFunc(f.String()+".callback", fn.pos)
	w.inst = &instance{src: f, f: w.f}
	w.cur = w.f.NewBlock()
	w.f.NoInline, w.f.Callback, w.f.Stop = true, true, callbackStops[h.directive.name]
	w.f.Results = []ir.Type{ir.I64}
	pos := ir.Pos(fn.pos)
	var params []operand
	var ctx address
	for i := range sig.Params().Len() {
		p := sig.Params().At(i)
		if n, ok := intTypeOf(p.Type()); ok {
			params = append(params, single(w.convertInt(w.cur.AddParam(ir.I64, pos), intType{64, false}, n)))
			continue
		}
		t := ir.PtrKernel
		switch p.Name() {
		case "key":
			t = ir.PtrMem
		case "value":
			t = ir.PtrMapValue
		case "ctx":
			t = ir.PtrStack
		}
		v := w.cur.AddParam(t, pos)
		if p.Name() == "ctx" && ours {
			ctx = address{base: v}
			params = append(params, single(w.constant(ir.PtrAny, 0)))
			continue
		}
		params = append(params, operand{vals: []*ir.Value{v}, nonnil: true})
	}
	var args []operand
	at := ctx
	if ours {
		w.storeLeaf(ctx, 8, w.constant(ir.I64, -1))
		if fn.unwinds() {
			w.landing = w.f.NewBlock()
			w.addThrown(w.landing)
			w.landing.Term = ir.Term{Kind: ir.TermUnreachable}
		}
	}
	for _, s := range captured {
		args = append(args, s.inflate(func(t ir.Type) *ir.Value {
			at = at.plus(8)
			return w.loadLeaf(at, leaf{typ: t, width: uint8(t.Size())})
		}, w.fixed))
	}
	result := w.callResolved(f, append(args, params...), nil)
	if result.isBad() {
		return nil
	}
	if ours {
		w.storeLeaf(ctx, 8, w.constant(ir.I64, 0))
	}
	n, _ := intTypeOf(sig.Results().At(0).Type())
	w.cur.Return(pos, w.convertInt(w.scalarOf(result), n, intType{64, n.signed}))
	if pos := w.inst.throwsMemory; w.landed && pos.IsValid() {
		w.b.diags.Add(diag.UnresolvedCall, w.b.position(pos), "panic with an integer",
			"panic in a callback with a value that is not a number, in a program that looks at what recover returns")
		return nil
	}
	if w.landed {
		w.cur = w.landing
		w.storeLeaf(ctx, 8, w.landing.Params[0])
		for i, v := range w.landing.Params[1:] {
			w.storeLeaf(at.plus(8+8*int64(i)), 8, v)
		}
		w.cur.Return(pos, w.constant(ir.I64, int64(w.f.Stop)))
	}
	return w
}
