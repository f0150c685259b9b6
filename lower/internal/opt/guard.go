package opt

import (
	"math/bits"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file puts in the proofs that the verifier asks for and Go does not.
//
// Go's checks of s[i] bound i by the length of s. If s is a slice of an array from
// lo on, the address is array + lo + i, and that this is inside the array follows
// from lo + (hi - lo) <= cap: a relation between values, of which the verifier knows
// nothing. It takes each for as large as it can be, and refuses the sum.
//
// Method: an address in an object whose size is known is followed
// back to the sum of its variable offsets. Where the ranges that the verifier
// knows of these (facts.go) would let the access leave the object, the sum is
// checked against what the object allows, and the access goes to the object plus
// the checked sum. Go's own checks have been passed, so this one never fails; it is
// there to be followed by the verifier. One check serves all accesses of a block
// through the same pointer that it covers, and since an element's offset is a
// multiple of its size, those are all accesses to the element.
//
// A pointer that means one of several objects in data is an object itself, see guardjoin.go, and so is one to the
// value of a map, or to one of several variables of one size, see guardvalue.go.
//
// On the stack accesses must be aligned as well. An offset that goes around a loop that the
// kernel limits is any number to the verifier, so that what is known to be 0 of it is
// masked off again.
//
// With Config.Doubt all offsets are checked, and the verifier is made to forget what it
// knows of them first: on paths that are never taken it can know what contradicts itself, and
// then no comparison helps it. Where there are pointers it has to know exactly which is meant.
//
// Precondition: no later pass removes checks or merges values.
//
// Before:                          After:
//
//	v3 = ptradd v0, v1 (lo)         v3 = ptradd v0, v1
//	v5 = ptradd v3, v4 (i < len)    v5 = ptradd v3, v4
//	v6 = load.1 v5 +0               v7 = add i64 v1, v4
//	                                v8 = checkidx i64 v7, 16 !0
//	                                v9 = ptradd v0, v8
//	                                v6 = load.1 v9 +0

// Guard makes the bounds of f's accesses to variables and data known to the
// verifier.
func Guard(f *ir.Func, c *Config) {
	ir.RemoveUnreachable(f)
	g := &guarder{
		cfg:       c,
		analysis:  newVerifierAnalysis(f, c),
		f:         f,
		addresses: make([]address, f.NumValues()),
		plans:     make(map[*ir.Value][]guardPlan),
	}
	g.joins = joinedData(f, g.dom)
	g.sizes = objectSizes(f, g.dom.Preds())
	if c.Doubt {
		g.pointers = pointerSlots(f)
	}
	g.run(g)
	if len(g.plans) > 0 {
		g.offsets = offsets{newAnalysis(f), make([]fact, f.NumValues()), make(map[argument]bool)}
		g.offsets.run(g.offsets)
		for _, b := range f.Blocks {
			g.rewrite(b)
		}
		removeDead(f)
	}
	g.grow()
}

// An address is a pointer into an object: the object's address, plus variable
// offsets, plus off.
type address struct {
	root   *ir.Value // an OpSlotAddr, an OpDataAddr, one of guarder.joins or guarder.sizes, or nil if the address is not known
	terms  []*ir.Value
	off    int64
	lo, hi int64 // bounds of the sum of the terms, as the verifier sees it
	stride int64 // power of two that divides each term, as the verifier sees it
}

// maxOffset is beyond any offset that an access can have.
const maxOffset = 1 << 40

// A guardPlan says that operand arg of an access has to be guarded, and be a multiple of
// align; or, if at is the zero address, that it is a number that is at most size.
type guardPlan struct {
	arg               int
	at                address
	disp, size, align int64
}

type guarder struct {
	*analysis
	f         *ir.Func
	cfg       *Config
	addresses []address // by Value.ID
	plans     map[*ir.Value][]guardPlan
	offsets   offsets
	grown     []room
	joins     map[*ir.Value]*dataJoin
	sizes     map[*ir.Value]int64 // of other objects, by their addresses
	pointers  map[*ir.Slot]bool   // if in doubt
}

// A room is the size that a variable is to have.
type room struct {
	slot *ir.Slot
	size int64
}

// offsets is what is true of the operands of pointer additions and of sizes that helpers get, whether the
// verifier knows it or not.
type offsets struct {
	*analysis
	known    []fact            // by Value.ID
	positive map[argument]bool // numbers that are not 0
}

// An argument is an operand of a call of a helper.
type argument struct {
	call *ir.Value
	arg  int
}

func (o offsets) param(*ir.Value, fact) {}

func (o offsets) term(*ir.Block) {}

func (o offsets) instr(v *ir.Value) {
	switch v.Op {
	case ir.OpPtrAdd:
		o.known[v.Args[1].ID] = o.get(v.Args[1])
	case ir.OpHelper:
		for _, i := range v.Helper().Sizes {
			if i >= 0 && i < len(v.Args) && o.get(v.Args[i]).umin > 0 {
				o.positive[argument{v, i}] = true
			}
		}
	}
}

func (g *guarder) param(v *ir.Value, _ fact) { g.object(v) }

// object takes v as an object if it is known to mean one of several, or one of known size.
func (g *guarder) object(v *ir.Value) {
	if g.joins[v] != nil || g.sizes[v] > 0 {
		g.addresses[v.ID] = address{root: v, stride: maxOffset}
	}
}

func (g *guarder) term(*ir.Block) {}

func (g *guarder) instr(v *ir.Value) {
	switch v.Op {
	case ir.OpSlotAddr:
		g.addresses[v.ID] = address{root: v, stride: maxOffset}
	case ir.OpDataAddr:
		g.addresses[v.ID] = address{root: v, off: v.Imm, stride: maxOffset}
	case ir.OpSelect:
		g.object(v)
	case ir.OpPi, ir.OpCheckNonNil:
		g.addresses[v.ID] = g.addresses[v.Args[0].ID]
		if size := g.sizes[v.Args[0]]; size > 0 { // and is not nil
			g.sizes[v] = size
			g.object(v)
		}
	case ir.OpPtrAdd:
		g.addresses[v.ID] = g.added(g.addresses[v.Args[0].ID], v.Args[1])
	case ir.OpLoad, ir.OpStore, ir.OpAtomic:
		g.access(v, 0, v.Imm, int64(v.Width), int64(v.Width))
	case ir.OpMemZero:
		g.access(v, 0, v.Imm, v.Size, 1)
	case ir.OpMemCopy:
		g.access(v, 0, 0, v.Size, 1)
		g.access(v, 1, 0, v.Size, 1)
	case ir.OpHelper:
		g.object(v)
		h := v.Helper()
		for i, a := range v.Args {
			if a.Type.IsPtr() && i < len(h.Sizes) && h.Sizes[i] >= 0 && h.Sizes[i] < len(v.Args) {
				g.part(v, i, h.Sizes[i])
			}
		}
	}
}

// part plans for the access of a helper to as many bytes at operand arg as operand size says. That is no more than
// the object has, which the verifier does not find of the difference of two ends, so it is checked. Of
// a part with variable bounds the verifier takes both the offset and the size for as large as they can be, and no check
// could tell it that they are not at once. So the object gets room for that behind it, which nobody reads.
// The value of a map has none, and such a part of it is refused: a check of the offset alone would panic
// where Go does not.
func (g *guarder) part(v *ir.Value, arg, size int) {
	a := g.addresses[v.Args[arg].ID]
	least, most := g.bounds(v.Args[size])
	if most <= 0 || isMergedSlot(a.root) { // the verifier follows each of the variables by itself
		return
	}
	if _, isConst := v.Args[size].IsConst(); isConst || a.root == nil {
		g.access(v, arg, 0, most, 1)
		return
	}
	whole := g.objectSize(a.root)
	limit := whole
	if len(a.terms) == 0 {
		limit = max(whole-a.off, 0)
	}
	if least < 0 || most > limit {
		most = limit
		g.plans[v] = append(g.plans[v], guardPlan{arg: size, size: limit})
	}
	if len(a.terms) == 0 {
		return
	}
	if end := min(a.hi+a.off, whole) + most; end > whole && !g.reserve(a.root, end) {
		g.cfg.Diags.Add(diag.HelperArgument, g.cfg.position(v.Pos), "copy the bytes to the beginning of a local array, and pass a part of that",
			"part of a map's value or of a large variable, of which the verifier can follow either end but not both, for helper bpf_%s", v.Helper().Name)
		return
	}
	g.access(v, arg, 0, 0, 1)
}

// reserve makes room for size bytes from root on, and reports whether there can be.
func (g *guarder) reserve(root *ir.Value, size int64) bool {
	if root.Op == ir.OpSlotAddr {
		slot := root.Slot()
		i := slices.IndexFunc(g.grown, func(r room) bool { return r.slot == slot })
		if i < 0 {
			i = len(g.grown)
			g.grown = append(g.grown, room{slot: slot})
		}
		g.grown[i].size = max(g.grown[i].size, size)
		return true
	}
	if g.sizes[root] > 0 {
		return false
	}
	j := g.joins[root]
	if j == nil {
		j = &dataJoin{objects: []joinedObject{{data: root.Data()}}}
	}
	if slices.ContainsFunc(j.objects, func(o joinedObject) bool {
		return o.data.Mutable && (o.data.Fixed || o.last+size-int64(len(o.data.Bytes)) > ir.VarRoom)
	}) {
		return false
	}
	j.reserve(size)
	return true
}

// grow gives variables the room behind them, which verifiers before Linux 6.3 want to be initialised.
func (g *guarder) grow() {
	for _, r := range g.grown {
		addr := g.f.NewValue(ir.OpSlotAddr, ir.PtrStack, r.slot.Pos)
		addr.Aux = r.slot
		zero := g.f.NewValue(ir.OpMemZero, ir.Void, r.slot.Pos, addr)
		zero.Imm, zero.Size = r.slot.Size, r.size-r.slot.Size
		g.f.Entry().Insert(0, addr, zero)
		r.slot.Size = r.size
	}
}

// bounds returns signed bounds of v, cut to maxOffset.
func (g *guarder) bounds(v *ir.Value) (lo, hi int64) {
	f := g.get(v)
	return max(f.smin, -maxOffset), min(f.smax, maxOffset)
}

// added returns the address a plus x.
func (g *guarder) added(a address, x *ir.Value) address {
	if c, ok := x.IsConst(); ok {
		a.off += c
		return a
	}
	lo, hi := g.bounds(x)
	if g.doubts(a.root) {
		lo, hi, a.stride = -maxOffset, maxOffset, 1
	}
	a.terms = append(slices.Clip(a.terms), x)
	a.lo, a.hi = max(a.lo+lo, -maxOffset), min(a.hi+hi, maxOffset)
	a.stride = min(a.stride, g.get(x).stride())
	return a
}

// doubts reports whether nothing is taken to be known of offsets from root.
func (g *guarder) doubts(root *ir.Value) bool {
	switch {
	case !g.cfg.Doubt || root == nil:
		return false
	case isMergedSlot(root):
		return len(g.pointers) == 0
	}
	return root.Op != ir.OpSlotAddr || !g.pointers[root.Slot()]
}

// isMergedSlot reports whether root means one of several variables, or one or nil.
func isMergedSlot(root *ir.Value) bool {
	return root != nil && root.Type == ir.PtrStack && root.Op != ir.OpSlotAddr
}

// pointerSlots returns the variables of f that pointers may be loaded from or stored to.
func pointerSlots(f *ir.Func) map[*ir.Slot]bool {
	slots := make(map[*ir.Slot]bool)
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if (v.Op == ir.OpLoad || v.Op == ir.OpStore) && isPointerAccess(v) {
				s := rootSlot(v.Args[0])
				if s != nil {
					slots[s] = true
				} else if p := v.Args[0].Type; p == ir.PtrStack || p == ir.PtrAny {
					for _, s := range f.Slots {
						slots[s] = true
					}
				}
			}
		}
	}
	return slots
}

// stride returns a power of two that divides what f is known of.
func (f fact) stride() int64 { return 1 << min(bits.TrailingZeros64(^f.zero), 40) }

// access plans a guard for the access of v to size bytes at operand arg plus
// disp, which must be aligned to align on the stack, if the verifier needs one.
func (g *guarder) access(v *ir.Value, arg int, disp, size, align int64) {
	a := g.addresses[v.Args[arg].ID]
	if j := g.joins[a.root]; j != nil {
		j.reserve(min(a.hi+a.off+disp+size, j.largest()))
	}
	if a.root == nil || len(a.terms) == 0 {
		return
	}
	if a.stride >= align || a.root.Type != ir.PtrStack {
		align = 1
	}
	if align > 1 || a.lo+a.off+disp < 0 || a.hi+a.off+disp+size > g.objectSize(a.root) {
		g.plans[v] = append(g.plans[v], guardPlan{arg: arg, at: a, disp: disp, size: size, align: align})
	}
}

// objectSize returns the size of the object that root is an address of, of the largest
// if it may be one of several.
func (g *guarder) objectSize(root *ir.Value) int64 {
	switch root.Op {
	case ir.OpSlotAddr:
		return root.Slot().Size
	case ir.OpDataAddr:
		return int64(len(root.Data().Bytes))
	}
	if size := g.sizes[root]; size > 0 {
		return size
	}
	return g.joins[root].largest()
}

// A guardKey is what makes guards of one pointer equal.
type guardKey struct {
	p     *ir.Value
	limit int64
	off   int64 // that the sum includes
	align int64 // that the sum is told to have, if not 1
}

// rewrite puts the planned guards into b.
func (g *guarder) rewrite(b *ir.Block) {
	if !slices.ContainsFunc(b.Instrs, func(v *ir.Value) bool { return g.plans[v] != nil }) {
		return
	}
	guarded := make(map[guardKey]*ir.Value)
	old := b.Instrs
	b.Instrs = make([]*ir.Value, 0, len(old)+4)
	for _, v := range old {
		for _, p := range g.plans[v] {
			if p.at.root == nil {
				g.guardSize(b, v, p)
				continue
			}
			g.guard(b, v, p, guarded)
		}
		b.Append(v)
	}
}

// guardSize makes operand p.arg of v a number that is known to be at most p.size. Of a range around 0
// verifiers that keep one interval, as that of Linux 7.3, forget that 0 is not in it; so a positive one is
// checked less 1.
func (g *guarder) guardSize(b *ir.Block, v *ir.Value, p guardPlan) {
	n := v.Args[p.arg]
	if !g.offsets.positive[argument{v, p.arg}] || p.size == 0 {
		v.Args[p.arg] = g.check(b, v, n, p.size+1)
		return
	}
	below := b.Add(ir.OpAdd, n.Type, v.Pos, n, b.Const(n.Type, -1))
	v.Args[p.arg] = b.Add(ir.OpAdd, n.Type, v.Pos, g.check(b, v, below, p.size), b.Const(n.Type, 1))
}

// guard makes operand p.arg of v an address that is known to be in bounds.
func (g *guarder) guard(b *ir.Block, v *ir.Value, p guardPlan, guarded map[guardKey]*ir.Value) {
	a := p.at
	disp := a.off + p.disp
	last := g.objectSize(a.root) - p.size // the largest offset that is in bounds
	key := guardKey{p: v.Args[p.arg], align: 1}
	negative, stride := false, int64(maxOffset)
	for _, x := range a.terms {
		known := g.offsets.known[x.ID]
		negative = negative || !known.isNonNegative()
		stride = min(stride, known.stride())
	}
	if stride >= p.align && disp&(p.align-1) == 0 {
		key.align = p.align
	}
	if !negative && disp >= 0 {
		key.limit = (last - disp) &^ (max(a.stride, key.align) - 1)
	} else { // the sum may be negative without disp
		key.limit, key.off = last, disp
		disp = 0
	}
	if key.limit < 0 {
		return // never in bounds: the checks before it always panic
	}
	base := guarded[key]
	if base == nil {
		base = g.checkedAddress(b, v, a, key)
		guarded[key] = base
	}
	switch v.Op {
	case ir.OpLoad, ir.OpStore, ir.OpAtomic, ir.OpMemZero:
		v.Imm = disp
	default:
		base = displaced(b, base, disp)
	}
	v.Args[p.arg] = base
}

// checkedAddress appends the computation of a's object plus the checked sum of
// its terms.
func (g *guarder) checkedAddress(b *ir.Block, v *ir.Value, a address, key guardKey) *ir.Value {
	sum := a.terms[0]
	for _, x := range a.terms[1:] {
		sum = b.Add(ir.OpAdd, ir.I64, v.Pos, sum, x)
	}
	if key.off != 0 {
		sum = b.Add(ir.OpAdd, ir.I64, v.Pos, sum, b.Const(ir.I64, key.off))
	}
	if g.doubts(a.root) {
		sum = b.Add(ir.OpOpaque, ir.I64, v.Pos, sum)
	}
	if key.align > 1 {
		sum = b.Add(ir.OpAnd, ir.I64, v.Pos, sum, b.Const(ir.I64, -key.align))
	}
	check := g.check(b, v, sum, key.limit+1)
	root := a.root
	if root.Op == ir.OpDataAddr && root.Imm != 0 { // offsets count from the beginning of the object
		root = b.Add(ir.OpDataAddr, ir.PtrData, v.Pos)
		root.Aux = a.root.Aux
	}
	return b.Add(ir.OpPtrAdd, root.Type, v.Pos, root, check)
}

// check appends a check, before v, that n is less than limit.
func (g *guarder) check(b *ir.Block, v, n *ir.Value, limit int64) *ir.Value {
	check := b.Add(ir.OpCheckIdx, n.Type, v.Pos, n, b.Const(n.Type, limit))
	check.Aux = proofSite(g.f.Module)
	return check
}
