package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file replaces short loops that run a known number of times by as many copies
// of their body (full unrolling).
//
// In a copy the counter is a constant: what is computed from it folds, checks
// vanish, and elements of an array become variables that need no memory. The
// verifier follows each iteration of the loop anyway.
//
// Method: inner loops come first, and after each round constants are folded, so that
// the trips of the next loop may have become known. A loop is unrolled if there is no other
// inside of it, its trips are exact (trips.go) and the copies together are small; they
// may be larger if an array is indexed by what the loop counts. A loop around others comes before
// them if it decides how often they run, as it does in sorting (unrollnest.go).
// Values of the loop that are
// used behind it go through variables, which mem2reg.go promotes, because after each
// copy they are other values. There is one more copy than there are trips, for the test
// that ends the loop; its edges back lead nowhere.
//
// Precondition: sroa.go and mem2reg.go run later.
//
// Before:                          After:
//
//	b1(v1 i64):   (from 0)          b1: check 1 !0 ...
//	v2 = ult i32 v1, 2              jump b2()
//	branch v2, b2(), b3()           b2: ...
//	b2: v3 = checkidx v1, v9 !0     jump b3()
//	...                             b3:
//	jump b1(v4)   (v1 + 1)
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 17.4.3 (loop
// unrolling).

const (
	// unrollBudget is the size of all copies of a loop: about what clang allows.
	unrollBudget = 240
	// unrollArrayBudget is the same for loops that index arrays.
	unrollArrayBudget = 360
	// maxSplit is the size of a variable whose elements may find room in registers, or
	// nearly so.
	maxSplit = 128
	// unrollFunction is how much a function may grow by unrolling.
	unrollFunction = 2000
	// maxUnrolled is the number of trips of a loop over an array that is unrolled,
	// maxPlainUnrolled that of others.
	maxUnrolled      = 64
	maxPlainUnrolled = 16
	// maxUnrollRounds bounds the depth of nests that are unrolled.
	maxUnrollRounds = 4
)

// Unroll unrolls the short loops of f.
func Unroll(f *ir.Func, c *Config) {
	if c.LoopWork > 0 {
		return // the copies could not be limited
	}
	ir.RemoveUnreachable(f)
	room := unrollFunction
	for range maxUnrollRounds {
		t := countTrips(newAnalysis(f), nil)
		if len(t.nest.Loops) == 0 || len(t.nest.Irreducible) > 0 {
			return
		}
		u := &unroller{tripCounter: t, f: f, refs: findSlotRefs(f), blocks: f.NumBlocks(), room: room, indexed: make(map[*ir.Slot]bool)}
		u.findIndexed()
		if !u.round() {
			return
		}
		room = u.room
		simplifyCFG(f) // gives copies their constants
		Fold(f, c)
		simplifyCFG(f)
		f.Compact()
	}
}

type unroller struct {
	*tripCounter
	f    *ir.Func
	refs *slotRefs
	// blocks is the number of blocks when the nest was found: copies have larger IDs.
	blocks int
	room   int // by how much the function may grow yet
	// indexed is the variables that are accessed at offsets that no loop counts.
	indexed map[*ir.Slot]bool
}

// round unrolls the loops that are worth it and have no such loop inside. It reports
// whether there were any.
func (u *unroller) round() bool {
	busy := make(map[*ir.Loop]bool) // loops with one inside that is unrolled
	for _, l := range slices.Backward(u.nest.Loops) {
		if !busy[l] && !u.unroll(l) {
			continue
		}
		busy[l] = true
		if l.Parent != nil {
			busy[l.Parent] = true
		}
	}
	return len(busy) > 0
}

// unroll unrolls l if it is worth it.
func (u *unroller) unroll(l *ir.Loop) bool {
	trips, ok := u.exactTrips(l)
	if !ok || trips > maxUnrolled {
		return false
	}
	size, budget, most := 0, unrollBudget, uint64(maxPlainUnrolled)
	if inner := u.inside(l); len(inner) > 0 {
		if size, ok = u.nestSize(l, inner); !ok {
			return false
		}
		budget = unrollArrayBudget
	} else {
		for _, b := range l.Blocks {
			size += u.copySize(l, b)
		}
		size *= int(trips)
		if u.indexes(l) {
			budget, most = unrollArrayBudget, maxUnrolled
		}
	}
	if trips > most || size > min(budget, u.room) || !u.copyable(l) {
		return false
	}
	u.room -= size
	u.demote(l)
	u.copies(l, int(trips))
	return true
}

// copySize estimates the number of instructions that a copy of b, which is in l, becomes:
// those of blockSize but for what is a constant in the copy.
func (u *unroller) copySize(l *ir.Loop, b *ir.Block) int {
	n := blockSize(b)
	for _, v := range b.Instrs {
		switch {
		case v.Op == ir.OpConst || v.Op == ir.OpPi || v.Op == ir.OpZExt: // not in blockSize
		case v.Op.Is(ir.Pure) && v.Type.IsInt() && u.counted(l, v, 0),
			v.Op == ir.OpPtrAdd && u.counted(l, v.Args[1], 0),
			(v.Op == ir.OpCheckIdx || v.Op == ir.OpCheckULe) && u.counted(l, v.Args[0], 0) && u.counted(l, v.Args[1], 0):
			n--
		}
	}
	return n
}

// exactTrips returns the number of trips if it is the same whenever the loop is not left
// early.
func (u *unroller) exactTrips(l *ir.Loop) (uint64, bool) {
	for _, t := range u.tests[l] {
		if t.y.Op == ir.OpConst {
			if n, ok := u.simulate(l, t); ok && n == u.trips[l] {
				return n, true
			}
		}
	}
	return 0, false
}

// indexes reports whether l accesses data, or a variable that unrolling may make values of, at
// an offset that is a constant in each copy.
func (u *unroller) indexes(l *ir.Loop) bool {
	for _, b := range l.Blocks {
		for _, v := range b.Instrs {
			if v.Op != ir.OpPtrAdd || v.Args[1].Op == ir.OpConst || !u.nest.Contains(l, v.Args[1].Block) || !u.counted(l, v.Args[1], 0) {
				continue
			}
			switch p := v.Args[0]; p.Op {
			case ir.OpDataAddr:
				return true
			case ir.OpSlotAddr:
				if u.splits(p.Slot()) {
					return true
				}
			}
		}
	}
	return false
}

// splits reports whether s is small and all offsets into it are constants once all loops
// have been unrolled.
func (u *unroller) splits(s *ir.Slot) bool { return s.Size <= maxSplit && !u.indexed[s] }

// findIndexed finds the variables of which that is not so.
func (u *unroller) findIndexed() {
	for _, b := range u.f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpPtrAdd && v.Args[0].Op == ir.OpSlotAddr && !u.follows(v.Args[1], 0) {
				u.indexed[v.Args[0].Slot()] = true
			}
		}
	}
}

// follows reports whether v is computed from constants and counters of loops only.
func (u *unroller) follows(v *ir.Value, depth int) bool {
	v = sameBits(v)
	switch {
	case v.Op == ir.OpConst:
		return true
	case depth == maxBitsDepth:
		return false
	case v.Op == ir.OpParam:
		l := u.nest.Innermost(v.Block)
		return l != nil && l.Header == v.Block && u.counted(l, v, 0)
	}
	return v.Op.Is(ir.Pure) && !slices.ContainsFunc(v.Args, func(a *ir.Value) bool { return !u.follows(a, depth+1) })
}

// counted reports whether v is known before l or computed from what is and from
// counters of l, which start with a constant.
func (u *unroller) counted(l *ir.Loop, v *ir.Value, depth int) bool {
	v = sameBits(v)
	switch {
	case v.Op == ir.OpConst || !u.nest.Contains(l, v.Block):
		return true
	case depth == maxBitsDepth:
		return false
	case v.Op == ir.OpParam:
		n := slices.Index(l.Header.Params, v)
		if n < 0 {
			return false
		}
		next, same := nextOf(l, n)
		return same && drivingParam(l, next) == v
	}
	return v.Op.Is(ir.Pure) && !slices.ContainsFunc(v.Args, func(a *ir.Value) bool { return !u.counted(l, a, depth+1) })
}

// copyable reports whether the blocks of l may be copied. Variables that are declared
// in the loop and whose address is kept somewhere must not be: escape.go could not tell
// any more that the copies are of one variable.
func (u *unroller) copyable(l *ir.Loop) bool {
	for _, b := range l.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpSlotAddr && v.Slot().Looped && u.refs.exposed[v.Slot().Index] {
				return false
			}
		}
	}
	return true
}

// in reports whether b is in l, which a copy is not.
func (u *unroller) in(l *ir.Loop, b *ir.Block) bool {
	return int(b.ID) < u.blocks && u.nest.Contains(l, b)
}

// demote makes values of l that are used outside of it go through variables, or, if they
// have no operands, be made there anew.
func (u *unroller) demote(l *ir.Loop) {
	slots := make(map[*ir.Value]*ir.Slot)
	for _, b := range u.f.Blocks {
		if u.in(l, b) {
			continue
		}
		var uses []ir.Use
		b.EachUse(func(use ir.Use) {
			if u.in(l, use.Get().Block) {
				uses = append(uses, use)
			}
		})
		for _, use := range uses {
			v := use.Get()
			at := len(b.Instrs)
			if use.User != nil {
				at = slices.Index(b.Instrs, use.User)
			}
			if v.Op.Is(ir.Pure) && len(v.Args) == 0 {
				use.Set(copyValue(u.f, v))
				b.Insert(at, use.Get())
				continue
			}
			s := slots[v]
			if s == nil {
				s = u.f.NewSlot("loop", int64(v.Type.Size()), int64(v.Type.Size()), v.Pos)
				slots[v] = s
				keep(v, s)
			}
			address := slotAddress(u.f, s)
			load := u.f.NewValue(ir.OpLoad, v.Type, v.Pos, address)
			load.Width = uint8(s.Size)
			b.Insert(at, address, load)
			use.Set(load)
		}
	}
}

// keep stores v in s where it is computed.
func keep(v *ir.Value, s *ir.Slot) {
	b := v.Block
	at := slices.Index(b.Instrs, v) + 1
	for at < len(b.Instrs) && b.Instrs[at].Op == ir.OpResult {
		at++
	}
	address := slotAddress(b.Func, s)
	store := b.Func.NewValue(ir.OpStore, ir.Void, v.Pos, address, v)
	store.Width = uint8(s.Size)
	b.Insert(at, address, store)
}

// slotAddress returns a new address of s.
func slotAddress(f *ir.Func, s *ir.Slot) *ir.Value {
	v := f.NewValue(ir.OpSlotAddr, ir.PtrStack, s.Pos)
	v.Aux = s
	return v
}

// copies replaces l by copies of it.
func (u *unroller) copies(l *ir.Loop, trips int) {
	nowhere := u.f.NewBlock()
	nowhere.Term = ir.Term{Kind: ir.TermUnreachable}
	entries := u.entries(l)
	var latches []ir.Pred // of the previous copy
	for n := range trips + 1 {
		blocks := copyBlocks(u.f, l.Blocks, make(map[*ir.Value]*ir.Value))
		for _, p := range l.Latches { // back to the original, for the next copy to redirect
			blocks[p.Block].Term.Succs[p.Succ].To = l.Header
		}
		header := blocks[l.Header]
		if n == 0 {
			for _, p := range entries {
				p.Edge().To = header
			}
		}
		for _, p := range latches {
			p.Edge().To = header
		}
		latches = latches[:0]
		for _, p := range l.Latches {
			latches = append(latches, ir.Pred{Block: blocks[p.Block], Succ: p.Succ})
		}
	}
	for _, p := range latches {
		*p.Edge() = ir.Edge{To: nowhere}
	}
	ir.RemoveUnreachable(u.f)
}

// entries returns the edges into l. The loop may have been a part of what was copied
// since its predecessors were found, so that they are looked up again.
func (u *unroller) entries(l *ir.Loop) []ir.Pred {
	var list []ir.Pred
	for _, p := range ir.Preds(u.f)[l.Header.ID] {
		if !u.in(l, p.Block) {
			list = append(list, p)
		}
	}
	return list
}
