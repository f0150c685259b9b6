package build

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers integer arithmetic.

// lowerBinOp lowers a binary operation on two operands that are not bad.
func (fn *function) lowerBinOp(e *ssa.BinOp) operand {
	switch e.Op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return fn.lowerCompare(e)
	case token.SHL, token.SHR:
		return single(fn.lowerShift(e))
	}
	if isString(e.Type()) {
		return fn.lowerConcat(e)
	}
	i, ok := intTypeOf(e.Type())
	if !ok {
		return fn.failOperation(e, e.Type())
	}
	x, y := fn.scalar(e.X), fn.scalar(e.Y)
	t := i.irType()
	switch e.Op {
	case token.ADD:
		return single(fn.normalise(fn.emit(ir.OpAdd, t, x, y), i))
	case token.SUB:
		return single(fn.normalise(fn.emit(ir.OpSub, t, x, y), i))
	case token.MUL:
		return single(fn.normalise(fn.emit(ir.OpMul, t, x, y), i))
	case token.QUO:
		fn.checkDivisor(y)
		if !i.signed {
			return single(fn.emit(ir.OpUDiv, t, x, y))
		}
		// The smallest int8 or int16 divided by -1 is one too large.
		return single(fn.normalise(fn.emit(ir.OpSDiv, t, x, y), i))
	case token.REM:
		fn.checkDivisor(y)
		if !i.signed {
			return single(fn.emit(ir.OpURem, t, x, y))
		}
		return single(fn.emit(ir.OpSRem, t, x, y))
	case token.AND:
		return single(fn.emit(ir.OpAnd, t, x, y))
	case token.OR:
		return single(fn.emit(ir.OpOr, t, x, y))
	case token.XOR:
		return single(fn.emit(ir.OpXor, t, x, y))
	case token.AND_NOT:
		return single(fn.emit(ir.OpAnd, t, x, fn.complement(y, i)))
	}
	return fn.failOperation(e, e.Type())
}

// checkDivisor panics if y is 0.
func (fn *function) checkDivisor(y *ir.Value) {
	if c, ok := y.IsConst(); ok && c != 0 {
		return
	}
	cond := fn.emit(ir.OpNe, ir.I32, y, fn.constant(y.Type, 0))
	fn.check(cond, ir.PanicDivide, "integer divide by zero")
}

// complement returns ^v.
func (fn *function) complement(v *ir.Value, i intType) *ir.Value {
	return fn.normalise(fn.emit(ir.OpXor, v.Type, v, fn.constant(v.Type, -1)), i)
}

// lowerUnOp lowers a unary operation on an operand that is not bad.
func (fn *function) lowerUnOp(e *ssa.UnOp) operand {
	switch e.Op {
	case token.MUL:
		if onlyMeasured(e) {
			return operand{}
		}
		return fn.lowerLoad(e)
	case token.NOT:
		return single(fn.not(fn.scalar(e.X)))
	case token.ARROW:
		return fn.failStatement("receive from a channel")
	}
	i, ok := intTypeOf(e.Type())
	if !ok {
		return fn.failOperation(e, e.Type())
	}
	x := fn.scalar(e.X)
	if e.Op == token.XOR {
		return single(fn.complement(x, i))
	}
	return single(fn.normalise(fn.emit(ir.OpNeg, x.Type, x), i))
}

// not returns the negation of a bool.
func (fn *function) not(v *ir.Value) *ir.Value {
	if c, ok := v.IsConst(); ok {
		return fn.constant(ir.I32, c^1)
	}
	return fn.emit(ir.OpXor, ir.I32, v, fn.constant(ir.I32, 1))
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

func isInterface(t types.Type) bool {
	_, ok := t.Underlying().(*types.Interface)
	return ok
}
