package emit

import "github.com/cilium/ebpf/asm"

// This file makes far jumps possible without ISA v4. The code is cut into regions of
// equal size, and where a region begins an island is put: jumps that others, too far
// from their targets, go through.
//
//	      goto over
//	pad1: goto far       (reached from the regions before or after)
//	pad2: goto farther   (perhaps by way of another island)
//	over:
//
// A jump stays as it is if it ends in its own region or one beside it. Forward, others
// go to the island two regions ahead, backward to that at the start of the region before;
// from there the same rule applies again.

// region is the size of a region in slots. A jump crosses less than two regions and
// a half and the islands in them, so that these may grow to 3000 slots each before
// a distance exceeds 16 bits.
const region = 8192

// A pad is a jump in the island at the start of a region.
type pad struct {
	region int
	target label
}

// islands collects the pads of all islands.
type islands struct {
	a     *assembler
	marks []int
	pads  map[pad]label
	order [][]pad // by region, in order of first use
}

// addIslands directs jumps that are too far through islands. size is that of the
// code in slots.
func (a *assembler) addIslands(size int) {
	is := &islands{a: a, marks: a.marks(), pads: map[pad]label{}, order: make([][]pad, size/region+1)}
	offset := 0
	for i := range a.items {
		it := &a.items[i]
		if it.target != noLabel {
			it.target = is.route(offset/region, it.target)
		}
		offset += it.slots()
	}
	is.insert()
}

// route returns where a jump in region from goes in order to reach target, and
// makes the pads it needs.
func (is *islands) route(from int, target label) label {
	p := pad{target: target}
	switch to := is.marks[target] / region; {
	case to > from+1:
		p.region = from + 2
	case to < from-1:
		p.region = from - 1
	default:
		return target
	}
	l, ok := is.pads[p]
	if !ok {
		l = is.a.newLabel()
		is.pads[p] = l
		is.order[p.region] = append(is.order[p.region], p)
		is.route(p.region, target)
	}
	return l
}

// insert puts the islands right before the first instruction of their region, after
// labels that are there, so that the jump over the island can be reached even where
// control does not fall through to it: the verifier rejects dead code.
func (is *islands) insert() {
	a := is.a
	items := make([]item, 0, len(a.items))
	offset, next := 0, 0
	for _, it := range a.items {
		if it.mark == noLabel && offset/region >= next {
			pads := is.order[next]
			next++
			if len(pads) > 0 {
				ins := asm.Instruction{OpCode: opGoto}
				over := a.newLabel()
				items = append(items, item{ins: ins, mark: noLabel, target: over, pos: it.pos})
				for _, p := range pads {
					items = append(items,
						item{mark: is.pads[p], target: noLabel},
						item{ins: ins, mark: noLabel, target: is.route(p.region, p.target), pos: it.pos})
				}
				items = append(items, item{mark: over, target: noLabel})
			}
		}
		items = append(items, it)
		offset += it.slots()
	}
	a.items = items
}
