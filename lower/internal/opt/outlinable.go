package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file tells which loops can be made functions (outline.go).

// storedTo returns the variables that v may store to; nil is one that is not known. preds are the
// edges to each block of its function.
func storedTo(v *ir.Value, preds [][]ir.Pred) []*ir.Slot {
	var to []*ir.Value
	switch v.Op {
	case ir.OpStore, ir.OpMemZero, ir.OpMemCopy, ir.OpAtomic:
		to = v.Args[:1]
	case ir.OpHelper:
		to = v.Args
	}
	var list []*ir.Slot
	for _, p := range to {
		if s := rootSlot(p); s != nil {
			list = append(list, s)
		} else if p.Type == ir.PtrStack || p.Type == ir.PtrAny {
			list = pointedTo(list, p, preds, make(map[*ir.Value]bool))
		}
	}
	return list
}

// pointedTo appends the variables that p may point into to list; nil is one that is not known. seen is the
// parameters of blocks that have been followed.
func pointedTo(list []*ir.Slot, p *ir.Value, preds [][]ir.Pred, seen map[*ir.Value]bool) []*ir.Slot {
	for p.Op == ir.OpPtrAdd || p.Op == ir.OpPi || p.Op == ir.OpCheckNonNil {
		p = p.Args[0]
	}
	switch {
	case seen[p], p.Op == ir.OpConst: // nil
		return list
	case p.Op == ir.OpSlotAddr:
		return append(list, p.Slot())
	case p.Op == ir.OpSelect:
		return pointedTo(pointedTo(list, p.Args[1], preds, seen), p.Args[2], preds, seen)
	case p.Op != ir.OpParam || len(preds[p.Block.ID]) == 0: // or of a function
		return append(list, nil)
	}
	seen[p] = true
	i := slices.Index(p.Block.Params, p)
	for _, pred := range preds[p.Block.ID] {
		list = pointedTo(list, pred.Edge().Args[i], preds, seen)
	}
	return list
}

// rootSlot returns the variable that p points into, as far as additions tell, or nil.
func rootSlot(p *ir.Value) *ir.Slot {
	for p.Op == ir.OpPtrAdd || p.Op == ir.OpPi || p.Op == ir.OpCheckNonNil {
		p = p.Args[0]
	}
	if p.Op == ir.OpSlotAddr {
		return p.Slot()
	}
	return nil
}

// canOutline reports whether the loop can be made a function that the helper bpf_loop
// calls. It cannot if it calls functions, whose panics the helper would not pass on;
// if pointers change from one iteration to the next, or are stored to variables, which
// the verifier would not see; or if values that are no numbers are used behind it.
func (l *limiter) canOutline(loop *ir.Loop) bool {
	if !l.config.Target.Has(target.LoopHelper) || l.config.Target.Has(target.MayGoto) || len(l.nest.Irreducible) > 0 {
		return false
	}
	for i, p := range loop.Header.Params {
		if p.Type.IsPtr() && l.changes(loop, i) {
			return false
		}
	}
	written := make(map[*ir.Slot]bool)
	for _, b := range loop.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpCall {
				return false
			}
			for _, s := range storedTo(v, l.dom.Preds()) {
				if s == nil {
					return false
				}
				written[s] = true
			}
		}
		for _, e := range b.Term.Succs {
			if l.nest.Contains(loop, e.To) {
				continue
			}
			if slices.ContainsFunc(e.Args, func(a *ir.Value) bool { return l.isLoopPointer(loop, a) }) {
				return false
			}
		}
	}
	for _, b := range l.dom.Order() {
		ok := true
		if !l.nest.Contains(loop, b) {
			b.EachUse(func(u ir.Use) { ok = ok && (!l.isLoopPointer(loop, u.Get()) || isSinkable(u.Get())) })
		}
		for _, v := range b.Instrs {
			if v.Op == ir.OpStore && v.Args[1].Type.IsPtr() && written[rootSlot(v.Args[0])] {
				ok = false
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// isSinkable reports whether p can be computed again behind a loop: an object plus
// offsets, which are numbers.
func isSinkable(p *ir.Value) bool {
	for p.Op == ir.OpPtrAdd || p.Op == ir.OpPi {
		p = p.Args[0]
	}
	return p.Op == ir.OpSlotAddr || p.Op == ir.OpDataAddr
}

// sinkAddresses computes the pointers of the loop that are used behind it again where they
// are used, so that no pointer comes out of it.
func (l *limiter) sinkAddresses(loop *ir.Loop) {
	for _, b := range l.dom.Order() {
		if l.nest.Contains(loop, b) {
			continue
		}
		var uses []ir.Use
		b.EachUse(func(u ir.Use) {
			if l.isLoopPointer(loop, u.Get()) {
				uses = append(uses, u)
			}
		})
		again := make(map[*ir.Value]*ir.Value) // by what they compute again
		for _, u := range uses {
			p := u.Get()
			if again[p] == nil {
				again[p] = l.computeAgain(b, p)
			}
			u.Set(again[p])
		}
	}
}

// computeAgain computes the sinkable p at the beginning of b, but behind the limit of a loop,
// by which the loop is known to be limited.
func (l *limiter) computeAgain(b *ir.Block, p *ir.Value) *ir.Value {
	n := copyValue(l.f, p)
	n.Args = slices.Clone(p.Args)
	if len(p.Args) > 0 {
		n.Args[0] = l.computeAgain(b, p.Args[0])
		b.Insert(slices.Index(b.Instrs, n.Args[0])+1, n)
	} else if hasLimit(b) {
		b.Insert(1, n)
	} else {
		b.Insert(0, n)
	}
	return n
}

// isLoopPointer reports whether v is computed in the loop and neither a number nor to be
// had anywhere.
func (l *limiter) isLoopPointer(loop *ir.Loop, v *ir.Value) bool {
	return !v.Type.IsInt() && l.nest.Contains(loop, v.Block) && (!v.Op.Is(ir.Pure) || len(v.Args) > 0)
}
