package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers conversions that change the representation.

func (fn *function) lowerConvert(c *ssa.Convert) operand {
	from, to := c.X.Type(), c.Type()
	if fi, ok := intTypeOf(from); ok {
		if ti, ok := intTypeOf(to); ok {
			return single(fn.convertInt(fn.scalar(c.X), fi, ti))
		}
		if isPointer(to) {
			return single(fn.emit(ir.OpIntToPtr, ir.PtrAny, fn.scalar(c.X)))
		}
	}
	if isPointer(from) {
		if _, ok := intTypeOf(to); ok {
			return single(fn.emit(ir.OpPtrToInt, ir.I64, fn.scalar(c.X)))
		}
		if isPointer(to) {
			p := fn.operand(c.X)
			fn.typed(c, p)
			return p
		}
	}
	for _, t := range []types.Type{from, to} {
		if _, err := fn.b.layoutOf(t); err != nil {
			fn.failType(err)
			return badOperand
		}
	}
	return fn.convertString(c)
}

// typed notes the size of the object that a helper has returned the address p of, if the conversion c
// tells: in package ebpf, the type is that of the whole object. Others may convert to that of its beginning.
func (fn *function) typed(c *ssa.Convert, p operand) {
	to, ok := c.Type().Underlying().(*types.Pointer)
	if !ok || p.isBad() || p.vals[0].Op != ir.OpHelper || !p.vals[0].Type.IsPtr() || !isAPI(packageOf(fn.src)) {
		return
	}
	if l, err := fn.b.layoutOf(to.Elem()); err == nil {
		p.vals[0].Size = l.size
	}
}

// isPointer reports whether t is a pointer or unsafe.Pointer.
func isPointer(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Pointer:
		return true
	case *types.Basic:
		return t.Kind() == types.UnsafePointer
	}
	return false
}
