package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file decides which values are in registers at every point of the
// function; place.go then decides where spilled values are stored.

// A resident is a variable that is in a register at some point.
type resident struct {
	v     int32
	next  int32 // position of the next use, relative to the start of the block
	clean bool  // memory holds the value as well, as far as known; a hint
	last  int   // position in code behind its last occurrence in the block
}

// A spiller limits register pressure.
type spiller struct {
	*allocator
	n        int // number of variables
	in       [][]int32
	dist     [][]int32
	entry    [][]resident // by block: in registers at the start
	exit     [][]resident // at the end; nil before the block was processed
	peak     []int32      // by loop: largest pressure in it
	callPeak []int32      // by loop: largest pressure across a call in it, -1 without calls
	avoid    [][]int32    // by block: not to be in registers at the start
	result   [][]mir.Inst // by block: the rewritten code
	out      *distances
	w        []resident
	code     []mir.Inst // of the block being rewritten
	marks    []mark     // to be put into code
	steps    []step     // of the block
	nexts    []int32    // of the block
	o        *operands
}

// limitPressure rewrites the function so that at no point more variables are in
// registers than there are registers, or preserved registers at calls. Variables
// keep their names: a reload is a load of the variable from its home slot, and
// where a variable leaves the registers there is an eviction mark, an OpInvalid
// with the variable as Dst. It reports whether it changed anything.
func (a *allocator) limitPressure(n int) bool {
	s := &spiller{allocator: a, n: n, out: newDistances(n), o: newOperands()}
	s.in = liveRegs(a.g, n)
	if !s.measure() {
		return false
	}
	s.dist = nextUses(a.g, n, s.in)
	s.entry = make([][]resident, len(a.g.blocks))
	s.exit = make([][]resident, len(a.g.blocks))
	s.avoid = make([][]int32, len(a.g.blocks))
	s.result = make([][]mir.Inst, len(a.g.blocks))
	s.blocks()
	if s.findAvoidable() {
		clear(s.exit)
		s.blocks()
	}
	for b, blk := range a.g.blocks {
		blk.Insts = s.result[b]
	}
	s.edges()
	return true
}

func (s *spiller) blocks() {
	for b := range s.g.blocks {
		s.enter(b)
		s.block(b)
	}
}

// findAvoidable finds the variables that a loop would have to reload on a back
// edge that must be split for it. It is better to reload them where they
// are used.
func (s *spiller) findAvoidable() (any bool) {
	for b := range s.g.blocks {
		for _, p := range s.g.preds[b] {
			if int(p) < b || len(s.g.succs[p]) == 1 {
				continue
			}
			for _, r := range s.entry[b] {
				if !contains(s.exit[p], r.v) {
					s.avoid[b] = append(s.avoid[b], r.v)
					any = true
				}
			}
		}
	}
	return any
}

func contains(list []resident, v int32) bool {
	return slices.ContainsFunc(list, func(r resident) bool { return r.v == v })
}

// measure computes the largest pressure in each loop, and reports whether
// registers are short anywhere.
func (s *spiller) measure() (short bool) {
	g := s.g
	peak := make([]int32, len(g.blocks))
	peakCall := make([]int32, len(g.blocks))
	live := newSparseSet(s.n)
	o := newOperands()
	for b, blk := range g.blocks {
		live.clear()
		live.addLiveOut(g, s.in, b)
		var phys regSet
		peak[b], peakCall[b] = int32(len(live.list)), -1
		note := func(extra int) {
			p := len(live.list) + (phys & s.regs).count() + extra
			peak[b] = max(peak[b], int32(p))
			short = short || p > s.k
		}
		note(0)
		for i := len(blk.Insts) - 1; i >= 0; i-- {
			in := &blk.Insts[i]
			if in.Clobbers() {
				peakCall[b] = max(peakCall[b], int32(len(live.list)))
				short = short || len(live.list) > s.kSaved
			}
			ops := o.of(in)
			early := 0
			deadDefs := 0
			for _, op := range ops {
				if op.use&mir.Write != 0 && op.reg.IsVirtual() {
					if !live.has(variable(op.reg)) {
						deadDefs++
					}
					if op.use&mir.Early != 0 {
						early = 1
					}
				}
			}
			note(deadDefs)
			for _, op := range ops {
				if op.use&mir.Write == 0 || op.use&mir.Read != 0 {
					continue
				}
				if op.reg.IsVirtual() {
					live.remove(variable(op.reg))
				} else {
					phys &^= setOf(op.reg)
				}
			}
			for _, op := range ops {
				if op.use&mir.Read == 0 {
					continue
				}
				if op.reg.IsVirtual() {
					live.add(variable(op.reg))
				} else {
					phys |= setOf(op.reg)
				}
			}
			note(early)
		}
	}
	s.peak = make([]int32, len(g.loops))
	s.callPeak = make([]int32, len(g.loops))
	for i, l := range g.loops {
		s.callPeak[i] = -1
		for _, b := range l.body {
			s.peak[i] = max(s.peak[i], peak[b])
			s.callPeak[i] = max(s.callPeak[i], peakCall[b])
		}
	}
	return short
}

// enter chooses what is in registers at the start of block b.
func (s *spiller) enter(b int) {
	g := s.g
	if b == 0 {
		return
	}
	// How many of the processed predecessors have a variable in a register, and
	// in memory as well.
	type presence struct{ reg, clean int }
	var have []presence
	index := func(v int32) int {
		i, _ := slices.BinarySearch(s.in[b], v)
		return i
	}
	have = make([]presence, len(s.in[b]))
	done := 0
	for _, p := range g.preds[b] {
		if int(p) >= b {
			continue
		}
		done++
		for _, r := range s.exit[p] {
			if i := index(r.v); i < len(have) && s.in[b][i] == r.v {
				have[i].reg++
				if r.clean {
					have[i].clean++
				}
			}
		}
	}
	if l := g.header[b]; l >= 0 {
		s.enterLoop(b, l, func(i int) bool { return have[i].reg > 0 })
		return
	}
	var all, some []resident
	for i, v := range s.in[b] {
		r := resident{v: v, next: s.dist[b][i], clean: have[i].reg == have[i].clean}
		switch {
		case have[i].reg == done:
			all = append(all, r)
		case have[i].reg > 0 && r.next < loopExit && s.remat[v] == nil && s.cheapToLoad(b, v):
			some = append(some, r)
		}
	}
	byNext(all)
	byNext(some)
	w := append(all, some...)
	s.entry[b] = w[:min(len(w), s.k)]
}

// cheapToLoad reports whether v can be reloaded on the edges into b on which it
// is not in a register, without splitting them.
func (s *spiller) cheapToLoad(b int, v int32) bool {
	for _, p := range s.g.preds[b] {
		if len(s.g.succs[p]) > 1 && !contains(s.exit[p], v) {
			return false
		}
	}
	return true
}

// enterLoop chooses what is in registers at the header b of loop l: first what
// the loop uses, then, as far as pressure in the loop leaves registers unused,
// what only lives through it and is in a register already. Constants are computed
// where they are used if registers are short in the loop.
func (s *spiller) enterLoop(b int, l int32, have func(i int) bool) {
	short := int(s.peak[l]) > s.k || int(s.callPeak[l]) > s.kSaved
	var used, through []resident
	for i, v := range s.in[b] {
		r := resident{v: v, next: s.dist[b][i]}
		switch {
		case slices.Contains(s.avoid[b], v):
		case r.next < loopExit:
			if s.remat[v] == nil || have(i) && !short {
				used = append(used, r)
			}
		case have(i):
			through = append(through, r)
		}
	}
	byNext(used)
	byNext(through)
	total := 0 // live-through variables, in registers or not
	for i := range s.in[b] {
		if s.dist[b][i] >= loopExit {
			total++
		}
	}
	w := used[:min(len(used), s.k)]
	room := min(s.k-len(w), s.k-int(s.peak[l])+total)
	if s.callPeak[l] >= 0 {
		room = min(room, s.kSaved-int(s.callPeak[l])+total)
	}
	if room > 0 {
		w = append(w, through[:min(room, len(through))]...)
	}
	s.entry[b] = w
}

func byNext(list []resident) {
	slices.SortFunc(list, func(x, y resident) int {
		if x.next != y.next {
			return int(x.next - y.next)
		}
		return int(x.v - y.v)
	})
}

// edges makes what is in registers at the end of each block agree with what its
// successors expect.
func (s *spiller) edges() {
	g := s.g
	ed := newEdgeEditor(g)
	for b := range g.blocks {
		for i, p := range g.preds[b] {
			var code []mir.Inst
			for _, r := range s.exit[p] {
				if _, live := slices.BinarySearch(s.in[b], r.v); live && !contains(s.entry[b], r.v) {
					code = append(code, evictMark(r.v))
				}
			}
			for _, r := range s.entry[b] {
				if !contains(s.exit[p], r.v) {
					code = append(code, s.reload(r.v, register(r.v)))
				}
			}
			if code != nil {
				ed.insert(p, int32(b), i, code)
			}
		}
	}
	ed.finish()
}

// evictMark marks the place where v leaves the registers.
func evictMark(v int32) mir.Inst {
	return mir.Inst{Op: mir.OpInvalid, Dst: register(v), Src: mir.NoReg, Src2: mir.NoReg}
}

// isEvictMark reports whether in was made by evictMark.
func isEvictMark(in *mir.Inst) bool { return in.Op == mir.OpInvalid }

// reload returns the instruction that brings variable v back, to register to.
func (a *allocator) reload(v int32, to mir.Reg) mir.Inst {
	if r := a.remat[v]; r != nil {
		in := *r
		in.Dst = to
		return in
	}
	return mir.Inst{Op: mir.OpLoad, Width: 8, Dst: to, Src: mir.NoReg, Src2: mir.NoReg, Slot: a.home(v)}
}

// store returns the instruction that stores register from to the slot of v.
func (a *allocator) store(v int32, from mir.Reg) mir.Inst {
	return mir.Inst{Op: mir.OpStore, Width: 8, Dst: mir.NoReg, Src: from, Src2: mir.NoReg, Slot: a.home(v)}
}
