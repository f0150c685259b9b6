package interp

import (
	"errors"
	"fmt"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// A frame is an activation of a function.
type frame struct {
	m      *Machine
	f      *ir.Func
	values []uint64               // by Value.ID; I32 zero-extended
	slots  []uint64               // addresses, by Slot.Index
	multi  map[*ir.Value][]uint64 // results of calls that have several
}

func (fr *frame) get(v *ir.Value) uint64 { return fr.values[v.ID] }

func (fr *frame) set(v *ir.Value, x uint64) {
	if v.Type == ir.I32 {
		x = uint64(uint32(x))
	}
	fr.values[v.ID] = x
}

// arg returns operand i of v.
func (fr *frame) arg(v *ir.Value, i int) uint64 { return fr.values[v.Args[i].ID] }

func (fr *frame) args(args []*ir.Value) []uint64 {
	list := make([]uint64, len(args))
	for i, a := range args {
		list[i] = fr.get(a)
	}
	return list
}

// run executes the function from its entry.
func (fr *frame) run() ([]uint64, error) {
	for b := fr.f.Entry(); ; {
		for _, v := range b.Instrs {
			if err := fr.step(v); err != nil {
				return nil, err
			}
		}
		if err := fr.m.burn(1); err != nil {
			return nil, err
		}
		t := &b.Term
		switch t.Kind {
		case ir.TermJump:
			b = fr.follow(&t.Succs[0])
		case ir.TermBranch:
			if fr.get(t.Args[0]) != 0 {
				b = fr.follow(&t.Succs[0])
			} else {
				b = fr.follow(&t.Succs[1])
			}
		case ir.TermReturn:
			return fr.args(t.Args), nil
		case ir.TermPanic:
			if t.Site == nil {
				return nil, fmt.Errorf("func @%s: passes on a panic, but none came back from a call", fr.f.Name)
			}
			return nil, &panicError{t.Site}
		default:
			return nil, fmt.Errorf("func @%s: block without an end was reached", fr.f.Name)
		}
	}
}

// follow passes the arguments of e, all at once, and returns its target.
func (fr *frame) follow(e *ir.Edge) *ir.Block {
	args := fr.args(e.Args)
	for i, p := range e.To.Params {
		fr.set(p, args[i])
	}
	return e.To
}

// step executes v and says in which instruction an error happened.
func (fr *frame) step(v *ir.Value) error {
	if err := fr.m.burn(1); err != nil {
		return err
	}
	err := fr.exec(v)
	if err == nil {
		return nil
	}
	var p *panicError
	if errors.As(err, &p) || errors.Is(err, ErrFuel) {
		return err
	}
	return fmt.Errorf("func @%s: %s: %w", fr.f.Name, v, err)
}

// exec executes v.
func (fr *frame) exec(v *ir.Value) error {
	switch v.Op {
	case ir.OpConst:
		fr.set(v, uint64(v.Imm))
	case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpUDiv, ir.OpSDiv, ir.OpURem, ir.OpSRem,
		ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpShl, ir.OpLShr, ir.OpAShr:
		fr.set(v, evalBinary(v.Op, v.Type, fr.arg(v, 0), fr.arg(v, 1)))
	case ir.OpNeg, ir.OpSExtIn, ir.OpTrunc, ir.OpZExt, ir.OpSExt, ir.OpBswap:
		fr.set(v, evalUnary(v.Op, v.Imm, fr.arg(v, 0)))
	case ir.OpEq, ir.OpNe, ir.OpULt, ir.OpULe, ir.OpUGt, ir.OpUGe,
		ir.OpSLt, ir.OpSLe, ir.OpSGt, ir.OpSGe:
		fr.set(v, evalCompare(v.Op, v.Args[0].Type, fr.arg(v, 0), fr.arg(v, 1)))
	case ir.OpSelect:
		if fr.arg(v, 0) != 0 {
			fr.set(v, fr.arg(v, 1))
		} else {
			fr.set(v, fr.arg(v, 2))
		}
	case ir.OpPi, ir.OpOpaque, ir.OpPtrToInt, ir.OpIntToPtr:
		fr.set(v, fr.arg(v, 0))
	case ir.OpSlotAddr:
		fr.set(v, fr.slots[v.Slot().Index])
	case ir.OpDataAddr:
		fr.set(v, fr.m.data[v.Data()]+uint64(v.Imm))
	case ir.OpMapRef:
		fr.set(v, fr.m.maps[v.Map()])
	case ir.OpFuncAddr:
		fr.set(v, fr.m.funcs[v.Callee()])
	case ir.OpPtrAdd:
		fr.set(v, fr.arg(v, 0)+fr.arg(v, 1))
	case ir.OpPtrDiff:
		fr.set(v, fr.arg(v, 0)-fr.arg(v, 1))
	case ir.OpLoad, ir.OpStore, ir.OpMemZero, ir.OpMemCopy, ir.OpAtomic:
		return fr.execMemory(v)
	case ir.OpCall, ir.OpResult, ir.OpHelper:
		return fr.execCall(v)
	case ir.OpCheck, ir.OpCheckIdx, ir.OpCheckULe, ir.OpCheckNonNil:
		return fr.execCheck(v)
	case ir.OpLoopLimit: // interpretation has a limit of its own
	default:
		panic(fmt.Sprintf("BUG: interp does not know %s", v.Op))
	}
	return nil
}

// execCheck executes the operations that may panic by themselves.
func (fr *frame) execCheck(v *ir.Value) error {
	x := fr.arg(v, 0)
	ok := x != 0 // OpCheck, OpCheckNonNil
	switch v.Op {
	case ir.OpCheckIdx:
		ok = x < fr.arg(v, 1)
	case ir.OpCheckULe:
		ok = x <= fr.arg(v, 1)
	}
	if !ok {
		return &panicError{v.Site()}
	}
	fr.set(v, x)
	return nil
}

// execCall executes the operations on functions and helpers.
func (fr *frame) execCall(v *ir.Value) error {
	switch v.Op {
	case ir.OpCall:
		results, err := fr.m.Call(v.Callee(), fr.args(v.Args)...)
		if err != nil {
			return err
		}
		switch len(results) {
		case 0:
		case 1:
			fr.set(v, results[0])
		default:
			if fr.multi == nil {
				fr.multi = make(map[*ir.Value][]uint64)
			}
			fr.multi[v] = results
		}
	case ir.OpResult:
		fr.set(v, fr.multi[v.Args[0]][v.Imm])
	case ir.OpHelper:
		h := v.Helper()
		if fr.m.opt.Helper == nil {
			return fmt.Errorf("no helpers are given")
		}
		x, err := fr.m.opt.Helper(fr.m, h, fr.args(v.Args))
		if err != nil {
			return err
		}
		fr.set(v, x)
	}
	return nil
}
