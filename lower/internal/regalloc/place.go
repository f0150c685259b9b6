package regalloc

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// This file decides where spilled variables are stored, given the reloads and
// eviction marks that limitPressure made. There are two ways. Storing at
// evictions, if the register may hold another value than memory, keeps stores
// out of loops that update the variable in a register and spill it behind.
// Storing after definitions makes one store where evictions are many. The
// cheaper one is taken for each variable, by estimated frequency.
//
// A conditional branch on a comparison with a constant counts as a definition
// here: it is there that the verifier learns the bounds of the register, and a
// copy that was stored before would not have them. (Kernels before 6.8 do not
// connect a register with its spilled copy, see "bpf: assign ID to scalars on
// spill".)

// isSpillLoad reports whether in loads from a spill slot.
func isSpillLoad(in *mir.Inst) bool {
	return in.Op == mir.OpLoad && in.Slot != nil && in.Slot.Spill
}

// isSpillStore reports whether in stores to a spill slot.
func isSpillStore(in *mir.Inst) bool {
	return in.Op == mir.OpStore && in.Slot != nil && in.Slot.Spill
}

// learns returns the virtual register whose bounds the verifier learns at the
// branch in, or NoReg.
func learns(in *mir.Inst) mir.Reg {
	if in.Op == mir.OpBr && in.Src == mir.NoReg && in.Dst.IsVirtual() {
		return in.Dst
	}
	return mir.NoReg
}

// A placer inserts stores.
type placer struct {
	*allocator
	n       int
	needed  []bool // by variable: loaded from its home somewhere
	current []bool // by variable: the register may differ from memory
	in      [][]int32
	dirty   [][]bool // parallel to in: current at the start of the block
	o       *operands
}

// placeStores replaces eviction marks by stores where they are needed.
func (a *allocator) placeStores(n int) {
	p := &placer{allocator: a, n: n, needed: make([]bool, n), current: make([]bool, n), o: newOperands()}
	for _, blk := range a.g.blocks {
		for i := range blk.Insts {
			if in := &blk.Insts[i]; isSpillLoad(in) {
				p.needed[in.Slot.Index] = true
			}
		}
	}
	p.findDirty()
	atDefs, after := p.choose()
	for b, blk := range a.g.blocks {
		code := make([]mir.Inst, 0, len(blk.Insts))
		stores := after[b]
		p.walk(b, func(i int, v int32, dirty bool) {
			if dirty && !atDefs[v] {
				code = append(code, a.store(v, register(v)))
			}
		}, func(i int) {
			code = append(code, blk.Insts[i])
			for len(stores) > 0 && stores[len(stores)-1].at == i {
				if v := stores[len(stores)-1].v; atDefs[v] {
					code = append(code, a.store(v, register(v)))
				}
				stores = stores[:len(stores)-1]
			}
		})
		blk.Insts = code
	}
}

// walk passes through block b, from the state at its start, calling evict for
// eviction marks and inst, unless nil, for other instructions.
func (p *placer) walk(b int, evict func(i int, v int32, dirty bool), inst func(i int)) {
	for i, v := range p.in[b] {
		p.current[v] = p.dirty[b][i]
	}
	insts := p.g.blocks[b].Insts
	for i := range insts {
		in := &insts[i]
		if isEvictMark(in) {
			if v := variable(in.Dst); p.needed[v] {
				evict(i, v, p.current[v])
				p.current[v] = false
			}
			continue
		}
		if inst != nil {
			inst(i)
		}
		for _, op := range p.o.of(in) {
			if op.reg.IsVirtual() && op.use&mir.Write != 0 {
				p.current[variable(op.reg)] = !isSpillLoad(in)
			}
		}
		if r := learns(in); r != mir.NoReg {
			p.current[variable(r)] = true
		}
	}
}

// findDirty solves the data flow problem of which registers may differ from
// memory. Only variables live in a register at a block's start have a state
// there; marks count as uses because they may become stores.
func (p *placer) findDirty() {
	p.in = liveIn(p.g, p.n, func(b int, e events) {
		insts := p.g.blocks[b].Insts
		for i := range insts {
			in := &insts[i]
			if isEvictMark(in) {
				if v := variable(in.Dst); p.needed[v] {
					e.use(v)
				}
				continue
			}
			ops := p.o.of(in)
			for _, op := range ops {
				if op.reg.IsVirtual() && op.use&mir.Read != 0 {
					e.use(variable(op.reg))
				}
			}
			for _, op := range ops {
				if op.reg.IsVirtual() && op.use&mir.Write != 0 {
					e.def(variable(op.reg))
				}
			}
		}
	})
	p.dirty = make([][]bool, len(p.g.blocks))
	for b := range p.g.blocks {
		p.dirty[b] = make([]bool, len(p.in[b]))
	}
	ignore := func(int, int32, bool) {}
	for changed := true; changed; {
		changed = false
		for b := range p.g.blocks {
			p.walk(b, ignore, nil)
			for _, s := range p.g.succs[b] {
				for i, v := range p.in[s] {
					if p.current[v] && !p.dirty[s][i] {
						p.dirty[s][i] = true
						changed = true
					}
				}
			}
		}
	}
}

// A storeAfter is a possible store of v after instruction at.
type storeAfter struct {
	at int
	v  int32
}

// choose decides which variables are stored after their definitions. after
// lists, for every block, the definitions whose value is loaded again, last
// first.
func (p *placer) choose() (atDefs []bool, after [][]storeAfter) {
	evictCost := make([]float64, p.n)
	defCost := make([]float64, p.n)
	atDefs = make([]bool, p.n)
	forced := make([]bool, p.n) // must be stored at evictions
	memory := liveHomes(p.g, p.n)
	live := newSparseSet(p.n)
	after = make([][]storeAfter, len(p.g.blocks))
	for b, blk := range p.g.blocks {
		weight := p.g.weight(b)
		p.walk(b, func(_ int, v int32, dirty bool) {
			if dirty {
				evictCost[v] += weight
			}
		}, nil)
		live.clear()
		live.addLiveOut(p.g, memory, b)
		for i := len(blk.Insts) - 1; i >= 0; i-- {
			in := &blk.Insts[i]
			switch {
			case isSpillLoad(in):
				live.add(int32(in.Slot.Index))
				continue
			case isSpillStore(in):
				live.remove(int32(in.Slot.Index))
				continue
			case isEvictMark(in):
				continue
			}
			if r := learns(in); r != mir.NoReg && live.has(variable(r)) {
				forced[variable(r)] = true
			}
			for _, op := range p.o.of(in) {
				if !op.reg.IsVirtual() || op.use&mir.Write == 0 {
					continue
				}
				if v := variable(op.reg); live.has(v) {
					defCost[v] += weight
					after[b] = append(after[b], storeAfter{i, v})
					live.remove(v)
				}
			}
		}
	}
	for v := range atDefs {
		atDefs[v] = !forced[v] && defCost[v] < evictCost[v]
	}
	return atDefs, after
}

// liveHomes computes the variables whose values are loaded from memory again, at
// the starts of the blocks. Definitions in registers end the life of the value
// in memory.
func liveHomes(g *graph, n int) [][]int32 {
	o := newOperands()
	return liveIn(g, n, func(b int, e events) {
		insts := g.blocks[b].Insts
		for i := range insts {
			in := &insts[i]
			switch {
			case isSpillLoad(in):
				e.use(int32(in.Slot.Index))
			case isSpillStore(in):
				e.def(int32(in.Slot.Index))
			case !isEvictMark(in):
				for _, op := range o.of(in) {
					if op.reg.IsVirtual() && op.use&mir.Write != 0 {
						e.def(variable(op.reg))
					}
				}
			}
		}
	})
}
