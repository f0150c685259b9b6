package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A node is a virtual register in the interference graph. Physical registers
// are not nodes: interference with them is a set in the node, which keeps the
// graph small, for a call interferes with everything live across it.
type node struct {
	adj     []int32 // neighbours, also those removed since
	degree  int32   // neighbours still in the graph
	phys    regSet  // interfering physical registers
	cost    float64 // of spilling: weighted number of occurrences
	tiny    bool    // made by spilling; spilling it again would not help
	moves   []int32 // moves that mention it
	pending []int32 // those of them that may not be done yet
	state   nodeState
	alias   int32   // what it was coalesced into, if state is coalesced
	members []int32 // what was coalesced into it
	color   mir.Reg

	// As built, before coalescing.
	ownPhys regSet
	ownAdj  int // length of adj
	ownCost float64
}

// A move is a copy between two virtual registers, or one and a physical one.
type move struct {
	dst, src mir.Reg
	weight   float64
	state    moveState
}

// An edgeSet is a hash set of pairs of nodes.
type edgeSet struct {
	slots []uint64 // 0 is empty
	count int
}

// add adds the pair of different nodes u and v and reports whether it is new.
func (s *edgeSet) add(u, v int32) bool {
	if 4*s.count >= 3*len(s.slots) {
		s.grow()
	}
	return s.insert(edgeKey(u, v))
}

func edgeKey(u, v int32) uint64 {
	if u > v {
		u, v = v, u
	}
	return uint64(u)<<32 | uint64(v) // not 0, for v > u >= 0
}

// probe returns the first place to look for key (Fibonacci hashing, Knuth 6.4).
func (s *edgeSet) probe(key uint64) int {
	return int((key*0x9e3779b97f4a7c15)>>32) & (len(s.slots) - 1)
}

func (s *edgeSet) has(u, v int32) bool {
	if len(s.slots) == 0 {
		return false
	}
	key := edgeKey(u, v)
	for i := s.probe(key); s.slots[i] != 0; i = (i + 1) & (len(s.slots) - 1) {
		if s.slots[i] == key {
			return true
		}
	}
	return false
}

func (s *edgeSet) insert(key uint64) bool {
	i := s.probe(key)
	for ; s.slots[i] != 0; i = (i + 1) & (len(s.slots) - 1) {
		if s.slots[i] == key {
			return false
		}
	}
	s.slots[i] = key
	s.count++
	return true
}

func (s *edgeSet) grow() {
	old := s.slots
	s.slots = make([]uint64, max(64, 2*len(old)))
	s.count = 0
	for _, key := range old {
		if key != 0 {
			s.insert(key)
		}
	}
}

// addEdge makes u and v interfere.
func (c *colorer) addEdge(u, v int32) {
	if u != v && c.edges.add(u, v) {
		c.pairs = append(c.pairs, [2]int32{u, v})
		c.nodes[u].degree++
		c.nodes[v].degree++
	}
}

// link makes the adjacency lists from the edges, and the lists of moves, in three
// allocations.
func (c *colorer) link() {
	adj := make([]int32, 2*len(c.pairs))
	all := make([]int32, 2*len(c.moves))
	mentions := all
	used := make([]int32, len(c.nodes))
	for i := range c.moves {
		for _, r := range [...]mir.Reg{c.moves[i].dst, c.moves[i].src} {
			if r.IsVirtual() {
				used[variable(r)]++
			}
		}
	}
	for i := range c.nodes {
		n := &c.nodes[i]
		n.adj, adj = adj[:0:n.degree], adj[n.degree:]
		n.moves, mentions = mentions[:0:used[i]], mentions[used[i]:]
	}
	for _, p := range c.pairs {
		u, v := &c.nodes[p[0]], &c.nodes[p[1]]
		u.adj = append(u.adj, p[1])
		v.adj = append(v.adj, p[0])
	}
	for i := range c.moves {
		for _, r := range [...]mir.Reg{c.moves[i].dst, c.moves[i].src} {
			if r.IsVirtual() {
				n := &c.nodes[variable(r)]
				n.moves = append(n.moves, int32(i))
			}
		}
	}
	pending := slices.Clone(all)
	for i, k := range used {
		c.nodes[i].pending, pending = pending[:k:k], pending[k:]
	}
	c.pairs = nil
}

// build constructs the interference graph. A register interferes with those
// that are live where it is written (Chaitin 1982), but for two cases: where a
// copy is written, it does not interfere with registers that hold the value
// copied, which are found by numbering values within the block; and OpCheck
// writes what the register holds already.
func (c *colorer) build(in [][]int32) {
	g := c.g
	live := newSparseSet(len(c.nodes))
	values := newNumbering(len(c.nodes))
	o := newOperands()
	for b, blk := range g.blocks {
		weight := g.weight(b)
		values.forward(blk, o)
		live.clear()
		live.addLiveOut(g, in, b)
		var phys regSet
		for i := len(blk.Insts) - 1; i >= 0; i-- {
			inst := &blk.Insts[i]
			values.undo(i)
			ops := o.of(inst)
			c.written(inst, ops, live, phys, values)
			if inst.Clobbers() {
				for _, v := range live.list {
					c.nodes[v].phys |= clobbered
				}
			}
			for _, op := range ops {
				if op.use&mir.Write == 0 {
					continue
				}
				if op.reg.IsVirtual() {
					live.remove(variable(op.reg))
				} else {
					phys &^= setOf(op.reg)
				}
			}
			for _, op := range ops {
				if op.reg.IsVirtual() {
					c.nodes[variable(op.reg)].cost += weight
				}
				if op.use&mir.Read == 0 {
					continue
				}
				if op.reg.IsVirtual() {
					live.add(variable(op.reg))
				} else {
					phys |= setOf(op.reg)
				}
			}
			if isCopy(inst) && inst.Src != inst.Dst && (inst.Src.IsVirtual() || inst.Dst.IsVirtual()) {
				c.addMove(inst, weight)
			}
		}
	}
	c.link()
}

func (c *colorer) addMove(in *mir.Inst, weight float64) {
	if in.Src.IsPhys() || in.Dst.IsPhys() {
		// A physical register is the only one this move can be rid of with, while
		// variables may still meet in any.
		weight *= 1.5
	}
	c.moves = append(c.moves, move{dst: in.Dst, src: in.Src, weight: weight})
}

// written adds the interferences of what inst writes; live and phys are what is
// live after it.
func (c *colorer) written(inst *mir.Inst, ops []operand, live *sparseSet, phys regSet, values *numbering) {
	if inst.Op == mir.OpCheck {
		return
	}
	copied := int32(-1)
	if isCopy(inst) {
		copied = values.of(inst.Src)
	}
	for _, d := range ops {
		if d.use&mir.Write == 0 {
			continue
		}
		for _, x := range live.list {
			if register(x) != d.reg && (copied < 0 || values.current[x] != copied) {
				c.interfere(d.reg, register(x))
			}
		}
		if d.reg.IsVirtual() {
			for r := mir.R0; r <= mir.R9; r++ {
				if phys.has(r) && (copied < 0 || values.of(r) != copied) {
					c.interfere(d.reg, r)
				}
			}
		}
		for _, x := range ops {
			// Two results of one instruction, and what is read after an early
			// write, are never the same.
			if x.reg != d.reg && (x.use&mir.Write != 0 || d.use&mir.Early != 0) {
				c.interfere(d.reg, x.reg)
			}
		}
	}
}

// interfere makes two registers interfere, one of which may be physical.
func (c *colorer) interfere(x, y mir.Reg) {
	switch {
	case x.IsVirtual() && y.IsVirtual():
		c.addEdge(variable(x), variable(y))
	case x.IsVirtual() && y.IsPhys():
		c.nodes[variable(x)].phys |= setOf(y)
	case y.IsVirtual() && x.IsPhys():
		c.nodes[variable(y)].phys |= setOf(x)
	}
}

// A numbering gives numbers to the values that registers hold in a block: equal
// numbers are equal values.
type numbering struct {
	n       int
	current []int32 // by variable; physical registers follow
	fresh   int32
	log     []assignment
}

type assignment struct {
	inst int
	reg  int32 // index in current
	old  int32
}

func newNumbering(n int) *numbering {
	v := &numbering{n: n, current: make([]int32, n+mir.NumPhys)}
	for i := range v.current {
		v.current[i] = int32(i)
	}
	v.fresh = int32(len(v.current))
	return v
}

func (v *numbering) index(r mir.Reg) int32 {
	if r.IsVirtual() {
		return variable(r)
	}
	return int32(v.n) + int32(r)
}

func (v *numbering) of(r mir.Reg) int32 { return v.current[v.index(r)] }

func (v *numbering) set(i int, r mir.Reg, value int32) {
	x := v.index(r)
	v.log = append(v.log, assignment{i, x, v.current[x]})
	v.current[x] = value
}

// forward numbers the values of a block, so that current is the state at its
// end.
func (v *numbering) forward(blk *mir.Block, o *operands) {
	for i := range blk.Insts {
		in := &blk.Insts[i]
		switch {
		case isCopy(in):
			v.set(i, in.Dst, v.of(in.Src))
			continue
		case in.Op == mir.OpCheck:
			continue
		case in.Clobbers():
			for r := mir.R1; r <= mir.R5; r++ {
				v.fresh++
				v.set(i, r, v.fresh)
			}
		}
		for _, op := range o.of(in) {
			if op.use&mir.Write != 0 {
				v.fresh++
				v.set(i, op.reg, v.fresh)
			}
		}
	}
}

// undo makes current the state before instruction i, the last not undone yet.
func (v *numbering) undo(i int) {
	for len(v.log) > 0 && v.log[len(v.log)-1].inst == i {
		last := v.log[len(v.log)-1]
		v.current[last.reg] = last.old
		v.log = v.log[:len(v.log)-1]
	}
}
