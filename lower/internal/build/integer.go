package build

import (
	"go/types"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file says how the integer types of Go are represented. Integers of up to
// 32 bits are I32, the others I64. Those narrower than their representation are
// kept normalised: sign- or zero-extended to it. A bool is 0 or 1.

// An intType is an integer type of Go, or bool.
type intType struct {
	bits   int // 8 for bool
	signed bool
}

// intTypeOf returns the representation of t if it is an integer or bool.
func intTypeOf(t types.Type) (intType, bool) {
	basic, ok := t.Underlying().(*types.Basic)
	if !ok {
		return intType{}, false
	}
	switch basic.Kind() {
	case types.Bool, types.UntypedBool, types.Uint8:
		return intType{8, false}, true
	case types.Int8:
		return intType{8, true}, true
	case types.Uint16:
		return intType{16, false}, true
	case types.Int16:
		return intType{16, true}, true
	case types.Uint32:
		return intType{32, false}, true
	case types.Int32, types.UntypedRune:
		return intType{32, true}, true
	case types.Uint, types.Uint64, types.Uintptr:
		return intType{64, false}, true
	case types.Int, types.Int64, types.UntypedInt:
		return intType{64, true}, true
	}
	return intType{}, false
}

func (i intType) irType() ir.Type {
	if i.bits == 64 {
		return ir.I64
	}
	return ir.I32
}

// wrap returns c reduced to the values of i, as the IR represents them.
func (i intType) wrap(c int64) int64 {
	s := 64 - i.bits
	if i.signed || i.bits == 32 {
		// A 32-bit constant is sign-extended in the IR whatever its type.
		return c << s >> s
	}
	return int64(uint64(c) << s >> s)
}

// holds reports whether every value of j is a value of i.
func (i intType) holds(j intType) bool {
	if i.signed == j.signed {
		return i.bits >= j.bits
	}
	return i.signed && i.bits > j.bits
}

// normalise brings v, of which the low i.bits are right, to the form in which
// values of type i are kept.
func (fn *function) normalise(v *ir.Value, i intType) *ir.Value {
	if i.bits >= 32 {
		return v
	}
	if c, ok := v.IsConst(); ok {
		return fn.constant(v.Type, i.wrap(c))
	}
	if i.signed {
		e := fn.emit(ir.OpSExtIn, v.Type, v)
		e.Imm = int64(i.bits)
		return e
	}
	return fn.emit(ir.OpAnd, v.Type, v, fn.constant(v.Type, 1<<i.bits-1))
}

// convertInt converts v from one integer type to another.
func (fn *function) convertInt(v *ir.Value, from, to intType) *ir.Value {
	if c, ok := v.IsConst(); ok {
		if from.bits == 32 && !from.signed {
			c = int64(uint32(c))
		}
		return fn.constant(to.irType(), to.wrap(c))
	}
	switch {
	case from.bits < 64 && to.bits == 64:
		if from.signed {
			return fn.emit(ir.OpSExt, ir.I64, v)
		}
		return fn.emit(ir.OpZExt, ir.I64, v)
	case from.bits == 64 && to.bits < 64:
		return fn.normalise(fn.emit(ir.OpTrunc, ir.I32, v), to)
	case to.holds(from):
		return v
	default:
		return fn.normalise(v, to)
	}
}
