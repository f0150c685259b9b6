package opt

import (
	"fmt"
	"maps"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file reports what a function returns with although it should have given it back.
//
// Method: from each call that gets something, all ways through the function are followed to where
// it is given back, to somebody else, or to a return. Like the verifier, which does the same,
// the search knows what has been decided on its way: a branch on the same condition goes the same way
// again, and one on a constant where that leads. The verifier knows more, such as that what is above 5
// is above 3. A way on which it might, because a branch depends on what an earlier one has depended on, is
// left to it; so is what is not found within leakSteps blocks.

// leakSteps is the number of blocks that are visited for one call.
const leakSteps = 20_000

// A leakSearch is the search for ways on which something leaks.
type leakSearch struct {
	*releaser
	config *Config

	// Of the call that is searched for:
	held  holding
	steps int
	way   []ir.Pos // the decisions so far
}

// A decision is a condition that has been branched on: x itself, or whether it equals n or y.
type decision struct {
	x, y     *ir.Value
	n        int64
	equality bool
}

// A wayState is what is known on a way.
type wayState struct {
	names   []*ir.Value // that what is held has
	nonnil  bool
	decided map[decision]bool
	on      []*ir.Value         // what the conditions depend on
	consts  map[*ir.Value]int64 // parameters that are constant on this way
}

// run reports what leaks in the function.
func (s *leakSearch) run() {
	for _, b := range s.f.Blocks {
		if s.in[b.ID] == nil {
			continue
		}
		for i, v := range b.Instrs {
			if v.Op != ir.OpHelper {
				continue
			}
			o := acquiring[v.Helper().Name]
			st := s.before(b)
			st.names = []*ir.Value{v}
			if v.Helper().Name == "spin_lock" {
				o, st.names, st.nonnil = locked, nil, true
			}
			if o == nil {
				continue
			}
			s.held, s.steps, s.way = holding{obligation: o, at: v}, 0, nil
			if pos := s.follow(b, i+1, st); pos != nil {
				s.report(*pos)
			}
		}
	}
}

// before returns what is known on all ways to b.
func (s *leakSearch) before(b *ir.Block) wayState {
	st := wayState{decided: make(map[decision]bool), consts: make(map[*ir.Value]int64)}
	for ; b != nil; b = s.dom.Idom(b) {
		if p := s.dom.Preds()[b.ID]; len(p) == 1 && p[0].Block.Term.Kind == ir.TermBranch {
			cond := p[0].Block.Term.Args[0]
			d, yes := decisionOf(cond)
			st.decided[d] = yes == (p[0].Succ == 0)
			st.on = dependsOn(st.on, cond, maxDepth)
		}
	}
	return st
}

// maxDepth is how far dependsOn looks.
const maxDepth = 8

// dependsOn appends the values that v is computed from, which are not themselves computed from
// integers.
func dependsOn(to []*ir.Value, v *ir.Value, depth int) []*ir.Value {
	if _, ok := v.IsConst(); ok {
		return to
	}
	if depth == 0 || v.Op == ir.OpParam || v.Op == ir.OpLoad || v.Op == ir.OpHelper || v.Op == ir.OpCall || len(v.Args) == 0 {
		return append(to, v)
	}
	for _, a := range v.Args {
		to = dependsOn(to, a, depth-1)
	}
	return to
}

// decisionOf returns what is decided by a branch on cond, and how if it is taken.
func decisionOf(cond *ir.Value) (d decision, yes bool) {
	if cond.Op != ir.OpEq && cond.Op != ir.OpNe {
		return decision{x: cond}, true
	}
	d = decision{x: cond.Args[0], y: cond.Args[1], equality: true}
	if n, ok := d.y.IsConst(); ok {
		d.y, d.n = nil, n
	}
	return d, cond.Op == ir.OpEq
}

// follow returns where a return is that is reached with it from instruction i of b on, or nil.
func (s *leakSearch) follow(b *ir.Block, i int, st wayState) *ir.Pos {
	if s.steps++; s.steps > leakSteps {
		return nil
	}
	for _, v := range b.Instrs[i:] {
		switch v.Op {
		case ir.OpHelper:
			if slices.Contains(s.held.ends, v.Helper().Name) && (s.held.obligation == locked || st.has(v.Args[0]) || withoutProofs(v.Args[0]).Op != ir.OpHelper) {
				return nil
			}
		case ir.OpCheckNonNil:
			st.nonnil = st.nonnil || st.has(v)
		case ir.OpCall, ir.OpStore: // which may give it to somebody
			for k, a := range v.Args {
				if (v.Op == ir.OpCall || k > 0) && st.has(a) {
					return nil
				}
			}
		}
	}
	switch {
	case b.Term.Kind == ir.TermReturn && !slices.ContainsFunc(b.Term.Args, st.has):
		return &b.Term.Pos
	case b.Term.Kind == ir.TermReturn:
		return nil // the caller's
	}
	for k := range b.Term.Succs {
		if pos := s.enter(b, k, st); pos != nil {
			return pos
		}
	}
	return nil
}

// enter is follow for successor k of b.
func (s *leakSearch) enter(b *ir.Block, k int, st wayState) *ir.Pos {
	e := b.Term.Succs[k]
	st.names, st.decided, st.consts = slices.Clone(st.names), maps.Clone(st.decided), maps.Clone(st.consts)
	before := len(s.way)
	if b.Term.Kind == ir.TermBranch {
		d, yes := decisionOf(b.Term.Args[0])
		outcome := yes == (k == 0)
		if d.y == nil && d.n == 0 && st.has(d.x) && b.Term.Args[0] != d.x {
			if outcome { // it is nil
				return nil
			}
			st.nonnil = true
		} else if was, ok := st.outcome(d); ok && was != outcome {
			return nil
		} else if !ok {
			on := dependsOn(nil, b.Term.Args[0], maxDepth)
			if slices.ContainsFunc(on, st.dependent) {
				return nil
			}
			st.on = append(slices.Clone(st.on), on...)
		}
		st.decided[d] = outcome
		s.way = append(s.way, b.Term.Pos)
	}
	for j, a := range e.Args {
		if st.has(a) {
			st.names = append(st.names, e.To.Params[j])
		}
		if n, ok := a.IsConst(); ok {
			st.consts[e.To.Params[j]] = n
		} else {
			delete(st.consts, e.To.Params[j])
		}
	}
	// What is computed anew may come out differently.
	maps.DeleteFunc(st.decided, func(d decision, _ bool) bool { return d.x.Block == e.To || d.y != nil && d.y.Block == e.To })
	if pos := s.follow(e.To, 0, st); pos != nil {
		if e.To.Term.Kind == ir.TermReturn && len(s.dom.Preds()[e.To.ID]) > 1 {
			return &b.Term.Pos // of the statement, where several returns have been made one
		}
		return pos
	}
	s.way = s.way[:before]
	return nil
}

// outcome returns how the condition of d comes out, if that is known.
func (st *wayState) outcome(d decision) (yes, ok bool) {
	if yes, ok = st.decided[d]; ok {
		return yes, true
	}
	n, ok := st.consts[d.x]
	if !ok || d.y != nil {
		return false, false
	}
	if d.equality {
		return n == d.n, true
	}
	return n != 0, true
}

// dependent reports whether what is known of v may decide a condition that depends on it.
func (st *wayState) dependent(v *ir.Value) bool {
	_, isConst := st.consts[v]
	return isConst || slices.Contains(st.on, v)
}

// has reports whether p is what is held.
func (st *wayState) has(p *ir.Value) bool { return slices.Contains(st.names, withoutProofs(p)) }

// report says that it is held at the return at pos, by the way that led there.
func (s *leakSearch) report(pos ir.Pos) {
	msg := fmt.Sprintf(s.held.what, s.config.position(s.held.at.Pos))
	for i, p := range slices.Compact(s.way) {
		if i == 0 {
			msg += ", by way of"
		} else {
			msg += ","
		}
		msg += fmt.Sprintf(" %v", s.config.position(p))
	}
	s.config.Diags.Add(diag.NotReleased, s.config.position(pos), s.held.how, "return here, but %s", msg)
}
