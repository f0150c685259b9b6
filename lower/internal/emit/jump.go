package emit

import (
	"fmt"
	"math"

	"github.com/cilium/ebpf/asm"
)

// This file turns labels into distances. A jump has 16 bits for its distance in
// slots, counted from the next instruction. Where that is not enough, an
// unconditional jump may have 32 bits if the target has ISA v4 ("gotol"), and a
// conditional one becomes a short one around such:
//
//	if cond goto far      =>      if cond goto 1
//	                              goto 2
//	                           1: gotol far
//	                           2:
//
// Without ISA v4 the code gets islands, see island.go.

var (
	opGoto  = asm.OpCode(asm.JumpClass).SetJumpOp(asm.Ja)
	opGotol = asm.OpCode(asm.Jump32Class).SetJumpOp(asm.Ja)
	// opMayGoto jumps when the program has run its loops for too long ("may_goto",
	// Linux 6.9, 011832b97b31 "bpf: Introduce may_goto instruction").
	opMayGoto = asm.OpCode(asm.JumpClass).SetJumpOp(asm.JCOND)
)

// resolve sets the distances of all jumps; v4 says that the target has gotol.
// It fails if the code is too large for any way to reach every label.
func (a *assembler) resolve(v4 bool) error {
	a.dropJumpsToNext()
	if size := a.size(); size > math.MaxInt16 {
		if v4 {
			for a.lengthen() {
			}
		} else {
			a.addIslands(size)
		}
	}
	marks := a.marks()
	offset := 0
	for i := range a.items {
		it := &a.items[i]
		offset += it.slots()
		if it.target == noLabel {
			continue
		}
		distance := marks[it.target] - offset
		switch {
		case it.long:
			it.ins.Constant = int64(distance)
		case fits(distance):
			it.ins.Offset = int16(distance)
		default:
			return fmt.Errorf("a jump over %d instructions is too far", distance)
		}
	}
	return nil
}

// dropJumpsToNext removes unconditional jumps to the instruction that follows.
func (a *assembler) dropJumpsToNext() {
	kept := a.items[:0]
	for i, it := range a.items {
		if it.ins.OpCode == opGoto && it.mark == noLabel {
			next := i + 1
			for next < len(a.items) && a.items[next].mark != noLabel && a.items[next].mark != it.target {
				next++
			}
			if next < len(a.items) && a.items[next].mark == it.target {
				continue
			}
		}
		kept = append(kept, it)
	}
	a.items = kept
}

// marks returns the offset of every label, in slots.
func (a *assembler) marks() []int {
	marks := make([]int, a.labels)
	for i := range marks {
		marks[i] = -1
	}
	offset := 0
	for i := range a.items {
		it := &a.items[i]
		if it.mark != noLabel {
			marks[it.mark] = offset
		}
		offset += it.slots()
	}
	for i := range a.items {
		if l := a.items[i].target; l != noLabel && marks[l] < 0 {
			panic(fmt.Sprintf("BUG: emit: jump to label %d, which is nowhere", l))
		}
	}
	return marks
}

func fits(distance int) bool { return distance == int(int16(distance)) }

// lengthen replaces jumps that are too far by long ones and reports whether
// there were any. Others may be too far after that.
func (a *assembler) lengthen() bool {
	marks := a.marks()
	items := make([]item, 0, len(a.items))
	offset := 0
	changed := false
	for _, it := range a.items {
		offset += it.slots()
		if it.target == noLabel || it.long || fits(marks[it.target]-offset) {
			items = append(items, it)
			continue
		}
		changed = true
		far := item{ins: asm.Instruction{OpCode: opGotol}, mark: noLabel, target: it.target, long: true, pos: it.pos}
		if it.ins.OpCode == opGoto {
			items = append(items, far)
			continue
		}
		near, over := a.newLabel(), a.newLabel()
		it.target = near
		items = append(items, it,
			item{ins: asm.Instruction{OpCode: opGoto}, mark: noLabel, target: over, pos: it.pos},
			item{mark: near, target: noLabel}, far,
			item{mark: over, target: noLabel})
	}
	a.items = items
	return changed
}
