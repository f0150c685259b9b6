package build

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file decides where variables live. There is no heap, so that two kinds of
// variables need care:
//
//   - One whose address leaves its function, as in return &x, belongs to the
//     caller, who passes memory for it; if it leaves that function too, to the
//     caller's caller. See frame.
//   - One that is declared in a loop is a new variable in each iteration. All
//     share one stack object, unless an address may be kept from one iteration
//     to the next. Then there is an array of them, one for each iteration; if it is
//     not known how many there are (see executions.go), that is an error.
//
// Both follow the address through the SSA graph: conservatively, by what it may
// be stored into, and not by what happens to be read back.

// A frame is memory that a function wants from its caller.
type frame struct {
	size, align int64
	pos         token.Pos
	// thrown says that the memory is for the value of a panic or, if pointed is set, for a
	// variable that it points to. See recovered.go.
	thrown, pointed bool
}

func (f frame) irPos() ir.Pos { return ir.Pos(f.pos) }

// variable returns memory for the variable that v declares, or for one that the
// call v creates for us.
func (fn *function) variable(v ssa.Value, name string, fr frame) address {
	fr.size = max(fr.size, 1)
	blk := v.(ssa.Instruction).Block()
	looped, n, size := fn.cyclic[blk.Index], int64(1), fr.size
	if looped && !fn.keptInIteration(v, blk, nil) {
		size = roundUp(size, fr.align)
		if n = fn.copies(blk, size, name); n == 0 {
			return address{base: fn.constant(ir.PtrAny, 0)}
		}
		fr.size, looped = n*size, false
	}
	var a address
	if fn.throws(v) && fn.inst.unwinds {
		fr.thrown, fr.pointed = true, true
		a = fn.thrownMemory(fr)
	} else if fn.escapes(v) {
		fn.inst.frames = append(fn.inst.frames, fr)
		a = address{base: fn.f.Entry().AddParam(ir.PtrStack, fr.irPos())}
	} else {
		slot := fn.f.NewSlot(name, fr.size, fr.align, fr.irPos())
		slot.Looped = looped
		a = fn.slotAddr(slot)
	}
	if n > 1 {
		a.base = fn.emit(ir.OpPtrAdd, a.base.Type, a.base, fn.emit(ir.OpMul, ir.I64, fn.nextCopy(n), fn.constant(ir.I64, size)))
	}
	return a
}

// copies returns how many variables of the given size a declaration in blk makes that may all
// be in use, or 0, having reported it, if that is not known.
func (fn *function) copies(blk *ssa.BasicBlock, size int64, name string) int64 {
	n, ok := executions(blk)
	switch {
	case !ok || len(fn.tailCalls) > 0:
		fn.fail(diag.EscapingVariable, "declare it before the loop, copy its value, or bound the loop by a constant, as in for range min(n, 16)",
			"address of variable %s may outlive the iteration of the loop that declares it, and it is not known how many iterations there are", name)
		return 0
	case n*size > maxBuffer:
		fn.fail(diag.EscapingVariable, "declare it before the loop, or copy its value",
			"address of variable %s may outlive the iteration of the loop that declares it, and all %d of them take %d bytes", name, n, n*size)
		return 0
	}
	return n
}

// nextCopy returns how often this place has been executed in the activation of fn, which
// is less than n.
func (fn *function) nextCopy(n int64) *ir.Value {
	slot := fn.f.NewSlot("", 8, 8, ir.Pos(fn.pos))
	fn.zeroOnEntry(slot)
	count := fn.loadLeaf(fn.slotAddr(slot), leaf{typ: ir.I64, width: 8})
	fn.storeLeaf(fn.slotAddr(slot), 8, fn.emit(ir.OpAdd, ir.I64, count, fn.constant(ir.I64, 1)))
	k := fn.emit(ir.OpCheckIdx, ir.I64, count, fn.constant(ir.I64, n))
	k.Aux = fn.b.site(ir.PanicIndex, ir.ProofMessage, fn.pos)
	return k
}

// escapes reports whether the address v may be used after its function has
// returned.
func (fn *function) escapes(v ssa.Value) bool {
	found := false
	trace(v, func(use ssa.Instruction, into *ssa.Alloc) bool {
		switch use.(type) {
		case *ssa.Return:
			found = true
		case *ssa.Phi, *ssa.Panic, *ssa.Defer: // deferred calls are made before the function returns
		default:
			found = into == nil
		}
		return !found
	})
	return found
}

// keptInIteration reports whether the address v, of a variable that is new in each
// execution of the block home, is not kept from one execution to the next, but for what
// the phi except does.
func (fn *function) keptInIteration(v ssa.Value, home *ssa.BasicBlock, except *ssa.Phi) bool {
	bad := false
	trace(v, func(use ssa.Instruction, into *ssa.Alloc) bool {
		switch use := use.(type) {
		case *ssa.Return, *ssa.Panic:
			return true
		case *ssa.Defer:
			bad = true
		case *ssa.Phi:
			// In the header of a loop around the declaration.
			bad = bad || use != except && use.Parent() == home.Parent() && use.Block().Dominates(home)
		default:
			local := into != nil && (into.Parent() != home.Parent() || home.Dominates(into.Block()))
			bad = bad || !local
		}
		return !bad
	})
	return !bad
}

// trace follows the pointer v through everything that is computed from it. It
// calls visit for each φ-node it reaches, for each return and panic, for each defer statement that
// keeps it, and for each store or call that may write it to memory, with the variable that memory belongs
// to, or nil if that is not a variable of the same function. If visit returns
// true, what is loaded from that variable is followed too.
func trace(v ssa.Value, visit func(use ssa.Instruction, into *ssa.Alloc) bool) {
	t := &tracer{visit: visit, seen: make(map[ssa.Value]bool), holds: make(map[ssa.Value]bool)}
	t.add(v)
	for len(t.work) > 0 && !t.stopped {
		v := t.work[len(t.work)-1]
		t.work = t.work[:len(t.work)-1]
		refs := v.Referrers()
		if refs == nil {
			continue
		}
		for _, r := range *refs {
			t.use(r, v)
		}
	}
}

type tracer struct {
	visit   func(ssa.Instruction, *ssa.Alloc) bool
	seen    map[ssa.Value]bool // carries the pointer, or an address of what holds it
	holds   map[ssa.Value]bool // is an address of memory that holds it
	work    []ssa.Value
	stopped bool
}

func (t *tracer) add(v ssa.Value) {
	if !t.seen[v] {
		t.seen[v] = true
		t.work = append(t.work, v)
	}
}

// addHolder follows the loads from the memory at address v.
func (t *tracer) addHolder(v ssa.Value) {
	if !t.holds[v] {
		t.holds[v] = true
		t.seen[v] = true
		t.work = append(t.work, v)
	}
}

func (t *tracer) report(use ssa.Instruction, into *ssa.Alloc) {
	if !t.visit(use, into) {
		t.stopped = true
		return
	}
	if into != nil {
		t.addHolder(into)
	}
}

// use handles the instruction r, which has v as an operand.
func (t *tracer) use(r ssa.Instruction, v ssa.Value) {
	switch r := r.(type) {
	case *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Slice:
		if t.holds[v] {
			t.addHolder(r.(ssa.Value))
			return
		}
		t.add(r.(ssa.Value))
	case *ssa.ChangeType, *ssa.Convert, *ssa.SliceToArrayPointer, *ssa.MakeInterface,
		*ssa.ChangeInterface, *ssa.TypeAssert, *ssa.Field, *ssa.Index, *ssa.Extract:
		if hasPointers(r.(ssa.Value).Type()) {
			t.add(r.(ssa.Value))
		}
	case *ssa.UnOp:
		if t.holds[v] && hasPointers(r.Type()) {
			t.add(r)
		}
	case *ssa.Phi:
		t.report(r, nil)
		t.add(r)
	case *ssa.Return, *ssa.Panic:
		t.report(r, nil)
	case *ssa.Store:
		if r.Val == v {
			t.report(r, rootAlloc(r.Addr))
		}
	case *ssa.MakeClosure:
		if !t.holds[v] && capturedByValue(r, v) {
			return
		}
		t.add(r)
		for i, b := range r.Bindings {
			if b == v {
				t.add(r.Fn.(*ssa.Function).FreeVars[i])
			}
		}
	case *ssa.Call:
		t.call(r, &r.Call, v)
	case *ssa.Defer:
		t.report(r, nil)
		t.call(r, &r.Call, v)
	}
}

// call handles a call that takes v: the result may contain it, and so may, after
// the call, the memory other arguments point to.
func (t *tracer) call(r ssa.Instruction, c *ssa.CallCommon, v ssa.Value) {
	blt, isBuiltin := c.Value.(*ssa.Builtin)
	if isBuiltin && (blt.Name() == "append" || blt.Name() == "copy") && v != c.Args[0] {
		// The elements are copied, and not the address of where they are.
		if t.holds[v] && hasPointers(elemOf(c.Args[1].Type())) {
			t.report(r, nil)
		}
		return
	}
	if res, ok := r.(ssa.Value); ok && hasPointers(res.Type()) {
		t.add(res)
	}
	if isBuiltin {
		return
	}
	for _, a := range c.Args {
		p, ok := a.Type().Underlying().(*types.Pointer)
		if a != v && ok && hasPointers(p.Elem()) {
			t.report(r, rootAlloc(a))
		}
	}
}

// rootAlloc returns the variable that addr points into, if it is one of the
// function.
func rootAlloc(addr ssa.Value) *ssa.Alloc {
	a, _ := rootOf(addr).(*ssa.Alloc)
	return a
}

// hasPointers reports whether a value of type t can hold the address of a
// variable.
func hasPointers(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer || u.Info()&types.IsString != 0
	case *types.Array:
		return hasPointers(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if hasPointers(f.Type()) {
				return true
			}
		}
		return false
	case *types.Tuple:
		for v := range u.Variables() {
			if hasPointers(v.Type()) {
				return true
			}
		}
		return false
	}
	return true
}
