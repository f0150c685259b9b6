package regalloc

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// commute exchanges the operands of commutative operations where that lets a
// copy be coalesced. Two-address code computes d = a + b as
//
//	mov d, a
//	add d, b
//
// If b is not used any more and a is, then d can have the register of b but not
// that of a. n is the number of variables, in what is live on entry to the blocks.
func commute(g *graph, n int, in [][]int32) {
	live := newSparseSet(n)
	o := newOperands()
	for b, blk := range g.blocks {
		live.clear()
		live.addLiveOut(g, in, b)
		for i := len(blk.Insts) - 1; i >= 0; i-- {
			inst := &blk.Insts[i]
			if i > 0 && inst.Op.Info().Commutes {
				exchange(&blk.Insts[i-1], inst, live)
			}
			ops := o.of(inst)
			for _, op := range ops {
				if op.reg.IsVirtual() && op.use&mir.Write != 0 {
					live.remove(variable(op.reg))
				}
			}
			for _, op := range ops {
				if op.reg.IsVirtual() && op.use&mir.Read != 0 {
					live.add(variable(op.reg))
				}
			}
		}
	}
}

// exchange exchanges the sources of mov and op if that is of use. live is what
// is live behind op.
func exchange(mov, op *mir.Inst, live *sparseSet) {
	a, b, d := mov.Src, op.Src, op.Dst
	if !isCopy(mov) || mov.Dst != d || a == b || b == d ||
		!a.IsVirtual() || b == mir.NoReg || !b.IsVirtual() || !d.IsVirtual() {
		return
	}
	if live.has(variable(a)) && !live.has(variable(b)) {
		mov.Src, op.Src = b, a
	}
}
