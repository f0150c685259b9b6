package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers the built-in functions.

func (fn *function) lowerBuiltin(blt *ssa.Builtin, c *ssa.CallCommon, result types.Type) operand {
	switch blt.Name() {
	case "len", "cap":
		return fn.lowerLen(blt.Name(), c.Args[0])
	case "min", "max":
		return fn.lowerMinMax(blt.Name() == "max", c.Args, result)
	case "copy":
		return fn.lowerCopy(c)
	case "clear":
		return fn.lowerClear(c)
	case "append":
		return fn.lowerAppend(c, result)
	case "ssa:wrapnilchk":
		if o := fn.operand(c.Args[0]); o.m != nil {
			return o
		}
		a := fn.deref(c.Args[0])
		return pointerTo(a)
	case deferStackBuiltin:
		return fn.lowerDeferStack()
	case "recover":
		return fn.lowerRecover(nil)
	case "panic": // a deferred one; others are statements
		fn.lowerPanic(c.Args[0])
		fn.cur = fn.f.NewBlock()
		return operand{}
	case "print", "println":
		fn.fail(diag.UnsupportedExpr, "use ebpf.Printk", "call of the built-in function %s", blt.Name())
		return badOperand
	case "Sizeof": // of a type parameter; others are constants
		return single(fn.constant(ir.I64, sizes.Sizeof(c.Args[0].Type())))
	case "Alignof":
		return single(fn.constant(ir.I64, sizes.Alignof(c.Args[0].Type())))
	case "Add":
		p := fn.operand(c.Args[0])
		p = fn.settled(p)
		if p.isBad() {
			return badOperand
		}
		return fn.lowerUnsafeAdd(p, c.Args[1])
	case "SliceData", "StringData":
		o := fn.operand(c.Args[0])
		return operand{vals: o.vals[:1], off: o.off}
	case "String", "Slice":
		return fn.lowerUnsafeSlice(blt.Name() == "Slice", c, result)
	}
	fn.fail(diag.UnsupportedExpr, "write it with integers, structs and arrays", "call of the built-in function %s", blt.Name())
	return badOperand
}

// onlyMeasured reports whether v is of interest for the size of its type alone, so that it is not
// evaluated: unsafe.Sizeof(*p) is that of *p even if p is nil.
func onlyMeasured(v ssa.Value) bool {
	for _, r := range *v.Referrers() {
		c, isCall := r.(*ssa.Call)
		if !isCall {
			return false
		}
		b, isBuiltin := c.Call.Value.(*ssa.Builtin)
		if !isBuiltin || b.Name() != "Sizeof" && b.Name() != "Alignof" {
			return false
		}
	}
	return len(*v.Referrers()) != 0
}

// lowerLen lowers len(x) and cap(x).
func (fn *function) lowerLen(name string, x ssa.Value) operand {
	t := x.Type().Underlying()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
	}
	switch t := t.(type) {
	case *types.Array:
		return single(fn.constant(ir.I64, t.Len()))
	case *types.Slice:
		if name == "cap" {
			return single(fn.operand(x).vals[2])
		}
		return single(fn.operand(x).vals[1])
	case *types.Basic:
		return single(fn.operand(x).vals[1])
	}
	return fn.failOperation(nil, x.Type())
}

// lowerMinMax lowers min and max of integers or strings.
func (fn *function) lowerMinMax(isMax bool, args []ssa.Value, t types.Type) operand {
	if isString(t) {
		return fn.minMaxString(isMax, args, t)
	}
	i, ok := intTypeOf(t)
	if !ok {
		return fn.failOperation(nil, t)
	}
	op := ir.OpULt
	if i.signed {
		op = ir.OpSLt
	}
	best := fn.scalar(args[0])
	for _, a := range args[1:] {
		v := fn.scalar(a)
		x, y := v, best
		if isMax {
			x, y = best, v
		}
		less := fn.emit(op, ir.I32, x, y)
		best = fn.emit(ir.OpSelect, best.Type, less, v, best)
	}
	return single(best)
}

// lowerUnsafeAdd lowers unsafe.Add.
func (fn *function) lowerUnsafeAdd(p operand, n ssa.Value) operand {
	if p.vals[0].Type == ir.PtrCtx {
		fn.failCtxAddress()
		return badOperand
	}
	return single(fn.emit(ir.OpPtrAdd, p.vals[0].Type, p.vals[0], fn.index64(n)))
}

// lowerUnsafeSlice lowers unsafe.Slice and unsafe.String.
func (fn *function) lowerUnsafeSlice(slice bool, c *ssa.CallCommon, t types.Type) operand {
	p := fn.settled(fn.operand(c.Args[0]))
	if p.isBad() {
		return badOperand
	}
	n := fn.index64(c.Args[1])
	cond := fn.emit(ir.OpSGe, ir.I32, n, fn.constant(ir.I64, 0))
	name := "unsafe.String"
	vals := []*ir.Value{p.vals[0], n}
	if slice {
		name = "unsafe.Slice"
		vals = append(vals, n)
	}
	fn.check(cond, ir.PanicSlice, name+": len out of range")
	return operand{vals: vals}
}
