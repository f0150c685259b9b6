package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file combines stores.

// maxStoreDistance is how many instructions before a store others are looked for
// that may join it.
const maxStoreDistance = 64

// stores combines the stores of b, each with those before it.
func (c *combiner) stores(b *ir.Block) {
	for i := len(b.Instrs) - 1; i > 0; i-- {
		v := b.Instrs[i]
		if v.Op == ir.OpStore && v.Width < 8 && v.Args[1].Type.IsInt() && !c.dead[v] {
			c.store(b, v)
		}
	}
}

// A written is a store that may be combined, and where it writes to.
type written struct {
	v *ir.Value
	place
}

// store replaces last and stores before it by a single one, if that can be.
func (c *combiner) store(b *ir.Block, last *ir.Value) {
	group := c.storesBefore(b, last)
	if len(group) == 1 {
		return
	}
	end := group[0]
	for size := int64(8); size > int64(last.Width); size /= 2 {
		for off := end.off + end.size - size; off <= end.off; off++ {
			if c.combineStores(group, off, size) {
				return
			}
		}
	}
}

// storesBefore returns last and the stores before it that may be executed as late
// as last is, the latest first.
func (c *combiner) storesBefore(b *ir.Block, last *ir.Value) []written {
	end := written{last, placeOf(last.Args[0], last.Imm, int64(last.Width))}
	// All that a combined store can reach.
	around := end.place
	around.off, around.size = end.off-8, 16+end.size
	group := []written{end}
	i := c.index[last]
	for _, v := range slices.Backward(b.Instrs[max(0, i-maxStoreDistance):i]) {
		if c.dead[v] {
			continue
		}
		if v.Op == ir.OpStore && v.Width < 8 && v.Args[1].Type.IsInt() {
			l := placeOf(v.Args[0], v.Imm, int64(v.Width))
			if l.sameBase(end.place) && l.anchor == end.anchor {
				for _, w := range group {
					if l.off < w.off+w.size && w.off < l.off+l.size {
						return group
					}
				}
				group = append(group, written{v, l})
				continue
			}
		}
		e := effectOf(v)
		if e.observed || e.shared || e.leaked || c.mayWrite(v, around) {
			return group
		}
		for _, r := range e.reads {
			if c.mayMeet(r, around) {
				return group
			}
		}
	}
	return group
}

// combineStores replaces the stores of the group, of which the first is the last
// that is executed, that write the size bytes from off on, if these are a run.
func (c *combiner) combineStores(group []written, off, size int64) bool {
	whole := group[0].place
	whole.off, whole.size = off, size
	if !c.mayAccess(whole) {
		return false
	}
	var octets [8]octet
	var parts []written
	low := group[0]
	n := int64(0)
	for _, w := range group {
		if !whole.contains(w.place) {
			continue
		}
		parts = append(parts, w)
		p := c.bytesOf(w.v.Args[1], 0)
		copy(octets[w.off-off:size], p[:w.size])
		n += w.size
		if w.off < low.off {
			low = w
		}
	}
	if n != size {
		return false
	}
	r, ok := c.runOf(octets[:size])
	if !ok {
		return false
	}
	last := group[0].v
	alignObject(whole, size)
	x := c.emitStored(r, last)
	s := c.emit(last, ir.OpStore, ir.Void, low.v.Args[0], x)
	s.Imm, s.Width = low.v.Imm, uint8(size)
	for _, w := range parts {
		c.dead[w.v] = true
	}
	return true
}

// emitStored is emitRun for a store, which looks at no more than the bytes of r.
func (c *combiner) emitStored(r run, at *ir.Value) *ir.Value {
	if r.kind == valueRun && !r.reversed && r.low == 0 {
		return r.src
	}
	return c.emitRun(r, at)
}
