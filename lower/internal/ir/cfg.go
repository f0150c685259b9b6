package ir

import "slices"

// RPO returns the blocks of f that are reachable from the entry, in reverse
// postorder: a block comes before its successors except along back edges. The
// true side of a branch comes before the false side where the graph leaves the
// choice. The order depends only on the graph, not on Func.Blocks.
func RPO(f *Func) []*Block {
	if len(f.Blocks) == 0 {
		return nil
	}
	// An explicit stack: generated code can nest deeper than is kind to
	// recursion. Successors are visited last to first, so that reversing the
	// postorder puts the first successor first.
	type frame struct {
		b    *Block
		left int // successors not yet visited
	}
	seen := make([]bool, f.NumBlocks())
	order := make([]*Block, 0, len(f.Blocks))
	entry := f.Blocks[0]
	seen[entry.ID] = true
	stack := []frame{{entry, len(entry.Term.Succs)}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.left == 0 {
			order = append(order, top.b)
			stack = stack[:len(stack)-1]
			continue
		}
		top.left--
		to := top.b.Term.Succs[top.left].To
		if !seen[to.ID] {
			seen[to.ID] = true
			stack = append(stack, frame{to, len(to.Term.Succs)})
		}
	}
	slices.Reverse(order)
	return order
}

// A Pred is an edge seen from its target: successor number Succ of Block. A
// branch with equal targets makes two.
type Pred struct {
	Block *Block
	Succ  int
}

// Edge returns the edge itself, so that its arguments can be read and changed.
func (p Pred) Edge() *Edge { return &p.Block.Term.Succs[p.Succ] }

// Preds returns the incoming edges of every block, indexed by [Block.ID] and
// ordered by the position of the source in f.Blocks. Edges from unreachable
// blocks are included. The result is not updated when f changes.
func Preds(f *Func) [][]Pred {
	preds := make([][]Pred, f.NumBlocks())
	for _, b := range f.Blocks {
		for i := range b.Term.Succs {
			to := b.Term.Succs[i].To.ID
			preds[to] = append(preds[to], Pred{b, i})
		}
	}
	return preds
}
