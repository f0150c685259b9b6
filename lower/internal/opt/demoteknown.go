package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds the numbers of which the verifier has to know something: where an
// access is, how long it is, what is a pointer in truth, what a helper is given, what the program returns, when a loop
// that is not limited ends; and what these are computed of or compared with.
//
// Method: from the uses that demand it, backward through the operands of pure operations, checks,
// parameters and results of calls; and sideways through comparisons, each of which tells
// something of one operand only if something is known of the other. Loads end it: what
// is in memory is none of a value's business.
//
// Reference: Weiser, "Program Slicing" (1984): this is a slice without control
// dependence, except on comparisons.

// findKnown returns the values of m of which something has to be known.
func findKnown(m *ir.Module) map[*ir.Value]bool {
	k := &knownValues{
		known:    make(map[*ir.Value]bool),
		compares: make(map[*ir.Value][]*ir.Value),
		edges:    make(map[*ir.Value][]*ir.Value),
		results:  make(map[*ir.Func][]*ir.Value),
	}
	taken := newCallGraph(m).taken
	for i, f := range m.Funcs {
		ir.RemoveUnreachable(f)
		for _, b := range f.Blocks {
			k.block(b)
			if b.Term.Kind == ir.TermReturn {
				k.results[f] = append(k.results[f], b.Term.Args...)
				if i == 0 || taken[f] {
					k.need(b.Term.Args...)
				}
			}
		}
		k.loops(f)
	}
	for len(k.work) > 0 {
		v := k.work[len(k.work)-1]
		k.work = k.work[:len(k.work)-1]
		k.follow(v)
	}
	return k.known
}

type knownValues struct {
	known    map[*ir.Value]bool
	work     []*ir.Value
	compares map[*ir.Value][]*ir.Value // of each value, those that it is compared in
	edges    map[*ir.Value][]*ir.Value // of each parameter, what is passed for it
	results  map[*ir.Func][]*ir.Value  // what each function returns
}

// need notes that something has to be known of values.
func (k *knownValues) need(values ...*ir.Value) {
	for _, v := range values {
		if v.Op != ir.OpConst && !k.known[v] {
			k.known[v] = true
			k.work = append(k.work, v)
		}
	}
}

// block takes the uses in b into account.
func (k *knownValues) block(b *ir.Block) {
	for _, v := range b.Instrs {
		switch {
		case v.Op == ir.OpPtrToInt:
			k.need(v)
		case v.Op == ir.OpPtrAdd, v.Op == ir.OpIntToPtr, v.Op == ir.OpHelper:
			k.need(slices.DeleteFunc(slices.Clone(v.Args), func(a *ir.Value) bool { return !a.Type.IsInt() })...)
		case v.Op == ir.OpCall:
			for i, a := range v.Args {
				p := v.Callee().Params()[i]
				k.edges[p] = append(k.edges[p], a)
			}
		case compares(v):
			for _, a := range v.Args {
				if a.Type.IsInt() {
					k.compares[a] = append(k.compares[a], v)
				} else {
					k.need(v)
				}
			}
		}
	}
	for _, e := range b.Term.Succs {
		for i, a := range e.Args {
			p := e.To.Params[i]
			k.edges[p] = append(k.edges[p], a)
		}
	}
}

// compares reports whether v tells something of its operands.
func compares(v *ir.Value) bool {
	return v.Op >= ir.OpEq && v.Op <= ir.OpSGe || v.Op == ir.OpCheckIdx || v.Op == ir.OpCheckULe
}

// loops needs the conditions on which the loops of f end that the verifier has to follow.
func (k *knownValues) loops(f *ir.Func) {
	nest := ir.Loops(ir.Dominators(f))
	for _, l := range nest.Loops {
		if isLimited(l) {
			continue
		}
		for _, b := range l.Blocks {
			for _, e := range b.Term.Succs {
				if !nest.Contains(l, e.To) {
					k.need(b.Term.Args...)
				}
			}
			for _, v := range b.Instrs {
				if v.Op == ir.OpCheck {
					k.need(v.Args...)
				}
			}
		}
	}
}

// follow needs what v is computed of and compared with.
func (k *knownValues) follow(v *ir.Value) {
	k.need(k.compares[v]...)
	switch {
	case v.Op == ir.OpParam:
		k.need(k.edges[v]...)
	case v.Op == ir.OpCall:
		k.need(k.results[v.Callee()]...)
	case v.Op == ir.OpResult:
		k.need(k.results[v.Args[0].Callee()]...)
	case v.Op.Is(ir.Pure) && v.Op != ir.OpOpaque || compares(v):
		k.need(v.Args...)
	}
}
