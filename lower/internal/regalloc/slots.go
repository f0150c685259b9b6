package regalloc

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// maxLive bounds the spilled values live at once. The stack has room for 64
// (MAX_BPF_STACK in include/linux/filter.h); with many more it does not matter
// whether some share a slot, and finding out would take quadratic time.
const maxLive = 512

// shareSlots replaces the interim spill slots, one for each home, by as few
// slots of the function as simple colouring finds: homes that are never
// live at the same time share one. Homes that are copied to each other share
// one if they can, which makes the copy redundant.
func (a *allocator) shareSlots() {
	homes := 0
	for _, s := range a.homes {
		if s != nil {
			homes++
		}
	}
	if homes == 0 {
		return
	}
	adj, like, order := a.slotGraph()
	slots := make([]*mir.Slot, len(a.homes))
	var made []*mir.Slot
	var usedBy []int32 // by index in made: last home that found it taken, plus one
	position := map[*mir.Slot]int{}
	for _, h := range order {
		if adj == nil {
			slots[h] = a.newSlot()
			continue
		}
		for _, x := range adj[h] {
			if slots[x] != nil {
				usedBy[position[slots[x]]] = h + 1
			}
		}
		for _, x := range like[h] {
			if s := slots[x]; slots[h] == nil && s != nil && usedBy[position[s]] != h+1 {
				slots[h] = s
			}
		}
		for i := 0; i < len(made) && slots[h] == nil; i++ {
			if usedBy[i] != h+1 {
				slots[h] = made[i]
			}
		}
		if slots[h] == nil {
			s := a.newSlot()
			slots[h] = s
			position[s] = len(made)
			made = append(made, s)
			usedBy = append(usedBy, 0)
		}
	}
	for _, blk := range a.g.blocks {
		for i := range blk.Insts {
			if in := &blk.Insts[i]; isSpillLoad(in) || isSpillStore(in) {
				in.Slot = slots[in.Slot.Index]
			}
		}
	}
}

func (a *allocator) newSlot() *mir.Slot {
	s := a.f.NewSlot("spill", 8, 8, 0)
	s.Spill = true
	return s
}

// slotGraph returns the interference of homes, the pairs that are copied, and
// the homes in order of their first store. If there are more than maxLive at once
// it returns no graph.
func (a *allocator) slotGraph() (adj, like [][]int32, order []int32) {
	n := len(a.homes)
	adj, like = make([][]int32, n), make([][]int32, n)
	seen := make([]bool, n)
	o := newOperands()
	for _, blk := range a.g.blocks {
		var holds [mir.NumPhys]int32 // by register: the home it was loaded from or stored to, plus one
		for i := range blk.Insts {
			in := &blk.Insts[i]
			if isSpillStore(in) {
				h := int32(in.Slot.Index)
				if !seen[h] {
					seen[h] = true
					order = append(order, h)
				}
				if x := holds[in.Src] - 1; x >= 0 && x != h {
					like[h] = append(like[h], x)
					like[x] = append(like[x], h)
				}
				holds[in.Src] = h + 1
				continue
			}
			from := int32(0)
			switch {
			case isSpillLoad(in):
				from = int32(in.Slot.Index) + 1
			case isCopy(in):
				from = holds[in.Src]
			case in.Clobbers():
				for r := mir.R1; r <= mir.R5; r++ {
					holds[r] = 0
				}
			}
			for _, op := range o.of(in) {
				if op.use&mir.Write != 0 {
					holds[op.reg] = from
				}
			}
		}
	}
	in := liveSlots(a.g, n)
	live := newSparseSet(n)
	var edges edgeSet
	for b, blk := range a.g.blocks {
		live.clear()
		live.addLiveOut(a.g, in, b)
		for i := len(blk.Insts) - 1; i >= 0; i-- {
			switch inst := &blk.Insts[i]; {
			case isSpillLoad(inst):
				live.add(int32(inst.Slot.Index))
			case isSpillStore(inst):
				h := int32(inst.Slot.Index)
				live.remove(h)
				if len(live.list) > maxLive {
					return nil, nil, order
				}
				for _, x := range live.list {
					if edges.add(h, x) {
						adj[h] = append(adj[h], x)
						adj[x] = append(adj[x], h)
					}
				}
			}
		}
	}
	return adj, like, order
}

// removeUnusedSlots drops the spill slots that lost their last load or store
// again.
func (a *allocator) removeUnusedSlots() {
	used := make([]bool, len(a.f.Slots))
	for _, blk := range a.g.blocks {
		for i := range blk.Insts {
			if s := blk.Insts[i].Slot; s != nil {
				used[s.Index] = true
			}
		}
	}
	kept := a.f.Slots[:0]
	for i, s := range a.f.Slots {
		if used[i] || !s.Spill {
			s.Index = len(kept)
			kept = append(kept, s)
			if s.Spill {
				a.stats.Slots++
			}
		}
	}
	a.f.Slots = kept
}
