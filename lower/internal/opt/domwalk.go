package opt

import "github.com/undergo-ebpf/undergo/lower/internal/ir"

// walkDominators visits the reachable blocks so that each comes after the block
// that dominates it, calling enter before and leave after all blocks that a block
// dominates have been visited. Of the blocks that one block dominates, those
// that come first in reverse postorder are visited first, so that all edges into
// a block but those that close a loop have been seen when it is entered.
func walkDominators(dom *ir.DomTree, enter, leave func(*ir.Block)) {
	type frame struct {
		b    *ir.Block
		next int
	}
	entry := dom.Order()[0]
	enter(entry)
	stack := []frame{{entry, 0}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if kids := dom.Children(top.b); top.next < len(kids) {
			kid := kids[top.next]
			top.next++
			enter(kid)
			stack = append(stack, frame{kid, 0})
			continue
		}
		leave(top.b)
		stack = stack[:len(stack)-1]
	}
}

// enteredBy returns the only edge by which b is entered from outside of a loop of which it is the
// header, or the only edge at all. What is decided there holds in all of the loop.
func enteredBy(dom *ir.DomTree, b *ir.Block) (from ir.Pred, ok bool) {
	for _, e := range dom.Preds()[b.ID] {
		switch {
		case dom.Dominates(b, e.Block):
		case ok:
			return from, false
		default:
			from, ok = e, true
		}
	}
	return from, ok
}
