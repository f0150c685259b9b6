package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds what is known of the numbers that packets are accessed with, and bounds those of
// which the verifier knows too little. It is part of packetproof.go.

// A truthFinder finds what is true of comparisons with lengths.
type truthFinder struct {
	*analysis
	p *packetProver
}

func (t truthFinder) param(*ir.Value, fact) {}

func (t truthFinder) term(*ir.Block) {}

func (t truthFinder) instr(v *ir.Value) {
	switch {
	case (v.Op == ir.OpAdd || v.Op == ir.OpSub) && v.Type == ir.I64:
		t.p.sums.whole[v] = t.mayWrap(v)
	case v.Op == ir.OpCheckIdx, v.Op == ir.OpCheckULe:
		if v.Type != ir.I64 {
			return
		}
		holds, ok := t.decideCompare(checkCompare(v.Op), v.Args[0], v.Args[1])
		t.p.holds[v] = holds && ok
		// What Go checks an index against has been found to be the length or capacity of
		// something.
		t.p.natural[v] = true
	case v.Op.Is(ir.Compare) && v.Args[0].Type == ir.I64:
		t.p.natural[v] = t.get(v.Args[0]).isNonNegative() && t.get(v.Args[1]).isNonNegative()
	}
}

// mayWrap reports whether a term of the sum or difference v may be negative, so that v
// must not be taken apart.
func (t truthFinder) mayWrap(v *ir.Value) bool {
	x, y := t.get(v.Args[0]), t.get(v.Args[1])
	if _, ok := v.Args[1].IsConst(); ok && v.Op == ir.OpAdd {
		y = t.transfer(v) // a constant is subtracted by addition of a negative one
	}
	negative := func(v *ir.Value, f fact) bool { return !f.isNonNegative() && !t.p.places[v] }
	return negative(v.Args[0], x) || negative(v.Args[1], y)
}

// A boundFinder finds what the verifier knows of the terms of sums.
type boundFinder struct {
	*analysis
	p *packetProver
}

func (b boundFinder) param(*ir.Value, fact) {}

func (b boundFinder) term(*ir.Block) {}

func (b boundFinder) instr(v *ir.Value) {
	note := func(s sum, n int) {
		facts := make([]fact, len(s.terms))
		for i, t := range s.terms {
			facts[i] = anything(ir.I64)
			if !t.isLength() {
				facts[i] = b.get(t.v).and(b.get(t.key), ir.I64)
			}
		}
		b.p.known[operand{v, n}] = facts
	}
	switch {
	case v.Op == ir.OpCheckIdx, v.Op == ir.OpCheckULe, v.Op.Is(ir.Compare):
		if s, _, ok := b.p.restOf(v); ok {
			note(s, 0)
		}
	default:
		for _, a := range packetAccesses(v) {
			note(b.p.sums.pointer(v.Args[a.arg]).at, a.arg)
		}
	}
}

// A packetAccess is an access through operand arg of an instruction.
type packetAccess struct {
	arg        int
	disp, size int64
}

// packetAccesses returns the accesses of v to packets.
func packetAccesses(v *ir.Value) []packetAccess {
	var list []packetAccess
	add := func(arg int, disp, size int64) {
		if v.Args[arg].Type == ir.PtrPacket {
			list = append(list, packetAccess{arg, disp, size})
		}
	}
	switch v.Op {
	case ir.OpLoad, ir.OpStore:
		add(0, v.Imm, int64(v.Width))
	case ir.OpMemZero:
		add(0, v.Imm, v.Size)
	case ir.OpMemCopy:
		add(0, 0, v.Size)
		add(1, 0, v.Size)
	case ir.OpHelper:
		h := v.Helper()
		for i, a := range v.Args {
			if i >= len(h.Sizes) || h.Sizes[i] < 0 || h.Sizes[i] >= len(v.Args) || a.Type != ir.PtrPacket {
				continue
			}
			if n, ok := v.Args[h.Sizes[i]].IsConst(); ok {
				add(i, 0, n)
			}
		}
	}
	return list
}

// findPlaces returns the parameters of blocks that are distances from the beginning of a packet:
// they come from pointers (packetoffset.go), and no pointer of Go's is outside of the packet.
func findPlaces(f *ir.Func) map[*ir.Value]bool {
	places := make(map[*ir.Value]bool)
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpPtrAdd && isPacketStart(v.Args[0]) && v.Args[1].Op == ir.OpParam && v.Args[1].Block != f.Entry() {
				places[v.Args[1]] = true
			}
		}
	}
	return places
}

// fits reports whether the verifier follows s plus the beginning of a packet.
func (p *packetProver) fits(s sum, facts []fact) bool {
	total := uint64(s.off)
	for i, t := range s.terms {
		f := facts[i]
		if b, ok := p.bounded[t.key]; ok {
			f = f.and(between(ir.I64, 0, b.max), ir.I64)
		}
		if !f.isNonNegative() || f.umax > maxPacketOffset {
			return false
		}
		total += f.umax
	}
	return s.off >= 0 && total <= maxPacketOffset
}

// boundTerms makes s so that it fits, by checks at site, and returns what is known of
// its terms then. It fails for constants that are out of range.
func (p *packetProver) boundTerms(s sum, facts []fact, site *ir.Site) ([]fact, bool) {
	switch {
	case s.off < 0 || s.off > maxPacketOffset:
		return nil, false
	case p.fits(s, facts):
		return facts, true
	}
	// Terms that are small stay as they are; the others share half of what is left, so that
	// there is room for more when one of them is part of a longer sum.
	facts = slices.Clone(facts)
	left, large := uint64(maxPacketOffset-s.off), uint64(0)
	small := func(f fact) bool { return f.isNonNegative() && f.umax <= uint64(maxPacketOffset-s.off)/2 }
	for i, t := range s.terms {
		if b, ok := p.bounded[t.key]; ok {
			facts[i] = facts[i].and(between(ir.I64, 0, b.max), ir.I64)
		}
		if small(facts[i]) && facts[i].umax < left {
			left -= facts[i].umax
		} else {
			large++
			facts[i] = anything(ir.I64)
		}
	}
	for i, t := range s.terms {
		if small(facts[i]) {
			continue
		}
		limit := left / large / 2
		c := p.emit(ir.OpCheckULe, ir.I64, t.v, p.constant(int64(limit)))
		c.Aux = site
		remember(p, p.bounded, t.key, bound{c, limit})
		facts[i] = between(ir.I64, 0, limit)
	}
	return facts, p.fits(s, facts)
}
