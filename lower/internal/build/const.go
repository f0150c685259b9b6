package build

import (
	"go/constant"
	"go/types"
	"math/big"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers constants.

// constOperand returns the operand of c. go/ssa does not always reduce a
// constant to its type.
func (fn *function) constOperand(c *ssa.Const) operand {
	if s, ok := constString(c); ok {
		return fn.stringConst(s)
	}
	if c.Value == nil {
		return fn.zero(c.Type())
	}
	if i, ok := intTypeOf(c.Type()); ok {
		if c.Value.Kind() == constant.Bool {
			v := int64(0)
			if constant.BoolVal(c.Value) {
				v = 1
			}
			return single(fn.constant(ir.I32, v))
		}
		return single(fn.constant(i.irType(), i.wrap(lowBits(c.Value))))
	}
	if isPointer(c.Type()) {
		// unsafe.Pointer(uintptr(n))
		return single(fn.emit(ir.OpIntToPtr, ir.PtrAny, fn.constant(ir.I64, lowBits(c.Value))))
	}
	if err := fn.b.checkType(c.Type()); err != nil {
		fn.failType(err)
		return badOperand
	}
	fn.failOperation(nil, c.Type())
	return badOperand
}

// lowBits returns the low 64 bits of an integer constant in two's complement.
func lowBits(v constant.Value) int64 {
	v = constant.ToInt(v)
	if i, ok := constant.Int64Val(v); ok {
		return i
	}
	var n *big.Int
	switch x := constant.Val(v).(type) {
	case *big.Int:
		n = x
	default:
		return 0
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1))
	return int64(low.Uint64())
}

// stringVal returns the value of a constant of string type, which may be the
// integer that the source converts.
func stringVal(v constant.Value) string {
	if v.Kind() == constant.String {
		return constant.StringVal(v)
	}
	if i, ok := constant.Int64Val(constant.ToInt(v)); ok && int64(rune(i)) == i {
		return string(rune(i))
	}
	return "\uFFFD"
}

// constInt returns the value of v if it is an integer constant.
func constInt(v ssa.Value) (int64, bool) {
	c, ok := v.(*ssa.Const)
	if !ok || c.Value == nil {
		return 0, false
	}
	i, ok := intTypeOf(c.Type())
	if !ok || c.Value.Kind() == constant.Bool {
		return 0, false
	}
	n := i.wrap(lowBits(c.Value))
	if i.bits == 32 && !i.signed {
		n = int64(uint32(n))
	}
	return n, true
}

// constString returns the value of v if it is a string constant.
func constString(v ssa.Value) (string, bool) {
	c, ok := v.(*ssa.Const)
	if !ok || !isString(c.Type()) {
		return "", false
	}
	if c.Value == nil {
		return "", true
	}
	return stringVal(c.Value), true
}

// elemOf returns the element type of an array, a slice or a string.
func elemOf(t types.Type) types.Type {
	switch t := t.Underlying().(type) {
	case *types.Array:
		return t.Elem()
	case *types.Slice:
		return t.Elem()
	case *types.Pointer:
		return elemOf(t.Elem())
	}
	return types.Typ[types.Uint8]
}
