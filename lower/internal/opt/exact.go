package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds the values of which the verifier knows in each iteration of a plain loop
// what they are, because it has computed them from constants.

// exactValues returns, by Value.ID, which integers the verifier knows exactly
// whenever it comes by: constants and what is computed from them, on
// whatever path. A counter that starts with a constant is one in a plain loop. If
// likely is set, pointers count as well, and what is loaded from variables, of which the
// verifier may know the content.
func exactValues(f *ir.Func, likely bool) []bool {
	exact := make([]bool, f.NumValues())
	order, preds := ir.RPO(f), ir.Preds(f)
	for _, b := range order {
		for _, v := range b.Params {
			exact[v.ID] = (v.Type.IsInt() || likely) && b != f.Entry()
		}
		for _, v := range b.Instrs {
			exact[v.ID] = isFollowed(v, likely)
		}
	}
	for changed := true; changed; {
		changed = false
		drop := func(v *ir.Value, ok bool) {
			if exact[v.ID] && !ok {
				exact[v.ID], changed = false, true
			}
		}
		for _, b := range order {
			for _, v := range b.Instrs {
				args := v.Args
				switch v.Op {
				case ir.OpSelect:
					args = args[1:]
				case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe:
					args = args[:1]
				}
				drop(v, !slices.ContainsFunc(args, func(a *ir.Value) bool { return !exact[a.ID] }))
			}
			for i, p := range b.Params {
				for _, from := range preds[b.ID] {
					drop(p, exact[from.Edge().Args[i].ID])
				}
			}
		}
	}
	return exact
}

// isFollowed reports whether the verifier knows the result of v exactly if it knows
// the operands so; likely as for exactValues.
func isFollowed(v *ir.Value, likely bool) bool {
	switch v.Op {
	case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe:
		return true
	case ir.OpCheckNonNil, ir.OpLoad:
		return likely
	case ir.OpUDiv, ir.OpSDiv, ir.OpURem, ir.OpSRem, ir.OpBswap, ir.OpPtrToInt:
		return false
	}
	return v.Op.Is(ir.Pure) && (v.Type.IsInt() && v.Op != ir.OpPtrDiff || likely)
}
