package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file reports variables whose address outlives them.
//
// In Go such a variable moves to the heap. Here it is a slot of its function's
// frame, and there are two ways for a pointer to it to live too long:
//
//   - A variable declared in a loop comes into being in each iteration, but has one
//     slot. A pointer that is still there in a later iteration would see the
//     next incarnation instead of its own.
//   - The frame is gone when the function returns, and no pointer to the stack
//     can be kept in memory that others see: the verifier does not let it.
//
// Method: the address is followed forward through additions, names, selects, block
// parameters and the parameters of functions that are called. It outlives an
// iteration if it comes to a loop's header on an edge back, or if it is stored in a
// slot that is also accessed outside the innermost loop in which all accesses to
// the variable are: Go zeroes a variable where it is declared, and where that is
// further out and not seen, nothing reads what an earlier iteration has stored. It
// outlives the function if it is stored in memory that is not a slot, or
// returned. Comparisons, accesses and helpers, which keep no pointers, are harmless.
//
// Precondition: the optimiser has removed what it can, above all stores to
// promoted variables and calls that are inlined, so that only real cases are left.
// It runs before abi.go, which stores addresses for good reason.

// Escape reports the variables of m whose address outlives them.
func Escape(m *ir.Module, c *Config) {
	e := &escape{params: make(map[*ir.Value]outlives)}
	for _, f := range newCallGraph(m).order { // callees first
		e.function(f)
		for _, p := range f.Params() {
			if p.Type.IsPtr() {
				e.params[p] = e.follow(p)
			}
		}
		for _, s := range f.Slots {
			found := outlives{}
			for _, b := range f.Blocks {
				for _, v := range b.Instrs {
					if v.Op == ir.OpSlotAddr && v.Slot() == s {
						found = found.or(e.follow(v))
					}
				}
			}
			switch {
			case found.function:
				c.Diags.Add(diag.EscapingVariable, c.position(s.Pos), "copy its value instead",
					"the address of %s is kept where it outlives the function", s.Name)
			case s.Looped && (found.iteration || e.outlive(s, found.stored)):
				c.Diags.Add(diag.EscapingVariable, c.position(s.Pos),
					"declare it before the loop, or copy its value instead",
					"the address of %s is kept beyond the iteration of the loop that declares it", s.Name)
			}
		}
	}
}

// outlives says what a pointer may outlive.
type outlives struct {
	stored    []*ir.Slot // it is kept there
	iteration bool
	function  bool
}

func (o outlives) or(p outlives) outlives {
	return outlives{append(o.stored, p.stored...), o.iteration || p.iteration, o.function || p.function}
}

type escape struct {
	params map[*ir.Value]outlives // of the functions visited
	// Of the current function:
	uses   *ir.UseLists
	dom    *ir.DomTree
	memory *memory
	nest   *ir.LoopNest
	homes  []home // by Slot.Index
}

// A home is the innermost loop in which all accesses to a slot are, or nil.
type home struct {
	loop *ir.Loop
	seen bool
}

func (e *escape) function(f *ir.Func) {
	ir.RemoveUnreachable(f)
	e.uses, e.dom, e.memory = ir.Uses(f), ir.Dominators(f), newMemory(f)
	e.nest = ir.Loops(e.dom)
	e.homes = make([]home, len(f.Slots))
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op.Is(ir.Pure) {
				continue // makes an address, but does not use it
			}
			for _, a := range v.Args {
				if a.Type.IsPtr() {
					if s, ok := placeOf(a, 0, 0).base.(*ir.Slot); ok {
						e.homes[s.Index].include(e.nest.Innermost(b))
					}
				}
			}
		}
	}
}

// include takes an access in loop, or in none, into account.
func (h *home) include(loop *ir.Loop) {
	if !h.seen {
		h.loop, h.seen = loop, true
		return
	}
	for h.loop != loop {
		switch {
		case h.loop == nil || loop == nil:
			h.loop = nil
			return
		case h.loop.Depth >= loop.Depth:
			h.loop = h.loop.Parent
		default:
			loop = loop.Parent
		}
	}
}

// outlive reports whether one of the slots in which the address of s is stored
// may be read in a later iteration than that of s.
func (e *escape) outlive(s *ir.Slot, stored []*ir.Slot) bool {
	if len(e.nest.Loops)+len(e.nest.Irreducible) == 0 {
		return false // there is one iteration
	}
	loop := e.homes[s.Index].loop
	return slices.ContainsFunc(stored, func(to *ir.Slot) bool {
		in := e.homes[to.Index].loop
		return loop == nil || in == nil || e.memory.leaked[to.Index] ||
			len(e.nest.Irreducible) > 0 || !e.nest.Contains(loop, in.Header)
	})
}

// follow returns what the pointer v outlives.
func (e *escape) follow(v *ir.Value) outlives {
	var found outlives
	seen := []*ir.Value{v}
	for i := 0; i < len(seen); i++ {
		for _, u := range e.uses.Of(seen[i]) {
			next, o := e.use(u)
			found = found.or(o)
			if next != nil && !slices.Contains(seen, next) {
				seen = append(seen, next)
			}
		}
	}
	return found
}

// use returns the value that the use u of a pointer passes it on to, if any, and
// what the pointer outlives by it.
func (e *escape) use(u ir.Use) (next *ir.Value, o outlives) {
	v := u.User
	switch {
	case v == nil && u.Succ < 0: // returned, the only operand of a terminator that is a pointer
		return nil, outlives{function: true}
	case v == nil:
		edge := u.Block.Term.Succs[u.Succ]
		return edge.To.Params[u.Index], outlives{iteration: e.dom.Dominates(edge.To, u.Block)}
	}
	switch v.Op {
	case ir.OpPtrAdd, ir.OpPi, ir.OpCheckNonNil, ir.OpSelect:
		return v, o
	case ir.OpStore:
		if u.Index == 1 {
			if to, ok := placeOf(v.Args[0], v.Imm, 8).base.(*ir.Slot); ok {
				return nil, outlives{stored: []*ir.Slot{to}}
			}
			return nil, outlives{function: true}
		}
	case ir.OpCall:
		o = e.params[v.Callee().Params()[u.Index]]
		o.stored = nil // in slots of the callee, which are gone
		return nil, o
	}
	return nil, o
}
