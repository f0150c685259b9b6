package opt

import (
	"math"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file finds the facts (facts.go) of all values of a function, each where
// it is used: a value is known better where a comparison or a check of it
// dominates.
//
// Method: an abstract interpretation over the dominator tree, sparse in that a
// fact belongs to a value and not to a point of the program. A walk over the tree
// computes the fact of each value from those of its operands, refines facts where
// a branch or check has decided, and takes the refinement back when it leaves
// the subtree that the decision dominates. A parameter gets the union of what the
// edges bring, each evaluated under the condition of its branch; an edge that
// the facts rule out brings nothing. What edges that close a loop bring is not
// known yet when the loop is entered: at first they are assumed to bring nothing,
// and the walk is repeated with what they did bring, widened, until that is no
// news. The facts of the last walk are an inductive invariant.
//
// A value's fact is not computed again where an operand is known better further
// down. That is how the verifier sees it as well: it does not go back to
// instructions it has followed.
//
// Relations between two values that are no constants are kept as they have been
// compared: where v0 < v1 has been found, it is known to hold again.
//
// References: Cousot and Cousot, "Abstract Interpretation" (1977), for widening;
// Wegman and Zadeck, "Constant Propagation with Conditional Branches" (1991), for
// edges that are never taken; Gampe et al., "Speculative Improvements to
// Verifiable Bounds Check Elimination" (2008), for facts scoped by dominators.

const (
	// maxWalks bounds the number of walks. Loops need two or three, nests of
	// loops a few more.
	maxWalks = 10
	// lastWalk is the number of walks after which nothing is assumed of loops that
	// no walk has entered yet: each may be reached only once the one before it is known.
	lastWalk = 40
	// coarseWalks is the number of walks after which bounds that still move
	// go a long way at once.
	coarseWalks = 4
	// maxLimits is the number of constants that moving bounds stop at.
	maxLimits = 16
)

// An analysis is the facts of a function at the current point of a walk.
type analysis struct {
	dom    *ir.DomTree
	sound  bool          // sound facts, not verifier facts
	target target.Target // whose verifier's facts, if not sound

	facts     []fact // by Value.ID, of values defined on the way to here
	known     []bool // by Value.ID: there is a fact
	relations map[pair]relations
	trail     []undo
	marks     []int // by Block.ID: length of the trail before the block

	blocks []blockState // by Block.ID
	limits []int64      // where widening stops, ascending
	// widened is what the verifier forgets in loops, if not nil
	widened wideners
	news    bool // an edge back has brought more than was assumed

	// visitor, if not nil, sees the walk.
	visitor visitor
}

// A visitor is called where the facts are those on arrival.
type visitor interface {
	param(*ir.Value, fact)
	instr(*ir.Value)
	term(*ir.Block)
}

type blockState struct {
	entered bool // in this walk
	reached bool // by an edge that is not ruled out
	// looped is set for good when an edge back has reached the block.
	looped bool
	params []paramState
}

// A paramState is what the edges to a block bring to a parameter.
type paramState struct {
	in    fact // by edges seen before the block is entered
	hasIn bool
	// by edges back, as assumed when the block is entered
	back    fact
	hasBack bool
}

// An undo restores the fact of v, or the relations of pair if v is nil.
type undo struct {
	v     *ir.Value
	fact  fact
	known bool
	pair  pair
	rel   relations
}

// newAnalysis returns the analysis of sound facts of f.
func newAnalysis(f *ir.Func) *analysis {
	n := f.NumValues()
	a := &analysis{
		dom:       ir.Dominators(f),
		sound:     true,
		facts:     make([]fact, n),
		known:     make([]bool, n),
		relations: make(map[pair]relations),
		marks:     make([]int, f.NumBlocks()),
		blocks:    make([]blockState, f.NumBlocks()),
	}
	n = 0
	for _, b := range a.dom.Order() {
		n += len(b.Params)
	}
	params := make([]paramState, n)
	for _, b := range a.dom.Order() {
		n := len(b.Params)
		a.blocks[b.ID].params, params = params[:n:n], params[n:]
	}
	a.findLimits()
	return a
}

// newVerifierAnalysis returns the analysis of the facts that c's verifier finds.
func newVerifierAnalysis(f *ir.Func, c *Config) *analysis {
	a := newAnalysis(f)
	a.sound, a.target = false, c.Target
	if c.LoopWork > 0 {
		a.widened = findWidened(f, a.dom)
	}
	return a
}

// coarseLimits are the limits besides the constants of the function: a counter
// that is less than something can be incremented.
var coarseLimits = []int64{math.MaxInt32 - 1, math.MaxInt32, math.MaxInt64 - 1, math.MaxInt64}

// findLimits collects the constants that values are compared with, and those
// just below.
func (a *analysis) findLimits() {
	for _, b := range a.dom.Order() {
		for _, v := range b.Instrs {
			if !v.Op.Is(ir.Compare) && v.Op != ir.OpCheckIdx && v.Op != ir.OpCheckULe {
				continue
			}
			for _, x := range v.Args {
				if x.Op == ir.OpConst && x.Imm > 0 && len(a.limits) < maxLimits {
					a.limits = append(a.limits, x.Imm-1, x.Imm)
				}
			}
		}
	}
	a.limits = append(a.limits, coarseLimits...)
	slices.Sort(a.limits)
}

// run finds the facts and then walks once more with the visitor, which may
// change operations in place as long as the result stays the same.
func (a *analysis) run(v visitor) {
	for n := 0; ; n++ {
		a.walk()
		if !a.news {
			break
		}
		switch n {
		case coarseWalks:
			a.limits = coarseLimits
		case maxWalks:
			a.giveUp()
		case lastWalk:
			a.enterLoops()
		}
	}
	a.visitor = v
	a.walk()
}

// giveUp assumes nothing any more of what edges back bring.
func (a *analysis) giveUp() {
	for _, b := range a.dom.Order() {
		for i, p := range b.Params {
			if x := &a.blocks[b.ID].params[i]; x.hasBack {
				x.back = anything(p.Type)
			}
		}
	}
}

// enterLoops assumes that all edges back are taken, and nothing of what they bring.
func (a *analysis) enterLoops() {
	entered := make([]bool, len(a.blocks))
	walkDominators(a.dom, func(b *ir.Block) {
		entered[b.ID] = true
		for i := range b.Term.Succs {
			to := b.Term.Succs[i].To
			if !entered[to.ID] {
				continue
			}
			a.blocks[to.ID].looped = true
			for i, p := range to.Params {
				x := &a.blocks[to.ID].params[i]
				x.back, x.hasBack = anything(p.Type), true
			}
		}
	}, func(*ir.Block) {})
}

func (a *analysis) walk() {
	a.news = false
	for i := range a.blocks {
		s := &a.blocks[i]
		s.entered, s.reached = false, false
		for i := range s.params {
			s.params[i].hasIn = false
		}
	}
	entry := a.dom.Order()[0]
	s := &a.blocks[entry.ID]
	s.reached = true
	for i, p := range entry.Params {
		s.params[i].in, s.params[i].hasIn = anything(p.Type), true
	}
	walkDominators(a.dom, a.enter, a.leave)
}

func (a *analysis) leave(b *ir.Block) { a.undoTo(a.marks[b.ID]) }

func (a *analysis) enter(b *ir.Block) {
	a.marks[b.ID] = len(a.trail)
	s := &a.blocks[b.ID]
	s.entered = true
	if !s.reached && !s.looped {
		return
	}
	if from, ok := enteredBy(a.dom, b); ok && from.Block.Term.Kind == ir.TermBranch {
		a.assume(from.Block.Term.Args[0], from.Succ == 0)
	}
	if a.widened != nil {
		for _, v := range a.widened[b.ID] {
			a.set(v, anything(v.Type))
		}
	}
	for i, p := range b.Params {
		f := s.params[i].fact(p.Type)
		a.set(p, f)
		if a.visitor != nil {
			a.visitor.param(p, f)
		}
	}
	for _, v := range b.Instrs {
		if a.visitor != nil {
			a.visitor.instr(v)
		}
		if v.Type != ir.Void {
			a.set(v, a.transfer(v))
		}
		a.assumeCheck(v)
	}
	if a.visitor != nil {
		a.visitor.term(b)
	}
	a.leaveBy(b)
}

// fact returns what all edges together bring.
func (x *paramState) fact(t ir.Type) fact {
	switch {
	case x.hasIn && x.hasBack:
		return x.in.or(x.back)
	case x.hasIn:
		return x.in
	case x.hasBack:
		return x.back
	}
	return anything(t)
}

// leaveBy follows the edges out of b that are not ruled out.
func (a *analysis) leaveBy(b *ir.Block) {
	t := &b.Term
	if t.Kind != ir.TermBranch {
		for i := range t.Succs {
			a.follow(&t.Succs[i])
		}
		return
	}
	c := a.get(t.Args[0])
	for i := range t.Succs {
		if always, ok := c.isConst(ir.I32); ok && (always != 0) != (i == 0) || !ok && i == 1 && c.umin > 0 {
			continue
		}
		mark := len(a.trail)
		a.assume(t.Args[0], i == 0)
		a.follow(&t.Succs[i])
		a.undoTo(mark)
	}
}

// follow brings the arguments of e to its target.
func (a *analysis) follow(e *ir.Edge) {
	s := &a.blocks[e.To.ID]
	if s.entered && !s.looped {
		s.looped, a.news = true, true
	}
	s.reached = true
	for i, p := range e.To.Params {
		x, f := &s.params[i], a.get(e.Args[i])
		switch {
		case !s.entered && x.hasIn:
			x.in = x.in.or(f)
		case !s.entered:
			x.in, x.hasIn = f, true
		case !x.hasBack:
			x.back, x.hasBack, a.news = f, true, true
		case !f.implies(x.back):
			x.back, a.news = x.back.widen(f, p.Type, a.limits), true
		}
	}
}

// get returns what is known of v here.
func (a *analysis) get(v *ir.Value) fact {
	switch {
	case v.Op == ir.OpConst && v.Type.IsInt():
		f := exactly(v.Type, v.Imm)
		f.extended = v.Type == ir.I32
		return f
	case a.known[v.ID]:
		return a.facts[v.ID]
	}
	return anything(v.Type)
}

// set makes f the fact of v until the trail is undone.
func (a *analysis) set(v *ir.Value, f fact) {
	a.trail = append(a.trail, undo{v: v, fact: a.facts[v.ID], known: a.known[v.ID]})
	a.facts[v.ID], a.known[v.ID] = f, true
}

func (a *analysis) undoTo(mark int) {
	for len(a.trail) > mark {
		u := a.trail[len(a.trail)-1]
		a.trail = a.trail[:len(a.trail)-1]
		if u.v != nil {
			a.facts[u.v.ID], a.known[u.v.ID] = u.fact, u.known
		} else {
			a.relations[u.pair] = u.rel
		}
	}
}

// under returns what what returns where cond holds or does not.
func (a *analysis) under(cond *ir.Value, holds bool, what func() fact) fact {
	mark := len(a.trail)
	a.assume(cond, holds)
	f := what()
	a.undoTo(mark)
	return f
}
