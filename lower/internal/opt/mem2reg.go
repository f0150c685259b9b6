package opt

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file promotes variables on the stack to values.
//
// Method: a slot qualifies if it is only loaded and stored, always the same
// bytes and with the same kind of type. Block parameters are placed at the
// iterated dominance frontier of its stores, but only where the variable is
// live; then a walk over the dominator tree replaces each load by the value that
// reaches it. A load that no store reaches reads zero, which is as good as any
// undefined value.
//
// A variable narrower than 32 bits is narrowed where it is stored if all loads
// extend it alike, because what is stored is normalised as a rule and folding
// finds the extension superfluous; otherwise where it is loaded.
//
// Precondition: sroa.go has split aggregates.
//
// Before:                          After:
//
//	b0:                             b0:
//	v0 = slotaddr s0                jump b1(v1)
//	store.8 v0 +0, v1               b1(v2 i64):
//	jump b1()                       v3 = add i64 v2, v9
//	b1:                             branch v4, b1(v3), b2()
//	v2 = load.8 i64 v0 +0
//	v3 = add i64 v2, v9
//	store.8 v0 +0, v3
//	branch v4, b1(), b2()
//
// References: Cytron et al., "Efficiently Computing Static Single Assignment Form
// and the Control Dependence Graph" (1991); dominance frontiers as in Cooper,
// Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001).

// Mem2Reg promotes the slots of f that are only loaded and stored.
func Mem2Reg(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	m := &promoter{f: f, refs: findSlotRefs(f), names: newRenaming(f)}
	if !m.choose() {
		return
	}
	m.dom = ir.Dominators(f)
	m.placeParams()
	m.rename()
	m.names.apply()
	removeDead(f)
}

// A variable is a slot that is promoted.
type variable struct {
	promoted   bool
	seen       bool // it is accessed
	off, width int64
	typ        ir.Type
	// signed and unsigned say how narrow loads extend.
	signed, unsigned bool
	stores           []*ir.Block
	loads            []*ir.Value
}

type promoter struct {
	f     *ir.Func
	refs  *slotRefs
	names *renaming
	dom   *ir.DomTree
	vars  []variable // by Slot.Index

	// params holds, by Block.ID, the indices of the variables that are
	// parameters of the block, after those it had.
	params [][]int
	liveIn [][]bool // by Slot.Index and Block.ID
}

// choose finds the slots to promote and reports whether there are any.
func (m *promoter) choose() bool {
	m.vars = make([]variable, len(m.f.Slots))
	for i := range m.vars {
		m.vars[i].promoted = !m.refs.exposed[i]
	}
	for _, b := range m.f.Blocks {
		for _, v := range b.Instrs {
			m.consider(b, v)
		}
	}
	any := false
	for i := range m.vars {
		x := &m.vars[i]
		x.promoted = x.promoted && x.seen && x.loadsFit()
		any = any || x.promoted
	}
	return any
}

// variable returns the variable at address p.
func (m *promoter) variable(p *ir.Value) *variable {
	r := m.refs.of(p)
	if r.slot == nil || !m.vars[r.slot.Index].promoted {
		return nil
	}
	return &m.vars[r.slot.Index]
}

func (m *promoter) consider(b *ir.Block, v *ir.Value) {
	switch v.Op {
	case ir.OpLoad, ir.OpStore:
		x := m.variable(v.Args[0])
		if x == nil {
			return
		}
		off, width := m.refs.of(v.Args[0]).off+v.Imm, int64(v.Width)
		if x.seen && (x.off != off || x.width != width) {
			x.promoted = false
			return
		}
		x.seen, x.off, x.width = true, off, width
		if v.Op == ir.OpLoad {
			x.loads = append(x.loads, v)
			x.signed, x.unsigned = x.signed || v.Signed, x.unsigned || !v.Signed
			return
		}
		x.stores = append(x.stores, b)
		x.store(v.Args[1])
	case ir.OpMemZero, ir.OpMemCopy:
		for _, a := range v.Args {
			if x := m.variable(a); x != nil {
				x.promoted = false
			}
		}
	}
}

// store takes into account that v is stored.
func (x *variable) store(v *ir.Value) {
	t := v.Type
	switch {
	case t.IsInt():
		t = intOfSize(x.width)
	case v.Op == ir.OpConst:
		return // nil fits every pointer
	}
	switch {
	case x.typ == ir.Void:
		x.typ = t
	case x.typ.IsPtr() && t.IsPtr():
		x.typ = ir.JoinPtr(x.typ, t)
	case x.typ != t:
		x.promoted = false // integer and pointer
	}
}

// loadsFit reports whether the loads read what the stores write.
func (x *variable) loadsFit() bool {
	for _, v := range x.loads {
		if x.typ == ir.Void {
			x.typ = v.Type
			if v.Type.IsInt() {
				x.typ = intOfSize(x.width)
			}
		}
		if v.Type.IsInt() != x.typ.IsInt() {
			return false
		}
		if v.Type.IsPtr() && v.Type != x.typ && v.Type != ir.PtrAny {
			return false
		}
	}
	if x.typ == ir.Void { // nil is stored and never read
		x.typ = ir.PtrAny
	}
	return true
}

// placeParams decides which blocks get parameters for which variables.
func (m *promoter) placeParams() {
	frontier := m.frontiers()
	m.params = make([][]int, m.f.NumBlocks())
	m.liveIn = make([][]bool, len(m.vars))
	for i := range m.vars {
		x := &m.vars[i]
		if !x.promoted {
			continue
		}
		m.liveIn[i] = m.liveness(i)
		placed := make([]bool, m.f.NumBlocks())
		work := append([]*ir.Block(nil), x.stores...)
		for len(work) > 0 {
			b := work[len(work)-1]
			work = work[:len(work)-1]
			for _, to := range frontier[b.ID] {
				if !placed[to.ID] && m.liveIn[i][to.ID] {
					placed[to.ID] = true
					work = append(work, to)
				}
			}
		}
		for _, b := range m.dom.Order() {
			if placed[b.ID] {
				m.params[b.ID] = append(m.params[b.ID], i)
				b.AddParam(x.typ, m.f.Slots[i].Pos)
			}
		}
	}
}

// frontiers returns the dominance frontier of each block, by Block.ID.
func (m *promoter) frontiers() [][]*ir.Block {
	df := make([][]*ir.Block, m.f.NumBlocks())
	for _, b := range m.dom.Order() {
		preds := m.dom.Preds()[b.ID]
		if len(preds) < 2 {
			continue
		}
		for _, p := range preds {
			if !m.dom.Reachable(p.Block) {
				continue
			}
			for r := p.Block; r != m.dom.Idom(b); r = m.dom.Idom(r) {
				if n := len(df[r.ID]); n == 0 || df[r.ID][n-1] != b {
					df[r.ID] = append(df[r.ID], b)
				}
			}
		}
	}
	return df
}

// liveness returns, by Block.ID, where variable i is read before it is written.
func (m *promoter) liveness(i int) []bool {
	// What a block does to the variable first.
	const (
		nothing = iota
		reads
		writes
	)
	first := make([]uint8, m.f.NumBlocks())
	for _, b := range m.vars[i].stores {
		first[b.ID] = writes
	}
	var work []*ir.Block
	live := make([]bool, m.f.NumBlocks())
	for _, v := range m.vars[i].loads {
		if first[v.Block.ID] == writes && m.storeBefore(i, v) {
			continue
		}
		if !live[v.Block.ID] {
			live[v.Block.ID] = true
			work = append(work, v.Block)
		}
	}
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		for _, p := range m.dom.Preds()[b.ID] {
			if id := p.Block.ID; !live[id] && first[id] != writes {
				live[id] = true
				work = append(work, p.Block)
			}
		}
	}
	return live
}

// storeBefore reports whether the block of load v stores to variable i before v.
func (m *promoter) storeBefore(i int, v *ir.Value) bool {
	for _, w := range v.Block.Instrs {
		if w == v {
			return false
		}
		if w.Op == ir.OpStore && m.variable(w.Args[0]) == &m.vars[i] {
			return true
		}
	}
	panic("BUG: load is not in its block")
}

// rename walks the dominator tree and replaces loads by the values that reach
// them.
func (m *promoter) rename() {
	zero := make([]*ir.Value, len(m.vars)) // the undefined values, made on demand
	undefined := func(i int) *ir.Value {
		if zero[i] == nil {
			zero[i] = constant(m.f, m.vars[i].typ, 0)
			m.f.Entry().Insert(0, zero[i])
		}
		return zero[i]
	}
	// current holds the values of the variables here, and trail what they
	// were before, to be restored when the walk leaves a subtree.
	current := make([]*ir.Value, len(m.vars))
	type undo struct {
		i   int
		old *ir.Value
	}
	var trail []undo
	set := func(i int, v *ir.Value) {
		trail = append(trail, undo{i, current[i]})
		current[i] = v
	}
	type frame struct {
		b    *ir.Block
		next int // child to visit
		mark int // length of the trail on entry
	}
	enter := func(b *ir.Block) {
		first := len(b.Params) - len(m.params[b.ID])
		for n, i := range m.params[b.ID] {
			set(i, b.Params[first+n])
		}
		m.renameBlock(b, set, func(i int) *ir.Value {
			if current[i] == nil {
				return undefined(i)
			}
			return current[i]
		})
		for n := range b.Term.Succs {
			e := &b.Term.Succs[n]
			for _, i := range m.params[e.To.ID] {
				v := current[i]
				if v == nil {
					v = undefined(i)
				}
				e.Args = append(e.Args, v)
			}
		}
	}
	stack := []frame{{b: m.f.Entry()}}
	enter(m.f.Entry())
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if kids := m.dom.Children(top.b); top.next < len(kids) {
			kid := kids[top.next]
			top.next++
			stack = append(stack, frame{b: kid, mark: len(trail)})
			enter(kid)
			continue
		}
		for len(trail) > top.mark {
			u := trail[len(trail)-1]
			trail = trail[:len(trail)-1]
			current[u.i] = u.old
		}
		stack = stack[:len(stack)-1]
	}
}

// renameBlock replaces the accesses in b. Set changes the current value of a
// variable and get returns it.
func (m *promoter) renameBlock(b *ir.Block, set func(int, *ir.Value), get func(int) *ir.Value) {
	old := b.Instrs
	b.Instrs = make([]*ir.Value, 0, len(old))
	for _, v := range old {
		if v.Op != ir.OpLoad && v.Op != ir.OpStore || m.variable(v.Args[0]) == nil {
			b.Append(v)
			continue
		}
		i := m.refs.of(v.Args[0]).slot.Index
		if v.Op == ir.OpStore {
			set(i, m.vars[i].stored(b, v))
		} else {
			m.names.set(v, m.vars[i].loaded(b, v, get(i)))
		}
	}
}

// narrowedAtStore reports whether stores, not loads, bring values to the
// width of the variable.
func (x *variable) narrowedAtStore() bool { return x.width < 4 && x.signed != x.unsigned }

// stored returns the value that x has after the store v.
func (x *variable) stored(b *ir.Block, v *ir.Value) *ir.Value {
	a := v.Args[1]
	switch {
	case a.Op == ir.OpConst && a.Type.IsPtr() && a.Type != x.typ:
		return b.Const(x.typ, 0)
	case a.Type.IsPtr():
		return a
	case a.Type == ir.I64 && x.typ == ir.I32:
		a = b.Add(ir.OpTrunc, ir.I32, v.Pos, a)
	}
	if x.narrowedAtStore() {
		return x.narrow(b, v.Pos, a, x.signed)
	}
	return a
}

// loaded returns what the load v reads when x is current.
func (x *variable) loaded(b *ir.Block, v, current *ir.Value) *ir.Value {
	if current.Type.IsPtr() {
		return current
	}
	if x.width < 4 && !x.narrowedAtStore() {
		current = x.narrow(b, v.Pos, current, v.Signed)
	}
	if v.Type == ir.I64 && x.typ == ir.I32 {
		op := ir.OpZExt
		if v.Signed {
			op = ir.OpSExt
		}
		current = b.Add(op, ir.I64, v.Pos, current)
	}
	return current
}

// narrow appends the extension of the low bytes of v to 32 bits.
func (x *variable) narrow(b *ir.Block, pos ir.Pos, v *ir.Value, signed bool) *ir.Value {
	if signed {
		w := b.Add(ir.OpSExtIn, ir.I32, pos, v)
		w.Imm = x.width * 8
		return w
	}
	return b.Add(ir.OpAnd, ir.I32, pos, v, b.Const(ir.I32, 1<<(x.width*8)-1))
}
