package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file is iterated register coalescing (George and Appel 1996). Differences
// from the paper: physical registers are sets in the nodes, so that a node is of
// low degree if it has fewer neighbours than there are registers it does not
// interfere with; coalescing with a physical register colours the node at once and
// takes it out of the graph; moves are tried in order of weight.

type nodeState uint8

const (
	active nodeState = iota
	selected
	coalesced
	colored // with a physical register, by coalescing or by selection
	spilled
)

type moveState uint8

const (
	moveReady moveState = iota // on the work list
	moveWaiting
	moveDone // coalesced, constrained or frozen
)

// A colorer assigns registers to the nodes.
type colorer struct {
	*allocator
	nodes []node
	edges edgeSet
	pairs [][2]int32 // the edges, until they are in the nodes
	moves []move

	low    []int32 // active, low degree, not move-related; may hold stale entries
	freeze []int32 // active, low degree, move-related; may hold stale entries
	high   []int32 // initially of high degree
	ready  []int32 // moves to try, best last
	stack  []int32 // selected nodes

	spills []int32
	mark   []int32 // by node: stamp of the last visit
	stamp  int32
}

// color builds and colours the interference graph. live is what is live on entry
// to the blocks. The result is by node; failed
// lists the nodes that got no register, if any, and rivals the nodes that
// interfere with those and live across calls like them.
func (a *allocator) color(live [][]int32) (colors []mir.Reg, failed, rivals []int32) {
	n := len(a.homeOf)
	c := &colorer{allocator: a, nodes: make([]node, n), mark: make([]int32, n)}
	for i := range c.nodes {
		c.nodes[i].tiny = a.level[i] == minimal
		c.nodes[i].color = mir.NoReg
	}
	c.build(live)
	for i := range c.nodes {
		n := &c.nodes[i]
		n.ownPhys, n.ownAdj, n.ownCost = n.phys, len(n.adj), n.cost
	}
	c.initWork()
	for c.step() {
	}
	c.assign()
	if len(c.spills) > 0 {
		slices.Sort(c.spills)
		failed = slices.Compact(c.spills)
		return nil, failed, c.rivals(failed)
	}
	colors = make([]mir.Reg, n)
	for i := range colors {
		colors[i] = c.colorOf(int32(i))
	}
	return colors, nil, nil
}

func (c *colorer) rivals(failed []int32) (list []int32) {
	c.stamp++
	for _, u := range failed {
		c.mark[u] = c.stamp
	}
	for _, u := range failed {
		n := &c.nodes[u]
		if n.ownPhys&clobbered != clobbered {
			continue
		}
		for _, v := range n.adj[:n.ownAdj] {
			if c.mark[v] != c.stamp && c.nodes[v].ownPhys&clobbered == clobbered {
				c.mark[v] = c.stamp
				list = append(list, v)
			}
		}
	}
	return list
}

func (c *colorer) initWork() {
	c.ready = make([]int32, len(c.moves))
	for i := range c.ready {
		c.ready[i] = int32(i)
	}
	// Blocks were walked backwards: of equal weight the first in the code is
	// tried first.
	slices.SortStableFunc(c.ready, func(x, y int32) int {
		switch wx, wy := c.moves[x].weight, c.moves[y].weight; {
		case wx < wy:
			return -1
		case wx > wy:
			return 1
		}
		return 0
	})
	for i := range c.nodes {
		c.enqueue(int32(i))
		if !c.isLow(int32(i)) {
			c.high = append(c.high, int32(i))
		}
	}
	slices.SortStableFunc(c.high, func(x, y int32) int {
		// The cheapest per neighbour last.
		switch px, py := c.priority(x), c.priority(y); {
		case px > py:
			return -1
		case px < py:
			return 1
		}
		return 0
	})
}

// enqueue puts u on the work list it belongs to.
func (c *colorer) enqueue(u int32) {
	if c.nodes[u].state != active || !c.isLow(u) {
		return
	}
	if c.moveRelated(u) {
		c.freeze = append(c.freeze, u)
	} else {
		c.low = append(c.low, u)
	}
}

// step makes one step of the algorithm and reports whether there was any left.
func (c *colorer) step() bool {
	switch {
	case len(c.low) > 0:
		u := pop(&c.low)
		switch {
		case c.nodes[u].state != active:
		case !c.moveRelated(u):
			c.selectNode(u)
		default:
			c.enqueue(u)
		}
	case len(c.ready) > 0:
		c.tryMove(pop(&c.ready))
	case len(c.freeze) > 0:
		u := pop(&c.freeze)
		if c.nodes[u].state == active && c.isLow(u) {
			c.freezeMoves(u)
			c.low = append(c.low, u)
		}
	case len(c.high) > 0:
		// Optimistic: it may get a colour yet (Briggs et al. 1994).
		u := pop(&c.high)
		if c.nodes[u].state == active {
			c.freezeMoves(u)
			c.selectNode(u)
		}
	default:
		return false
	}
	return true
}

func pop(list *[]int32) int32 {
	l := *list
	x := l[len(l)-1]
	*list = l[:len(l)-1]
	return x
}

// allowed returns the registers u does not interfere with.
func (c *colorer) allowed(u int32) regSet { return c.regs &^ c.nodes[u].phys }

// isLow reports whether u can be coloured whatever its neighbours get.
func (c *colorer) isLow(u int32) bool { return int(c.nodes[u].degree) < c.allowed(u).count() }

// priority is the cost of spilling u per neighbour, infinite if it must not be.
func (c *colorer) priority(u int32) float64 {
	n := &c.nodes[u]
	if n.tiny {
		return 1e30
	}
	return n.cost / float64(n.degree+1)
}

func (c *colorer) moveRelated(u int32) bool {
	n := &c.nodes[u]
	for len(n.pending) > 0 && c.moves[n.pending[len(n.pending)-1]].state == moveDone {
		n.pending = n.pending[:len(n.pending)-1]
	}
	return len(n.pending) > 0
}

// selectNode removes u from the graph, to be coloured after those that remain.
func (c *colorer) selectNode(u int32) {
	c.nodes[u].state = selected
	c.stack = append(c.stack, u)
	for _, v := range c.nodes[u].adj {
		if c.nodes[v].state == active {
			c.decrement(v)
		}
	}
}

// decrement accounts for the loss of a neighbour of v.
func (c *colorer) decrement(v int32) {
	was := c.isLow(v)
	c.nodes[v].degree--
	if !was && c.isLow(v) {
		c.enableMoves(v)
		for _, w := range c.nodes[v].adj {
			if c.nodes[w].state == active {
				c.enableMoves(w)
			}
		}
		c.enqueue(v)
	}
}

// enableMoves lets the waiting moves of u be tried again, and forgets those that are done.
func (c *colorer) enableMoves(u int32) {
	n := &c.nodes[u]
	left := n.pending[:0]
	for _, m := range n.pending {
		switch c.moves[m].state {
		case moveDone:
			continue
		case moveWaiting:
			c.moves[m].state = moveReady
			c.ready = append(c.ready, m)
		}
		left = append(left, m)
	}
	n.pending = left
}

// freezeMoves gives up coalescing u.
func (c *colorer) freezeMoves(u int32) {
	for _, m := range c.nodes[u].pending {
		if c.moves[m].state == moveDone {
			continue
		}
		c.moves[m].state = moveDone
		for _, r := range [...]mir.Reg{c.moves[m].dst, c.moves[m].src} {
			if r.IsVirtual() {
				if v := c.find(variable(r)); v != u {
					c.enqueue(v)
				}
			}
		}
	}
}

// find returns the node that v was coalesced into.
func (c *colorer) find(v int32) int32 {
	root := v
	for c.nodes[root].state == coalesced {
		root = c.nodes[root].alias
	}
	for c.nodes[v].state == coalesced { // the way is short the next time
		v, c.nodes[v].alias = c.nodes[v].alias, root
	}
	return root
}

// resolve returns what r stands for now: a physical register, or a virtual one
// that is not coalesced.
func (c *colorer) resolve(r mir.Reg) mir.Reg {
	if r.IsVirtual() {
		v := c.find(variable(r))
		if c.nodes[v].state == colored {
			return c.nodes[v].color
		}
		return register(v)
	}
	return r
}

// assign gives colours to the selected nodes, last selected first.
func (c *colorer) assign() {
	for len(c.stack) > 0 {
		u := pop(&c.stack)
		free := c.allowed(u)
		for _, v := range c.nodes[u].adj {
			if w := c.find(v); c.nodes[w].state == colored {
				free &^= setOf(c.nodes[w].color)
			}
		}
		switch {
		case free != 0:
			c.nodes[u].state = colored
			c.nodes[u].color = c.prefer(u, free)
		case len(c.nodes[u].members) > 0:
			c.split(u)
		default:
			c.fail(u)
		}
	}
}

// split undoes the coalescing of u, which got no colour, and colours its members
// one by one (optimistic coalescing, Park and Moon 2004).
func (c *colorer) split(u int32) {
	members := append([]int32{u}, c.nodes[u].members...)
	for _, m := range members {
		c.nodes[m].state = selected
	}
	slices.SortStableFunc(members, func(x, y int32) int {
		nx, ny := &c.nodes[x], &c.nodes[y]
		switch {
		case nx.tiny != ny.tiny && nx.tiny, nx.tiny == ny.tiny && nx.ownCost > ny.ownCost:
			return -1
		case nx.tiny != ny.tiny, nx.ownCost < ny.ownCost:
			return 1
		}
		return 0
	})
	for _, m := range members {
		n := &c.nodes[m]
		free := c.regs &^ n.ownPhys
		for _, v := range n.adj[:n.ownAdj] {
			if w := c.find(v); c.nodes[w].state == colored {
				free &^= setOf(c.nodes[w].color)
			}
		}
		if free == 0 {
			c.fail(m)
			continue
		}
		n.state = colored
		n.color = c.prefer(m, free)
	}
}

// prefer chooses a register for u among free: that of the other end of a move if
// possible, then those that calls destroy, so that the others stay free for
// what lives across calls.
func (c *colorer) prefer(u int32, free regSet) mir.Reg {
	var weight [mir.NumPhys]float64
	for _, m := range c.nodes[u].moves {
		mv := &c.moves[m]
		for _, r := range [...]mir.Reg{mv.dst, mv.src} {
			if r = c.resolve(r); r.IsPhys() && free.has(r) {
				weight[r] += mv.weight
			}
		}
	}
	best := mir.NoReg
	for _, r := range [...]mir.Reg{mir.R1, mir.R2, mir.R3, mir.R4, mir.R5, mir.R0, mir.R6, mir.R7, mir.R8, mir.R9} {
		if free.has(r) && (best == mir.NoReg || weight[r] > weight[best]) {
			best = r
		}
	}
	return best
}

// fail notes that u got no colour. If u cannot be spilled, the cheapest
// neighbour goes that can.
func (c *colorer) fail(u int32) {
	n := &c.nodes[u]
	n.state = spilled
	if !n.tiny {
		c.spills = append(c.spills, u)
		return
	}
	best := int32(-1)
	for _, v := range n.adj[:n.ownAdj] {
		if w := &c.nodes[v]; w.tiny || w.state == spilled {
			continue
		}
		if best < 0 || c.nodes[v].ownCost < c.nodes[best].ownCost {
			best = v
		}
	}
	if best < 0 {
		panic("BUG: regalloc: operands of one instruction do not fit in registers in " + c.f.Name)
	}
	c.spills = append(c.spills, best)
}

// colorOf returns the register of node v.
func (c *colorer) colorOf(v int32) mir.Reg { return c.nodes[c.find(v)].color }
