package build

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes loops of functions that call themselves at their end:
//
//	func gcd(a, b uint64) uint64 {
//		if b == 0 {
//			return a
//		}
//		return gcd(b, a%b)
//	}
//
// Nothing of the activation is needed after such a call but its result, which is the
// function's own. So the call is a jump to the beginning with other arguments.
// The conditions are that nothing is deferred; that the arguments are known in the same way
// as the parameters, so that it is the same instance; and that none of them may be
// the address of a variable of the activation that ends.

// findTailCalls looks for the calls that can become jumps.
func (fn *function) findTailCalls() {
	if fn.src.Recover != nil || len(fn.src.FreeVars) > 0 || fn.inst.recovers {
		return
	}
	for _, blk := range fn.src.Blocks {
		for i, instr := range blk.Instrs {
			c, ok := instr.(*ssa.Call)
			if ok && c.Call.StaticCallee() == fn.src && returnsOnly(c, blk.Instrs[i+1:]) && !slices.ContainsFunc(c.Call.Args, mayBeLocal) {
				fn.tailCalls = append(fn.tailCalls, c)
			}
		}
	}
}

// returnsOnly reports whether rest returns the results of c and does nothing else.
func returnsOnly(c *ssa.Call, rest []ssa.Instruction) bool {
	for _, instr := range rest {
		switch instr := instr.(type) {
		case *ssa.Extract:
			if instr.Tuple != c {
				return false
			}
		case *ssa.DebugRef:
		case *ssa.Return:
			for i, v := range instr.Results {
				if e, ok := v.(*ssa.Extract); ok && e.Tuple == c && e.Index == i {
					continue
				}
				if v != ssa.Value(c) || len(instr.Results) > 1 {
					return false
				}
			}
			return true
		default:
			return false
		}
	}
	return false
}

// mayBeLocal reports whether v may hold the address of a variable of the function.
func mayBeLocal(v ssa.Value) bool {
	if !hasPointers(v.Type()) {
		return false
	}
	switch v := v.(type) {
	case *ssa.Parameter, *ssa.Global, *ssa.Const, *ssa.Function:
		return false
	case *ssa.Slice:
		return mayBeLocal(v.X)
	case *ssa.FieldAddr:
		return mayBeLocal(v.X)
	case *ssa.IndexAddr:
		return mayBeLocal(v.X)
	case *ssa.ChangeType:
		return mayBeLocal(v.X)
	}
	return true
}

// makeLoop gives the block that the function begins with parameters for those of the
// function, if there are jumps to it.
func (fn *function) makeLoop() (args []*ir.Value) {
	if len(fn.tailCalls) == 0 {
		return nil
	}
	for i := range fn.cyclic {
		fn.cyclic[i] = true
	}
	for i, p := range fn.src.Params {
		if fn.inst.args[i].fixed {
			continue
		}
		args = flattenOpen(args, fn.vals[p], &fn.inst.args[i])
		fn.vals[p] = fn.inst.args[i].inflate(func(t ir.Type) *ir.Value {
			return fn.blocks[0].AddParam(t, ir.Pos(fn.src.Pos()))
		}, fn.fixed)
	}
	return args
}

// tailCall makes the call c a jump to the beginning, if it can be one.
func (fn *function) tailCall(c *ssa.Call) bool {
	if !slices.Contains(fn.tailCalls, c) {
		return false
	}
	var vals []*ir.Value
	for i, a := range c.Call.Args {
		o := fn.argument(fn.operand(a), a.Type())
		if o.isBad() || o.mem != nil {
			return false
		}
		s, want := shapeOf(o), fn.inst.args[i]
		if want.fixed {
			s.fixConstant(o)
		}
		s.fixMaps(fn.b, o)
		s.nonnil = s.nonnil && want.nonnil
		if want.limit == 0 || s.limit > 0 && s.limit < want.limit {
			s.limit = want.limit
		}
		if !s.equal(want) {
			return false
		}
		vals = flattenOpen(vals, o, &s)
	}
	fn.cur.Jump(ir.Pos(fn.pos), fn.blocks[0], vals...)
	instrs := c.Block().Instrs
	for _, instr := range instrs[slices.Index(instrs, ssa.Instruction(c)):] {
		fn.skip[instr] = true
	}
	return true
}
