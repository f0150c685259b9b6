package ir

import "slices"

// A Loop is a natural loop: the blocks from which one of the edges back to
// Header can be reached without going through Header, and Header, which
// dominates them. Loops that share a header are one.
type Loop struct {
	Header  *Block
	Latches []Pred   // the edges back to Header
	Blocks  []*Block // in reverse postorder, those of inner loops too
	Parent  *Loop    // the innermost loop around this one, or nil
	Depth   int      // 1 for an outermost loop
}

// A LoopNest is the loops of a function. It is not updated when the function's
// graph changes.
type LoopNest struct {
	// Loops holds every loop, in reverse postorder of the headers: outer loops
	// before inner ones.
	Loops []*Loop
	// Irreducible holds the edges that close a cycle without an entry that
	// dominates it, as goto can make. Such cycles are no loops of the nest, and
	// a natural loop does not know of them: where there are any, passes that
	// rely on the nest to find all cycles must leave the function alone.
	Irreducible []Pred

	inner []*Loop // by Block.ID: the innermost loop around the block, or nil
}

// Loops finds the natural loops of the function of d.
//
// An edge back is one whose target dominates its source. The blocks of a loop
// are found by walking predecessors from the sources up to the header. Headers
// are taken in postorder, so that inner loops are complete before the loops
// around them, whose walk skips over them from header to header.
func Loops(d *DomTree) *LoopNest {
	n := &LoopNest{inner: make([]*Loop, len(d.rpo))}
	for _, header := range slices.Backward(d.order) {
		l := &Loop{Header: header}
		for _, p := range d.preds[header.ID] {
			switch {
			case !d.Reachable(p.Block):
			case d.Dominates(header, p.Block):
				l.Latches = append(l.Latches, p)
			case d.rpo[p.Block.ID] >= d.rpo[header.ID]:
				n.Irreducible = append(n.Irreducible, p)
			}
		}
		if len(l.Latches) > 0 {
			n.Loops = append(n.Loops, l)
			n.fill(l, d)
		}
	}
	slices.Reverse(n.Loops)
	slices.Reverse(n.Irreducible)
	for _, l := range n.Loops {
		l.Depth = 1
		if l.Parent != nil {
			l.Depth += l.Parent.Depth
		}
	}
	for _, b := range d.order {
		for l := n.inner[b.ID]; l != nil; l = l.Parent {
			l.Blocks = append(l.Blocks, b)
		}
	}
	return n
}

// fill finds the blocks and inner loops of l that are in no other loop yet.
func (n *LoopNest) fill(l *Loop, d *DomTree) {
	n.inner[l.Header.ID] = l
	work := slices.Clone(l.Latches)
	for len(work) > 0 {
		b := work[len(work)-1].Block
		work = work[:len(work)-1]
		if !d.Reachable(b) {
			continue
		}
		in := n.inner[b.ID]
		if in == nil {
			n.inner[b.ID] = l
			work = append(work, d.preds[b.ID]...)
			continue
		}
		for in.Parent != nil {
			in = in.Parent
		}
		if in != l {
			in.Parent = l
			work = append(work, d.preds[in.Header.ID]...)
		}
	}
}

// Innermost returns the innermost loop that b is in, or nil.
func (n *LoopNest) Innermost(b *Block) *Loop { return n.inner[b.ID] }

// Depth returns the number of loops that b is in.
func (n *LoopNest) Depth(b *Block) int {
	if l := n.inner[b.ID]; l != nil {
		return l.Depth
	}
	return 0
}

// Contains reports whether b is in l or in a loop inside it.
func (n *LoopNest) Contains(l *Loop, b *Block) bool {
	in := n.inner[b.ID]
	for in != nil && in.Depth > l.Depth {
		in = in.Parent
	}
	return in == l
}
