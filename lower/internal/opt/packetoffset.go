package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes offsets of the pointers into packets that change.
//
// The verifier lets a pointer into a packet be moved by 64 KiB in all, and in loops that
// the kernel limits it takes one that moves for another in each iteration. Numbers it
// handles better. So where a pointer is different on different paths, in a loop
// that steps through headers say, an offset from the packet's beginning takes its
// place. A length or capacity that always is what is left of the packet from the
// pointer on is the packet's less that offset: that it is so can be seen only where
// pointer and length change together.
//
// Method: the parameters of blocks, and the selections, that are pointers into a packet
// are candidates; those are dropped that get what is no offset into a packet. Of the
// integer parameters next to them, those are lengths which, assumed that all others
// are, every edge brings as the length of the packet less the offset it brings.
//
// Pointers must be valid where they are used, see packetstale.go, so that a new load
// of the packet's beginning may take the place of another.
//
// Before:                            After:
//
//	jump b1(v0, v1)                   jump b1(v9)         (v9 = 0)
//	b1(v2 ptr.packet, v3 i64):        b1(v8 i64):
//	v4 = ptradd v2, 2                 v2 = ptradd v0, v8
//	v5 = sub v3, 2                    v3 = sub v1, v8
//	jump b1(v4, v5)                   v7 = add v8, 2
//	                                  jump b1(v7)

// PacketOffsets replaces pointers of f into packets by offsets where they change.
func PacketOffsets(f *ir.Func, cfg *Config) {
	dropNonNil(f)
	if !usesPackets(f) {
		return
	}
	refinePointers(f)
	removeDead(f)
	checkPacketUse(f, cfg)
	stale := newStaleness(f)
	stale.report(cfg)
	if cfg.Diags.Len() > 0 {
		return
	}
	p := &packetOffsets{f: f, cfg: cfg, stale: stale, dom: ir.Dominators(f), names: newRenaming(f), joins: make(map[*ir.Value]*packetJoin)}
	p.mergeBounds()
	p.names.apply()
	p.sums = newSummer(f)
	p.findJoins()
	if len(p.order) == 0 || cfg.Diags.Len() > 0 {
		removeDead(f)
		return
	}
	p.findNil()
	if cfg.Diags.Len() > 0 {
		return
	}
	p.findLengths()
	p.rewrite()
	p.names.apply()
	removeDead(f)
}

type packetOffsets struct {
	f     *ir.Func
	cfg   *Config
	stale *staleness
	dom   *ir.DomTree
	names *renaming
	sums  *summer
	joins map[*ir.Value]*packetJoin
	order []*packetJoin
}

// A packetJoin is a pointer into a packet that is one of several.
type packetJoin struct {
	v       *ir.Value // a parameter or OpSelect
	offset  *ir.Value // what takes its place
	field   int64     // of the context that the packets begin at
	start   *ir.Value // from which offset counts
	end     *ir.Value
	lengths []*ir.Value // of the parameters, or selections, next to it
	edges   []ir.Pred   // of a parameter
	asked   bool        // whether it is nil
	nonNil  *ir.Value   // the answer; nil if nobody asks or it is certain
}

// sources returns what j is one of.
func (j *packetJoin) sources(v *ir.Value) []*ir.Value {
	if v.Op == ir.OpSelect {
		return v.Args[1:]
	}
	i := slices.Index(v.Block.Params, v)
	var list []*ir.Value
	for _, p := range j.edges {
		list = append(list, p.Edge().Args[i])
	}
	return list
}

// mergeBounds replaces loads of the bounds of a packet by others before them that
// are still valid.
func (p *packetOffsets) mergeBounds() {
	var seen []*ir.Value
	var marks []int
	walkDominators(p.dom, func(b *ir.Block) {
		marks = append(marks, len(seen))
		state := p.stale.at(b)
		for _, v := range b.Instrs {
			if isPacketStart(v) || isPacketEnd(v) {
				i := slices.IndexFunc(seen, func(w *ir.Value) bool {
					return w.Type == v.Type && w.Imm == v.Imm && w.Args[0] == v.Args[0] && (state == nil || state[w.ID] == nil)
				})
				if i >= 0 {
					p.names.set(v, seen[i])
				} else {
					seen = append(seen, v)
				}
			}
			if state != nil {
				p.stale.after(v, state)
			}
		}
	}, func(*ir.Block) {
		seen = seen[:marks[len(marks)-1]]
		marks = marks[:len(marks)-1]
	})
}

// findJoins finds the pointers to replace.
func (p *packetOffsets) findJoins() {
	add := func(v *ir.Value, edges []ir.Pred) {
		if v.Type == ir.PtrPacket {
			p.joins[v] = &packetJoin{v: v, edges: edges}
		}
	}
	for _, b := range p.dom.Order() {
		if b != p.f.Entry() {
			for _, v := range b.Params {
				add(v, p.dom.Preds()[b.ID])
			}
		}
		for _, v := range b.Instrs {
			if v.Op == ir.OpSelect {
				add(v, nil)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, b := range p.dom.Order() {
			for _, v := range slices.Concat(b.Params, b.Instrs) {
				if j := p.joins[v]; j != nil && slices.ContainsFunc(j.sources(v), func(a *ir.Value) bool { return !p.isOffset(a) }) {
					delete(p.joins, v)
					changed = true
				}
			}
		}
	}
	for _, b := range p.dom.Order() {
		for _, v := range slices.Concat(b.Params, b.Instrs) {
			if j := p.joins[v]; j != nil {
				p.order = append(p.order, j)
			}
		}
	}
	p.findFields()
}

// noField is the field of what is a packet on no path.
const noField = -1

// findFields finds out for each of order which field its packets begin at, and refuses those that
// are of the packet on one path and of its metadata on another.
func (p *packetOffsets) findFields() {
	for _, j := range p.order {
		j.field = noField
	}
	for changed := true; changed; {
		changed = false
		for _, j := range p.order {
			for _, a := range j.sources(j.v) {
				field := p.fieldOf(a)
				switch {
				case field == noField || field == j.field:
				case j.field == noField:
					j.field, changed = field, true
				default:
					p.cfg.Diags.Add(diag.UnsupportedExpr, p.cfg.position(j.v.Pos), "use a variable for each",
						"a slice that is of the packet or of its metadata")
					return
				}
			}
		}
	}
}

// fieldOf returns the field that the packet which a points into begins at.
func (p *packetOffsets) fieldOf(a *ir.Value) int64 {
	if a.Op == ir.OpConst {
		return noField
	}
	l := p.sums.pointer(a)
	if j := p.joins[l.packet]; j != nil {
		return j.field
	}
	return l.packet.Imm
}

// isOffset reports whether a is a packet's beginning, or a candidate, plus an offset.
func (p *packetOffsets) isOffset(a *ir.Value) bool {
	if a.Op == ir.OpConst {
		return true // nil, of an empty slice
	}
	l := p.sums.pointer(a)
	return isPacketStart(l.packet) || p.joins[l.packet] != nil
}

// findLengths finds the integers next to the pointers that are what is left of the
// packet.
func (p *packetOffsets) findLengths() {
	for _, j := range p.order {
		for _, v := range p.beside(j.v) {
			if v.Type == ir.I64 {
				j.lengths = append(j.lengths, v)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		p.sums.ints, p.sums.ptrs = p.assumed(), make(map[*ir.Value]location)
		for _, j := range p.order {
			from := j.sources(j.v)
			before := len(j.lengths)
			j.lengths = slices.DeleteFunc(j.lengths, func(n *ir.Value) bool {
				for i, a := range j.sources(n) {
					if !p.isRest(a, from[i], p.sourceBlock(j, i)) {
						return true
					}
				}
				return false
			})
			changed = changed || len(j.lengths) < before
		}
	}
}

// beside returns the values that are chosen as v is.
func (p *packetOffsets) beside(v *ir.Value) []*ir.Value {
	if v.Op != ir.OpSelect {
		return v.Block.Params
	}
	var list []*ir.Value
	for _, w := range v.Block.Instrs {
		if w.Op == ir.OpSelect && w.Args[0] == v.Args[0] {
			list = append(list, w)
		}
	}
	return list
}

// sourceBlock returns the block at the end of which source i of j is taken.
func (p *packetOffsets) sourceBlock(j *packetJoin, i int) *ir.Block {
	if j.v.Op == ir.OpSelect {
		return j.v.Block
	}
	return j.edges[i].Block
}

// assumed returns sums of the lengths as far as they have not been dropped. A
// candidate stands for the packet that it points into, from its own offset on.
func (p *packetOffsets) assumed() map[*ir.Value]sum {
	ints := make(map[*ir.Value]sum)
	for _, j := range p.order {
		for _, n := range j.lengths {
			if _, ok := ints[n]; !ok {
				ints[n] = lengthOf(j.v)
			}
		}
	}
	return ints
}

// isRest reports whether n is the length of the packet from the pointer v on, at the
// end of b.
func (p *packetOffsets) isRest(n, v *ir.Value, b *ir.Block) bool {
	if v.Op == ir.OpConst {
		return false // the length of nil is 0
	}
	l := p.sums.pointer(v)
	if isPacketStart(l.packet) {
		state := p.stale.at(b)
		if state != nil {
			p.stale.through(b, len(b.Instrs), state)
			if state[l.packet.ID] != nil {
				return false
			}
		}
	}
	want := lengthOf(l.packet).plus(l.at, -1)
	return p.sums.integer(n).equal(want)
}

// rewrite replaces the pointers and lengths.
func (p *packetOffsets) rewrite() {
	for _, j := range p.order {
		if j.asked {
			p.placeNonNil(j)
		}
		p.place(j)
	}
	p.answerNil()
	for _, j := range p.order {
		if j.asked {
			p.linkNonNil(j, j.sources(j.v))
		}
		if j.v.Op == ir.OpSelect {
			j.offset.Args = []*ir.Value{j.v.Args[0], p.offsetBefore(j.v.Args[1], j.v), p.offsetBefore(j.v.Args[2], j.v)}
			continue
		}
		i := slices.Index(j.v.Block.Params, j.v)
		for _, e := range j.edges {
			e.Edge().Args[i] = p.offsetAtEnd(e.Edge().Args[i], e.Block)
		}
		j.v.Block.Params[i] = j.offset
		j.offset.Block = j.v.Block
	}
	for _, b := range p.dom.Order() {
		preds := p.dom.Preds()[b.ID]
		removeParams(b, preds, func(v *ir.Value) bool {
			return slices.ContainsFunc(p.order, func(j *packetJoin) bool { return slices.Contains(j.lengths, v) })
		})
	}
}

// place makes the offset of j and what is computed of it.
func (p *packetOffsets) place(j *packetJoin) {
	b := j.v.Block
	var add []*ir.Value
	emit := func(op ir.Op, t ir.Type, args ...*ir.Value) *ir.Value {
		v := p.f.NewValue(op, t, j.v.Pos, args...)
		add = append(add, v)
		return v
	}
	j.offset = p.f.NewValue(ir.OpParam, ir.I64, j.v.Pos)
	at := 0
	if j.v.Op == ir.OpSelect {
		j.offset.Op = ir.OpSelect
		at = slices.Index(b.Instrs, j.v)
		add = append(add, j.offset)
	}
	j.start, j.end = p.boundsAt(j, b, &add)
	p.names.set(j.v, emit(ir.OpPtrAdd, ir.PtrPacket, j.start, j.offset))
	if len(j.lengths) > 0 {
		n := emit(ir.OpPtrDiff, ir.I64, j.end, j.start)
		rest := emit(ir.OpSub, ir.I64, n, j.offset)
		for _, l := range j.lengths {
			if p.names.get(l) == l {
				p.names.set(l, rest)
			}
		}
	}
	b.Insert(at, add...)
}

// boundsAt returns the beginning and end of the packet in b, where j is, loaded anew
// unless they are known from further up.
func (p *packetOffsets) boundsAt(j *packetJoin, b *ir.Block, add *[]*ir.Value) (start, end *ir.Value) {
	var like *ir.Value
	for _, c := range p.dom.Order() {
		for _, v := range c.Instrs {
			if !isPacketStart(v) || v.Imm != j.field && j.field != noField {
				continue
			}
			like = v
			if p.dom.StrictlyDominates(c, b) && !p.stale.isStale(v, b) {
				if e := p.endOf(v); e != nil {
					return v, e
				}
			}
		}
	}
	start = newPacketStart(p.f, like)
	end = newPacketEnd(p.f, like)
	*add = append([]*ir.Value{start, end}, *add...)
	return start, end
}

// endOf returns the end of the packet that begins at start, or nil if it is not loaded
// with it.
func (p *packetOffsets) endOf(start *ir.Value) *ir.Value {
	for _, v := range start.Block.Instrs {
		if p.sums.packets[v] == start {
			return v
		}
	}
	return nil
}

// offsetAtEnd returns the offset that the pointer v is, computed at the end of b.
func (p *packetOffsets) offsetAtEnd(v *ir.Value, b *ir.Block) *ir.Value {
	var add []*ir.Value
	x := p.offset(v, &add)
	b.Insert(len(b.Instrs), add...)
	return x
}

// offsetBefore returns the offset that the pointer v is, computed before at.
func (p *packetOffsets) offsetBefore(v, at *ir.Value) *ir.Value {
	var add []*ir.Value
	x := p.offset(v, &add)
	i := slices.Index(at.Block.Instrs, p.joins[at].offset)
	at.Block.Insert(i, add...)
	return x
}

// offset appends to add what computes the offset of v.
func (p *packetOffsets) offset(v *ir.Value, add *[]*ir.Value) *ir.Value {
	switch j := p.joins[v]; {
	case j != nil:
		return j.offset
	case v.Op == ir.OpPtrAdd:
		// What has been checked of the number is not needed: the pointer is, where it is used.
		x, y := p.offset(v.Args[0], add), unchecked(v.Args[1])
		if x.Op == ir.OpConst && x.Imm == 0 {
			return y
		}
		s := p.f.NewValue(ir.OpAdd, ir.I64, v.Pos, x, y)
		*add = append(*add, s)
		return s
	case v.Op == ir.OpPi || v.Op == ir.OpCheckNonNil || v.Op == ir.OpCheckULe:
		return p.offset(v.Args[0], add)
	}
	x := constant(p.f, ir.I64, 0) // the packet's beginning, or nil
	*add = append(*add, x)
	return x
}
