package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file simplifies the control-flow graph.
//
// Method: the rules below are tried on every block in reverse postorder, and the
// whole is repeated until no rule applies; each application removes an edge, a
// block or a parameter, so that it ends. In one round:
//
//   - a branch on a constant, or with two equal edges, becomes a jump;
//   - a branch one side of which does nothing but panic becomes a check: the
//     panic leaves the main path, and with it a block boundary;
//   - instructions after a check that always panics go, and the block ends in
//     that panic;
//   - an edge to a block that does nothing but pass on, with constants at most,
//     is led to where that passes on (thread.go does so for blocks that decide);
//   - a parameter that is given the same value by every edge is replaced by it;
//   - a block and its only successor, of which it is the only predecessor,
//     become one.
//
// No rule moves or merges instructions, and so none can separate a comparison
// from what relies on it.
//
// Before:                          After:
//
//	v2 = ult i32 v0, v1             v2 = ult i32 v0, v1
//	branch v2, b1(), b2()           check v2 !0
//	b1: jump b3(v0)                 return v0
//	b2: panic !0
//	b3(v3 i32): return v3

// maxCFGRounds bounds the repetitions. Chains collapse within a round; what
// takes more rounds is rules that enable each other, rarely more than twice.
const maxCFGRounds = 16

// SimplifyCFG simplifies the control-flow graph of f.
func SimplifyCFG(f *ir.Func, _ *Config) { simplifyCFG(f) }

func simplifyCFG(f *ir.Func) {
	for range maxCFGRounds {
		s := &cfgSimplifier{f: f, names: newRenaming(f)}
		for _, b := range f.Blocks {
			s.truncate(b)
			s.decide(b)
		}
		s.changed = ir.RemoveUnreachable(f) || s.changed
		s.threadEdges()
		s.changed = ir.RemoveUnreachable(f) || s.changed
		s.branchesToChecks()
		s.changed = ir.RemoveUnreachable(f) || s.changed
		s.uniformParams()
		s.mergeChains()
		s.names.apply()
		if !s.changed {
			return
		}
	}
}

type cfgSimplifier struct {
	f       *ir.Func
	names   *renaming
	changed bool
}

// truncate ends b at the first check that is known to fail, and removes those
// known to hold.
func (s *cfgSimplifier) truncate(b *ir.Block) {
	kept := b.Instrs[:0]
	for i, v := range b.Instrs {
		if v.Op == ir.OpCheck {
			if c, ok := v.Args[0].IsConst(); ok && c != 0 {
				s.changed = true
				continue
			}
		}
		if checkFails(v) {
			clear(b.Instrs[len(kept):i])
			b.Instrs = kept
			b.Panic(v.Pos, v.Site())
			s.changed = true
			return
		}
		kept = append(kept, v)
	}
	clear(b.Instrs[len(kept):])
	b.Instrs = kept
}

// checkFails reports whether v is a check that is seen to fail always.
func checkFails(v *ir.Value) bool {
	switch v.Op {
	case ir.OpCheck, ir.OpCheckNonNil:
		return isConst(v.Args[0], 0)
	case ir.OpCheckIdx, ir.OpCheckULe:
		a, b := v.Args[0], v.Args[1]
		if v.Op == ir.OpCheckIdx && (a == b || isConst(b, 0)) {
			return true
		}
		if a.Op != ir.OpConst || b.Op != ir.OpConst {
			return false
		}
		op := ir.OpULt
		if v.Op == ir.OpCheckULe {
			op = ir.OpULe
		}
		return !evalCompare(op, a.Type, a.Imm, b.Imm)
	}
	return false
}

// decide turns b's branch into a jump if it always goes one way.
func (s *cfgSimplifier) decide(b *ir.Block) {
	t := &b.Term
	if t.Kind != ir.TermBranch {
		return
	}
	yes, no := t.Succs[0], t.Succs[1]
	if c, ok := t.Args[0].IsConst(); ok {
		if c == 0 {
			yes = no
		}
	} else if yes.To != no.To || !sameArgs(yes.Args, no.Args) {
		return
	}
	b.Jump(t.Pos, yes.To, yes.Args...)
	s.changed = true
}

// threadEdges leads edges past blocks that do nothing but jump on or whose
// branch the edge decides.
func (s *cfgSimplifier) threadEdges() {
	t := newThreader(s.f)
	for _, b := range s.f.Blocks {
		for i := range b.Term.Succs {
			// The bound stops at empty infinite loops.
			for n := 0; n < len(s.f.Blocks) && t.thread(b, i); n++ {
				s.changed = true
			}
		}
	}
}

// branchesToChecks turns a branch to a block that only panics into a check.
func (s *cfgSimplifier) branchesToChecks() {
	for _, b := range s.f.Blocks {
		t := &b.Term
		if t.Kind != ir.TermBranch {
			continue
		}
		for i, e := range t.Succs {
			if e.To.Term.Kind != ir.TermPanic || e.To.Term.Site == nil || !onlyConstants(e.To) {
				continue
			}
			cond := t.Args[0]
			if i == 0 {
				cond = b.Append(negation(s.f, cond, b.Append))
			}
			check := b.Add(ir.OpCheck, ir.Void, t.Pos, cond)
			check.Aux = e.To.Term.Site
			rest := t.Succs[1-i]
			b.Jump(t.Pos, rest.To, rest.Args...)
			s.changed = true
			break
		}
	}
}

// negation returns an I32 that is not 0 exactly if cond is 0. It is not yet in
// a block; what it needs is handed to add.
func negation(f *ir.Func, cond *ir.Value, add func(*ir.Value) *ir.Value) *ir.Value {
	if cond.Op.Is(ir.Compare) {
		return f.NewValue(cond.Op.Negated(), ir.I32, cond.Pos, cond.Args[0], cond.Args[1])
	}
	zero := add(constant(f, ir.I32, 0))
	return f.NewValue(ir.OpEq, ir.I32, cond.Pos, cond, zero)
}

// onlyConstants reports whether b has no instructions but constants.
func onlyConstants(b *ir.Block) bool {
	return !slices.ContainsFunc(b.Instrs, func(v *ir.Value) bool { return v.Op != ir.OpConst })
}

// uniformParams replaces the parameters that have the same value on all edges.
func (s *cfgSimplifier) uniformParams() {
	preds := ir.Preds(s.f)
	for _, b := range s.f.Blocks[1:] {
		s.changed = removeParams(b, preds[b.ID], func(p *ir.Value) bool {
			n := slices.Index(b.Params, p)
			v := s.uniform(p, n, preds[b.ID])
			if v == nil {
				return false
			}
			if v.Op == ir.OpConst && (v.Type != p.Type || v.Block != b) {
				v = constant(s.f, p.Type, v.Imm)
				b.Insert(0, v)
			}
			if !canReplace(p, v) {
				return false
			}
			s.names.set(p, v)
			return true
		}) || s.changed
	}
}

// uniform returns the one value that all edges but those from its own block's
// loop, which pass p on, give to p, parameter number n; or nil.
func (s *cfgSimplifier) uniform(p *ir.Value, n int, preds []ir.Pred) *ir.Value {
	var only *ir.Value
	for _, pred := range preds {
		a := s.names.get(pred.Edge().Args[n])
		switch {
		case a == p:
		case only == nil:
			only = a
		case !sameValue(only, a):
			return nil
		}
	}
	return only
}

// mergeChains joins blocks that follow each other and nothing else.
func (s *cfgSimplifier) mergeChains() {
	edges := make([]int, s.f.NumBlocks())
	for _, b := range s.f.Blocks {
		for _, e := range b.Term.Succs {
			edges[e.To.ID]++
		}
	}
	gone := make([]bool, s.f.NumBlocks())
	for _, b := range s.f.Blocks {
		for !gone[b.ID] && b.Term.Kind == ir.TermJump {
			e := b.Term.Succs[0]
			if e.To == b || edges[e.To.ID] != 1 || !s.bindParams(e) {
				break
			}
			for _, v := range e.To.Instrs {
				b.Append(v)
			}
			b.Term = e.To.Term
			gone[e.To.ID] = true
			s.changed = true
		}
	}
	s.f.Blocks = slices.DeleteFunc(s.f.Blocks, func(b *ir.Block) bool { return gone[b.ID] })
}

// bindParams replaces the parameters of e's target, of which e is the only edge,
// by the arguments.
func (s *cfgSimplifier) bindParams(e ir.Edge) bool {
	for n, p := range e.To.Params {
		a := s.names.get(e.Args[n])
		if !canReplace(p, a) && a.Op != ir.OpConst {
			return false
		}
	}
	for n, p := range e.To.Params {
		a := s.names.get(e.Args[n])
		if !canReplace(p, a) { // nil of another type
			a = constant(s.f, p.Type, a.Imm)
			e.To.Insert(0, a)
		}
		s.names.set(p, a)
	}
	e.To.Params = nil
	return true
}
