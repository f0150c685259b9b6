package opt

import "github.com/undergo-ebpf/undergo/lower/internal/ir"

// This file removes the checks that memory safety depends on where they are
// certain to hold: index and slice bounds, nil pointers.
//
// Method: a check goes if the facts that the verifier finds (facts.go), where it
// stands, imply its condition; or if the very comparison has been made before,
// because then the verifier has learned from that what it would learn from
// the check. A pi takes its place: the proof may depend on a comparison further
// up, and no pass may use instead a value computed before that.
//
// For the same reason nothing that moves or merges computations may run later: an
// index that is computed below the comparison must stay there.
//
// Before:                          After:
//
//	v2 = ult i64 v0, v9             v2 = ult i64 v0, v9
//	branch v2, b1(), b2()           branch v2, b1(), b2()
//	b1: v3 = checkidx i64 v0, v9 !0 b1: v3 = pi i64 v0
//
// Reference: Bodik, Gupta, Sarkar, "ABCD: Eliminating Array Bounds Checks on
// Demand" (2000), for pi.

// CheckElim removes checks of f that the verifier does not need.
func CheckElim(f *ir.Func, c *Config) {
	ir.RemoveUnreachable(f)
	e := &checkEliminator{newVerifierAnalysis(f, c)}
	e.run(e)
}

type checkEliminator struct{ *analysis }

func (c *checkEliminator) param(*ir.Value, fact) {}

func (c *checkEliminator) term(*ir.Block) {}

func (c *checkEliminator) instr(v *ir.Value) {
	proven := false
	switch v.Op {
	case ir.OpCheckNonNil:
		proven = c.get(v.Args[0]).nonNil
	case ir.OpCheckIdx, ir.OpCheckULe:
		if v.Type.IsInt() {
			holds, ok := c.decideCompare(checkCompare(v.Op), v.Args[0], v.Args[1])
			proven = holds && ok
		}
	}
	if proven {
		v.Op, v.Args, v.Aux = ir.OpPi, v.Args[:1], nil
	}
}
