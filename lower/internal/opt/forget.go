package opt

import (
	"maps"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file hides from the verifier what variables contain that functions change which
// a helper calls back.
//
// Until Linux 6.7 the verifier follows such a function only once, from what it knows when
// the helper is called. What it takes for certain there, as that a counter is 0, it
// takes for certain in every call, and removes the checks that follow from it: it
// accepts programs that write anywhere. What is not known when the helper is called
// covers what any call begins with, and once is enough then.
//
// Since then it follows the function until nothing new is found, which a counter that is known does not let
// happen: those that index arrays are all tried out, and since Linux 6.14 the keys of array maps too (get_constant_map_key),
// without an end. A program that has been too complex (Config.LoopWork) gets the same treatment.
//
// Method: before the helper is called, or a function that calls it, all variables whose address is
// stored somewhere or passed on are loaded and stored again, through opaque. Pointers are left as
// they are: the verifier would not take a sum with a pointer for the pointer that it
// was. A function does not know the variables whose addresses it has been given; they have been
// treated when it was called, so that it is enough to make opaque what it stores there. It
// must store no pointers there where the verifier follows it only once.
//
// Precondition: captured variables are promoted to values where they can be. The
// contexts that outline.go makes come later, and are made of what is opaque.
//
// Before:                             After:
//
//	v1 = slotaddr s0                v1 = slotaddr s0
//	store.8 v2 +8, v1               store.8 v2 +8, v1
//	helper loop(9, @f.callback, v2) v3 = load.8 v1 +0
//	                                v4 = opaque v3
//	                                store.8 v1 +0, v4
//	                                helper loop(9, @f.callback, v2)
//
// Reference: commit ab5cfac139ab "bpf: verify callbacks as if they are called unknown
// number of times".

// Forget hides the contents of the variables that callbacks may change, if the target's
// verifier needs that, or has found the program too complex.
func Forget(f *ir.Func, c *Config) {
	if c.Target.Has(target.CallbackRounds) && c.LoopWork == 0 {
		return
	}
	if !slices.ContainsFunc(f.Module.Funcs, func(g *ir.Func) bool { return g.Callback }) {
		return
	}
	preds := ir.Preds(f)
	callers := make(map[*ir.Func]bool)
	var calls []*ir.Value
	kept := make(map[*ir.Slot]bool) // variables whose address is stored somewhere
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			switch {
			case callsBack(v, callers):
				calls = append(calls, v)
			case v.Op == ir.OpStore && v.Args[1].Type.IsPtr():
				for _, s := range pointedTo(nil, v.Args[1], preds, make(map[*ir.Value]bool)) {
					kept[s] = true
				}
			}
		}
	}
	if !c.Target.Has(target.CallbackRounds) && isCalledBack(f) {
		refusePointers(f, c)
	}
	for _, b := range f.Blocks {
		forgetStores(b) // what f calls back itself, or any of its callers
	}
	for _, call := range calls {
		changed := maps.Clone(kept)
		for _, a := range call.Args {
			if a.Type.IsPtr() {
				for _, s := range pointedTo(nil, a, preds, make(map[*ir.Value]bool)) {
					changed[s] = true
				}
			}
		}
		b := call.Block
		after := cut(b, slices.Index(b.Instrs, call))
		for _, s := range f.Slots {
			if changed[s] {
				initialize(f, s)
				forgetSlot(b, b.Append(slotAddress(f, s)), s)
			}
		}
		b.Instrs = append(b.Instrs, after...)
	}
}

// isCalledBack reports whether f is a callback or called by one.
func isCalledBack(f *ir.Func) bool {
	if f.Callback {
		return true
	}
	return slices.ContainsFunc(f.Module.Funcs, func(g *ir.Func) bool {
		return slices.ContainsFunc(calls(g), func(v *ir.Value) bool { return v.Callee() == f }) && isCalledBack(g)
	})
}

// refusePointers reports pointers that f, which is called back, leaves in variables of others. They
// cannot be hidden: the verifier would take what is nil at first for nil in each call. The value of
// a panic is left there as well, which is a number or the address of a constant, and ends the calls.
func refusePointers(f *ir.Func, c *Config) {
	preds := ir.Preds(f)
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op != ir.OpStore || !v.Args[1].Type.IsPtr() || v.Args[0].Type != ir.PtrStack || rootSlot(v.Args[0]) != nil {
				continue
			}
			if stops(b, make(map[*ir.Block]bool)) && isDataOrNil(v.Args[1], preds, make(map[*ir.Value]bool)) {
				continue
			}
			c.Diags.Add(diag.FeatureMissing, c.position(v.Pos),
				"keep a number instead, as an index, or require a newer kernel",
				"a function that a helper calls changes a pointer of its caller, which needs Linux %v, and the program is compiled for %v", target.CallbackRounds.MinKernel(), c.Target.Kernel)
		}
	}
}

// stops reports whether the helper does not call the function of b again after b.
func stops(b *ir.Block, seen map[*ir.Block]bool) bool {
	if seen[b] {
		return true
	}
	seen[b] = true
	if b.Term.Kind == ir.TermReturn {
		n, ok := b.Term.Args[0].IsConst()
		return ok && n == int64(b.Func.Stop)
	}
	return !slices.ContainsFunc(b.Term.Succs, func(e ir.Edge) bool { return !stops(e.To, seen) })
}

// isDataOrNil reports whether p is the address of a variable of the package, nil, or a number. preds are the
// edges to each block of its function, seen the parameters of blocks that have been followed.
func isDataOrNil(p *ir.Value, preds [][]ir.Pred, seen map[*ir.Value]bool) bool {
	switch {
	case seen[p], p.Op == ir.OpConst, p.Op == ir.OpIntToPtr, p.Op == ir.OpDataAddr:
		return true
	case p.Op == ir.OpSelect:
		return isDataOrNil(p.Args[1], preds, seen) && isDataOrNil(p.Args[2], preds, seen)
	case p.Op != ir.OpParam || len(preds[p.Block.ID]) == 0:
		return false
	}
	seen[p] = true
	i := slices.Index(p.Block.Params, p)
	return !slices.ContainsFunc(preds[p.Block.ID], func(e ir.Pred) bool { return !isDataOrNil(e.Edge().Args[i], preds, seen) })
}

// callsBack reports whether v calls a helper that calls a function of the program, or a function
// that does. callers is what is known of functions.
func callsBack(v *ir.Value, callers map[*ir.Func]bool) bool {
	switch v.Op {
	case ir.OpHelper:
		return slices.Contains(v.Helper().Args, ir.ArgFunc)
	case ir.OpCall:
		g := v.Callee()
		if known, ok := callers[g]; ok {
			return known
		}
		callers[g] = false // while it is found out; there is no recursion
		for _, b := range g.Blocks {
			if slices.ContainsFunc(b.Instrs, func(v *ir.Value) bool { return callsBack(v, callers) }) {
				callers[g] = true
			}
		}
		return callers[g]
	}
	return false
}

// cut removes the instructions of b from position i on and returns them.
func cut(b *ir.Block, i int) []*ir.Value {
	after := slices.Clone(b.Instrs[i:])
	b.Instrs = b.Instrs[:i]
	return after
}

// forgetStores makes opaque the numbers that b stores to variables that are not its
// function's own.
func forgetStores(b *ir.Block) {
	for i := 0; i < len(b.Instrs); i++ {
		v := b.Instrs[i]
		switch v.Op {
		case ir.OpStore, ir.OpMemZero, ir.OpMemCopy:
		default:
			continue
		}
		to := v.Args[0]
		switch {
		case to.Type != ir.PtrStack || rootSlot(to) != nil:
		case v.Op != ir.OpStore:
			after := cut(b, i+1)
			for off := range v.Size { // the alignment is not known
				forget(b, to, off, 1, v.Pos)
			}
			i = len(b.Instrs) - 1
			b.Instrs = append(b.Instrs, after...)
		case v.Args[1].Type.IsInt():
			hidden := b.Func.NewValue(ir.OpOpaque, v.Args[1].Type, v.Pos, v.Args[1])
			b.Insert(i, hidden)
			v.Args[1] = hidden
			i++
		}
	}
}

// initialize makes sure that s has been written when the function begins: a part that
// has not been must not be read even in order to be forgotten.
func initialize(f *ir.Func, s *ir.Slot) {
	for _, v := range f.Entry().Instrs {
		if v.Op == ir.OpMemZero && v.Size == s.Size && v.Args[0].Op == ir.OpSlotAddr && v.Args[0].Slot() == s {
			return
		}
	}
	a := slotAddress(f, s)
	zero := f.NewValue(ir.OpMemZero, ir.Void, s.Pos, a)
	zero.Size = s.Size
	f.Entry().Insert(0, a, zero)
}

// forgetSlot appends to b what hides the numbers in the variable s at address a.
func forgetSlot(b *ir.Block, a *ir.Value, s *ir.Slot) {
	s.Align = max(s.Align, cell)
	pointers := pointerCells(b.Func, s)
	for off := int64(0); off < s.Size; {
		width := int64(cell)
		for off%width != 0 || off+width > s.Size {
			width /= 2
		}
		if !pointers[off/cell] {
			forget(b, a, off, width, s.Pos)
		}
		off += width
	}
}

// forget appends to b what hides the number of the given width at a + off.
func forget(b *ir.Block, a *ir.Value, off, width int64, pos ir.Pos) {
	t := ir.I64
	if width < cell {
		t = ir.I32
	}
	load := b.Add(ir.OpLoad, t, pos, a)
	load.Width, load.Imm = uint8(width), off
	store := b.Add(ir.OpStore, ir.Void, pos, a, b.Add(ir.OpOpaque, t, pos, load))
	store.Width, store.Imm = uint8(width), off
}

// pointerCells returns the cells of s, by number, that f stores pointers to.
func pointerCells(f *ir.Func, s *ir.Slot) map[int64]bool {
	cells := make(map[int64]bool)
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op != ir.OpStore || !v.Args[1].Type.IsPtr() || rootSlot(v.Args[0]) != s {
				continue
			}
			if off, ok := constantOffset(v.Args[0]); ok {
				cells[(off+v.Imm)/cell] = true
				continue
			}
			for i := range s.Size / cell {
				cells[i] = true
			}
		}
	}
	return cells
}

// constantOffset returns the offset of p in the variable that rootSlot finds, if it is
// constant.
func constantOffset(p *ir.Value) (off int64, ok bool) {
	for ; p.Op != ir.OpSlotAddr; p = p.Args[0] {
		if p.Op != ir.OpPtrAdd {
			continue
		}
		if p.Args[1].Op != ir.OpConst {
			return 0, false
		}
		off += p.Args[1].Imm
	}
	return off, true
}
