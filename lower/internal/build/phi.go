package build

import (
	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers φ-nodes to block parameters.
//
// The shape of a phi is the join of the shapes that reach it. Those that come
// along a backward edge are not known when the block is lowered; they are
// assumed to be no wider than the others. Where an edge then brings something
// else, the function is lowered again with the pointers of that phi of unknown
// provenance. What must be static is an error then.
//
// Big phis live in memory. An edge copies the value to a staging slot and the
// block copies that to the slot of the phi, since the phis of a block take their
// values at the same time and one may be the source of another.

// A phi is a lowered φ-node.
type phi struct {
	shape   shape
	params  []*ir.Value
	staging address // of a big one
}

// lowerPhis makes the parameters of blk.
func (fn *function) lowerPhis(blk *ssa.BasicBlock) {
	for _, instr := range blk.Instrs {
		p, ok := instr.(*ssa.Phi)
		if !ok {
			return
		}
		fn.skip[p] = true
		fn.lowerPhi(p)
	}
}

func (fn *function) lowerPhi(p *ssa.Phi) {
	if pos := p.Pos(); pos.IsValid() {
		fn.pos = pos
	}
	if fn.shareLoopVar(p) {
		return
	}
	l, err := fn.b.layoutOf(p.Type())
	if err != nil {
		fn.failType(err)
		fn.vals[p] = badOperand
		return
	}
	ph := &phi{}
	fn.phis[p] = ph
	if l.big() {
		ph.staging = fn.tempSlot(p.Type())
		own := fn.tempSlot(p.Type())
		fn.memCopy(own, ph.staging, l.size)
		fn.vals[p] = operand{mem: own.base}
		return
	}
	known := false
	for i, v := range p.Edges {
		o, ok := fn.known(v)
		if !ok || !fn.taken[edgeKey{p.Block(), i}] {
			continue
		}
		if o.isBad() {
			fn.vals[p] = badOperand
			return
		}
		s := fn.phiShape(o, l)
		if !known {
			ph.shape, known = s, true
		} else if ph.shape, ok = ph.shape.join(s); !ok {
			if !isStaticType(p.Type()) {
				fn.failPhi(p)
				return
			}
			fn.dynamicPhis[p] = true
			break
		}
	}
	if fn.dynamicPhis[p] {
		ph.shape, known = leavesShape(l), true
	}
	if !known {
		ph.shape = fn.phiShape(fn.zero(p.Type()), l)
	}
	if fn.widened[p] {
		ph.shape = ph.shape.widen()
	}
	if fn.unlimited[p] {
		ph.shape.limit = 0
	}
	fn.vals[p] = ph.shape.inflate(func(t ir.Type) *ir.Value {
		v := fn.blocks[p.Block().Index].AddParam(t, ir.Pos(fn.pos))
		ph.params = append(ph.params, v)
		return v
	}, nil)
}

// known returns the operand of v if v has been lowered.
func (fn *function) known(v ssa.Value) (operand, bool) {
	switch v.(type) {
	case *ssa.Const, *ssa.Function, *ssa.Global:
		return fn.operand(v), true
	}
	o, ok := fn.vals[v]
	return o, ok
}

// phiShape returns the shape of o as a phi carries it: without a displacement
// and not in memory.
func (fn *function) phiShape(o operand, l *layout) shape {
	if o.mem != nil {
		return leavesShape(l)
	}
	return shapeOf(o)
}

// leavesShape returns the shape of a value of which nothing but its type is known.
func leavesShape(l *layout) shape {
	s := shape{}
	for _, lf := range l.leaves {
		s.types = append(s.types, lf.typ)
	}
	return s
}

// widen returns s with nothing assumed of its pointers.
func (s shape) widen() shape {
	w := shape{fn: s.fn, dyn: s.dyn, cell: s.cell, m: s.m, field: s.field, defers: s.defers, mem: s.mem}
	for _, t := range s.types {
		if t.IsPtr() {
			t = ir.PtrAny
		}
		w.types = append(w.types, t)
	}
	for _, p := range s.parts {
		w.parts = append(w.parts, p.widen())
	}
	return w
}

// edgeArgs returns the arguments of e, computed at the end of the block that it
// leaves.
func (fn *function) edgeArgs(e pendingEdge) []*ir.Value {
	var args []*ir.Value
	for _, instr := range e.to.Instrs {
		p, ok := instr.(*ssa.Phi)
		if !ok {
			break
		}
		ph := fn.phis[p]
		if ph == nil || fn.vals[p].bad {
			continue
		}
		if pos := p.Pos(); pos.IsValid() {
			fn.pos = pos
		}
		o := fn.operand(p.Edges[e.pred])
		switch {
		case o.isBad():
			continue
		case ph.staging.base != nil:
			fn.stageBig(ph, p, o)
			continue
		case o.mem != nil:
			o = operand{vals: fn.leaves(o, p.Type())}
		}
		o = fn.settled(o)
		if fn.dynamicPhis[p] {
			if o = fn.dynamic(o, p.Type(), p.Edges[e.pred]); o.isBad() {
				continue
			}
		}
		j, ok := ph.shape.join(shapeOf(o))
		if !ok {
			if isStaticType(p.Type()) && !fn.dynamicPhis[p] {
				fn.dynamicPhis[p], fn.retry = true, true
			} else {
				fn.failPhi(p)
			}
			continue
		}
		if j.limit != ph.shape.limit {
			fn.unlimited[p], fn.retry = true, true
			j.limit = ph.shape.limit
		}
		if !j.equal(ph.shape) {
			fn.widened[p] = true
			fn.retry = true
		}
		args = flatten(args, o)
	}
	return args
}

// stageBig copies o to the staging slot of ph. The slot's address is computed
// anew because the edge may leave a block that comes before the phi's.
func (fn *function) stageBig(ph *phi, p *ssa.Phi, o operand) {
	slot := ph.staging.base.Slot()
	v := fn.emit(ir.OpSlotAddr, ir.PtrStack)
	v.Aux = slot
	fn.store(address{base: v}, p.Type(), o)
}

func (fn *function) failPhi(p *ssa.Phi) {
	fn.vals[p] = badOperand
	what := p.Comment
	if what == "" {
		what = "value"
	}
	fn.fail(diag.UnresolvedCall, "choose with if or switch between calls, or keep one function or type in the variable",
		"%s holds different functions or dynamic types on different paths, so that it is not known when compiling", what)
}
