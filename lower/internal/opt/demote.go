package opt

import (
	"cmp"
	"maps"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file puts numbers that would be spilled into a variable, which unlike a place for
// spilled values can be in scratch memory (scratch.go). It is for programs that do not fit on
// the stack otherwise: what is in memory costs a load wherever it is used.
//
// Method: a value is spilled if there is no register for it, in particular if it lives across a
// call and no preserved register is left; and one that lives across a limited loop of a kernel
// without may_goto has a cell in the loop's context (outline.go). Where more than
// Config.Live values do, those with the fewest uses get a cell of a variable each: they are
// stored where they are defined, and loaded wherever they are used.
//
// What the verifier has to know stays in registers, for it takes what it loads from scratch
// memory for any number: where an access is and how long, what bounds a loop that is not
// limited, and whatever that is computed of or compared with, in all functions together.
// Pointers stay as well.
//
// Precondition: the proofs are in place (guard.go).
//
// Before:                          After:
//
//	v1 = load.8 i64 v0 +0           v1 = load.8 i64 v0 +0
//	call void @g()                  v3 = slotaddr s0
//	v2 = add i64 v1, 1              store.8 v3 +0, v1
//	                                call void @g()
//	                                v4 = slotaddr s0
//	                                v5 = load.8 i64 v4 +0
//	                                v2 = add i64 v5, 1
//
// References: Belady, "A Study of Replacement Algorithms for a Virtual-Storage Computer"
// (1966), of which the number of uses is a coarse form; Appel, "Modern Compiler Implementation",
// 10.1 (liveness by iteration).

// Demote puts values of m into variables as c.Live says.
func Demote(m *ir.Module, c *Config) {
	if c.Live == 0 {
		return
	}
	known := findKnown(m)
	for _, f := range m.Funcs {
		if c.Visit != nil {
			c.Visit(f)
		}
		ir.RemoveUnreachable(f)
		d := &demoter{
			f: f, uses: ir.Uses(f), known: known, keep: c.Live,
			loops: !c.Target.Has(target.MayGoto),
			cells: make(map[*ir.Value]int64),
		}
		d.liveness()
		d.choose()
		if len(d.cells) > 0 {
			d.rewrite()
		}
	}
}

type demoter struct {
	f     *ir.Func
	uses  *ir.UseLists
	known map[*ir.Value]bool
	keep  int  // values that may live across a call
	loops bool // limited loops become functions

	in, out []valueSet // by Block.ID: what is live at its beginning and end
	cells   map[*ir.Value]int64
	slot    *ir.Slot
}

// A valueSet is a set of values of a function.
type valueSet map[*ir.Value]bool

// addUsed adds those of args that take a register.
func (s valueSet) addUsed(args []*ir.Value) {
	for _, v := range args {
		if !isAnywhere(v) && v.Op != ir.OpSlotAddr {
			s[v] = true
		}
	}
}

// liveness finds what is live at the beginning and at the end of each block.
func (d *demoter) liveness() {
	d.in = make([]valueSet, d.f.NumBlocks())
	d.out = make([]valueSet, d.f.NumBlocks())
	order := ir.RPO(d.f)
	for changed := true; changed; {
		changed = false
		for _, b := range slices.Backward(order) {
			out := make(valueSet)
			for _, e := range b.Term.Succs {
				maps.Copy(out, d.in[e.To.ID])
			}
			if d.in[b.ID] != nil && len(out) == len(d.out[b.ID]) { // sets only grow
				continue
			}
			d.out[b.ID] = out
			d.in[b.ID] = across(b, maps.Clone(out), func(*ir.Value, valueSet) {})
			changed = true
		}
	}
}

// across takes live from the end of b to its beginning. It calls visit for each instruction
// with what lives across it.
func across(b *ir.Block, live valueSet, visit func(*ir.Value, valueSet)) valueSet {
	live.addUsed(b.Term.Args)
	for _, e := range b.Term.Succs {
		live.addUsed(e.Args)
	}
	for _, v := range slices.Backward(b.Instrs) {
		delete(live, v)
		visit(v, live)
		live.addUsed(v.Args)
	}
	for _, p := range b.Params {
		delete(live, p)
	}
	return live
}

// choose gives cells to values until few enough live across each call, each instruction, for
// which there are the registers that calls clobber as well, and each loop that becomes a function.
func (d *demoter) choose() {
	for _, b := range d.f.Blocks {
		across(b, maps.Clone(d.out[b.ID]), func(v *ir.Value, live valueSet) {
			if v.Op == ir.OpCall || v.Op == ir.OpHelper {
				d.relieve(live, d.keep)
			} else {
				d.relieve(live, d.keep+maxRegArgs)
			}
		})
	}
	if !d.loops {
		return
	}
	nest := ir.Loops(ir.Dominators(d.f))
	for _, l := range nest.Loops {
		if !isLimited(l) {
			continue
		}
		live := maps.Clone(d.in[l.Header.ID])
		live.addUsed(l.Header.Params)
		for _, b := range l.Blocks {
			for _, e := range b.Term.Succs {
				if !nest.Contains(l, e.To) {
					maps.Copy(live, d.in[e.To.ID])
				}
			}
		}
		d.relieve(live, d.keep)
	}
}

// relieve gives cells to those of live with the fewest uses until no more than keep are left.
func (d *demoter) relieve(live valueSet, keep int) {
	if len(live) <= keep {
		return
	}
	var candidates []*ir.Value
	left := 0
	for v := range live {
		if d.hasCell(v) {
			continue
		}
		left++
		if v.Type.IsInt() && !d.known[v] {
			candidates = append(candidates, v)
		}
	}
	slices.SortFunc(candidates, func(v, w *ir.Value) int {
		return cmp.Or(d.uses.Count(v)-d.uses.Count(w), int(v.ID-w.ID))
	})
	for _, v := range candidates[:min(len(candidates), max(0, left-keep))] {
		d.cells[v] = int64(len(d.cells)) * cell
	}
}

func (d *demoter) hasCell(v *ir.Value) bool {
	_, ok := d.cells[v]
	return ok
}

// rewrite makes the values that have cells variables.
func (d *demoter) rewrite() {
	d.slot = d.f.NewSlot("values", int64(len(d.cells))*cell, cell, d.f.Pos)
	for _, b := range d.f.Blocks {
		d.rewriteBlock(b)
	}
	preds := ir.Preds(d.f)
	for _, b := range slices.Clone(d.f.Blocks[1:]) {
		if slices.ContainsFunc(b.Params, d.hasCell) {
			d.dropParams(b, preds[b.ID])
		}
	}
}

// rewriteBlock makes b load what has a cell, and store what it defines. Behind a call it
// loads again.
func (d *demoter) rewriteBlock(b *ir.Block) {
	old := b.Instrs
	b.Instrs = make([]*ir.Value, 0, len(old))
	here := make(map[*ir.Value]*ir.Value)
	load := func(args []*ir.Value, pos ir.Pos) {
		for i, v := range args {
			if !d.hasCell(v) {
				continue
			}
			if here[v] == nil {
				ld := b.Add(ir.OpLoad, v.Type, pos, b.Append(slotAddress(d.f, d.slot)))
				ld.Imm, ld.Width = d.cells[v], uint8(v.Type.Size())
				here[v] = ld
			}
			args[i] = here[v]
		}
	}
	define := func(v *ir.Value) {
		if d.hasCell(v) {
			d.store(b, v, v)
			here[v] = v
		}
	}
	if b == d.f.Entry() {
		for _, p := range b.Params {
			define(p)
		}
	}
	for i, v := range old {
		load(v.Args, v.Pos)
		b.Append(v)
		if v.Op == ir.OpCall || v.Op == ir.OpHelper {
			clear(here)
		}
		if v.Op != ir.OpResult {
			define(v)
		} else if i+1 == len(old) || old[i+1].Op != ir.OpResult { // results stay together
			for j := i; j >= 0 && old[j].Op == ir.OpResult; j-- {
				define(old[j])
			}
		}
	}
	load(b.Term.Args, b.Term.Pos)
	for _, e := range b.Term.Succs {
		load(e.Args, b.Term.Pos)
	}
}

// store stores what is v's value in v's cell, at the end of b.
func (d *demoter) store(b *ir.Block, v, value *ir.Value) {
	store(b, v.Pos, b.Append(slotAddress(d.f, d.slot)), d.cells[v], v.Type.Size(), value)
}

// dropParams makes the edges to b, those of from, store what they bring to parameters that
// have cells. What they bring has been loaded.
func (d *demoter) dropParams(b *ir.Block, from []ir.Pred) {
	for i, p := range from {
		if len(p.Block.Term.Succs) > 1 {
			from[i] = ir.Pred{Block: ir.SplitEdge(p)}
		}
		for j, v := range b.Params {
			if d.hasCell(v) {
				d.store(from[i].Block, v, from[i].Edge().Args[j])
			}
		}
	}
	removeParams(b, from, d.hasCell)
}
