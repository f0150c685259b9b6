package build

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file counts how often a block of the source is executed at most, for what needs
// memory for each execution: variables that outlive the iteration of the loop that
// declares them, and deferred calls.
//
// Method: a block is executed once for each iteration of the loops around it. A loop is
// bounded by a test through which every iteration goes, that compares a counter with
// what has an upper bound (see upperBound). A counter is a φ-node in the header that
// begins with a constant and changes by a constant, or the variable of a for clause
// whose address is taken and of which go/ssa makes a new one for each iteration, see
// loopvar.go. Only that bounds loops which the source itself bounds: what optimisation may
// find out later comes too late.
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 14.1
// (induction variables).

// maxExecutions is what executions counts up to.
const maxExecutions = 1 << 20

// executions returns how often blk is executed at most in a call of its function. ok is
// false if that is not known.
func executions(blk *ssa.BasicBlock) (n int64, ok bool) {
	if !reducible(blk.Parent()) {
		return 0, false
	}
	n = 1
	for _, head := range blk.Parent().Blocks {
		l, isLoop := loopAt(head)
		if !isLoop || !l.contains(blk) {
			continue
		}
		trips, ok := l.trips(blk)
		if !ok || n*trips > maxExecutions {
			return 0, false
		}
		n *= trips
	}
	return n, true
}

// A sourceLoop is a natural loop.
type sourceLoop struct {
	head    *ssa.BasicBlock
	latches []*ssa.BasicBlock // that lead back to head
	blocks  map[*ssa.BasicBlock]bool
}

// loopAt returns the loop whose header is head, if it is one.
func loopAt(head *ssa.BasicBlock) (*sourceLoop, bool) {
	l := &sourceLoop{head: head, blocks: map[*ssa.BasicBlock]bool{head: true}}
	for _, p := range head.Preds {
		if head.Dominates(p) && !slices.Contains(l.latches, p) {
			l.latches = append(l.latches, p)
		}
	}
	work := slices.Clone(l.latches)
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if !l.blocks[b] {
			l.blocks[b] = true
			work = append(work, b.Preds...)
		}
	}
	return l, len(l.latches) > 0
}

func (l *sourceLoop) contains(b *ssa.BasicBlock) bool { return l.blocks[b] }

// reducible reports whether all cycles of f are natural loops.
func reducible(f *ssa.Function) bool {
	order := reversePostorder(f)
	at := make(map[*ssa.BasicBlock]int)
	for i, b := range order {
		at[b] = i
	}
	for _, b := range order {
		for _, s := range b.Succs {
			if at[s] <= at[b] && !s.Dominates(b) {
				return false
			}
		}
	}
	return true
}

// trips returns how often l executes blk, one of its blocks, at most each time it is
// entered.
func (l *sourceLoop) trips(blk *ssa.BasicBlock) (n int64, ok bool) {
	for _, b := range l.head.Parent().Blocks {
		if !l.contains(b) || slices.ContainsFunc(l.latches, func(p *ssa.BasicBlock) bool { return !b.Dominates(p) }) {
			continue
		}
		test, isTest := b.Instrs[len(b.Instrs)-1].(*ssa.If)
		if !isTest || l.contains(b.Succs[0]) == l.contains(b.Succs[1]) {
			continue
		}
		stay := b.Succs[0]
		if !l.contains(stay) {
			stay = b.Succs[1]
		}
		passes, known := l.passes(test.Cond, stay == b.Succs[0])
		if !known {
			continue
		}
		if len(stay.Preds) > 1 || !stay.Dominates(blk) {
			passes++ // it is executed before the test
		}
		if !ok || passes < n {
			n, ok = passes, true
		}
	}
	return n, ok
}

// passes returns how often cond has the value want at most before the loop ends because
// it has the other.
func (l *sourceLoop) passes(cond ssa.Value, want bool) (n int64, ok bool) {
	c, isCmp := cond.(*ssa.BinOp)
	if !isCmp {
		return 0, false
	}
	op, x, y := c.Op, c.X, c.Y
	if !want {
		op = negatedOrder[op]
	}
	if _, isConst := constInt(x); isConst {
		op, x, y = swappedOrder[op], y, x
	}
	start, step, ok := l.counter(x)
	i, isInt := intTypeOf(x.Type())
	if !ok || !isInt {
		return 0, false
	}
	switch {
	case step > 0 && (op == token.LSS || op == token.LEQ):
		bound, ok := boundAt(y, l.head)
		if op == token.LEQ {
			bound++
		}
		if !ok || bound-1+step > i.max() {
			return 0, false
		}
		return max(0, (bound-start+step-1)/step), true
	case step < 0 && (op == token.GTR || op == token.GEQ):
		bound, ok := constInt(y)
		if op == token.GEQ {
			bound--
		}
		if !ok || bound+1+step < i.min() {
			return 0, false
		}
		return max(0, (start-bound-step-1)/-step), true
	}
	return 0, false
}

var (
	negatedOrder = map[token.Token]token.Token{token.LSS: token.GEQ, token.LEQ: token.GTR, token.GTR: token.LEQ, token.GEQ: token.LSS}
	swappedOrder = map[token.Token]token.Token{token.LSS: token.GTR, token.LEQ: token.GEQ, token.GTR: token.LSS, token.GEQ: token.LEQ}
)

// maxCount bounds the numbers with which loops are counted.
const maxCount = 1 << 31

// max returns the largest value of the type that is counted with.
func (i intType) max() int64 {
	if i.signed {
		return min(int64(1)<<(i.bits-1)-1, maxCount)
	}
	return min(int64(1)<<min(i.bits, 62)-1, maxCount)
}

// min returns the smallest value of the type that is counted with.
func (i intType) min() int64 {
	if i.signed {
		return -i.max() - 1
	}
	return 0
}

// counter returns the value of x in the first iteration of l, and by how much it changes
// from one to the next.
func (l *sourceLoop) counter(x ssa.Value) (start, step int64, ok bool) {
	off := int64(0)
	if sum, c, isSum := constSum(x); isSum {
		x, off = sum, c
	}
	switch x := x.(type) {
	case *ssa.Phi:
		start, step, ok = l.countedPhi(x)
	case *ssa.UnOp:
		if p, isPhi := x.X.(*ssa.Phi); isPhi && x.Op == token.MUL {
			start, step, ok = l.countedVariable(p)
		}
	}
	return start + off, step, ok && max(start, -start, step, -step, off, -off) < maxCount
}

// constSum returns the operands of x if it is a sum or difference of a value and a constant.
func constSum(x ssa.Value) (sum ssa.Value, c int64, ok bool) {
	b, isBin := x.(*ssa.BinOp)
	if !isBin || b.Op != token.ADD && b.Op != token.SUB {
		return nil, 0, false
	}
	c, ok = constInt(b.Y)
	if b.Op == token.SUB {
		c = -c
	}
	return b.X, c, ok
}

// countedPhi is counter for a φ-node of the header.
func (l *sourceLoop) countedPhi(p *ssa.Phi) (start, step int64, ok bool) {
	if p.Block() != l.head {
		return 0, 0, false
	}
	started, stepped := false, false
	for i, e := range p.Edges {
		if !l.contains(l.head.Preds[i]) {
			c, isConst := constInt(e)
			if !isConst || started && c != start {
				return 0, 0, false
			}
			start, started = c, true
			continue
		}
		x, c, isSum := constSum(e)
		if !isSum || x != ssa.Value(p) || stepped && c != step {
			return 0, 0, false
		}
		step, stepped = c, true
	}
	return start, step, started && stepped
}

// countedVariable is counter for the variable of a for clause that p stands for.
func (l *sourceLoop) countedVariable(p *ssa.Phi) (start, step int64, ok bool) {
	if p.Block() != l.head || len(p.Edges) != 2 || !neverStored(p) {
		return 0, 0, false
	}
	outer, isOuter := p.Edges[0].(*ssa.Alloc)
	next, isNext := p.Edges[1].(*ssa.Alloc)
	if !isOuter || !isNext || l.contains(outer.Block()) || !copiesLoopVar(next, p) {
		return 0, 0, false
	}
	first, last := storesInBlock(outer), storesInBlock(next)
	if len(first) != 1 || len(last) != 2 {
		return 0, 0, false
	}
	x, step, isSum := constSum(last[1].Val)
	load, isLoad := x.(*ssa.UnOp)
	start, isConst := constInt(first[0].Val)
	return start, step, isSum && isConst && isLoad && load.X == next && load.Block() == next.Block()
}

// storesInBlock returns the stores to the variable a if all that is done with it, but
// in φ-nodes, is to load and store it in the block that declares it.
func storesInBlock(a *ssa.Alloc) []*ssa.Store {
	for _, r := range *a.Referrers() {
		s, isStore := r.(*ssa.Store)
		load, isLoad := r.(*ssa.UnOp)
		_, isPhi := r.(*ssa.Phi)
		if isStore && (s.Addr != a || s.Block() != a.Block()) || isLoad && load.Block() != a.Block() || !isStore && !isLoad && !isPhi {
			return nil
		}
	}
	var stores []*ssa.Store
	for _, instr := range a.Block().Instrs {
		if s, ok := instr.(*ssa.Store); ok && s.Addr == a {
			stores = append(stores, s)
		}
	}
	return stores
}

// neverStored reports whether nothing is assigned to the variable at address v by that
// address, or by closures that capture it.
func neverStored(v ssa.Value) bool {
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.MakeClosure:
			for i, b := range r.Bindings {
				if b == v && !onlyLoaded(r.Fn.(*ssa.Function).FreeVars[i]) {
					return false
				}
			}
		case *ssa.UnOp, *ssa.DebugRef:
		default:
			return false
		}
	}
	return true
}

// lengthOf returns how many elements x, a slice, has at most, if its expression shows it.
func lengthOf(x ssa.Value) (n int64, ok bool) {
	switch x := x.(type) {
	case *ssa.Const:
		if x.Value == nil {
			return 0, true
		}
		if s, isString := constString(x); isString {
			return int64(len(s)), true
		}
	case *ssa.MakeSlice:
		return upperBound(x.Cap)
	case *ssa.Convert:
		if isLimited(x.X.Type()) {
			return lengthOf(x.X)
		}
	case *ssa.Slice:
		if x.High != nil {
			if n, ok = upperBound(x.High); ok {
				return n, true
			}
		}
		if p, isPtr := x.X.Type().Underlying().(*types.Pointer); isPtr {
			return p.Elem().Underlying().(*types.Array).Len(), true
		}
		return lengthOf(x.X)
	}
	return 0, false
}
