package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file copies parts of functions.

// copyBlocks appends copies of blocks to the function dst of the same module, and returns
// them by their originals. Edges among the blocks lead to the copies, others to where
// they did. values says what stands for values of other blocks, if not they
// themselves; the copies of those of the blocks are added to it.
func copyBlocks(dst *ir.Func, blocks []*ir.Block, values map[*ir.Value]*ir.Value) map[*ir.Block]*ir.Block {
	copies := make(map[*ir.Block]*ir.Block, len(blocks))
	for _, b := range blocks {
		n := dst.NewBlock()
		copies[b] = n
		for _, p := range b.Params {
			values[p] = n.AddParam(p.Type, p.Pos)
		}
		for _, v := range b.Instrs {
			values[v] = n.Append(copyValue(dst, v))
		}
	}
	copied := func(args []*ir.Value) []*ir.Value {
		list := slices.Clone(args)
		for i, a := range list {
			if w := values[a]; w != nil {
				list[i] = w
			}
		}
		return list
	}
	for _, b := range blocks {
		n := copies[b]
		for i, v := range b.Instrs {
			n.Instrs[i].Args = copied(v.Args)
		}
		n.Term = b.Term
		n.Term.Args = copied(b.Term.Args)
		n.Term.Succs = slices.Clone(b.Term.Succs)
		for i := range n.Term.Succs {
			e := &n.Term.Succs[i]
			e.Args = copied(e.Args)
			if to := copies[e.To]; to != nil {
				e.To = to
			}
		}
	}
	return copies
}

// copyValue returns a copy of v for dst, without operands, that is not yet in any
// block.
func copyValue(dst *ir.Func, v *ir.Value) *ir.Value {
	w := dst.NewValue(v.Op, v.Type, v.Pos)
	w.Width, w.Signed, w.Imm, w.Size, w.Aux = v.Width, v.Signed, v.Imm, v.Size, v.Aux
	return w
}
