package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// An edgeEditor inserts code on edges: at the end of the source if that has one
// successor, at the start of the target if that has one predecessor, and in a new
// block otherwise.
type edgeEditor struct {
	g     *graph
	front map[int32][]mir.Inst   // by target
	after map[int32][]*mir.Block // new blocks, by source
}

func newEdgeEditor(g *graph) *edgeEditor {
	return &edgeEditor{g: g, front: map[int32][]mir.Inst{}, after: map[int32][]*mir.Block{}}
}

// insert puts code on the edge from p to b that is predecessor number i of b.
func (e *edgeEditor) insert(p, b int32, i int, code []mir.Inst) {
	from, to := e.g.blocks[p], e.g.blocks[b]
	switch {
	case len(e.g.succs[p]) == 1:
		at := len(from.Insts) - 1
		from.Insts = slices.Insert(from.Insts, at, code...)
	case len(e.g.preds[b]) == 1:
		e.front[b] = append(e.front[b], code...)
	default:
		t := from.Term()
		nb := e.g.f.NewBlock()
		e.g.f.Blocks = e.g.f.Blocks[:len(e.g.f.Blocks)-1] // finish places it
		nb.Depth = min(from.Depth, to.Depth)
		nb.Insts = append(code, mir.Inst{Op: mir.OpJmp, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, To: to, Pos: t.Pos})
		// Both edges of a branch may lead to the same block; they follow each
		// other in its list of predecessors.
		if t.To == to && (i == 0 || e.g.preds[b][i-1] != p) {
			t.To = nb
		} else {
			t.Else = nb
		}
		e.after[p] = append(e.after[p], nb)
	}
}

// finish completes the insertions. If it made blocks, the graph is out of date
// and it reports so.
func (e *edgeEditor) finish() (split bool) {
	for b, blk := range e.g.blocks {
		if code := e.front[int32(b)]; code != nil {
			blk.Insts = slices.Insert(blk.Insts, 0, code...)
		}
	}
	if len(e.after) == 0 {
		return false
	}
	number := make(map[*mir.Block]int32, len(e.g.blocks))
	for b, blk := range e.g.blocks {
		number[blk] = int32(b)
	}
	var blocks []*mir.Block
	for _, blk := range e.g.f.Blocks {
		blocks = append(blocks, blk)
		blocks = append(blocks, e.after[number[blk]]...)
	}
	e.g.f.Blocks = blocks
	return true
}
