package build

import (
	"go/constant"
	"go/types"
	"strconv"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers explicit panics.

// lowerPanic lowers panic(v). The message is as complete as is known when
// compiling. A panic with a value that recover has returned goes on with the panic
// that was recovered from.
func (fn *function) lowerPanic(v ssa.Value) {
	o := fn.operand(v)
	if isDynamic(o) {
		o = fn.settled(o)
		fn.check(fn.emit(ir.OpNe, ir.I32, o.vals[0], fn.constant(ir.I64, 0)), ir.PanicNil, panicNil)
	}
	site := fn.b.site(ir.PanicExplicit, panicMessage(v), fn.pos)
	switch {
	case isNil(o) && o.isStatic():
		fn.panicNil()
	case !fn.unwinds():
		fn.cur.Panic(ir.Pos(fn.pos), site)
	case o.dyn == recoveredType:
		p := thrown{o.parts[0].vals[0]}
		if fn.b.world.knewInspects {
			p = append(p, o.parts[1].vals...)
		}
		fn.unwindIf(p)
		fn.panicNil()
	default:
		fn.unwind(fn.explicit(site, o), site)
	}
}

// panicNil lowers panic(nil).
func (fn *function) panicNil() {
	site := fn.b.site(ir.PanicNil, panicNil, fn.pos)
	if fn.unwinds() {
		fn.unwind(fn.runtimeError(site), site)
		return
	}
	fn.cur.Panic(ir.Pos(fn.pos), site)
}

// panicNil is what Go's runtime says of panic(nil).
const panicNil = "panic called with nil argument (use GODEBUG=panicnil=1 to disable)"

// check panics if cond is 0.
func (fn *function) check(cond *ir.Value, kind ir.PanicKind, msg string) {
	site := fn.b.site(kind, msg, fn.pos)
	if fn.unwinds() {
		fn.unwindUnless(cond, fn.runtimeError(site), site)
		return
	}
	v := fn.emit(ir.OpCheck, ir.Void, cond)
	v.Aux = site
}

// checkNonNil returns the pointer p, checked not to be nil.
func (fn *function) checkNonNil(p *ir.Value) *ir.Value {
	return fn.proof(ir.OpCheckNonNil, ir.OpNe, fn.b.site(ir.PanicNil, nilDeref, fn.pos), p)
}

// proof returns the result of the check op of args, which panics at site unless the
// comparison cmp holds of args, or of the only one and 0.
func (fn *function) proof(op, cmp ir.Op, site *ir.Site, args ...*ir.Value) *ir.Value {
	if fn.unwinds() {
		y := args[len(args)-1]
		if len(args) == 1 {
			y = fn.constant(args[0].Type, 0)
		}
		fn.unwindUnless(fn.emit(cmp, ir.I32, args[0], y), fn.runtimeError(site), site)
	}
	v := fn.emit(op, args[0].Type, args...)
	v.Aux = site
	return v
}

// panicMessage words the panic with value v as Go's runtime prints it: constants of the types
// that the language declares as they are, those of others with their type. Of a value that is not
// known when compiling there is only the type.
func panicMessage(v ssa.Value) string {
	m, ok := v.(*ssa.MakeInterface)
	if !ok {
		return "panic: " + typeText(v.Type())
	}
	t := m.X.Type()
	text, known := constText(m.X)
	_, plain := t.(*types.Basic)
	switch {
	case !known:
		return "panic: " + typeText(t)
	case plain:
		return "panic: " + text
	case isString(t):
		text = strconv.Quote(text)
	}
	return "panic: " + typeText(t) + "(" + text + ")"
}

// typeText is t as reflect prints it, with the names of packages and not their paths.
func typeText(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

// constText returns the value of v, if it is a constant string, integer or bool.
func constText(v ssa.Value) (text string, ok bool) {
	if s, ok := constString(v); ok {
		return s, true
	}
	c, ok := v.(*ssa.Const)
	if !ok || c.Value == nil || c.Value.Kind() != constant.Bool && c.Value.Kind() != constant.Int {
		return "", false
	}
	return c.Value.ExactString(), true
}
