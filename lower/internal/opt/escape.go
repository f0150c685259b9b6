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
// iteration if it comes to a loop's header on an edge back, and may do so if it is
// stored; it outlives the function if it is stored in memory that is not a slot,
// or returned. Comparisons, accesses and helpers, which keep no pointers, are
// harmless.
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
			case s.Looped && (found.iteration || found.stored):
				c.Diags.Add(diag.EscapingVariable, c.position(s.Pos),
					"declare it before the loop, or copy its value instead",
					"the address of %s is kept beyond the iteration of the loop that declares it", s.Name)
			}
		}
	}
}

// outlives says what a pointer may outlive.
type outlives struct {
	stored    bool // it is in memory
	iteration bool
	function  bool
}

func (o outlives) or(p outlives) outlives {
	return outlives{o.stored || p.stored, o.iteration || p.iteration, o.function || p.function}
}

type escape struct {
	params map[*ir.Value]outlives // of the functions visited
	// Of the current function:
	f    *ir.Func
	uses *ir.UseLists
	dom  *ir.DomTree
}

func (e *escape) function(f *ir.Func) {
	ir.RemoveUnreachable(f)
	e.f, e.uses, e.dom = f, ir.Uses(f), ir.Dominators(f)
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
			_, onStack := placeOf(v.Args[0], v.Imm, 8).base.(*ir.Slot)
			return nil, outlives{stored: true, function: !onStack}
		}
	case ir.OpCall:
		return nil, e.params[v.Callee().Params()[u.Index]]
	}
	return nil, o
}
