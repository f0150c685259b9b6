package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A step is what the backward scan of a block finds out about an instruction
// for the forward scan.
type step struct {
	physBefore regSet // physical registers live before the instruction
	physAfter  regSet
	nexts      int // index in nextRead of its first operand
	nextCall   int // position of the next call, at or behind the instruction
}

// A mark is an eviction mark to be put before code[at].
type mark struct {
	at int
	v  int32
}

// block rewrites block b into s.result, starting with s.entry[b] in registers, by the
// algorithm MIN: where a register is needed and none is free, the value goes
// whose next use is furthest away.
func (s *spiller) block(b int) {
	blk := s.g.blocks[b]
	s.scan(b)
	s.w = append(s.w[:0], s.entry[b]...)
	for i := range s.w {
		s.w[i].last = 0
	}
	s.code = s.code[:0]
	s.marks = s.marks[:0]
	for i := range blk.Insts {
		in := &blk.Insts[i]
		ops := s.o.of(in)
		st := s.steps[i]
		next := s.nexts[st.nexts : st.nexts+len(ops)]
		if isCopy(in) && s.copyThroughMemory(in, i, st, next) {
			continue
		}
		s.inst(in, i, ops, st, next)
	}
	s.result[b] = s.withMarks()
	s.exit[b] = slices.Clone(s.w)
}

// withMarks returns the code with the eviction marks in it. A mark stands behind
// the last occurrence of its variable, so that the register is free from there on
// and not only from where it was missed.
func (s *spiller) withMarks() []mir.Inst {
	slices.SortStableFunc(s.marks, func(x, y mark) int { return x.at - y.at })
	code := make([]mir.Inst, 0, len(s.code)+len(s.marks))
	marks := s.marks
	for i := range s.code {
		for ; len(marks) > 0 && marks[0].at == i; marks = marks[1:] {
			code = append(code, evictMark(marks[0].v))
		}
		code = append(code, s.code[i])
	}
	return code
}

// scan walks block b backwards and fills in s.steps and s.nexts. For every operand, in the order of VisitRegs,
// s.nexts has the position of the next read of its variable after the
// instruction.
func (s *spiller) scan(b int) {
	blk := s.g.blocks[b]
	n := int32(len(blk.Insts))
	s.out.atExit(s.g, s.in, s.dist, b)
	next := s.out.of // positions are relative to the end until shifted below
	for _, v := range s.out.set {
		next[v] = min(next[v]+n, farAway)
	}
	steps, nexts := slices.Grow(s.steps[:0], int(n))[:n], s.nexts[:0]
	o := s.o
	var phys regSet
	call := int(farAway)
	for i := n - 1; i >= 0; i-- {
		in := &blk.Insts[i]
		ops := o.of(in)
		if in.Clobbers() {
			call = int(i)
		}
		steps[i].nextCall = call
		steps[i].physAfter = phys
		for k := len(ops) - 1; k >= 0; k-- {
			at := int32(dead)
			if ops[k].reg.IsVirtual() {
				at = next[variable(ops[k].reg)]
			}
			nexts = append(nexts, at)
		}
		steps[i].nexts = len(nexts)
		for _, op := range ops {
			if op.use&mir.Write == 0 {
				continue
			}
			if op.reg.IsVirtual() {
				next[variable(op.reg)] = dead
			} else {
				phys &^= setOf(op.reg)
			}
		}
		for _, op := range ops {
			if op.use&mir.Read == 0 {
				continue
			}
			if op.reg.IsVirtual() {
				s.out.lower(variable(op.reg), i)
			} else {
				phys |= setOf(op.reg)
			}
		}
		steps[i].physBefore = phys
	}
	slices.Reverse(nexts)
	for i := range steps {
		steps[i].nexts = len(nexts) - steps[i].nexts
	}
	s.steps, s.nexts = steps, nexts
}

func (s *spiller) find(v int32) *resident {
	for i := range s.w {
		if s.w[i].v == v {
			return &s.w[i]
		}
	}
	return nil
}

// drop removes v from the registers without a trace.
func (s *spiller) drop(v int32) {
	s.w = slices.DeleteFunc(s.w, func(r resident) bool { return r.v == v })
}

// evictOne takes the variable with the furthest next use, and not in keep, out
// of the registers. i is the current position.
func (s *spiller) evictOne(i int, keep []int32) {
	best, bestKey := -1, int64(-1)
	for j, r := range s.w {
		if key := s.key(r, i); key > bestKey && !slices.Contains(keep, r.v) {
			best, bestKey = j, key
		}
	}
	if best < 0 {
		panic("BUG: regalloc: more operands than registers in " + s.f.Name)
	}
	s.marks = append(s.marks, mark{s.w[best].last, s.w[best].v})
	s.w = slices.Delete(s.w, best, best+1)
}

// key orders evictions: the distance to the next use, more for what is cheap to
// bring back.
func (s *spiller) key(r resident, i int) int64 {
	key := int64(r.next) - int64(i)
	switch {
	case s.remat[r.v] != nil:
		key *= 8
	case r.clean:
		key *= 4
	}
	return key
}

// inst appends in, at position i of its block, and what it needs before.
func (s *spiller) inst(in *mir.Inst, i int, ops []operand, st step, next []int32) {
	var pinned [4]int32 // read by in
	keep := pinned[:0]
	var missing [4]int32
	load := missing[:0]
	early := 0
	for _, op := range ops {
		if op.use&mir.Early != 0 && op.reg.IsVirtual() {
			early = 1
		}
		if op.use&mir.Read == 0 || !op.reg.IsVirtual() {
			continue
		}
		v := variable(op.reg)
		if !slices.Contains(keep, v) {
			keep = append(keep, v)
			if s.find(v) == nil {
				load = append(load, v)
			}
		}
	}
	room := s.k - (st.physBefore & s.regs).count() - early
	for len(s.w)+len(load) > room && len(s.w) > 0 {
		s.evictOne(i, keep)
	}
	for _, v := range load {
		s.code = append(s.code, s.reload(v, register(v)))
		s.w = append(s.w, resident{v: v, clean: true})
	}

	// After the instruction: what it read for the last time is gone, what it
	// wrote is there.
	writes := 0
	keep = keep[:0]
	for k, op := range ops {
		if !op.reg.IsVirtual() {
			continue
		}
		v := variable(op.reg)
		if r := s.find(v); r != nil {
			r.next, r.last = next[k], len(s.code)+1
			if op.use&mir.Write != 0 {
				r.clean = false
			}
		}
		if op.use&mir.Write != 0 {
			writes++
			keep = append(keep, v)
		}
	}
	s.w = slices.DeleteFunc(s.w, func(r resident) bool { return r.next == dead && !slices.Contains(keep, r.v) })
	room = s.k - (st.physAfter & s.regs).count()
	if in.Clobbers() {
		room = min(room, s.kSaved)
	}
	for k, op := range ops {
		if op.use&mir.Write != 0 && op.reg.IsVirtual() && s.find(variable(op.reg)) == nil {
			// Reserve the register before others are evicted for it.
			s.w = append(s.w, resident{v: variable(op.reg), next: next[k], last: len(s.code) + 1})
		}
	}
	for len(s.w) > room && len(s.w) > writes {
		s.evictOne(i, keep)
	}
	s.code = append(s.code, *in)
	for _, v := range keep {
		if s.find(v).next == dead {
			s.drop(v)
		}
	}
}

// copyThroughMemory handles copies that do better without a register of their
// own: a spilled value that is needed in a physical register is loaded there, a
// value that is to be spilled at once is stored from where it is. It reports whether it has handled in.
func (s *spiller) copyThroughMemory(in *mir.Inst, i int, st step, next []int32) bool {
	if in.Src.IsVirtual() {
		v := variable(in.Src)
		r := s.find(v)
		free := s.k - (st.physBefore & s.regs).count() - len(s.w)
		if in.Dst.IsPhys() && r == nil && (int(next[0]) > st.nextCall || free <= 0) ||
			in.Dst.IsPhys() && r == nil && s.remat[v] != nil {
			for len(s.w) > s.k-(st.physAfter&s.regs).count() {
				s.evictOne(i, nil)
			}
			s.code = append(s.code, s.reload(v, in.Dst))
			return true
		}
		return false
	}
	// A copy from a physical register to a variable.
	if !in.Dst.IsVirtual() || next[1] == dead {
		return false
	}
	v := variable(in.Dst)
	room := s.k - (st.physAfter & s.regs).count()
	if len(s.w) < room {
		return false
	}
	self := s.key(resident{v: v, next: next[1]}, i)
	for _, r := range s.w {
		if room > 0 && s.key(r, i) > self {
			return false
		}
	}
	s.code = append(s.code, s.store(v, in.Src))
	return true
}
