package emit

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// This file orders the blocks of a function.
//
// Jumps are threaded through blocks that do nothing but jump. Blocks that do nothing
// but panic are not laid out: jumps to them go to the panic's stub. What remains
// is put in reverse postorder, so that code without loops only jumps
// forward; rotate.go turns loops around after that.
// Of two successors the one visited last by the depth-first search comes
// right after its predecessor: that is the one in the deeper loop, else the one that
// is not cold, else the target of the branch, which is inverted for it.

// layOut returns the blocks of f in order, without those that nothing reaches: the
// verifier rejects dead code.
func layOut(f *mir.Func) []*mir.Block {
	visited := make([]bool, f.NumBlocks())
	var postorder []*mir.Block
	var visit func(b *mir.Block)
	visit = func(b *mir.Block) {
		if visited[b.ID] {
			return
		}
		visited[b.ID] = true
		near, far := destinations(b)
		if far != nil && fallsThrough(far, near) {
			near, far = far, near
		}
		if far != nil && !isStub(far) {
			visit(far)
		}
		if near != nil && !isStub(near) {
			visit(near)
		}
		postorder = append(postorder, b)
	}
	visit(f.Blocks[0])
	order := make([]*mir.Block, len(postorder))
	for i, b := range postorder {
		order[len(order)-1-i] = b
	}
	return order
}

// destinations returns where b continues: nowhere (nil, nil), at one block, or at
// either of two. A jump to a block that only returns is itself a return.
func destinations(b *mir.Block) (to, other *mir.Block) {
	switch t := b.Term(); t.Op {
	case mir.OpJmp:
		to = thread(t.To)
	case mir.OpBr:
		to, other = thread(t.To), thread(t.Else)
		if to != other {
			return to, other
		}
	default:
		return nil, nil
	}
	if isExit(to) {
		return nil, nil
	}
	return to, nil
}

// thread returns where a jump to b ends up.
func thread(b *mir.Block) *mir.Block {
	// An endless loop of empty blocks has no end; any of its blocks will do.
	for seen := 0; seen < 64 && b.Insts[0].Op == mir.OpJmp; seen++ {
		b = b.Insts[0].To
	}
	return b
}

// isStub reports whether b does nothing but panic.
func isStub(b *mir.Block) bool {
	return b.Insts[0].Op == mir.OpPanic && b.Insts[0].Site != mir.SitePropagate
}

// isExit reports whether b does nothing but return.
func isExit(b *mir.Block) bool { return b.Insts[0].Op == mir.OpExit }

// fallsThrough reports whether b is to be preferred to c as the block that follows
// a branch to both.
func fallsThrough(b, c *mir.Block) bool {
	if b.Depth != c.Depth {
		return b.Depth > c.Depth
	}
	return !isCold(b) && isCold(c)
}

// isCold reports whether b ends in something that is not expected to happen.
func isCold(b *mir.Block) bool {
	op := b.Term().Op
	return op == mir.OpPanic || op == mir.OpUnreachable
}
