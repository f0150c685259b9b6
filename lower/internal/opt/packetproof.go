package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file gives the verifier the only proof that it takes for an access to a packet: a
// comparison of a pointer into the packet with the pointer to its end.
//
// What the verifier learns from p+N <= end is that N bytes from p on are there, for all
// pointers that are p plus a constant. A pointer plus a variable number is a new p, of
// which it knows nothing but that it is up to 64 KiB further on. (See
// find_good_pkt_pointers and check_packet_access in kernel/bpf/verifier.c.) Lengths are
// mere numbers to it.
//
// Method: in one walk over the dominator tree,
//
//   - a comparison with a length, that of a branch or of one of Go's checks, becomes
//     one of pointers: x < len(p) is p+x+1 <= end. All numbers must be so small
//     that no sum of them wraps around, as far as the verifier knows;
//   - a check of Go's that is known to hold goes, for whatever reason: it is not
//     what the verifier looks at;
//   - sums are taken apart if no term is negative. Equal sums of variables are added to the
//     packet's beginning once, so that what has been proven of one pointer is known of
//     the others;
//   - an access that none of the comparisons above it covers gets one of its own. Go's
//     checks have been passed, so that one never fails.
//
// Numbers that the verifier may take for too large are checked not to be. Nor are they: what
// of a packet lies further than 32 KiB from its beginning, a variable index does not reach.
//
// Only comparisons of the form p > end and p <= end are made. Of the others kernels
// before 5.16 draw wrong conclusions (2fa7d94afc1a "bpf: Fix the off-by-two in range
// markings").
//
// Precondition: all pointers into packets are their beginnings plus offsets
// (packetoffset.go); no later pass merges or moves computations.
//
// Before:                          After:
//
//	v2 = ptrdiff v1, v0             v8 = ptradd v0, 34
//	v3 = slt i32 v2, 34             v3 = ugt i32 v8, v1
//	branch v3, b1(), b2()           branch v3, b1(), b2()
//	b2: v4 = checkidx v5, v2 !0     b2: v4 = pi v5             (v5 = 23)
//	v6 = ptradd v0, v4              v7 = load.1 i32 v0 +23
//	v7 = load.1 i32 v6 +0

// maxPacketOffset is how far from the beginning of a packet the verifier follows a
// pointer: MAX_PACKET_OFF in kernel/bpf/verifier.c.
const maxPacketOffset = 0xffff

// PacketProofs makes the bounds of f's accesses to packets known to the verifier.
func PacketProofs(f *ir.Func, cfg *Config) {
	if !usesPackets(f) {
		return
	}
	ir.RemoveUnreachable(f)
	p := &packetProver{
		f:       f,
		cfg:     cfg,
		sums:    newSummer(f),
		stale:   newStaleness(f),
		holds:   make(map[*ir.Value]bool),
		natural: make(map[*ir.Value]bool),
		known:   make(map[operand][]fact),
		bases:   make(map[string]*ir.Value),
		proven:  make(map[*ir.Value]int64),
		bounded: make(map[*ir.Value]bound),
		tests:   make(map[*ir.Value]packetTest),
		ends:    make(map[*ir.Value]*ir.Value),
		exact:   exactValues(f, false),
		chosen:  chosenValues(f),
	}
	p.places = findPlaces(f)
	p.sums.whole = make(map[*ir.Value]bool)
	truth := truthFinder{newAnalysis(f), p}
	truth.run(truth)
	seen := boundFinder{newVerifierAnalysis(f, cfg), p}
	seen.run(seen)
	p.dom = ir.Dominators(f)
	p.place = make([]int, f.NumBlocks())
	for i, b := range p.dom.Order() {
		p.place[b.ID] = i
	}
	walkDominators(p.dom, p.enter, p.leave)
	removeDead(f)
}

type packetProver struct {
	f     *ir.Func
	cfg   *Config
	dom   *ir.DomTree
	sums  *summer
	stale *staleness
	place []int // of blocks in reverse postorder, by ID
	// places are integers that are known to be places in a packet.
	places map[*ir.Value]bool
	exact  []bool // by Value.ID
	// chosen are the integers that others stand for on some paths: what is compared with
	// them is to be known of the integer.
	chosen map[*ir.Value]bool

	// holds are the checks that never fail, natural the comparisons of numbers that are
	// not negative, by truthFinder.
	holds, natural map[*ir.Value]bool
	// known is what the verifier knows of the terms of an address, or of what is compared
	// (operand 0), by boundFinder.
	known map[operand][]fact

	// The following holds at the current point of the walk.
	bases   map[string]*ir.Value     // packet plus variable terms, by baseKey
	proven  map[*ir.Value]int64      // bytes that are there from a base on
	bounded map[*ir.Value]bound      // what has been checked by this pass, by term.key
	tests   map[*ir.Value]packetTest // of comparisons
	ends    map[*ir.Value]*ir.Value  // by packet
	undo    []func()
	marks   []int
	state   []*ir.Value // what is stale

	out []*ir.Value // the instructions of the current block so far
	at  *ir.Value   // the instruction that is looked at
}

// An operand is an operand of an instruction.
type operand struct {
	v *ir.Value
	n int
}

// A bound is a name of a term that is no more than max.
type bound struct {
	v   *ir.Value
	max uint64
}

// A packetTest is what a comparison says: that size bytes are there from base on, or with
// not, that they are not.
type packetTest struct {
	base *ir.Value
	size int64
	not  bool
}

// restOf brings the comparison or check v to the form s <= len(packet), or, if not is
// set, its opposite. All terms of s are to be added.
func (p *packetProver) restOf(v *ir.Value) (s sum, not, ok bool) {
	x, y := v.Args[0], v.Args[1]
	if x.Type != ir.I64 {
		return s, false, false
	}
	// x < y is x+1 <= y. A length is on the right, or else the opposite is taken.
	op := v.Op
	switch op {
	case ir.OpCheckIdx:
		op = ir.OpULt
	case ir.OpCheckULe:
		op = ir.OpULe
	case ir.OpEq, ir.OpNe: // with 0, which nothing is less than
		if !isConst(y, 0) {
			return s, false, false
		}
		if op == ir.OpEq {
			op = ir.OpULe
		} else {
			op = ir.OpUGt
		}
	}
	d := p.sums.integer(x).plus(p.sums.integer(y), -1) // op compares d with 0
	i := slices.IndexFunc(d.terms, term.isLength)
	if i < 0 {
		return s, false, false
	}
	if d.terms[i].n > 0 { // the length is on the left
		d = sum{}.plus(d, -1)
		op = op.Swapped()
	}
	switch op {
	case ir.OpULe, ir.OpSLe:
	case ir.OpULt, ir.OpSLt:
		d.off++
	case ir.OpUGt, ir.OpSGt: // x > y is not x <= y
		not = true
	case ir.OpUGe, ir.OpSGe: // x >= y is not x+1 <= y
		d.off++
		not = true
	}
	lengths := 0
	for _, t := range d.terms {
		if t.isLength() {
			lengths++
			ok = t.n == -1
		} else if t.n != 1 {
			return s, false, false
		}
	}
	return d, not, ok && lengths == 1 && d.off >= 0
}

// chosenValues returns the integers that are arguments of edges or operands of selections.
func chosenValues(f *ir.Func) map[*ir.Value]bool {
	chosen := make(map[*ir.Value]bool)
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpSelect {
				chosen[v.Args[1]], chosen[v.Args[2]] = true, true
			}
		}
		for _, e := range b.Term.Succs {
			for _, a := range e.Args {
				chosen[a] = true
			}
		}
	}
	return chosen
}

// isChosenLength reports whether v is of chosen and a length is part of it.
func (p *packetProver) isChosenLength(v *ir.Value) bool {
	return p.chosen[v] && slices.ContainsFunc(p.sums.integer(v).terms, term.isLength)
}

func (p *packetProver) enter(b *ir.Block) {
	p.marks = append(p.marks, len(p.undo))
	if from, ok := enteredBy(p.dom, b); ok && from.Block.Term.Kind == ir.TermBranch {
		if test, ok := p.tests[from.Block.Term.Args[0]]; ok && test.not == (from.Succ == 1) {
			p.prove(test.base, test.size)
		}
	}
	if p.state = p.stale.at(b); p.state != nil {
		for _, v := range b.Params {
			p.state[v.ID] = nil
		}
	}
	old := b.Instrs
	p.out = make([]*ir.Value, 0, len(old)+8)
	for _, v := range old {
		p.at = v
		switch {
		case v.Op == ir.OpCheckIdx, v.Op == ir.OpCheckULe:
			p.check(v)
		case v.Op.Is(ir.Compare):
			p.compare(v)
		}
		for _, a := range packetAccesses(v) {
			p.access(v, a)
		}
		p.append(v)
		if p.state != nil {
			p.stale.after(v, p.state)
		}
	}
	for _, v := range p.out {
		v.Block = b
	}
	b.Instrs = p.out
}

func (p *packetProver) append(v *ir.Value) { p.out = append(p.out, v) }

func (p *packetProver) leave(*ir.Block) {
	mark := p.marks[len(p.marks)-1]
	p.marks = p.marks[:len(p.marks)-1]
	for len(p.undo) > mark {
		p.undo[len(p.undo)-1]()
		p.undo = p.undo[:len(p.undo)-1]
	}
}

// remember sets m[k] to v until the walk leaves the blocks that the current one
// dominates.
func remember[K comparable, V any](p *packetProver, m map[K]V, k K, v V) {
	old, had := m[k]
	m[k] = v
	p.undo = append(p.undo, func() {
		if had {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
}

// prove notes that size bytes are there from base on.
func (p *packetProver) prove(base *ir.Value, size int64) {
	if n, ok := p.proven[base]; !ok || n < size {
		remember(p, p.proven, base, size)
	}
}

func (p *packetProver) emit(op ir.Op, t ir.Type, args ...*ir.Value) *ir.Value {
	v := p.f.NewValue(op, t, p.at.Pos, args...)
	p.append(v)
	return v
}

func (p *packetProver) constant(c int64) *ir.Value {
	v := constant(p.f, ir.I64, c)
	p.append(v)
	return v
}

// isStale reports whether packet may have been moved.
func (p *packetProver) isStale(packet *ir.Value) bool {
	return p.state != nil && int(packet.ID) < len(p.state) && p.state[packet.ID] != nil
}

// split returns the packet whose length is in s, and s without it.
func split(s sum) (packet *ir.Value, rest sum) {
	rest.off = s.off
	for _, t := range s.terms {
		if t.isLength() {
			packet = t.key
		} else {
			rest.terms = append(rest.terms, t)
		}
	}
	return packet, rest
}

// factsOf returns what the verifier knows of the terms of s but the length, where what is
// known of all of them is list.
func factsOf(s sum, list []fact) []fact {
	var facts []fact
	for i, t := range s.terms {
		if !t.isLength() {
			facts = append(facts, list[i])
		}
	}
	return facts
}

// compare makes the comparison v of a length one of pointers.
func (p *packetProver) compare(v *ir.Value) {
	s, not, ok := p.restOf(v)
	if !ok || !p.natural[v] && !isSignedCompare(v.Op) || p.isChosenLength(v.Args[0]) || p.isChosenLength(v.Args[1]) {
		return
	}
	packet, rest := split(s)
	facts := factsOf(s, p.known[operand{v, 0}])
	if p.isStale(packet) || !p.fits(rest, facts) {
		return
	}
	base := p.base(packet, rest)
	v.Op = ir.OpULe
	if not {
		v.Op = ir.OpUGt
	}
	v.Args = []*ir.Value{displacedBy(p, base, rest.off), p.end(packet)}
	remember(p, p.tests, v, packetTest{base, rest.off, not})
}

func isSignedCompare(op ir.Op) bool {
	switch op {
	case ir.OpSLt, ir.OpSLe, ir.OpSGt, ir.OpSGe:
		return true
	}
	return false
}

// displacedBy returns base plus n.
func displacedBy(p *packetProver, base *ir.Value, n int64) *ir.Value {
	if n == 0 {
		return base
	}
	return p.emit(ir.OpPtrAdd, ir.PtrPacket, base, p.constant(n))
}

// check makes the check v of a number against a length one of pointers.
func (p *packetProver) check(v *ir.Value) {
	s, _, ok := p.restOf(v)
	switch {
	case !ok:
		return
	case p.holds[v]:
		v.Op, v.Args, v.Aux = ir.OpPi, v.Args[:1], nil
		return
	}
	packet, rest := split(s)
	if !p.natural[v] || p.isStale(packet) {
		return
	}
	if _, ok := p.boundTerms(rest, factsOf(s, p.known[operand{v, 0}]), v.Site()); !ok {
		return
	}
	base := p.base(packet, rest)
	p.demand(packet, base, rest.off, v.Site())
	x := v.Args[0]
	if b, ok := p.bounded[unchecked(x)]; ok {
		x = b.v
	}
	v.Op, v.Args, v.Aux = ir.OpPi, []*ir.Value{x}, nil
}

// demand panics at site unless size bytes are there from base on.
func (p *packetProver) demand(packet, base *ir.Value, size int64, site *ir.Site) {
	if n, ok := p.proven[base]; ok && n >= size {
		return
	}
	there := p.emit(ir.OpULe, ir.I32, displacedBy(p, base, size), p.end(packet))
	p.emit(ir.OpCheck, ir.Void, there).Aux = site
	p.prove(base, size)
}

// baseKey is what makes sums without constant equal. A term that has got a lower bound is
// another one, since the verifier has not changed its mind on what was computed before.
func (p *packetProver) baseKey(packet *ir.Value, terms []term) string {
	key := make([]byte, 0, 4*(len(terms)+1))
	id := func(v *ir.Value) { key = append(key, byte(v.ID), byte(v.ID>>8), byte(v.ID>>16), byte(v.ID>>24)) }
	id(packet)
	for _, t := range terms {
		if b, ok := p.bounded[t.key]; ok {
			id(b.v)
		} else {
			id(t.key)
		}
	}
	return string(key)
}

// base returns packet plus the terms of s, those first that are known further up: with
// them it may have been added before, perhaps outside of a loop.
func (p *packetProver) base(packet *ir.Value, s sum) *ir.Value {
	v := packet
	terms := slices.Clone(s.terms)
	slices.SortStableFunc(terms, func(t, u term) int { return p.place[t.key.Block.ID] - p.place[u.key.Block.ID] })
	for i, t := range terms {
		key := p.baseKey(packet, terms[:i+1])
		if b, ok := p.bases[key]; ok {
			v = b
			continue
		}
		x := t.v
		if b, ok := p.bounded[t.key]; ok {
			x = b.v
		}
		v = p.emit(ir.OpPtrAdd, ir.PtrPacket, v, x)
		remember(p, p.bases, key, v)
	}
	return v
}

// end returns the pointer to the end of packet.
func (p *packetProver) end(packet *ir.Value) *ir.Value {
	if e := p.ends[packet]; e != nil {
		return e
	}
	instrs := packet.Block.Instrs
	if packet.Block == p.at.Block {
		instrs = p.out
	}
	i := slices.Index(instrs, packet)
	for _, v := range instrs[i:] {
		if p.sums.packets[v] == packet {
			p.ends[packet] = v
			return v
		}
	}
	e := newPacketEnd(p.f, packet)
	e.Block = packet.Block
	instrs = slices.Insert(instrs, i+1, e)
	if packet.Block == p.at.Block {
		p.out = instrs
	} else {
		packet.Block.Instrs = instrs
	}
	p.ends[packet] = e
	return e
}

// access makes the access a of v one that the verifier takes.
func (p *packetProver) access(v *ir.Value, a packetAccess) {
	l := p.sums.pointer(v.Args[a.arg])
	if !isPacketStart(l.packet) {
		return // given by a caller, or found in memory: the verifier shall judge
	}
	s, facts := l.at, p.known[operand{v, a.arg}]
	s.off += a.disp
	if p.reachesExactly(l.packet, s, a.size, facts) {
		return
	}
	if s.off < 0 || slices.ContainsFunc(s.terms, func(t term) bool { return t.n != 1 || t.isLength() }) {
		s, facts = p.asOneTerm(s)
	}
	whole := sum{s.terms, s.off + a.size}
	if _, ok := p.boundTerms(whole, facts, proofSite(p.f.Module)); !ok {
		return
	}
	base := p.base(l.packet, s)
	p.demand(l.packet, base, whole.off, proofSite(p.f.Module))
	switch v.Op {
	case ir.OpLoad, ir.OpStore, ir.OpMemZero:
		v.Args[a.arg], v.Imm = base, s.off
	default:
		v.Args[a.arg] = displacedBy(p, base, s.off)
	}
}

// reachesExactly reports whether the verifier knows each term, where it comes by, as
// the number it is, and the access is covered by what has been proven of the packet's
// beginning.
func (p *packetProver) reachesExactly(packet *ir.Value, s sum, size int64, facts []fact) bool {
	if len(s.terms) == 0 || s.off < 0 {
		return false
	}
	last := s.off + size
	for i, t := range s.terms {
		if t.n != 1 || t.isLength() || !p.exact[t.key.ID] || !facts[i].isNonNegative() || facts[i].umax > maxPacketOffset {
			return false
		}
		last += int64(facts[i].umax)
	}
	return last <= p.proven[packet]
}

// asOneTerm returns a sum of one term that is computed to be s.
func (p *packetProver) asOneTerm(s sum) (sum, []fact) {
	x := p.constant(s.off)
	for _, t := range s.terms {
		y := t.v
		if t.isLength() {
			y = p.emit(ir.OpPtrDiff, ir.I64, p.end(t.v), t.v)
		}
		switch t.n {
		case 1:
			x = p.emit(ir.OpAdd, ir.I64, x, y)
		case -1:
			x = p.emit(ir.OpSub, ir.I64, x, y)
		default:
			x = p.emit(ir.OpAdd, ir.I64, x, p.emit(ir.OpMul, ir.I64, y, p.constant(t.n)))
		}
	}
	return sum{terms: []term{{x, x, 1}}}, []fact{anything(ir.I64)}
}
