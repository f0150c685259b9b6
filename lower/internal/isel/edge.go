package isel

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file selects what happens on the edges of the graph: the arguments of a
// block are moved to its parameters, all at once.

// A move sets register dst to the value src.
type move struct {
	dst mir.Reg
	src *ir.Value
}

// edgeMoves returns the moves that e needs: none for parameters without a use or
// that keep their value, nor for those that share the argument's register.
func (s *selector) edgeMoves(e ir.Edge) []move {
	if s.preds[e.To.ID] == 1 {
		return nil
	}
	var moves []move
	for i, p := range e.To.Params {
		// Uses of p in a loop may come later than this edge, so that its register
		// cannot tell whether it has any.
		if s.values[p.ID].uses == 0 || s.values[e.Args[i].ID].root == p {
			continue
		}
		s.root(e.Args[i]).becomes = p
		moves = append(moves, move{s.reg(p), e.Args[i]})
	}
	return moves
}

// edgeBlock returns the block that a branch continues at along e: the target,
// or, if there is something to move, a new block on the edge.
func (s *selector) edgeBlock(e ir.Edge) *mir.Block {
	to := s.blocks[e.To.ID]
	moves := s.edgeMoves(e)
	if len(moves) == 0 {
		return to
	}
	b := s.newBlock(min(s.depth[s.block.ID], s.depth[e.To.ID]))
	s.edges = append(s.edges, b)
	before := len(s.seq)
	s.parallelMove(moves)
	s.jump(to)
	b.Insts = append(b.Insts, s.seq[before:]...)
	s.seq = s.seq[:before]
	return b
}

// parallelMove emits moves as if all of them happened at once.
//
// A move can be made as soon as no other one still to be made reads its
// destination. When there is none left of these, the rest are cycles: saving one
// destination in a temporary, for the only one that reads it, opens a cycle.
// Sources without a register of their own come last, so that they are not live
// for longer than necessary. (Boissinot et al., "Revisiting Out-of-SSA
// Translation for Correctness, Code Quality, and Efficiency", 2009, algorithm 1.)
func (s *selector) parallelMove(moves []move) {
	if len(moves) == 1 {
		s.moveTo(moves[0].dst, moves[0].src)
		return
	}
	type copy struct {
		dst, src mir.Reg
		readers  int // copies still to be made that read dst
		done     bool
	}
	var copies []copy
	writer := make(map[mir.Reg]int) // by destination: index in copies
	for _, m := range moves {
		if !s.isMadeAnew(m.src) {
			writer[m.dst] = len(copies)
			copies = append(copies, copy{dst: m.dst, src: s.reg(m.src)})
		}
	}
	for _, c := range copies {
		if w, ok := writer[c.src]; ok {
			copies[w].readers++
		}
	}
	// resolve makes copy i and all that become possible by that.
	resolve := func(i int) {
		for {
			c := &copies[i]
			s.mov(c.dst, c.src)
			c.done = true
			w, ok := writer[c.src]
			if !ok {
				return
			}
			if copies[w].readers--; copies[w].readers > 0 || copies[w].done {
				return
			}
			i = w
		}
	}
	for i := range copies {
		if c := &copies[i]; !c.done && c.readers == 0 {
			resolve(i)
		}
	}
	for i := range copies {
		if copies[i].done {
			continue
		}
		last := i // of the cycle, the one that reads what copy i writes
		for copies[last].src != copies[i].dst {
			last = writer[copies[last].src]
		}
		copies[last].src = s.out.NewReg()
		s.mov(copies[last].src, copies[i].dst)
		resolve(i)
	}
	for _, m := range moves {
		if s.isMadeAnew(m.src) {
			s.moveTo(m.dst, m.src)
		}
	}
}
