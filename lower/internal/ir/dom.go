package ir

// A DomTree is the dominator tree of the reachable blocks of a function: block
// a dominates block b if every path from the entry to b goes through a.
//
// It is computed by the iterative algorithm of Cooper, Harvey and Kennedy, "A
// Simple, Fast Dominance Algorithm" (2001): starting from the entry, the
// immediate dominator of each block is the nearest common ancestor, in the tree
// built so far, of its processed predecessors, repeated in reverse postorder
// until nothing changes. Reducible graphs take two rounds, and on the graphs of
// BPF programs, which have tens to hundreds of blocks, it beats the
// asymptotically better methods. A walk over the finished tree numbers the
// blocks in pre- and postorder, so that a query is two comparisons.
//
// A DomTree is not updated when the function's graph changes; changes inside
// blocks do not matter.
type DomTree struct {
	order    []*Block   // reachable blocks in reverse postorder
	rpo      []int      // by Block.ID: position in order, or -1
	idom     []*Block   // by Block.ID: immediate dominator; nil for the entry
	children [][]*Block // by Block.ID, in reverse postorder
	pre      []int      // by Block.ID: when the walk entered the block
	post     []int      // by Block.ID: when it left it
	preds    [][]Pred
}

// Dominators computes the dominator tree of f, which must have an entry.
func Dominators(f *Func) *DomTree {
	n := f.NumBlocks()
	d := &DomTree{
		order:    RPO(f),
		rpo:      make([]int, n),
		idom:     make([]*Block, n),
		children: make([][]*Block, n),
		pre:      make([]int, n),
		post:     make([]int, n),
		preds:    Preds(f),
	}
	for i := range d.rpo {
		d.rpo[i] = -1
	}
	for i, b := range d.order {
		d.rpo[b.ID] = i
	}
	for changed := true; changed; {
		changed = false
		for _, b := range d.order[1:] {
			if idom := d.commonPred(b); d.idom[b.ID] != idom {
				d.idom[b.ID] = idom
				changed = true
			}
		}
	}
	for _, b := range d.order[1:] {
		p := d.idom[b.ID].ID
		d.children[p] = append(d.children[p], b)
	}
	d.number()
	return d
}

// commonPred returns the nearest common ancestor of b's predecessors that have
// a place in the tree already. In reverse postorder there is at least one.
func (d *DomTree) commonPred(b *Block) *Block {
	var idom *Block
	for _, p := range d.preds[b.ID] {
		switch {
		case d.rpo[p.Block.ID] < 0: // unreachable
		case p.Block != d.order[0] && d.idom[p.Block.ID] == nil: // not yet
		case idom == nil:
			idom = p.Block
		default:
			idom = d.intersect(idom, p.Block)
		}
	}
	return idom
}

// intersect returns the nearest common ancestor of a and b.
func (d *DomTree) intersect(a, b *Block) *Block {
	for a != b {
		if d.rpo[a.ID] > d.rpo[b.ID] {
			a = d.idom[a.ID]
		} else {
			b = d.idom[b.ID]
		}
	}
	return a
}

// number sets pre and post by a walk over the tree.
func (d *DomTree) number() {
	type frame struct {
		b    *Block
		next int
	}
	clock := 0
	stack := []frame{{d.order[0], 0}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		kids := d.children[top.b.ID]
		if top.next == len(kids) {
			clock++
			d.post[top.b.ID] = clock
			stack = stack[:len(stack)-1]
			continue
		}
		kid := kids[top.next]
		top.next++
		clock++
		d.pre[kid.ID] = clock
		stack = append(stack, frame{kid, 0})
	}
}

// Order returns the reachable blocks in reverse postorder. A block comes after
// all blocks that dominate it. The caller must not change it.
func (d *DomTree) Order() []*Block { return d.order }

// Preds returns what [Preds] returned when the tree was made. The caller must
// not change it.
func (d *DomTree) Preds() [][]Pred { return d.preds }

// Reachable reports whether b is reachable from the entry.
func (d *DomTree) Reachable(b *Block) bool { return d.rpo[b.ID] >= 0 }

// Idom returns the immediate dominator of b, or nil for the entry and for
// unreachable blocks.
func (d *DomTree) Idom(b *Block) *Block { return d.idom[b.ID] }

// Children returns the blocks that b immediately dominates, in reverse
// postorder. The caller must not change it.
func (d *DomTree) Children(b *Block) []*Block { return d.children[b.ID] }

// Dominates reports whether a dominates b, as every block does itself. An
// unreachable block dominates, and is dominated by, itself only.
func (d *DomTree) Dominates(a, b *Block) bool {
	if a == b {
		return true
	}
	if !d.Reachable(a) || !d.Reachable(b) {
		return false
	}
	return d.pre[a.ID] <= d.pre[b.ID] && d.post[b.ID] <= d.post[a.ID]
}

// StrictlyDominates reports whether a dominates b and is not b.
func (d *DomTree) StrictlyDominates(a, b *Block) bool { return a != b && d.Dominates(a, b) }
