package emit

import (
	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A label is a place in a function's code, which may be ahead.
type label int

const noLabel label = -1

// An item is an instruction whose jump or call is not resolved yet, or the place
// of a label.
type item struct {
	ins    asm.Instruction
	mark   label     // the label that is here, noLabel for an instruction
	target label     // of a jump, else noLabel
	long   bool      // a jump with a 32-bit distance (ISA v4)
	callee *function // of a call or of a load of a function's address, else nil
	pos    mir.Pos
}

// slots returns the number of 8-byte slots that the item takes.
func (it *item) slots() int {
	switch {
	case it.mark != noLabel:
		return 0
	case it.ins.OpCode.IsDWordLoad():
		return 2
	}
	return 1
}

// An assembler collects the instructions of a function.
type assembler struct {
	items  []item
	labels int     // number of labels
	pos    mir.Pos // of the instructions to come
}

// at sets the position of the instructions to come. Those of unknown origin count
// as belonging to what comes before them.
func (a *assembler) at(pos mir.Pos) {
	if pos != 0 {
		a.pos = pos
	}
}

func (a *assembler) newLabel() label {
	a.labels++
	return label(a.labels - 1)
}

// bind puts l before the next instruction.
func (a *assembler) bind(l label) { a.items = append(a.items, item{mark: l, target: noLabel}) }

func (a *assembler) emit(ins asm.Instruction) {
	a.items = append(a.items, item{ins: ins, mark: noLabel, target: noLabel, pos: a.pos})
}

// jump adds a conditional or unconditional jump.
func (a *assembler) jump(ins asm.Instruction, to label) {
	a.items = append(a.items, item{ins: ins, mark: noLabel, target: to, pos: a.pos})
}

// reference adds an instruction that refers to a function.
func (a *assembler) reference(ins asm.Instruction, callee *function) {
	a.items = append(a.items, item{ins: ins, mark: noLabel, target: noLabel, callee: callee, pos: a.pos})
}

// size returns the number of slots of all instructions.
func (a *assembler) size() int {
	n := 0
	for i := range a.items {
		n += a.items[i].slots()
	}
	return n
}
