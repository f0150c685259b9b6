package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file passes arguments and results of calls, of which more than a few do not fit in
// registers, through variables, which unlike the memory of the calling convention
// (abi.go) can be in scratch memory.
//
// Method: the caller has a variable for all its calls. It stores the last arguments there
// and passes its address on instead; the function loads them when it begins, and stores
// its results there when it returns. Pointers must be on the stack, so a function
// is left alone if one would have to be stored.
//
// Before:                             After:
//
//	                                   v1 = slotaddr s0
//	v1 = call void @g(v0)           call @g(v0, v1)
//	v2 = result i64 0 v1              v2 = load.8 v1 +0
//	v3 = result i64 1 v1              v3 = load.8 v1 +8
//
// Precondition: that of the convention: nothing is inlined any more.

// convey is how a function is called with the help of a variable.
type convey struct {
	params int // that are passed as they were
	cells  int
}

// callMemory returns the bytes of stack that the calling convention takes for the calls
// in f. A call that may panic only once memory has moved is not counted as such.
func callMemory(f *ir.Func, conventions map[*ir.Func]*convention) int {
	cells := 0
	for _, call := range calls(f) {
		cells = max(cells, conventions[call.Callee()].cells)
	}
	conventions[f] = conventionOf(f, conventions)
	return cells * cell
}

// conveyed returns how f can be called with the help of a variable, if it can and that
// is of use.
func conveyed(f *ir.Func) (convey, bool) {
	c := convey{params: min(len(f.Params()), maxRegArgs-1)}
	c.cells = max(len(f.Params())-c.params, len(f.Results))
	isPtr := func(t ir.Type) bool { return !t.IsInt() }
	return c, c.cells > 1 && !slices.ContainsFunc(f.Results, isPtr) &&
		!slices.ContainsFunc(f.Params()[c.params:], func(p *ir.Value) bool { return isPtr(p.Type) })
}

// conveyInVariables makes variables of the memory of all calls in m that need more than
// registers, and reports whether there are any. g is m's.
func conveyInVariables(m *ir.Module, g *callGraph) bool {
	plans := make(map[*ir.Func]convey)
	for _, f := range g.order {
		if c, ok := conveyed(f); ok && g.sites[f] > 0 && !g.taken[f] {
			plans[f] = c
		}
	}
	for _, f := range m.Funcs {
		names := newRenaming(f)
		var slot *ir.Slot
		for _, call := range calls(f) {
			c, ok := plans[call.Callee()]
			if !ok {
				continue
			}
			if slot == nil {
				slot = f.NewSlot("arguments and results of calls", 0, cell, f.Pos)
			}
			slot.Size = max(slot.Size, int64(c.cells)*cell)
			conveyCall(call, c, slot, names)
		}
		names.apply()
	}
	for _, f := range g.order {
		if c, ok := plans[f]; ok {
			conveyFunc(f, c)
		}
	}
	return len(plans) > 0
}

// conveyCall passes what c says through slot, and names the results anew.
func conveyCall(call *ir.Value, c convey, slot *ir.Slot, names *renaming) {
	b := call.Block
	after := cut(b, slices.Index(b.Instrs, call))[1:]
	memory := b.Append(slotAddress(b.Func, slot))
	for i, v := range call.Args[c.params:] {
		store(b, call.Pos, memory, int64(i)*cell, v.Type.Size(), v)
	}
	results := call.Callee().Results
	n := b.Add(ir.OpCall, ir.Void, call.Pos, append(slices.Clone(call.Args[:c.params]), memory)...)
	n.Aux = call.Aux
	loaded := make([]*ir.Value, len(results))
	for i, t := range results {
		loaded[i] = b.Add(ir.OpLoad, t, call.Pos, memory)
		loaded[i].Imm, loaded[i].Width = int64(i)*cell, uint8(t.Size())
	}
	if len(results) == 1 {
		names.set(call, loaded[0])
	}
	for _, v := range after {
		if v.Op == ir.OpResult && v.Args[0] == call {
			names.set(v, loaded[v.Imm])
		} else {
			b.Append(v)
		}
	}
}

// conveyFunc makes f take its last arguments from memory and write its results there.
func conveyFunc(f *ir.Func, c convey) {
	entry := f.Entry()
	last := slices.Clone(entry.Params[c.params:])
	entry.Params = entry.Params[:c.params]
	memory := entry.AddParam(ir.PtrStack, f.Pos)
	names := newRenaming(f)
	for i, p := range last {
		ld := f.NewValue(ir.OpLoad, p.Type, p.Pos, memory)
		ld.Imm, ld.Width = int64(i)*cell, uint8(p.Type.Size())
		entry.Insert(i, ld)
		names.set(p, ld)
	}
	for _, b := range f.Blocks {
		if b.Term.Kind == ir.TermReturn {
			for i, v := range b.Term.Args {
				store(b, b.Term.Pos, memory, int64(i)*cell, v.Type.Size(), v)
			}
			b.Term.Args = nil
		}
	}
	f.Results = nil
	names.apply()
}
