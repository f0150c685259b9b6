package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds out, for all functions of a program together, what is done with the
// addresses of variables.
//
// Method: each address is followed forward through additions, names, selects,
// block parameters and the parameters of functions that are called. An address that is
// stored somewhere is taken to be what any load of a pointer returns that may be one to
// the stack. It is a points-to analysis that ignores the order of instructions
// and does not tell fields of memory apart.
//
// Reference: Andersen, Program Analysis and Specialization for the C Programming
// Language (1994), chapter 4.

// A pointee is what is known of a variable.
type pointee struct {
	// pointers is set if pointers are stored in the variable or loaded from it.
	pointers bool
	// variable is set if its address is offset by what is not constant.
	variable bool
	// pinned is set if its address comes to where only the stack may be
	// pointed to.
	pinned bool
}

// findPointees describes the variables of funcs, which must be all functions
// of the program.
func findPointees(funcs []*ir.Func) map[*ir.Slot]*pointee {
	t := &pointees{
		uses:   make(map[*ir.Func]*ir.UseLists),
		of:     make(map[*ir.Slot]*pointee),
		copies: make(map[*ir.Value]*[2][]*pointee),
	}
	for _, f := range funcs {
		t.uses[f] = ir.Uses(f)
		for _, b := range f.Blocks {
			for _, v := range b.Instrs {
				switch {
				case v.Op == ir.OpSlotAddr:
					t.addresses = append(t.addresses, v)
				case v.Op == ir.OpLoad && (v.Type == ir.PtrStack || v.Type == ir.PtrAny):
					t.loads = append(t.loads, v)
				}
			}
		}
	}
	roots := make(map[*ir.Slot][]*ir.Value)
	for _, v := range t.addresses {
		roots[v.Slot()] = append(roots[v.Slot()], v)
	}
	for _, f := range funcs {
		for _, s := range f.Slots {
			t.of[s] = t.follow(roots[s])
		}
	}
	t.followCopies()
	return t.of
}

type pointees struct {
	uses      map[*ir.Func]*ir.UseLists
	of        map[*ir.Slot]*pointee
	addresses []*ir.Value // of variables
	loads     []*ir.Value // of pointers that may be to the stack
	// copies holds, for each OpMemCopy, what it may copy to and from; order
	// is that of discovery.
	copies map[*ir.Value]*[2][]*pointee
	order  []*ir.Value
}

// follow returns what is done with the variable that roots are addresses of.
func (t *pointees) follow(roots []*ir.Value) *pointee {
	p := new(pointee)
	seen := make(map[*ir.Value]bool)
	work := slices.Clone(roots)
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[v] {
			continue
		}
		seen[v] = true
		for _, u := range t.uses[v.Block.Func].Of(v) {
			work = append(work, t.use(p, u)...)
		}
	}
	return p
}

// use takes the use u of an address of p into account, and returns what else is
// such an address because of it.
func (t *pointees) use(p *pointee, u ir.Use) []*ir.Value {
	v := u.User
	switch {
	case v == nil && u.Succ < 0:
		p.pinned = true // returned
		return nil
	case v == nil:
		return u.Block.Term.Succs[u.Succ].To.Params[u.Index : u.Index+1]
	}
	switch v.Op {
	case ir.OpPtrAdd:
		if _, ok := v.Args[1].IsConst(); !ok {
			p.variable = true
		}
		return []*ir.Value{v}
	case ir.OpPi, ir.OpCheckNonNil, ir.OpSelect:
		return []*ir.Value{v}
	case ir.OpLoad:
		p.pointers = p.pointers || isPointerAccess(v)
	case ir.OpStore:
		if u.Index == 1 {
			return t.loads
		}
		p.pointers = p.pointers || isPointerAccess(v)
	case ir.OpMemCopy:
		c := t.copies[v]
		if c == nil {
			c = new([2][]*pointee)
			t.copies[v] = c
			t.order = append(t.order, v)
		}
		c[u.Index] = append(c[u.Index], p)
	case ir.OpCall:
		return v.Callee().Params()[u.Index : u.Index+1]
	case ir.OpHelper:
		p.pinned = p.pinned || !takesMapValue(v.Helper(), u.Index)
	}
	return nil
}

// takesMapValue reports whether argument i of h may point to a map's value. It
// may not if it is an object that the verifier tracks on the stack (a dynptr), or
// what a helper passes to the function it calls: neither has a size.
func takesMapValue(h *ir.Helper, i int) bool {
	switch h.Args[i] {
	case ir.ArgMem:
		return true
	case ir.ArgOut:
		return i < len(h.Sizes) && h.Sizes[i] >= 0
	}
	return false
}

// followCopies lets pointers be where they are copied to.
func (t *pointees) followCopies() {
	for changed := true; changed; {
		changed = false
		for _, v := range t.order {
			c := t.copies[v]
			if !slices.ContainsFunc(c[1], func(from *pointee) bool { return from.pointers }) {
				continue
			}
			for _, to := range c[0] {
				changed = changed || !to.pointers
				to.pointers = true
			}
		}
	}
}
