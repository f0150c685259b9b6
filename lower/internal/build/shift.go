package build

import (
	"go/token"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers shifts. Go shifts by any unsigned count, as if bit by bit: a
// count of the width or more leaves 0, or copies of the sign. A BPF shift takes
// the count modulo 32 or 64, so the whole count is compared with that width. A
// type narrower than its representation needs nothing more: the bits between
// the two widths go through the same shift and are then normalised.

func (fn *function) lowerShift(e *ssa.BinOp) *ir.Value {
	i, _ := intTypeOf(e.Type())
	ci, _ := intTypeOf(e.Y.Type())
	x, count := fn.scalar(e.X), fn.scalar(e.Y)
	width := int64(x.Type.Bits())

	op := ir.OpShl
	if e.Op == token.SHR {
		op = ir.OpLShr
		if i.signed {
			op = ir.OpAShr
		}
	}
	if c, ok := count.IsConst(); ok {
		if ci.bits == 32 && !ci.signed {
			c = int64(uint32(c))
		}
		if ci.signed && c < 0 {
			fn.check(fn.constant(ir.I32, 0), ir.PanicShift, "negative shift amount")
		}
		if uint64(c) >= uint64(width) {
			if op != ir.OpAShr {
				return fn.constant(x.Type, 0)
			}
			c = width - 1
		}
		v := fn.emit(op, x.Type, x, fn.constant(x.Type, c))
		if op == ir.OpShl {
			v = fn.normalise(v, i)
		}
		return v
	}
	if ci.signed {
		cond := fn.emit(ir.OpSGe, ir.I32, count, fn.constant(count.Type, 0))
		fn.check(cond, ir.PanicShift, "negative shift amount")
	}
	inRange := fn.emit(ir.OpULt, ir.I32, count, fn.constant(count.Type, width))
	n := fn.convertInt(count, ci, intType{x.Type.Bits(), false})
	switch op {
	case ir.OpAShr:
		n = fn.emit(ir.OpSelect, x.Type, inRange, n, fn.constant(x.Type, width-1))
		return fn.emit(op, x.Type, x, n)
	case ir.OpLShr:
		v := fn.emit(op, x.Type, x, n)
		return fn.emit(ir.OpSelect, x.Type, inRange, v, fn.constant(x.Type, 0))
	default:
		v := fn.normalise(fn.emit(op, x.Type, x, n), i)
		return fn.emit(ir.OpSelect, x.Type, inRange, v, fn.constant(x.Type, 0))
	}
}
