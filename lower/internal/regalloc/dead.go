package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// removeDead deletes copies, constants, addresses and reloads into virtual
// registers that are not read, and stores to spill slots that are not loaded.
// n is the number of variables, homes that of spill slots. It keeps other
// instructions with dead results: to find those is the optimiser's business.
func removeDead(g *graph, n, homes int) {
	for removeDeadRegs(g, n) {
		if !removeDeadStores(g, homes) {
			return
		}
	}
}

func removeDeadRegs(g *graph, n int) (any bool) {
	o := newOperands()
	live := newSparseSet(n)
	for changed := true; changed; {
		changed = false
		in := liveRegs(g, n)
		for b, blk := range g.blocks {
			live.clear()
			live.addLiveOut(g, in, b)
			deleted := 0
			for i := len(blk.Insts) - 1; i >= 0; i-- {
				inst := &blk.Insts[i]
				if inst.Dst.IsVirtual() && (inst.Op == mir.OpMov && !inst.W32 || isRemat(inst) || isSpillLoad(inst)) &&
					!live.has(variable(inst.Dst)) {
					// Only a source that goes unused by this may make more dead
					// than the scan of this block finds.
					changed = changed || inst.Src.IsVirtual()
					inst.Op = mir.OpInvalid
					deleted++
					continue
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
			if deleted > 0 {
				blk.Insts = slices.DeleteFunc(blk.Insts, func(in mir.Inst) bool { return in.Op == mir.OpInvalid })
				any = true
			}
		}
	}
	return any
}

func removeDeadStores(g *graph, homes int) (any bool) {
	in := liveSlots(g, homes)
	live := newSparseSet(homes)
	for b, blk := range g.blocks {
		live.clear()
		live.addLiveOut(g, in, b)
		deleted := 0
		for i := len(blk.Insts) - 1; i >= 0; i-- {
			inst := &blk.Insts[i]
			switch {
			case isSpillLoad(inst):
				live.add(int32(inst.Slot.Index))
			case isSpillStore(inst):
				if !live.has(int32(inst.Slot.Index)) {
					inst.Op = mir.OpInvalid
					deleted++
				}
				live.remove(int32(inst.Slot.Index))
			}
		}
		if deleted > 0 {
			blk.Insts = slices.DeleteFunc(blk.Insts, func(in mir.Inst) bool { return in.Op == mir.OpInvalid })
			any = true
		}
	}
	return any
}

// liveSlots computes the spill slots whose contents are loaded later, at the
// starts of the blocks.
func liveSlots(g *graph, homes int) [][]int32 {
	return liveIn(g, homes, func(b int, e events) {
		insts := g.blocks[b].Insts
		for i := range insts {
			switch in := &insts[i]; {
			case isSpillLoad(in):
				e.use(int32(in.Slot.Index))
			case isSpillStore(in):
				e.def(int32(in.Slot.Index))
			}
		}
	})
}

// removeDeadPhys is removeDead for physical registers. slots is the number of
// slots of the function.
func removeDeadPhys(g *graph, slots int) {
	o := newOperands()
	for again := true; again; {
		live := livePhys(g, o)
		again = false
		for b, blk := range g.blocks {
			var out regSet
			for _, s := range g.succs[b] {
				out |= live[s]
			}
			n := len(blk.Insts)
			for i := n - 1; i >= 0; i-- {
				in := &blk.Insts[i]
				if !out.has(in.Dst) && (isCopy(in) || isRemat(in) || isSpillLoad(in)) {
					again = again || in.Src != mir.NoReg || in.Slot != nil
					in.Op = mir.OpInvalid
					n--
					continue
				}
				reads, writes := touched(in, o)
				out = out&^writes | reads
			}
			if n < len(blk.Insts) {
				blk.Insts = slices.DeleteFunc(blk.Insts, func(in mir.Inst) bool { return in.Op == mir.OpInvalid })
			}
		}
		if removeDeadStores(g, slots) {
			again = true
		}
	}
}

// livePhys computes the physical registers live on entry to the blocks.
func livePhys(g *graph, o *operands) []regSet {
	use := make([]regSet, len(g.blocks)) // read before they are written
	def := make([]regSet, len(g.blocks))
	for b, blk := range g.blocks {
		for i := range blk.Insts {
			reads, writes := touched(&blk.Insts[i], o)
			use[b] |= reads &^ def[b]
			def[b] |= writes
		}
	}
	live := make([]regSet, len(g.blocks))
	for changed := true; changed; {
		changed = false
		for b := len(g.blocks) - 1; b >= 0; b-- {
			in := use[b]
			for _, s := range g.succs[b] {
				in |= live[s] &^ def[b]
			}
			if in != live[b] {
				live[b], changed = in, true
			}
		}
	}
	return live
}

// touched returns the physical registers that in reads, and those it writes or
// clobbers.
func touched(in *mir.Inst, o *operands) (reads, writes regSet) {
	if in.Clobbers() {
		writes = clobbered
	}
	for _, op := range o.of(in) {
		if op.use&mir.Read != 0 {
			reads |= setOf(op.reg)
		}
		if op.use&mir.Write != 0 {
			writes |= setOf(op.reg)
		}
	}
	return reads, writes
}
