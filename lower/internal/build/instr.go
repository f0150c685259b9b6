package build

import (
	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// instr lowers one instruction. What each does is in the file of its feature.
func (fn *function) instr(instr ssa.Instruction) {
	if v, ok := instr.(ssa.Value); ok {
		if !fn.sinks(v) {
			fn.define(v)
		}
		return
	}
	if s, ok := instr.(*ssa.Store); ok {
		fn.lowerSunk(s.Addr)
	}
	if _, ok := instr.(*ssa.If); !ok && fn.anyBad(instr) {
		if len(fn.at.Succs) == 0 && fn.isLast(instr) {
			fn.cur.Term = ir.Term{Kind: ir.TermUnreachable}
		}
		return
	}
	switch i := instr.(type) {
	case *ssa.Store:
		fn.lowerStore(i)
	case *ssa.Jump:
		fn.lowerJump()
	case *ssa.If:
		fn.lowerIf(i)
	case *ssa.Return:
		fn.lowerReturn(i)
	case *ssa.Panic:
		fn.lowerPanic(i.X)
	case *ssa.Defer:
		fn.lowerDefer(i)
	case *ssa.RunDefers:
		fn.lowerRunDefers()
	case *ssa.Go:
		fn.failStatement("go statement")
	case *ssa.Send:
		fn.failStatement("send on a channel")
	case *ssa.MapUpdate:
		fn.failLanguageMap()
	case *ssa.DebugRef:
	default:
		panic("BUG: unexpected instruction " + instr.String())
	}
}

// define lowers an instruction that has a result.
func (fn *function) define(v ssa.Value) {
	switch v := v.(type) {
	case *ssa.IndexAddr:
		fn.lowerSunk(v.X)
	case *ssa.FieldAddr:
		fn.lowerSunk(v.X)
	}
	if fn.anyBad(v.(ssa.Instruction)) {
		fn.vals[v] = badOperand
		return
	}
	fn.vals[v] = fn.value(v)
}

// value lowers an instruction that has a result and no bad operand.
func (fn *function) value(v ssa.Value) operand {
	switch v := v.(type) {
	case *ssa.Alloc:
		return fn.lowerAlloc(v)
	case *ssa.BinOp:
		return fn.lowerBinOp(v)
	case *ssa.UnOp:
		return fn.lowerUnOp(v)
	case *ssa.Convert:
		return fn.lowerConvert(v)
	case *ssa.MultiConvert:
		return fn.failOperation(v, v.Type())
	case *ssa.ChangeType:
		return fn.operand(v.X)
	case *ssa.Call:
		return fn.lowerCall(v)
	case *ssa.Extract:
		return fn.lowerExtract(v)
	case *ssa.Field:
		return fn.lowerField(v)
	case *ssa.FieldAddr:
		return fn.lowerFieldAddr(v)
	case *ssa.Index:
		return fn.lowerIndex(v)
	case *ssa.IndexAddr:
		return fn.lowerIndexAddr(v)
	case *ssa.Slice:
		return fn.lowerSlice(v)
	case *ssa.MakeSlice:
		return fn.lowerMakeSlice(v)
	case *ssa.SliceToArrayPointer:
		return fn.lowerSliceToArray(v)
	case *ssa.MakeClosure:
		return fn.bounded(fn.lowerMakeClosure(v))
	case *ssa.MakeInterface:
		return fn.bounded(operand{dyn: v.X.Type(), parts: []operand{fn.operand(v.X)}})
	case *ssa.ChangeInterface:
		return fn.operand(v.X)
	case *ssa.TypeAssert:
		return fn.lowerTypeAssert(v)
	case *ssa.Range:
		return fn.lowerRange(v)
	case *ssa.Next:
		return fn.lowerNext(v)
	case *ssa.Lookup, *ssa.MakeMap:
		return fn.failLanguageMap()
	case *ssa.Select:
		return fn.failStatement("select statement")
	case *ssa.MakeChan:
		return fn.failStatement("channel")
	}
	panic("BUG: unexpected value " + v.String())
}

// anyBad reports whether an operand of instr was refused. A constant of a type
// that has no layout is refused here, unless another operand already was.
func (fn *function) anyBad(instr ssa.Instruction) bool {
	var buf [4]*ssa.Value
	operands := instr.Operands(buf[:0])
	for _, p := range operands {
		switch v := (*p).(type) {
		case nil, *ssa.Const, *ssa.Builtin, *ssa.Function:
		case *ssa.Global:
			if _, ok := fn.constantGlobal(v); ok || isMapPointer(elemType(v.Type())) {
				continue
			}
			if fn.globalData(v) == nil {
				return true
			}
		default:
			if o, ok := fn.vals[v]; !ok || o.isBad() {
				return true
			}
		}
	}
	for _, p := range operands {
		if c, ok := (*p).(*ssa.Const); ok {
			if _, err := fn.b.layoutOf(c.Type()); err != nil {
				fn.failType(err)
				return true
			}
		}
	}
	return false
}

func (fn *function) isLast(instr ssa.Instruction) bool {
	return fn.at.Instrs[len(fn.at.Instrs)-1] == instr
}

// lowerExtract lowers the use of one result of several.
func (fn *function) lowerExtract(e *ssa.Extract) operand {
	parts := fn.operand(e.Tuple).parts
	if e.Index >= len(parts) {
		return badOperand
	}
	return parts[e.Index]
}
