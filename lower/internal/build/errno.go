package build

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers errors. The only ones that are made in the kernel are error
// numbers, so that a value of type error is an integer: 0 for nil, or else the
// value of a syscall.Errno. Errors of other dynamic types are static, as all interfaces
// are.

// errnoType is the dynamic type of an error that is nil or a syscall.Errno.
var errnoType types.Type = types.NewNamed(types.NewTypeName(token.NoPos, nil, "syscall.Errno", nil), types.Typ[types.Uintptr], nil)

var errorType = types.Universe.Lookup("error").Type()

// isError reports whether t is the type error.
func isError(t types.Type) bool { return types.Identical(t, errorType) }

// errno makes an error of an integer.
func errno(v *ir.Value) operand { return operand{dyn: errnoType, parts: []operand{single(v)}} }

// lowerErrno makes an error of a helper's result.
func (fn *function) lowerErrno(_ *ssa.Function, c *ssa.CallCommon) operand {
	return fn.errnoOf(fn.scalar(c.Args[0]))
}

// errnoOf returns the error that r, the result of a helper, stands for.
func (fn *function) errnoOf(r *ir.Value) operand {
	zero := fn.constant(ir.I64, 0)
	failed := fn.emit(ir.OpSLt, ir.I32, r, zero)
	return errno(fn.emit(ir.OpSelect, ir.I64, failed, fn.emit(ir.OpSub, ir.I64, zero, r), zero))
}

// isErrnoNamed reports whether t is syscall.Errno.
func isErrnoNamed(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Errno" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "syscall"
}

// equalErrors compares the error x with y, an interface.
func (fn *function) equalErrors(x, y operand) (*ir.Value, bool) {
	n := x.parts[0].vals[0]
	switch {
	case y.dyn == errnoType || isErrnoNamed(y.dyn):
		eq := fn.emit(ir.OpEq, ir.I32, n, fn.scalarOf(y.parts[0]))
		if y.dyn != errnoType {
			// Errno(0) is not nil.
			eq = fn.emit(ir.OpAnd, ir.I32, eq, fn.emit(ir.OpNe, ir.I32, n, fn.constant(ir.I64, 0)))
		}
		return eq, true
	case isNil(y):
		return fn.emit(ir.OpEq, ir.I32, n, fn.constant(ir.I64, 0)), true
	case y.dyn != nil:
		return fn.constant(ir.I32, 0), true
	}
	fn.fail(diag.UnresolvedCall, "compare it with nil or with a syscall.Errno", "comparison of an error with one that is not known when compiling")
	return nil, false
}

// assertErrno lowers the assertion that the error o is of type t.
func (fn *function) assertErrno(o operand, a *ssa.TypeAssert) operand {
	n := o.parts[0].vals[0]
	if !isErrnoNamed(a.AssertedType) {
		fn.fail(diag.UnresolvedCall, "assert syscall.Errno, the type that errors in the kernel have", "type assertion on an error to %s", a.AssertedType)
		return badOperand
	}
	isErrno := fn.emit(ir.OpNe, ir.I32, n, fn.constant(ir.I64, 0))
	if a.CommaOk {
		return operand{parts: []operand{single(n), single(isErrno)}}
	}
	fn.check(isErrno, ir.PanicAssert, "interface conversion: interface is nil, not syscall.Errno")
	return single(n)
}
