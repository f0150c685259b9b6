package mir

// This file checks that registers and spill slots are written before they are
// read, by a forward data flow over sets of what is defined on every path: the
// set at a block's start is the intersection over its predecessors, starting
// from everything, so that cycles do not lose what is defined before them.
// Before register allocation physical registers are removed from the sets at
// every block boundary, which makes any use across one an error.

// A defSet is the set of registers and, from v.spillBase on, spill slots that
// are defined.
type defSet []uint64

func (s defSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s defSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s defSet) remove(i int)   { s[i/64] &^= 1 << (i % 64) }

// intersect keeps the elements of t and reports whether any others were there.
func (s defSet) intersect(t defSet) (changed bool) {
	for i := range s {
		if s[i]&^t[i] != 0 {
			changed = true
		}
		s[i] &= t[i]
	}
	return changed
}

func (v *verifier) flow() {
	words := (v.f.NumRegs() + len(v.f.Slots) + 63) / 64
	in := make([]defSet, len(v.f.Blocks)) // nil where not reached yet
	entry := make(defSet, words)
	for i := range v.f.Params {
		entry.add(int(R1) + i)
	}
	entry.add(int(R10))
	in[0] = entry

	work := []*Block{v.f.Blocks[0]}
	out := make(defSet, words)
	var succs []*Block
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		copy(out, in[v.blocks[b]])
		for i := range b.Insts {
			v.transfer(&b.Insts[i], out, nil)
		}
		if !v.allocated {
			for r := R0; r <= R9; r++ {
				out.remove(int(r))
			}
		}
		succs = b.Succs(succs[:0])
		for _, s := range succs {
			i := v.blocks[s]
			if in[i] == nil {
				in[i] = append(defSet(nil), out...)
				work = append(work, s)
			} else if in[i].intersect(out) {
				work = append(work, s)
			}
		}
	}

	for i, b := range v.f.Blocks {
		if in[i] == nil {
			continue // unreachable
		}
		v.b = b
		for j := range b.Insts {
			v.index = j
			v.transfer(&b.Insts[j], in[i], v.errorf)
		}
	}
	v.b = nil
}

// transfer updates defined by what in writes and clobbers, and reports reads of
// what is not defined. It is monotonic in defined.
func (v *verifier) transfer(in *Inst, defined defSet, report func(string, ...any)) {
	spill := -1
	if in.Slot != nil && in.Slot.Spill {
		spill = v.f.NumRegs() + in.Slot.Index
	}
	if report != nil {
		in.VisitRegs(func(r *Reg, use RegUse) {
			if use&Read != 0 && !defined.has(int(*r)) {
				report("%v is read before it is written", *r)
			}
		})
		if in.Op == OpLoad && spill >= 0 && !defined.has(spill) {
			report("spill slot %v is read before it is written", in.Slot)
		}
	}
	if in.Clobbers() {
		for r := R1; r <= R5; r++ {
			defined.remove(int(r))
		}
	}
	in.VisitRegs(func(r *Reg, use RegUse) {
		if use&Write != 0 {
			defined.add(int(*r))
		}
	})
	if in.Op == OpStore && spill >= 0 {
		defined.add(spill)
	}
}
