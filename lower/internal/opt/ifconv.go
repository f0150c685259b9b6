package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file turns branches that only choose between values into selects (if
// conversion).
//
// Method: simplifycfg.go has led edges past empty blocks, so that such a branch has
// both edges to the same block, with different arguments. Up to maxSelects of them
// become selects, and the branch a jump. BPF has no conditional move: a select
// is a jump over a move. It is still shorter than two edges with moves each, a
// choice of 1 or 0 is the comparison itself, and blocks become longer.
//
// What the verifier sees: on the edges of a branch it knows the compared values
// better, in a select it may not. So a branch stays if what is compared or chosen
// has a part in addressing, directly or through other operations.
//
// Before:                          After:
//
//	v2 = ult i32 v0, v1             v2 = ult i32 v0, v1
//	branch v2, b1(v8), b1(v9)       v3 = select i32 v2, v8, v9
//	b1(v3 i32):                     ...
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 18.12
// (conditional moves).

// maxSelects is the number of selects that a branch may become. More cost as much
// as the branch saves.
const maxSelects = 2

// IfConvert replaces branches of f by selects.
func IfConvert(f *ir.Func, _ *Config) {
	addressing := addressingValues(f)
	for _, b := range f.Blocks {
		t := &b.Term
		if t.Kind != ir.TermBranch || t.Succs[0].To != t.Succs[1].To {
			continue
		}
		yes, no := t.Succs[0], t.Succs[1]
		if !convertible(yes, no, t.Args[0], addressing) {
			continue
		}
		args := make([]*ir.Value, len(yes.Args))
		for i, p := range yes.To.Params {
			args[i] = yes.Args[i]
			if !sameValue(yes.Args[i], no.Args[i]) {
				args[i] = b.Add(ir.OpSelect, p.Type, t.Pos, t.Args[0], yes.Args[i], no.Args[i])
			}
		}
		b.Jump(t.Pos, yes.To, args...)
	}
}

// convertible reports whether the choice between the edges by cond may be made by
// selects.
func convertible(yes, no ir.Edge, cond *ir.Value, addressing []bool) bool {
	selects := 0
	for i, p := range yes.To.Params {
		if sameValue(yes.Args[i], no.Args[i]) {
			continue
		}
		if selects++; selects > maxSelects || !p.Type.IsInt() || addressing[p.ID] {
			return false
		}
	}
	return !slices.ContainsFunc(append([]*ir.Value{cond}, cond.Args...), func(v *ir.Value) bool {
		return v.Op != ir.OpConst && addressing[v.ID]
	})
}

// addressingValues returns, by Value.ID, which values the verifier may need to
// know the range of: offsets of pointers, what is checked, sizes for helpers, and
// whatever these are computed from.
func addressingValues(f *ir.Func) []bool {
	needed := make([]bool, f.NumValues())
	var work []*ir.Value
	add := func(list []*ir.Value) {
		for _, v := range list {
			if !needed[v.ID] {
				needed[v.ID] = true
				work = append(work, v)
			}
		}
	}
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			switch v.Op {
			case ir.OpPtrAdd:
				add(v.Args[1:])
			case ir.OpCheckIdx, ir.OpCheckULe, ir.OpCheckNonNil, ir.OpPi, ir.OpHelper, ir.OpCall:
				add(v.Args)
			}
		}
	}
	preds := ir.Preds(f)
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		if v.Op != ir.OpParam {
			add(v.Args)
			continue
		}
		n := slices.Index(v.Block.Params, v)
		for _, p := range preds[v.Block.ID] {
			add(p.Edge().Args[n : n+1])
		}
	}
	return needed
}
