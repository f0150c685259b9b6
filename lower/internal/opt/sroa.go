package opt

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file replaces aggregates on the stack by their parts (scalar replacement
// of aggregates), so that mem2reg.go can keep these in registers.
//
// Method: a slot qualifies if all uses of its address are accesses at constant
// offsets (slots.go). The byte ranges of its loads and stores are its pieces;
// ranges that overlap without being equal make one piece that stays memory. A
// memcopy carries the ranges of one side over to the other, until both sides
// agree; bytes that it moves to or from other memory are pieces even if nothing
// else touches them. Then each piece becomes a slot of its own, a memzero becomes
// a store of zero to each piece, and a memcopy a load and a store.
//
// Bytes that belong to no piece are never read and disappear.
//
// Precondition: constant offsets are folded into ptradd or the displacement.
//
// Before:                          After:
//
//	slot s0 "p" size 16 align 8     slot s0 "p.0" size 8 align 8
//	v0 = slotaddr s0                slot s1 "p.8" size 4 align 4
//	memzero 16 v0 +0                store.8 s0 +0, 0
//	store.4 v0 +8, v1               store.4 s1 +0, 0
//	v2 = load.8 i64 v0 +0           store.4 s1 +0, v1
//	                                v2 = load.8 i64 s0 +0
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 12.2.

const (
	// maxPieces is the number of pieces above which a slot is left whole: BPF
	// has ten registers, and what does not fit is spilled to where it was.
	maxPieces = 48
	// maxCopyPieces is the number of bytes above which a copy to or from other
	// memory is left whole.
	maxCopyBytes = 64
	// maxCopyRounds bounds how far pieces travel along chains of copies.
	maxCopyRounds = 8
)

// SROA splits the slots of f into the parts that are accessed.
func SROA(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	s := &splitter{f: f, refs: findSlotRefs(f)}
	s.collect()
	s.shareCopies()
	for i := range s.plans {
		s.plans[i].settle()
	}
	s.rewrite()
	removeDead(f)
}

// A piece is a range of bytes of a slot that is accessed as a whole.
type piece struct {
	off, size int64
	// typ is the type of the values the piece holds: I32 or I64 by size for
	// integers, or of a pointer.
	typ ir.Type
	// mixed pieces are accessed in several ways and stay memory.
	mixed bool
	// gap pieces are copied and zeroed only: nothing says how they are aligned.
	gap  bool
	slot *ir.Slot // what the piece becomes
}

func (p *piece) end() int64 { return p.off + p.size }

// A plan is how a slot is to be split.
type plan struct {
	whole  bool // it is not
	blocks bool // it is accessed by memory block operations
	pieces []piece
}

type splitter struct {
	f     *ir.Func
	refs  *slotRefs
	plans []plan // by Slot.Index
}

// planOf returns the plan for the slot that v is an address of, or nil if it has
// none or is left whole.
func (s *splitter) planOf(v *ir.Value) *plan {
	if r := s.refs.of(v); r.slot != nil && !s.plans[r.slot.Index].whole {
		return &s.plans[r.slot.Index]
	}
	return nil
}

// collect finds the pieces that single accesses make.
func (s *splitter) collect() {
	s.plans = make([]plan, len(s.f.Slots))
	for i := range s.plans {
		s.plans[i].whole = s.refs.exposed[i]
	}
	s.eachInstr(func(v *ir.Value) {
		switch v.Op {
		case ir.OpLoad:
			if p := s.planOf(v.Args[0]); p != nil {
				p.add(s.refs.of(v.Args[0]).off+v.Imm, int64(v.Width), v.Type)
			}
		case ir.OpStore:
			if p := s.planOf(v.Args[0]); p != nil {
				t := v.Args[1].Type
				if v.Args[1].Op == ir.OpConst && t.IsPtr() {
					t = ir.Void // nil is of any type
				}
				p.add(s.refs.of(v.Args[0]).off+v.Imm, int64(v.Width), t)
			}
		case ir.OpMemZero, ir.OpMemCopy:
			for _, a := range v.Args {
				if p := s.planOf(a); p != nil {
					p.blocks = true
				}
			}
		}
	})
}

func (s *splitter) eachInstr(visit func(*ir.Value)) {
	for _, b := range s.f.Blocks {
		for _, v := range b.Instrs {
			visit(v)
		}
	}
}

// add notes an access to size bytes at off that hold a value of type t, Void if
// unknown. It reports whether that is new.
func (p *plan) add(off, size int64, t ir.Type) bool {
	if t.IsInt() { // by size, whatever the access makes of it
		t = ir.I32
		if size == 8 {
			t = ir.I64
		}
	}
	for i := range p.pieces {
		q := &p.pieces[i]
		if q.off == off && q.size == size {
			old := *q
			q.joinType(t)
			return q.typ != old.typ || q.mixed != old.mixed
		}
	}
	if len(p.pieces) == maxPieces {
		p.whole = true
	}
	p.pieces = append(p.pieces, piece{off: off, size: size, typ: t})
	return true
}

// joinType takes into account that the piece is also accessed as a t.
func (q *piece) joinType(t ir.Type) {
	switch {
	case t == ir.Void:
	case q.typ == ir.Void:
		q.typ = t
	case q.typ.IsPtr() && t.IsPtr():
		q.typ = ir.JoinPtr(q.typ, t)
	case q.typ != t: // integer and pointer
		q.mixed = true
	}
}

// shareCopies makes both sides of each memcopy agree on their pieces.
func (s *splitter) shareCopies() {
	var copies []*ir.Value
	s.eachInstr(func(v *ir.Value) {
		if v.Op == ir.OpMemCopy {
			copies = append(copies, v)
		}
	})
	for round, changed := 0, true; changed; round++ {
		changed = false
		for _, v := range copies {
			changed = s.shareCopy(v, round) || changed
		}
	}
}

func (s *splitter) shareCopy(v *ir.Value, round int) bool {
	dst, src := s.planOf(v.Args[0]), s.planOf(v.Args[1])
	if dst == nil && src == nil {
		return false
	}
	dstRef, srcRef := s.refs.of(v.Args[0]), s.refs.of(v.Args[1])
	dstOff, srcOff := dstRef.off, srcRef.off
	if dst == src || round > maxCopyRounds || dst == nil && v.Size > maxCopyBytes || src == nil && v.Size > maxCopyBytes {
		for _, p := range []*plan{dst, src} {
			if p != nil {
				p.whole = true
			}
		}
		return true
	}
	switch {
	case dst == nil:
		return src.fillGaps(srcOff, v.Size, granule(srcRef, dstRef))
	case src == nil:
		return dst.fillGaps(dstOff, v.Size, granule(dstRef, srcRef))
	}
	changed := dst.takeOver(src, srcOff, dstOff, v.Size)
	return src.takeOver(dst, dstOff, srcOff, v.Size) || changed
}

// takeOver adds to p the pieces of q between from and from+size, at to. It
// reports whether there were new ones.
func (p *plan) takeOver(q *plan, from, to, size int64) bool {
	changed := false
	for _, x := range q.pieces {
		if x.off >= from && x.end() <= from+size {
			t := x.typ
			changed = p.add(x.off-from+to, x.size, t) || changed
		} else if x.off < from+size && from < x.end() && !p.whole {
			p.whole, changed = true, true // half a piece
		}
	}
	return changed
}

// granule returns how large the pieces of a split slot may be, in bytes, if they
// are to be copied one by one from or to other, a pointer that is not split:
// accesses to the stack must be aligned. A slot that other is known to
// point into is aligned for them.
func granule(own, other slotRef) int64 {
	n := int64(8)
	if other.slot == nil {
		return n
	}
	for (other.off-own.off)%n != 0 {
		n /= 2
	}
	other.slot.Align = max(other.slot.Align, n)
	return n
}

// fillGaps makes pieces of at most granule bytes of the bytes between off and
// off+size that are in none.
func (p *plan) fillGaps(off, size, granule int64) bool {
	changed := false
	for at := off; at < off+size; {
		next := off + size // where the next piece begins
		in := int64(0)     // where the piece that covers at ends
		for _, q := range p.pieces {
			if q.off <= at && at < q.end() {
				in = max(in, q.end())
			} else if q.off > at {
				next = min(next, q.off)
			}
		}
		if in > 0 {
			at = in
			continue
		}
		n := granule
		for at%n != 0 || at+n > next {
			n /= 2
		}
		changed = p.add(at, n, ir.Void) || changed
		at += n
	}
	return changed
}

// settle merges overlapping pieces and decides on the types of the others.
func (p *plan) settle() {
	slices.SortFunc(p.pieces, func(a, b piece) int { return cmp.Compare(a.off, b.off) })
	merged := p.pieces[:0]
	for _, q := range p.pieces {
		if q.typ == ir.Void {
			q.gap = true
			q.joinType(intOfSize(q.size))
		}
		if n := len(merged); n > 0 && q.off < merged[n-1].end() {
			last := &merged[n-1]
			last.size = max(last.end(), q.end()) - last.off
			last.mixed = true
			continue
		}
		merged = append(merged, q)
	}
	p.pieces = merged
	if len(merged) == 1 && !p.blocks {
		p.whole = true // nothing to gain
	}
}

// intOfSize returns the type that an integer of the given size has in a piece.
func intOfSize(size int64) ir.Type {
	if size == 8 {
		return ir.I64
	}
	return ir.I32
}

// at returns the piece that byte off is in.
func (p *plan) at(off int64) *piece {
	for i := range p.pieces {
		if q := &p.pieces[i]; q.off <= off && off < q.end() {
			return q
		}
	}
	return nil
}

// slotFor returns the slot that q becomes, a part of old.
func (s *splitter) slotFor(old *ir.Slot, q *piece) *ir.Slot {
	if q.slot == nil {
		align := q.size // of a scalar
		if q.mixed {
			align = old.Align
			for q.off%align != 0 || align > q.size {
				align /= 2
			}
		}
		q.slot = s.f.NewSlot(fmt.Sprintf("%s.%d", old.Name, q.off), q.size, align, old.Pos)
		q.slot.Looped, q.slot.Loose = old.Looped, q.gap || old.Loose
	}
	return q.slot
}

// rewrite makes all accesses go to the pieces.
func (s *splitter) rewrite() {
	for _, b := range s.f.Blocks {
		old := b.Instrs
		b.Instrs = make([]*ir.Value, 0, len(old))
		for _, v := range old {
			switch v.Op {
			case ir.OpLoad, ir.OpStore:
				s.rewriteAccess(b, v)
			case ir.OpMemZero:
				s.rewriteZero(b, v)
			case ir.OpMemCopy:
				s.rewriteCopy(b, v)
			default:
				b.Append(v)
			}
		}
	}
}

func (s *splitter) rewriteAccess(b *ir.Block, v *ir.Value) {
	if p := s.planOf(v.Args[0]); p != nil {
		ref := s.refs.of(v.Args[0])
		v.Args[0], v.Imm = s.address(b, p, ref.slot, ref.off+v.Imm)
	}
	b.Append(v)
}

// address returns pointer and displacement of byte off of slot, which is split
// by p.
func (s *splitter) address(b *ir.Block, p *plan, slot *ir.Slot, off int64) (*ir.Value, int64) {
	q := p.at(off)
	addr := b.Add(ir.OpSlotAddr, ir.PtrStack, 0)
	addr.Aux = s.slotFor(slot, q)
	return addr, off - q.off
}

func (s *splitter) rewriteZero(b *ir.Block, v *ir.Value) {
	p := s.planOf(v.Args[0])
	if p == nil {
		b.Append(v)
		return
	}
	ref := s.refs.of(v.Args[0])
	from := ref.off + v.Imm
	to := from + v.Size
	for i := range p.pieces {
		q := &p.pieces[i]
		lo, hi := max(from, q.off), min(to, q.end())
		if lo >= hi {
			continue
		}
		addr, disp := s.address(b, p, ref.slot, lo)
		if hi-lo == q.size && !q.mixed {
			store(b, v.Pos, addr, disp, q.size, b.Const(q.typ, 0))
			continue
		}
		zero := b.Add(ir.OpMemZero, ir.Void, v.Pos, addr)
		zero.Imm, zero.Size = disp, hi-lo
	}
}

// store appends a store of x.
func store(b *ir.Block, pos ir.Pos, addr *ir.Value, disp, width int64, x *ir.Value) {
	st := b.Add(ir.OpStore, ir.Void, pos, addr, x)
	st.Imm, st.Width = disp, uint8(width)
}

func (s *splitter) rewriteCopy(b *ir.Block, v *ir.Value) {
	dst, src := s.planOf(v.Args[0]), s.planOf(v.Args[1])
	if dst == nil && src == nil {
		b.Append(v)
		return
	}
	from, to := s.refs.of(v.Args[1]), s.refs.of(v.Args[0])
	lead, base := dst, to.off // whose pieces are copied
	if dst == nil {
		lead, base = src, from.off
	}
	for i := range lead.pieces {
		q := lead.pieces[i]
		lo, hi := max(base, q.off), min(base+v.Size, q.end())
		if lo >= hi {
			continue
		}
		at := lo - base // in the copied range
		srcAddr, srcDisp := s.side(b, src, from, v.Args[1], at)
		dstAddr, dstDisp := s.side(b, dst, to, v.Args[0], at)
		if hi-lo == q.size && !q.mixed && !((q.gap || isLoose(lead == dst, from, to)) && (maybeUnaligned(from, v.Args[1], at, q.size) || maybeUnaligned(to, v.Args[0], at, q.size))) {
			ld := b.Add(ir.OpLoad, q.typ, v.Pos, srcAddr)
			ld.Imm, ld.Width = srcDisp, uint8(q.size)
			store(b, v.Pos, dstAddr, dstDisp, q.size, ld)
			continue
		}
		cp := b.Add(ir.OpMemCopy, ir.Void, v.Pos, displaced(b, dstAddr, dstDisp), displaced(b, srcAddr, srcDisp))
		cp.Size = hi - lo
	}
}

// isLoose reports whether the variable whose pieces are copied, to or else from, is part of
// another that was only copied and zeroed.
func isLoose(isTarget bool, from, to slotRef) bool {
	if isTarget {
		return to.slot.Loose
	}
	return from.slot.Loose
}

// maybeUnaligned reports whether p, which points to ref, may be an address on the
// stack that is aligned for the variables there, but not for an access of size bytes at at.
func maybeUnaligned(ref slotRef, p *ir.Value, at, size int64) bool {
	if ref.slot == nil {
		return p.Type == ir.PtrStack || p.Type == ir.PtrAny
	}
	return (ref.off+at)%size != 0
}

// side returns pointer and displacement of byte at of one side of a copy.
func (s *splitter) side(b *ir.Block, p *plan, ref slotRef, ptr *ir.Value, at int64) (*ir.Value, int64) {
	if p == nil {
		return ptr, at
	}
	return s.address(b, p, ref.slot, ref.off+at)
}

// displaced returns p plus disp.
func displaced(b *ir.Block, p *ir.Value, disp int64) *ir.Value {
	if disp == 0 {
		return p
	}
	return b.Add(ir.OpPtrAdd, p.Type, 0, p, b.Const(ir.I64, disp))
}
