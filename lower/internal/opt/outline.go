package opt

import (
	"fmt"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file makes functions of the limited loops (looplimit.go) for kernels that have no
// instruction to limit a loop but the helper bpf_loop, which calls a function up to
// 8 million times (BPF_MAX_LOOPS in include/linux/bpf.h).
//
// Method: an iteration becomes a function of its own. What it uses from outside, and
// the parameters of the loop's header, are in cells of a variable, the context, whose
// address the helper passes on. The function returns 0 at an edge back, after it has
// stored the header's next parameters; at an edge out it stores what the edge carries,
// which of the edges it is, and returns 1, which ends the helper's loop. Then
// the original function goes on along that edge. A check that fails is such an edge,
// too, so that the panic is in the original function. If the helper comes to its end
// by itself, the loop has taken too long.
//
// Until Linux 6.7 verifiers follow the function only once, from what is known when the
// helper is called. That is enough if what changes in the loop is not known then
// (forget.go): the parameters are opaque, and variables that the loop stores to are
// made so.
//
// Precondition: canOutline; no pass that follows relies on natural loops.
//
// Before:                          After:
//
//	b1(v2 i64):                     store.8 ctx +0, 0
//	looplimit !0                    store.8 ctx +8, v1
//	v3 = ult i32 v2, v0             helper loop(1<<23, @f.loop1, ctx, 0)
//	branch v3, b2(), b3()           v9 = load.8 ctx +0
//	b2: ...                         branch v9, b3(), b4()
//	jump b1(v4)                     b4: panic !0
//
// Reference: Aho, Lam, Sethi, Ullman, "Compilers", 2nd ed., 7.3 (access to nonlocal data).

// maxHelperLoops is BPF_MAX_LOOPS.
const maxHelperLoops = 8 << 20

// loopHelper is the helper bpf_loop.
var loopHelper = &ir.Helper{
	ID: 181, Name: "loop",
	Args: []ir.ArgKind{ir.ArgScalar, ir.ArgFunc, ir.ArgOut, ir.ArgScalar}, Sizes: []int{-1, -1, -1, -1},
	Result: ir.I64, Flags: ir.ReadsMem | ir.WritesMem,
}

// Outline makes functions of the limited loops of m if the target needs that.
func Outline(m *ir.Module, c *Config) {
	if c.Target.Has(target.MayGoto) || !c.Target.Has(target.LoopHelper) {
		return
	}
	for _, f := range slices.Clone(m.Funcs) {
		contexts := make(map[*ir.Slot]bool)
		for outlineOne(f, contexts) {
		}
	}
}

// outlineOne makes a function of an innermost limited loop of f and reports whether
// there was one. contexts is the contexts of those before.
func outlineOne(f *ir.Func, contexts map[*ir.Slot]bool) bool {
	ir.RemoveUnreachable(f)
	dom := ir.Dominators(f)
	nest := ir.Loops(dom)
	for _, l := range slices.Backward(nest.Loops) {
		if isLimited(l) {
			o := &outliner{f: f, loop: l, nest: nest, dom: dom, contexts: contexts}
			o.run()
			return true
		}
	}
	return false
}

// An outliner moves one loop.
type outliner struct {
	f, g     *ir.Func // original and new function
	loop     *ir.Loop
	nest     *ir.LoopNest
	dom      *ir.DomTree
	contexts map[*ir.Slot]bool

	slot   *ir.Slot                // the context
	cells  int                     // in use
	cellOf map[*ir.Value]int       // of parameters, values from outside, and values used behind
	inside map[*ir.Value]*ir.Value // what stands for a value in g
	shared []*ir.Value             // values from outside, in order of first use
	slots  []*ir.Slot              // variables whose address is used
	behind []*ir.Value             // values of the loop that are used behind it
	exits  []loopExit
	site   *ir.Site // of the limit
	enter  *ir.Block
	ctx    *ir.Value // address of the context in enter
	inner  *ir.Value // and in g
}

// A loopExit is a way out of the loop: an edge, or the failure of a check.
type loopExit struct {
	edge  ir.Edge
	cells []int // of the arguments, -1 for those from outside
	site  *ir.Site
}

func (o *outliner) contains(b *ir.Block) bool { return o.nest.Contains(o.loop, b) }

func (o *outliner) run() {
	h := o.loop.Header
	o.site = h.Instrs[0].Site()
	h.Instrs = h.Instrs[1:]
	o.g = o.f.Module.NewFunc(fmt.Sprintf("%s.loop%d", o.f.Name, len(o.contexts)+1), loopPos(o.loop))
	o.g.Results = []ir.Type{ir.I64}
	o.g.NoInline, o.g.Callback, o.g.Stop = true, true, 1
	o.cellOf = make(map[*ir.Value]int)
	o.inside = make(map[*ir.Value]*ir.Value)
	o.cells = 1 // which exit was taken, from 1 on
	o.slot = o.f.NewSlot("loop", 8, 8, o.g.Pos)

	for _, p := range h.Params {
		o.cell(p)
	}
	o.findShared()
	o.findBehind()
	o.body()
	o.callHelper()
	o.dispatch()
	o.slot.Size = int64(o.cells) * cell
	o.contexts[o.slot] = true
	ir.RemoveUnreachable(o.f)
}

// cell gives v a cell.
func (o *outliner) cell(v *ir.Value) {
	o.cellOf[v] = o.cells
	o.cells++
}

// isAnywhere reports whether v can be computed anywhere, in any function.
func isAnywhere(v *ir.Value) bool {
	return v.Op.Is(ir.Pure) && len(v.Args) == 0 && v.Op != ir.OpSlotAddr
}

// findShared finds what the loop uses from outside.
func (o *outliner) findShared() {
	share := func(v *ir.Value) {
		if _, ok := o.cellOf[v]; !ok && !o.contains(v.Block) && !isAnywhere(v) && v.Op != ir.OpSlotAddr {
			o.cell(v)
			o.shared = append(o.shared, v)
		}
	}
	for _, b := range o.loop.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpSlotAddr {
				o.useSlot(v.Slot())
			}
		}
		b.EachUse(func(u ir.Use) {
			v := u.Get()
			if v.Op == ir.OpSlotAddr && !o.contains(v.Block) {
				o.useSlot(v.Slot())
			}
			if u.Succ < 0 || o.contains(b.Term.Succs[u.Succ].To) { // edges out take it from outside
				share(v)
			}
		})
	}
}

// useSlot notes that the loop uses the address of s. Contexts of inner loops become
// variables of the new function.
func (o *outliner) useSlot(s *ir.Slot) {
	if !o.contexts[s] && !slices.Contains(o.slots, s) {
		o.slots = append(o.slots, s)
	}
}

// findBehind finds the values of the loop that are used behind it other than as
// arguments of its edges.
func (o *outliner) findBehind() {
	for _, b := range o.f.Blocks {
		if o.contains(b) {
			continue
		}
		b.EachUse(func(u ir.Use) {
			v := u.Get()
			if o.contains(v.Block) && !isAnywhere(v) && v.Op != ir.OpSlotAddr && !slices.Contains(o.behind, v) {
				o.behind = append(o.behind, v)
				if _, ok := o.cellOf[v]; !ok {
					o.cell(v)
				}
			}
		})
	}
}

// body makes the new function.
func (o *outliner) body() {
	entry := o.g.NewBlock()
	pos := o.g.Pos
	entry.AddParam(ir.I64, pos)
	o.inner = entry.AddParam(ir.PtrStack, pos)
	for _, v := range o.shared {
		o.inside[v] = o.load(entry, o.inner, o.cellOf[v], v.Type)
	}
	addresses := make(map[*ir.Slot]*ir.Value)
	for _, s := range o.slots {
		addresses[s] = o.load(entry, o.inner, o.cells, ir.PtrStack)
		o.cells++
	}
	own := make(map[*ir.Slot]*ir.Slot)
	for _, b := range o.loop.Blocks {
		b.EachUse(func(u ir.Use) { o.bringIn(entry, u.Get(), addresses, own) })
	}
	var first []*ir.Value
	for _, p := range o.loop.Header.Params {
		first = append(first, o.load(entry, o.inner, o.cellOf[p], p.Type))
	}
	copies := copyBlocks(o.g, o.loop.Blocks, o.inside)
	entry.Jump(pos, copies[o.loop.Header], first...)
	for _, b := range o.loop.Blocks {
		o.leaveBy(b, copies)
	}
	for _, b := range o.loop.Blocks {
		n := copies[b]
		for _, v := range slices.Clone(n.Instrs) {
			if v.Op == ir.OpSlotAddr {
				o.ownAddress(v, addresses, own)
			}
		}
		o.splitChecks(n)
	}
}

// bringIn makes v, if it comes from outside and can be made anywhere, in entry.
func (o *outliner) bringIn(entry *ir.Block, v *ir.Value, addresses map[*ir.Slot]*ir.Value, own map[*ir.Slot]*ir.Slot) {
	if o.contains(v.Block) || o.inside[v] != nil || !v.Op.Is(ir.Pure) || len(v.Args) > 0 {
		return
	}
	w := entry.Append(copyValue(o.g, v))
	if v.Op == ir.OpSlotAddr {
		o.ownAddress(w, addresses, own)
	}
	o.inside[v] = w
}

// ownAddress makes the address v of a variable of the original function one of the new:
// what it has been given, or the address of a context of its own.
func (o *outliner) ownAddress(v *ir.Value, addresses map[*ir.Slot]*ir.Value, own map[*ir.Slot]*ir.Slot) {
	s := v.Slot()
	if a := addresses[s]; a != nil {
		zero := o.g.NewValue(ir.OpConst, ir.I64, 0)
		at := slices.Index(v.Block.Instrs, v)
		v.Block.Insert(at, zero)
		v.Op, v.Aux, v.Args = ir.OpPtrAdd, nil, []*ir.Value{a, zero}
		return
	}
	if own[s] == nil {
		own[s] = o.g.NewSlot(s.Name, s.Size, s.Align, s.Pos)
	}
	v.Aux = own[s]
}

// leaveBy makes the edges of b's copy that lead back or out end the iteration.
func (o *outliner) leaveBy(b *ir.Block, copies map[*ir.Block]*ir.Block) {
	n := copies[b]
	for i := range n.Term.Succs {
		e, original := &n.Term.Succs[i], b.Term.Succs[i]
		back := original.To == o.loop.Header
		if !back && o.contains(original.To) {
			continue
		}
		end := o.g.NewBlock()
		if back {
			for k, p := range o.loop.Header.Params {
				if original.Args[k] != p {
					o.store(end, o.inner, o.cellOf[p], e.Args[k])
				}
			}
			end.Return(b.Term.Pos, end.Const(ir.I64, 0))
		} else {
			x := loopExit{edge: original}
			for k, a := range original.Args {
				switch {
				case !o.contains(a.Block) || isAnywhere(a) || a.Op == ir.OpSlotAddr:
					x.cells = append(x.cells, -1)
				default:
					x.cells = append(x.cells, o.cells)
					o.store(end, o.inner, o.cells, e.Args[k])
					o.cells++
				}
			}
			for _, v := range o.behind {
				if o.dom.Dominates(v.Block, b) {
					o.store(end, o.inner, o.cellOf[v], o.inside[v])
				}
			}
			o.exit(end, x)
		}
		*e = ir.Edge{To: end}
	}
}

// exit ends end by leaving the loop by x.
func (o *outliner) exit(end *ir.Block, x loopExit) {
	o.exits = append(o.exits, x)
	o.store(end, o.inner, 0, end.Const(ir.I64, int64(len(o.exits))))
	end.Return(o.g.Pos, end.Const(ir.I64, 1))
}

// splitChecks makes branches of the checks in n.
func (o *outliner) splitChecks(n *ir.Block) {
	for i := 0; i < len(n.Instrs); i++ {
		v := n.Instrs[i]
		if !v.Op.Is(ir.MayPanic) {
			continue
		}
		cond := v.Args[0]
		rest := ir.SplitBlock(n, i)
		switch v.Op {
		case ir.OpCheckIdx, ir.OpCheckULe:
			cond = n.Add(checkCompare(v.Op), ir.I32, v.Pos, v.Args[0], v.Args[1])
		case ir.OpCheckNonNil:
			cond = n.Add(ir.OpNe, ir.I32, v.Pos, v.Args[0], n.Append(constant(o.g, v.Type, 0)))
		}
		fail := o.g.NewBlock()
		o.exit(fail, loopExit{site: v.Site()})
		if v.Op == ir.OpCheck {
			rest.Instrs = rest.Instrs[1:]
		} else {
			v.Op, v.Args, v.Aux = ir.OpPi, v.Args[:1], nil
		}
		n.Branch(v.Pos, cond, ir.Edge{To: rest}, ir.Edge{To: fail})
		n, i = rest, -1
	}
}

// callHelper makes the original function enter the loop by a call of the helper.
func (o *outliner) callHelper() {
	h, pos := o.loop.Header, o.g.Pos
	b := o.f.NewBlock()
	o.enter = b
	for _, p := range o.dom.Preds()[h.ID] {
		if !o.contains(p.Block) {
			p.Edge().To = b
		}
	}
	o.ctx = b.Append(slotAddress(o.f, o.slot))
	zero := b.Const(ir.I64, 0)
	for i := range o.cells { // older verifiers want all of it to have been written
		o.store(b, o.ctx, i, zero)
	}
	for _, p := range h.Params {
		o.store(b, o.ctx, o.cellOf[p], b.AddParam(p.Type, p.Pos))
	}
	for _, v := range o.shared {
		o.store(b, o.ctx, o.cellOf[v], v)
	}
	first := o.firstSlotCell()
	for i, s := range o.slots {
		o.store(b, o.ctx, first+i, b.Append(slotAddress(o.f, s)))
	}
	for _, s := range o.written() {
		initialize(o.f, s)
		forgetSlot(b, b.Append(slotAddress(o.f, s)), s)
	}
	fn := b.Append(o.f.NewValue(ir.OpFuncAddr, ir.FuncRef, pos))
	fn.Aux = o.g
	call := b.Append(o.f.NewValue(ir.OpHelper, ir.I64, pos, b.Const(ir.I64, maxHelperLoops), fn, o.ctx, zero))
	call.Aux = loopHelper
}

// firstSlotCell returns the cell of the first address of a variable.
func (o *outliner) firstSlotCell() int {
	return 1 + len(o.cellOf)
}

// written returns the variables of the original function that the loop stores to, be it
// by an address that has been computed before.
func (o *outliner) written() []*ir.Slot {
	var list []*ir.Slot
	for _, b := range o.loop.Blocks {
		for _, v := range b.Instrs {
			for _, s := range storedTo(v, o.dom.Preds()) {
				if !o.contexts[s] && !slices.Contains(list, s) {
					list = append(list, s)
				}
			}
		}
	}
	return list
}

// dispatch makes the original function go on where the loop was left.
func (o *outliner) dispatch() {
	b, pos := o.enter, o.g.Pos
	after := make(map[*ir.Value]*ir.Value)
	for _, v := range o.behind {
		after[v] = o.load(b, o.ctx, o.cellOf[v], v.Type)
	}
	for _, block := range o.f.Blocks {
		if !slices.Contains(o.loop.Blocks, block) && block != b {
			o.renameBehind(block, after)
		}
	}
	which := o.load(b, o.ctx, 0, ir.I64)
	for i, x := range o.exits {
		leave, next := o.f.NewBlock(), o.f.NewBlock()
		b.Branch(pos, b.Add(ir.OpEq, ir.I32, pos, which, b.Const(ir.I64, int64(i+1))), ir.Edge{To: leave}, ir.Edge{To: next})
		if x.site != nil {
			leave.Panic(x.site.Pos, x.site)
		} else {
			leave.Jump(pos, x.edge.To, o.argsOf(leave, x)...)
		}
		b = next
	}
	b.Panic(o.site.Pos, o.site)
}

// renameBehind makes b, which is not in the loop, use what has been loaded after it.
func (o *outliner) renameBehind(b *ir.Block, after map[*ir.Value]*ir.Value) {
	var uses []ir.Use
	b.EachUse(func(u ir.Use) { uses = append(uses, u) })
	for _, u := range uses {
		v := u.Get()
		if w := after[v]; w != nil {
			u.Set(w)
			continue
		}
		if slices.Contains(o.loop.Blocks, v.Block) && v.Op.Is(ir.Pure) && len(v.Args) == 0 {
			at := len(b.Instrs)
			if u.User != nil {
				at = slices.Index(b.Instrs, u.User)
			}
			u.Set(copyValue(o.f, v))
			b.Insert(at, u.Get())
		}
	}
}

// argsOf returns the arguments of the edge that the exit x is, for use in b. They are
// loaded where the helper has been called: b may be outside of a loop around this one,
// which takes the context along when it becomes a function itself.
func (o *outliner) argsOf(b *ir.Block, x loopExit) []*ir.Value {
	var args []*ir.Value
	for i, a := range x.edge.Args {
		switch {
		case x.cells[i] >= 0:
			a = o.load(o.enter, o.ctx, x.cells[i], a.Type)
		case o.contains(a.Block):
			a = b.Append(copyValue(o.f, a))
		}
		args = append(args, a)
	}
	return args
}

// load appends to b a load of a value of type t from a cell of the context at ctx.
func (o *outliner) load(b *ir.Block, ctx *ir.Value, n int, t ir.Type) *ir.Value {
	wide := t
	if t == ir.I32 {
		wide = ir.I64
	}
	v := b.Add(ir.OpLoad, wide, o.g.Pos, ctx)
	v.Width, v.Imm = cell, int64(n)*cell
	if t == ir.I32 {
		v = b.Add(ir.OpTrunc, ir.I32, o.g.Pos, v)
	}
	return v
}

// store appends to b a store of v to a cell of the context at ctx.
func (o *outliner) store(b *ir.Block, ctx *ir.Value, n int, v *ir.Value) {
	if v.Type == ir.I32 {
		v = b.Add(ir.OpZExt, ir.I64, o.g.Pos, v)
	}
	s := b.Add(ir.OpStore, ir.Void, o.g.Pos, ctx, v)
	s.Width, s.Imm = cell, int64(n)*cell
}
