package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file follows function values, interfaces and maps, which exist only while
// compiling, through variables, closures and type assertions.
//
// A variable of such a type that is assigned once is a cell: it has no memory,
// and a load that its only store dominates yields what was stored. Closures
// capture variables by address; an instance of the closure then has the content
// of the cell in the shape of its free variable.

// isCellType reports whether values of type t exist only while compiling.
func isCellType(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Signature, *types.Interface:
		return true
	}
	return false
}

// isStaticType reports whether values of type t are known while compiling wherever they
// can be, and have a form of their own in memory: functions, interfaces and maps.
func isStaticType(t types.Type) bool { return isCellType(t) || isMapPointer(t) }

// cellStore returns the only store to the variable a, and whether it is a cell.
// Its address may be captured by closures that only load from it.
func cellStore(a *ssa.Alloc) (*ssa.Store, bool) {
	var store *ssa.Store
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Addr != a || store != nil {
				return nil, false
			}
			store = r
		case *ssa.MakeClosure:
			for i, b := range r.Bindings {
				if b == a && !onlyLoaded(r.Fn.(*ssa.Function).FreeVars[i]) {
					return nil, false
				}
			}
		case *ssa.UnOp, *ssa.DebugRef:
		default:
			return nil, false
		}
	}
	return store, store != nil
}

// onlyLoaded reports whether the captured variable v is never assigned.
func onlyLoaded(v *ssa.FreeVar) bool {
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.MakeClosure:
			for i, b := range r.Bindings {
				if b == v && !onlyLoaded(r.Fn.(*ssa.Function).FreeVars[i]) {
					return false
				}
			}
		case *ssa.UnOp, *ssa.DebugRef:
		default:
			return false
		}
	}
	return true
}

// staticLoad returns the content of the cell at addr, if it is one.
func (fn *function) staticLoad(addr ssa.Value) (operand, bool) {
	if g, ok := addr.(*ssa.Global); ok && !isMapPointer(elemType(g.Type())) {
		return fn.constantGlobal(g)
	}
	o := fn.operand(addr)
	if o.m != nil && o.field != "" {
		return fn.childMap(o), true
	}
	if !o.cell {
		return operand{}, false
	}
	if len(o.parts) == 0 {
		return fn.zero(elemType(addr.Type())), true
	}
	return o.parts[0], true
}

// cellAlloc lowers the declaration of a variable that may be a cell.
func (fn *function) cellAlloc(a *ssa.Alloc) (operand, bool) {
	if t := elemType(a.Type()); !isCellType(t) && !isMapPointer(t) && !isMapRef(t) && !isDeferStack(t) {
		return operand{}, false
	}
	store, ok := cellStore(a)
	if !ok {
		return operand{}, false
	}
	// Every use must come after the store, or it would see nil.
	for _, r := range *a.Referrers() {
		if r != store && !comesAfter(r, store) {
			if m, ok := r.(*ssa.MakeClosure); ok && store.Val == m {
				fn.pos = m.Fn.Pos()
				fn.fail(diag.RecursiveCall, "use a loop, with a bounded array as the stack if one is needed",
					"recursive call: function literal %s refers to itself", a.Comment)
				return badOperand, true
			}
			return operand{}, false
		}
	}
	return operand{cell: true, nonnil: true}, true
}

// comesAfter reports whether a is executed only after b has been.
func comesAfter(a, b ssa.Instruction) bool {
	if a.Block() != b.Block() {
		return b.Block().Dominates(a.Block())
	}
	for _, i := range a.Block().Instrs {
		switch i {
		case b:
			return true
		case a:
			return false
		}
	}
	return false
}

// storedStatically fills the cell that s stores to, if it is one.
func (fn *function) storedStatically(s *ssa.Store) bool {
	o := fn.operand(s.Addr)
	if !o.cell {
		return false
	}
	fn.vals[s.Addr] = operand{cell: true, nonnil: true, parts: []operand{fn.operand(s.Val)}}
	return true
}

// lowerMakeClosure lowers a function literal or a bound method.
func (fn *function) lowerMakeClosure(m *ssa.MakeClosure) operand {
	o := operand{fn: m.Fn.(*ssa.Function), nonnil: true}
	for _, b := range m.Bindings {
		o.parts = append(o.parts, fn.capture(m, b))
	}
	return o
}

// lowerTypeAssert decides a type assertion while compiling.
func (fn *function) lowerTypeAssert(a *ssa.TypeAssert) operand {
	o := fn.operand(a.X)
	switch o.dyn {
	case errnoType:
		return fn.assertErrno(o, a)
	case recoveredType:
		o = fn.recovered(o)
	}
	if isDynamic(o) && !isNil(o) {
		return fn.assertDynamic(o, a)
	}
	var result operand
	ok := false
	if o.dyn != nil && !isNil(o) {
		if iface, is := a.AssertedType.Underlying().(*types.Interface); is {
			ok = types.Implements(o.dyn, iface)
			result = o
		} else {
			ok = types.Identical(o.dyn, a.AssertedType)
			result = o.parts[0]
		}
	}
	if a.CommaOk {
		if !ok {
			return operand{parts: []operand{fn.zero(a.AssertedType), single(fn.constant(ir.I32, 0))}}
		}
		return operand{parts: []operand{result, single(fn.constant(ir.I32, 1))}}
	}
	if !ok {
		fn.check(fn.constant(ir.I32, 0), ir.PanicAssert, assertMessage(o, a))
		return fn.zero(a.AssertedType)
	}
	return result
}

// assertMessage words a failed assertion as Go's runtime does.
func assertMessage(o operand, a *ssa.TypeAssert) string {
	dyn := "nil"
	if o.dyn != nil && !isNil(o) {
		dyn = o.dyn.String()
	}
	if isInterface(a.AssertedType) {
		return "interface conversion: " + dyn + " is not " + a.AssertedType.String()
	}
	return "interface conversion: " + a.X.Type().String() + " is " + dyn + ", not " + a.AssertedType.String()
}
