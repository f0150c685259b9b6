package build

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers the control flow: edges, branches and returns. Only blocks
// that can be reached are lowered; a branch on a constant, such as the outcome
// of a type switch on an interface that is statically known, reaches one side.

// A pendingEdge is an edge that has been emitted without its arguments, which
// may not have been lowered yet.
type pendingEdge struct {
	from  *ssa.BasicBlock
	block *ir.Block // the block that the edge leaves
	succ  int       // in the terminator of block
	pred  int       // index of the edge in to.Preds
	to    *ssa.BasicBlock
}

// An edgeKey names an edge by its target and its index in the target's Preds.
type edgeKey struct {
	to   *ssa.BasicBlock
	pred int
}

// reversePostorder returns the blocks of f that its entry reaches; a block comes
// after those that dominate it.
func reversePostorder(f *ssa.Function) []*ssa.BasicBlock {
	type frame struct {
		b    *ssa.BasicBlock
		left int
	}
	seen := make([]bool, len(f.Blocks))
	var order []*ssa.BasicBlock
	stack := []frame{{f.Blocks[0], len(f.Blocks[0].Succs)}}
	seen[0] = true
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.left == 0 {
			order = append(order, top.b)
			stack = stack[:len(stack)-1]
			continue
		}
		top.left--
		to := top.b.Succs[top.left]
		if !seen[to.Index] {
			seen[to.Index] = true
			stack = append(stack, frame{to, len(to.Succs)})
		}
	}
	slices.Reverse(order)
	return order
}

// edge returns the edge to successor number n of the current block, which is
// thereby reached, to become successor number succ of the terminator.
func (fn *function) edge(n, succ int) ir.Edge {
	to := fn.at.Succs[n]
	if fn.blocks[to.Index] == nil {
		fn.blocks[to.Index] = fn.f.NewBlock()
	}
	e := pendingEdge{fn.at, fn.cur, succ, fn.preds[fn.at.Index][n], to}
	fn.edges = append(fn.edges, e)
	fn.taken[edgeKey{to, e.pred}] = true
	return ir.Edge{To: fn.blocks[to.Index]}
}

// predIndices returns, for each block of f and each of its successors, the index
// of that edge among the predecessors of the successor. Both sides of a branch
// may lead to one block; then the edges are told apart by their order.
func predIndices(f *ssa.Function) [][2]int {
	indices := make([][2]int, len(f.Blocks))
	for _, to := range f.Blocks {
		for i, p := range to.Preds {
			n := 0
			if p.Succs[0] != to || i > 0 && len(p.Succs) == 2 && p.Succs[1] == to && slices.Contains(to.Preds[:i], p) {
				n = 1
			}
			indices[p.Index][n] = i
		}
	}
	return indices
}

func (fn *function) lowerJump() {
	e := fn.edge(0, 0)
	fn.cur.Jump(ir.Pos(fn.pos), e.To)
}

func (fn *function) lowerIf(i *ssa.If) {
	o := fn.operand(i.Cond)
	if o.isBad() {
		// Both sides are lowered for the errors that they may hold.
		o = single(fn.emit(ir.OpInvalid, ir.I32))
	}
	if c, ok := o.vals[0].IsConst(); ok {
		taken := 0
		if c == 0 {
			taken = 1
		}
		e := fn.edge(taken, 0)
		fn.cur.Jump(ir.Pos(fn.pos), e.To)
		return
	}
	yes, no := fn.edge(0, 0), fn.edge(1, 1)
	fn.cur.Branch(ir.Pos(fn.pos), o.vals[0], yes, no)
}

// connect gives the pending edges their arguments.
func (fn *function) connect() {
	for _, e := range fn.edges {
		// What the arguments need goes to the end of the block the edge leaves.
		fn.cur = e.block
		args := fn.edgeArgs(e)
		e.block.Term.Succs[e.succ].Args = args
	}
}

// A pendingReturn is a return whose operands wait for the shape of the results
// to be known.
type pendingReturn struct {
	block   *ir.Block
	results []operand
	values  []ssa.Value
}

func (fn *function) lowerReturn(r *ssa.Return) {
	ret := pendingReturn{}
	sig := fn.src.Signature.Results()
	outs := fn.outs
	for i, v := range r.Results {
		t := sig.At(i).Type()
		o := fn.operand(v)
		if o.isBad() {
			ret.results = append(ret.results, badOperand)
			continue
		}
		l, err := fn.b.layoutOf(t)
		switch {
		case err != nil:
			fn.failType(err)
			o = badOperand
		case l.big():
			fn.store(outs[0], t, o)
			outs = outs[1:]
			o = operand{}
		case o.mem != nil:
			o = operand{vals: fn.leaves(o, t)}
		default:
			o = fn.settled(o)
		}
		ret.results = append(ret.results, o)
	}
	ret.block, ret.values = fn.cur, r.Results
	fn.returns = append(fn.returns, ret)
	fn.cur.Return(ir.Pos(fn.pos))
}

// finishReturns settles the shape of the results and completes the returns. A
// function that never returns has results of the types it declares.
func (fn *function) finishReturns() {
	sig := fn.src.Signature.Results()
	if len(fn.returns) == 0 {
		fn.cur = fn.f.NewBlock()
		fn.cur.Term = ir.Term{Kind: ir.TermUnreachable}
		fn.returns = append(fn.returns, pendingReturn{block: fn.cur})
		for v := range sig.Variables() {
			o := operand{}
			if l, err := fn.b.layoutOf(v.Type()); err == nil && !l.big() {
				o = fn.zero(v.Type())
			}
			fn.returns[0].results = append(fn.returns[0].results, o)
		}
	}
	var shapes []shape
	for i := range sig.Len() {
		s, ok := fn.resultShape(i)
		if !ok && isStaticType(sig.At(i).Type()) {
			for _, r := range fn.returns {
				if !r.results[i].isBad() && r.block.Term.Kind == ir.TermReturn {
					fn.cur = r.block
					r.results[i] = fn.dynamic(r.results[i], sig.At(i).Type(), r.values[i])
				}
			}
			s, ok = fn.resultShape(i)
		}
		if !ok {
			fn.pos = sig.At(i).Pos()
			fn.fail(diag.UnresolvedCall, "return the same function or type on all paths, or pass what differs as an argument",
				"result of %s is not the same function or dynamic type on all paths", fn.src.Name())
			return
		}
		shapes = append(shapes, s)
	}
	fn.inst.result = shape{parts: shapes}
	if len(shapes) == 1 {
		fn.inst.result = shapes[0]
	}
	fn.inst.status = fn.inst.unwinds && fn.landed || fn.inst.recovers
	if fn.inst.status {
		fn.f.Results = fn.b.thrownTypes()
	}
	fn.f.Results = fn.inst.result.flatTypes(fn.f.Results)
	if p := fn.passing; p != nil {
		p.block.Term.Args = append(p.block.Term.Args, p.panic...)
		for _, t := range fn.f.Results[len(p.panic):] {
			p.block.Term.Args = append(p.block.Term.Args, p.block.Const(t, 0))
		}
	}
	for _, r := range fn.returns {
		if r.block.Term.Kind == ir.TermReturn {
			if fn.inst.status {
				r.block.Term.Args = append(r.block.Term.Args, fn.thrownResults(r.block)...)
			}
			for _, o := range r.results {
				r.block.Term.Args = flatten(r.block.Term.Args, o)
			}
		}
	}
}

// resultShape joins the shapes of result number i over all returns.
func (fn *function) resultShape(i int) (shape, bool) {
	s := shapeOf(fn.returns[0].results[i])
	for _, r := range fn.returns[1:] {
		var ok bool
		if fn.returns[0].results[i].bad || r.results[i].bad {
			continue
		}
		if s, ok = s.join(shapeOf(r.results[i])); !ok {
			return shape{}, false
		}
	}
	return s, true
}

// cyclicBlocks reports, for each block of f, whether it can be executed more
// than once per call: whether it lies on a cycle.
func cyclicBlocks(f *ssa.Function) []bool {
	// Tarjan's strongly connected components, with an explicit stack.
	n := len(f.Blocks)
	cyclic := make([]bool, n)
	index := make([]int, n) // 0 is unvisited
	low := make([]int, n)
	onStack := make([]bool, n)
	var stack []int
	type frame struct{ b, succ int }
	next := 1
	var work []frame
	visit := func(b int) {
		index[b], low[b] = next, next
		next++
		stack = append(stack, b)
		onStack[b] = true
		work = append(work, frame{b, 0})
	}
	for root := range f.Blocks {
		if index[root] != 0 {
			continue
		}
		visit(root)
		for len(work) > 0 {
			top := &work[len(work)-1]
			if succs := f.Blocks[top.b].Succs; top.succ < len(succs) {
				to := succs[top.succ].Index
				top.succ++
				switch {
				case index[to] == 0:
					visit(to)
				case onStack[to]:
					low[top.b] = min(low[top.b], index[to])
				}
				continue
			}
			b := top.b
			work = work[:len(work)-1]
			if len(work) > 0 {
				p := work[len(work)-1].b
				low[p] = min(low[p], low[b])
			}
			if low[b] != index[b] {
				continue
			}
			var members []int
			for {
				m := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				onStack[m] = false
				members = append(members, m)
				if m == b {
					break
				}
			}
			for _, m := range members {
				cyclic[m] = len(members) > 1 || slices.Contains(f.Blocks[m].Succs, f.Blocks[m])
			}
		}
	}
	return cyclic
}
