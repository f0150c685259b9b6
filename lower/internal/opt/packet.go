package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file is what the passes on packet data share: where packets begin and end, and
// sums of integers and of offsets into them.
//
// A packet is known by the load of its beginning from the context. Its length, the
// distance from that to its end, is a number without a name of its own: any
// ptrdiff of a pointer to the end and one into the packet is a sum that it is part
// of. A sum represents an integer as such a sum, and a pointer as its distance from
// the packet's beginning. Sums wrap around as the integers do.

// usesPackets reports whether f loads or is given pointers into a packet.
func usesPackets(f *ir.Func) bool {
	for _, p := range f.Params() {
		if p.Type == ir.PtrPacket {
			return true
		}
	}
	for _, b := range f.Blocks {
		if slices.ContainsFunc(b.Instrs, isPacketStart) {
			return true
		}
	}
	return false
}

// isPacketStart reports whether v loads the beginning of a packet from the context.
func isPacketStart(v *ir.Value) bool {
	return v.Op == ir.OpLoad && v.Type == ir.PtrPacket && v.Args[0].Type == ir.PtrCtx
}

// isPacketEnd reports whether v loads the end of a packet from the context.
func isPacketEnd(v *ir.Value) bool {
	return v.Op == ir.OpLoad && v.Type == ir.PtrPacketEnd && v.Args[0].Type == ir.PtrCtx
}

// packetEnds is where contexts have the end of what begins at an offset: data_end of data, and
// data of data_meta, in struct xdp_md and in struct __sk_buff of linux/bpf.h.
var packetEnds = map[int64]int64{0: 4, 8: 0, 76: 80, 140: 76}

// packetEnd returns where the context has the end of the packet that start loads the beginning of.
// Struct sk_msg_md is the only one with fields of 64 bits for both, which lie side by side.
func packetEnd(start *ir.Value) int64 {
	if start.Width == 8 {
		return start.Imm + 8
	}
	return packetEnds[start.Imm]
}

// newPacketEnd returns a load of the end of the packet that start loads the beginning
// of, that is not yet in any block.
func newPacketEnd(f *ir.Func, start *ir.Value) *ir.Value {
	v := newPacketStart(f, start)
	v.Type, v.Imm = ir.PtrPacketEnd, packetEnd(start)
	return v
}

// newPacketStart returns a load like start that is not yet in any block.
func newPacketStart(f *ir.Func, start *ir.Value) *ir.Value {
	v := f.NewValue(ir.OpLoad, ir.PtrPacket, start.Pos, start.Args[0])
	v.Width, v.Imm = start.Width, start.Imm
	return v
}

// movesPacket reports whether v may move packet data, so that all pointers to it
// are invalid.
func movesPacket(v *ir.Value) bool {
	switch v.Op {
	case ir.OpHelper:
		return v.Helper().InvalidatesPacket
	case ir.OpCall:
		for _, b := range v.Callee().Blocks {
			if slices.ContainsFunc(b.Instrs, movesPacket) {
				return true
			}
		}
	}
	return false
}

// A term is n times an integer, or n times the length of the packet that key and v are.
type term struct {
	key *ir.Value // without names that checks have given it
	v   *ir.Value // the integer, by the name that was met
	n   int64
}

// A sum is the sum of terms, ordered by key, and off.
type sum struct {
	terms []term
	off   int64
}

// maxTerms is how many terms a sum may have before it counts as one.
const maxTerms = 8

// plus returns s + n*t.
func (s sum) plus(t sum, n int64) sum {
	r := sum{off: s.off + n*t.off}
	i, j := 0, 0
	for i < len(s.terms) || j < len(t.terms) {
		switch {
		case j == len(t.terms) || i < len(s.terms) && s.terms[i].key.ID < t.terms[j].key.ID:
			r.terms = append(r.terms, s.terms[i])
			i++
		case i == len(s.terms) || t.terms[j].key.ID < s.terms[i].key.ID:
			x := t.terms[j]
			x.n *= n
			r.terms = append(r.terms, x)
			j++
		default:
			x := s.terms[i]
			if t.terms[j].v.Op.Is(ir.Proof) {
				x.v = t.terms[j].v
			}
			if x.n += n * t.terms[j].n; x.n != 0 {
				r.terms = append(r.terms, x)
			}
			i, j = i+1, j+1
		}
	}
	return r
}

// equal reports whether s and t are the same.
func (s sum) equal(t sum) bool {
	return s.off == t.off && slices.EqualFunc(s.terms, t.terms, func(a, b term) bool { return a.key == b.key && a.n == b.n })
}

// summer finds sums. It remembers what it has found, so f must not change but by
// additions.
type summer struct {
	ints map[*ir.Value]sum
	ptrs map[*ir.Value]location
	// packets is the packet that a pointer to an end belongs to.
	packets map[*ir.Value]*ir.Value
	// whole, if not nil, says which sums and differences are not to be split into terms.
	whole map[*ir.Value]bool
}

// A location is a place in a packet.
type location struct {
	packet *ir.Value // or what else the pointer derives from
	at     sum
}

func newSummer(f *ir.Func) *summer {
	s := &summer{ints: make(map[*ir.Value]sum), ptrs: make(map[*ir.Value]location), packets: make(map[*ir.Value]*ir.Value)}
	for _, b := range f.Blocks {
		starts := make(map[int64]*ir.Value) // that are valid, by the offset of their end
		for _, v := range b.Instrs {
			switch {
			case isPacketStart(v):
				starts[packetEnd(v)] = v
			case isPacketEnd(v) && starts[v.Imm] != nil:
				s.packets[v] = starts[v.Imm]
			case movesPacket(v):
				clear(starts)
			}
		}
	}
	return s
}

// integer returns v as a sum.
func (s *summer) integer(v *ir.Value) sum {
	if r, ok := s.ints[v]; ok {
		return r
	}
	r := s.sumOf(v)
	if len(r.terms) > maxTerms {
		r = single(v)
	}
	s.ints[v] = r
	return r
}

// single returns v as a sum of itself.
func single(v *ir.Value) sum { return sum{terms: []term{{unchecked(v), v, 1}}} }

// lengthOf returns the length of packet.
func lengthOf(packet *ir.Value) sum { return sum{terms: []term{{packet, packet, 1}}} }

// isLength reports whether t is the length of a packet.
func (t term) isLength() bool { return isPacketStart(t.key) }

func (s *summer) sumOf(v *ir.Value) sum {
	if v.Type != ir.I64 || s.whole[v] {
		return single(v)
	}
	switch v.Op {
	case ir.OpConst:
		return sum{off: v.Imm}
	case ir.OpAdd:
		return s.integer(v.Args[0]).plus(s.integer(v.Args[1]), 1)
	case ir.OpSub:
		return s.integer(v.Args[0]).plus(s.integer(v.Args[1]), -1)
	case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe:
		r := s.integer(v.Args[0])
		if len(r.terms) == 1 && r.terms[0].key == unchecked(v) {
			return single(v)
		}
		return r
	case ir.OpPtrDiff:
		packet := s.packets[unchecked(v.Args[0])]
		if l := s.pointer(v.Args[1]); packet != nil && l.packet == packet {
			return lengthOf(packet).plus(l.at, -1)
		}
	}
	return single(v)
}

// pointer returns where in which packet v points.
func (s *summer) pointer(v *ir.Value) location {
	if l, ok := s.ptrs[v]; ok {
		return l
	}
	l := location{packet: v}
	switch v.Op {
	case ir.OpPtrAdd:
		l = s.pointer(v.Args[0])
		l.at = l.at.plus(s.integer(v.Args[1]), 1)
	case ir.OpPi, ir.OpCheckNonNil, ir.OpCheckULe:
		l = s.pointer(v.Args[0])
	}
	s.ptrs[v] = l
	return l
}
