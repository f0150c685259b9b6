package regalloc

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// This file is the coalescing half of iterated register coalescing.

// tryMove coalesces the ends of move m if that cannot make the graph harder to
// colour, and otherwise leaves the move waiting or gives it up.
func (c *colorer) tryMove(m int32) {
	mv := &c.moves[m]
	if mv.state != moveReady {
		return
	}
	x, y := c.resolve(mv.dst), c.resolve(mv.src)
	if x.IsPhys() {
		x, y = y, x
	}
	if x.IsPhys() || x == y { // both physical, or the same
		c.giveUp(m, x, y)
		return
	}
	u := variable(x)
	if c.nodes[u].state != active {
		c.giveUp(m, x, y)
		return
	}
	if y.IsPhys() {
		switch {
		case !c.allowed(u).has(y):
			c.giveUp(m, x, y)
		case c.safeWithPhys(u, y):
			mv.state = moveDone
			c.combineWithPhys(u, y)
		default:
			mv.state = moveWaiting
		}
		return
	}
	v := variable(y)
	if len(c.nodes[v].adj) > len(c.nodes[u].adj) {
		u, v = v, u
	}
	switch {
	case c.nodes[v].state != active || c.edges.has(u, v) || c.allowed(u)&c.allowed(v) == 0:
		c.giveUp(m, x, y)
	case c.safe(u, v):
		mv.state = moveDone
		c.combine(u, v)
	default:
		mv.state = moveWaiting
	}
}

// giveUp takes move m out of consideration, which may leave its ends without
// moves.
func (c *colorer) giveUp(m int32, ends ...mir.Reg) {
	c.moves[m].state = moveDone
	for _, r := range ends {
		if r.IsVirtual() {
			c.enqueue(variable(r))
		}
	}
}

// safeWithPhys is George's test: every neighbour of u either interferes with r
// already or is of low degree, and stays so.
func (c *colorer) safeWithPhys(u int32, r mir.Reg) bool {
	for _, t := range c.nodes[u].adj {
		if c.nodes[t].state == active && !c.nodes[t].phys.has(r) && !c.isLow(t) {
			return false
		}
	}
	return true
}

// combineWithPhys colours u with r, by coalescing.
func (c *colorer) combineWithPhys(u int32, r mir.Reg) {
	c.nodes[u].state = colored
	c.nodes[u].color = r
	for _, t := range c.nodes[u].adj {
		switch c.nodes[t].state {
		case active:
			// One neighbour less and at most one register less: of low degree
			// before, of low degree after.
			c.nodes[t].phys |= setOf(r)
			c.decrement(t)
		case selected:
			// It was removed while it had this neighbour to be coloured first.
		}
	}
	// Moves between u and others are moves between r and others now.
	c.enableMoves(u)
}

// safe reports whether u and v can be coalesced without harm: if either of
// George's or Briggs's tests says so. George's comes first because it looks at the
// neighbours of v only, of which there are fewer.
func (c *colorer) safe(u, v int32) bool {
	return c.george(u, v) || c.briggs(u, v)
}

// briggs reports whether the union of u and v has fewer neighbours of high degree
// than registers.
func (c *colorer) briggs(u, v int32) bool {
	allowed := (c.allowed(u) & c.allowed(v)).count()
	c.stamp++
	high := 0
	for _, t := range c.nodes[v].adj {
		if c.nodes[t].state == active {
			c.mark[t] = c.stamp
			if int(c.nodes[t].degree) >= c.allowed(t).count() {
				high++
			}
		}
	}
	for _, t := range c.nodes[u].adj {
		if c.nodes[t].state != active {
			continue
		}
		free := c.allowed(t).count()
		degree := int(c.nodes[t].degree)
		switch {
		case c.mark[t] != c.stamp && degree >= free:
			high++
		case c.mark[t] == c.stamp && degree == free:
			high-- // it has one neighbour where it had two
		}
		if high-len(c.nodes[v].adj) >= allowed {
			return false // even if all of v's neighbours were to be discounted
		}
	}
	return high < allowed
}

// george reports whether every neighbour of v, and every register it interferes
// with, is one of u already, or of low degree.
func (c *colorer) george(u, v int32) bool {
	if c.regs&c.nodes[v].phys&^c.nodes[u].phys != 0 {
		return false
	}
	for _, t := range c.nodes[v].adj {
		if c.nodes[t].state == active && !c.isLow(t) && !c.edges.has(t, u) {
			return false
		}
	}
	return true
}

// combine coalesces v into u.
func (c *colorer) combine(u, v int32) {
	nu, nv := &c.nodes[u], &c.nodes[v]
	nv.state = coalesced
	nv.alias = u
	nu.members = append(append(nu.members, v), nv.members...)
	nu.phys |= nv.phys
	nu.cost += nv.cost
	nu.tiny = nu.tiny && nv.tiny
	nu.moves = append(nu.moves, nv.moves...)
	nu.pending = append(nu.pending, nv.pending...)
	for _, t := range nv.adj {
		switch c.nodes[t].state {
		case active:
			if c.edges.has(t, u) {
				c.decrement(t)
				continue
			}
			// v leaves and u comes: the degree of t stays.
			c.edges.add(t, u)
			c.nodes[t].adj = append(c.nodes[t].adj, u)
			nu.adj = append(nu.adj, t)
			nu.degree++
		case selected:
			// Coloured after u: it must see u, which it does through v.
		}
	}
	c.dropInactive(u)
	c.enableMoves(u)
	if c.isLow(u) {
		c.enqueue(u)
	} else {
		c.high = append(c.high, u)
	}
}

// dropInactive forgets neighbours of u that are not in the graph any more, if they are many:
// they are coloured after u, or their colours are in u's phys, or they have been
// coalesced with others that are neighbours as well. Those that u had by itself stay.
func (c *colorer) dropInactive(u int32) {
	n := &c.nodes[u]
	if len(n.adj) < 2*(n.ownAdj+int(n.degree))+32 {
		return
	}
	left := n.adj[:n.ownAdj]
	for _, t := range n.adj[n.ownAdj:] {
		if c.nodes[t].state == active {
			left = append(left, t)
		}
	}
	n.adj = left
}
