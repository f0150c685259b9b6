package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file removes stores that nobody reads.
//
// Method, for the stack: a backward dataflow analysis finds which bytes of the
// slots may still be read at each point, a bit for each byte. A write none of
// whose bytes is live goes; a memzero is cut to the range that holds all live
// bytes. When the program returns or panics its slots are dead. Slots whose
// address has leaked (alias.go) are left alone.
//
// Method, for memory that others see: within a block, a store goes if another one
// overwrites it before anything may read it. A check ends the search,
// because the program may end there.
//
// Before:                          After:
//
//	memzero 16 v0 +0                memzero 8 v0 +8
//	store.8 v0 +0, v1               store.8 v0 +0, v1
//	v2 = helper i64 put(v0, v9)     v2 = helper i64 put(v0, v9)
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 14.1 (live
// variables) and 18.10.

// maxStackBytes is the number of bytes of slots that are looked at: far more
// than a program may have (MAX_BPF_STACK), to bound the time spent on
// those that will be refused.
const maxStackBytes = 4096

// DeadStores removes the writes of f that are never read.
func DeadStores(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	m := newMemory(f)
	s := &storeKiller{memory: m, first: make([]int64, len(f.Slots))}
	for i, slot := range f.Slots {
		s.first[i] = -1
		if !m.leaked[i] && s.bytes+slot.Size <= maxStackBytes {
			s.first[i] = s.bytes
			s.bytes += slot.Size
		}
	}
	if s.bytes > 0 {
		s.solve()
	}
	for _, b := range f.Blocks {
		s.sweepStack(b)
		s.sweepShared(b)
	}
	removeDead(f)
}

type storeKiller struct {
	*memory
	first []int64  // by Slot.Index: its first bit, or -1 for slots that stay
	bytes int64    // how many bits there are
	in    []bitset // by Block.ID: what is live at its beginning
}

// A bitset is a set of bytes of the stack.
type bitset []uint64

func (s bitset) set(i int64, on bool) {
	if on {
		s[i/64] |= 1 << (i % 64)
	} else {
		s[i/64] &^= 1 << (i % 64)
	}
}

func (s bitset) has(i int64) bool { return s[i/64]>>(i%64)&1 != 0 }

func (s bitset) union(t bitset) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *storeKiller) newSet() bitset { return make(bitset, (s.bytes+63)/64) }

// solve finds what is live at the beginning of each block.
func (s *storeKiller) solve() {
	s.in = make([]bitset, s.f.NumBlocks())
	order := ir.RPO(s.f)
	for _, b := range order {
		s.in[b.ID] = s.newSet()
	}
	for changed := true; changed; {
		changed = false
		for _, b := range slices.Backward(order) {
			live := s.atEnd(b)
			for _, v := range slices.Backward(b.Instrs) {
				s.step(live, effectOf(v))
			}
			if !slices.Equal(live, s.in[b.ID]) {
				s.in[b.ID], changed = live, true
			}
		}
	}
}

// atEnd returns what is live at the end of b.
func (s *storeKiller) atEnd(b *ir.Block) bitset {
	live := s.newSet()
	for _, e := range b.Term.Succs {
		live.union(s.in[e.To.ID])
	}
	return live
}

// step brings live back over an instruction with effect e.
func (s *storeKiller) step(live bitset, e effect) {
	if e.exact {
		for _, l := range e.writes {
			if l.anchor == nil {
				s.mark(live, l, false)
			}
		}
	}
	for _, l := range e.reads {
		s.mark(live, l, true)
	}
}

// span returns the bits of l, or an empty range.
func (s *storeKiller) span(l place) (from, to int64) {
	slot, ok := l.base.(*ir.Slot)
	if !ok || s.first[slot.Index] < 0 {
		return 0, 0
	}
	lo, hi := max(0, l.off), min(slot.Size, l.off+l.size)
	if l.anchor != nil {
		lo, hi = 0, slot.Size
	}
	return s.first[slot.Index] + lo, s.first[slot.Index] + hi
}

func (s *storeKiller) mark(live bitset, l place, on bool) {
	from, to := s.span(l)
	for i := from; i < to; i++ {
		live.set(i, on)
	}
}

// sweepStack removes the dead writes to slots from b.
func (s *storeKiller) sweepStack(b *ir.Block) {
	if s.bytes == 0 {
		return
	}
	live := s.atEnd(b)
	dead := make(map[*ir.Value]bool)
	for _, v := range slices.Backward(b.Instrs) {
		e := effectOf(v)
		switch v.Op {
		case ir.OpStore, ir.OpMemZero, ir.OpMemCopy:
			if s.isDead(live, v, e.writes[0]) {
				dead[v] = true
				continue
			}
		}
		s.step(live, e)
	}
	b.RemoveFunc(func(v *ir.Value) bool { return dead[v] })
}

// isDead reports whether the write v to l is dead. A memzero that is not is cut
// to what is live.
func (s *storeKiller) isDead(live bitset, v *ir.Value, l place) bool {
	slot, ok := l.base.(*ir.Slot)
	if !ok || s.first[slot.Index] < 0 {
		return false
	}
	from, to := s.span(l)
	first, end := from, to
	for first < to && !live.has(first) {
		first++
	}
	for end > first && !live.has(end-1) {
		end--
	}
	if first == end {
		return true
	}
	if v.Op == ir.OpMemZero && l.anchor == nil {
		// Whole words: zeroing half of one is no cheaper.
		word := int64(8)
		origin := s.first[slot.Index]
		first = max(from, origin+(first-origin)&^(word-1))
		end = min(to, origin+(end-origin+word-1)&^(word-1))
		v.Imm += first - from
		v.Size = end - first
	}
	return false
}

// sweepShared removes from b stores to other memory that are overwritten.
func (s *storeKiller) sweepShared(b *ir.Block) {
	var later []place // what is overwritten further down, unread until then
	dead := make(map[*ir.Value]bool)
	for _, v := range slices.Backward(b.Instrs) {
		e := effectOf(v)
		if v.Op == ir.OpStore || v.Op == ir.OpMemZero {
			l := e.writes[0]
			if slices.ContainsFunc(later, func(k place) bool { return k.contains(l) }) {
				dead[v] = true
				continue
			}
		}
		if e.observed || e.shared {
			later = later[:0]
		}
		later = slices.DeleteFunc(later, func(k place) bool {
			return slices.ContainsFunc(e.reads, func(l place) bool { return s.mayMeet(k, l) })
		})
		if e.exact {
			later = append(later, e.writes...)
		}
	}
	b.RemoveFunc(func(v *ir.Value) bool { return dead[v] })
}
