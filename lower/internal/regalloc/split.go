package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file splits webs that live across calls. Such a web needs one of R6 to R9
// all its life. Pressure is within limits at the calls, but between two calls there
// may be webs that lived across the first and webs that will live across the
// second, together more than four. So a web that failed is cut where it has crossed
// its last call: a copy of the register to itself marks the place and makes
// different webs of the two sides, which coalescing joins again where that does no
// harm.

// splitAtCalls cuts the webs in subject where it can, and marks those as divided.
// live is what is live on entry to the blocks.
func (a *allocator) splitAtCalls(subject []bool, live [][]int32) {
	s := &callSplitter{allocator: a, subject: subject, o: newOperands()}
	s.live = make([][]int32, len(live))
	for b, list := range live {
		for _, v := range list {
			if subject[v] {
				s.live[b] = append(s.live[b], v)
			}
		}
	}
	s.findCrossings()
	for b := range a.g.blocks {
		s.block(b)
	}
	s.edges()
}

// A callSplitter cuts webs.
type callSplitter struct {
	*allocator
	subject []bool      // by web: to be cut
	live    [][]int32   // by block: subjects live on entry
	cross   [][]int32   // by block: crosses a call at or behind its start
	calls   []crossings // by block
	o       *operands
}

// crossings are the subjects that live across the calls of a block, by
// position of the call.
type crossings map[int][]int32

func (s *callSplitter) findCrossings() {
	g := s.g
	s.calls = make([]crossings, len(g.blocks))
	live := newSparseSet(len(s.subject))
	for b, blk := range g.blocks {
		live.clear()
		live.addLiveOut(g, s.live, b)
		for i := len(blk.Insts) - 1; i >= 0; i-- {
			in := &blk.Insts[i]
			if in.Clobbers() && len(live.list) > 0 {
				if s.calls[b] == nil {
					s.calls[b] = crossings{}
				}
				s.calls[b][i] = slices.Sorted(slices.Values(live.list))
			}
			s.occurrences(in, mir.Write, live.remove)
			s.occurrences(in, mir.Read, live.add)
		}
	}
	s.cross = liveIn(g, len(s.subject), func(b int, e events) {
		blk := g.blocks[b]
		for i := range blk.Insts {
			in := &blk.Insts[i]
			for _, v := range s.calls[b][i] {
				e.use(v)
			}
			s.occurrences(in, mir.Write, e.def)
		}
	})
}

// occurrences calls visit for the subjects that in reads, or that it writes
// without reading them.
func (s *callSplitter) occurrences(in *mir.Inst, use mir.RegUse, visit func(v int32)) {
	for _, op := range s.o.of(in) {
		if op.reg.IsVirtual() && s.subject[variable(op.reg)] && op.use&(mir.Read|mir.Write) != 0 {
			if reads := op.use&mir.Read != 0; reads == (use == mir.Read) {
				visit(variable(op.reg))
			}
		}
	}
}

func selfCopy(v int32) mir.Inst {
	return mir.Inst{Op: mir.OpMov, Dst: register(v), Src: register(v), Src2: mir.NoReg}
}

// block cuts webs behind the last call that they cross.
func (s *callSplitter) block(b int) {
	blk := s.g.blocks[b]
	if len(s.calls[b]) == 0 {
		return
	}
	later := map[int32]bool{} // crosses a call behind here
	for _, t := range s.g.succs[b] {
		for _, v := range s.cross[t] {
			later[v] = true
		}
	}
	last := make(crossings)
	for i := len(blk.Insts) - 1; i >= 0; i-- {
		for _, v := range s.calls[b][i] {
			if !later[v] {
				last[i] = append(last[i], v)
				later[v] = true
			}
		}
		s.occurrences(&blk.Insts[i], mir.Write, func(v int32) { later[v] = false })
	}
	var code []mir.Inst
	for i := range blk.Insts {
		code = append(code, blk.Insts[i])
		for _, v := range last[i] {
			code = append(code, selfCopy(v))
			s.level[v] = divided
		}
	}
	blk.Insts = code
}

// edges cuts webs where one way out of a block has calls that they cross, and
// the other has not.
func (s *callSplitter) edges() {
	g := s.g
	ed := newEdgeEditor(g)
	for b := range g.blocks {
		for i, p := range g.preds[b] {
			var code []mir.Inst
			for _, t := range g.succs[p] {
				if t == int32(b) {
					continue
				}
				for _, v := range s.cross[t] {
					if slices.Contains(s.live[b], v) && !slices.Contains(s.cross[b], v) {
						code = append(code, selfCopy(v))
						s.level[v] = divided
					}
				}
			}
			if code != nil {
				ed.insert(p, int32(b), i, code)
			}
		}
	}
	if ed.finish() {
		s.g = newGraph(s.f)
	}
}
