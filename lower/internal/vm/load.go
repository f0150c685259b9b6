package vm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cilium/ebpf/asm"
)

// An inst is one 8-byte slot of a program.
type inst struct {
	op       uint8
	dst, src int
	off      int16
	imm      int32
	ref      string // map or section that a 64-bit load refers to
	second   bool   // the second slot of a 64-bit load
}

// A Program is a program that is ready to run. It is not changed by running.
type Program struct {
	insts []inst
}

// Fields of the opcode.
const (
	classMask = 0x07
	classLD   = 0x00
	classLDX  = 0x01
	classST   = 0x02
	classSTX  = 0x03
	classALU  = 0x04
	classJMP  = 0x05
	classJMP3 = 0x06
	classALU6 = 0x07

	srcReg = 0x08 // the second operand is a register

	modeMask   = 0xe0
	modeMem    = 0x60
	modeMemSX  = 0x80
	modeAtomic = 0xc0
	sizeMask   = 0x18

	opMask   = 0xf0
	opLoad64 = 0x18
	opJa     = 0x05
	opGotol  = 0x06
	opCall   = 0x85
	opExit   = 0x95

	opMayGoto = 0xe5
)

// Values of src in 64-bit loads and calls.
const (
	pseudoMapFD    = 1
	pseudoMapValue = 2
	pseudoFunc     = 4
	pseudoCall     = 1
)

// Load encodes and decodes a program and checks its form. The error of a
// program that the kernel would refuse is a *Fault. insns is not changed.
func Load(insns asm.Instructions) (*Program, error) {
	insns = slices.Clone(insns) // Marshal resolves references in place
	var buf bytes.Buffer
	if err := insns.Marshal(&buf, binary.LittleEndian); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	refs := map[int]string{}
	for iter := insns.Iterate(); iter.Next(); {
		if iter.Ins.IsLoadFromMap() {
			refs[int(iter.Offset)] = iter.Ins.Reference()
		}
	}
	p := &Program{}
	for b := buf.Bytes(); len(b) > 0; b = b[8:] {
		i := len(p.insts)
		in := inst{
			op:  b[0],
			dst: int(b[1] & 0xf),
			src: int(b[1] >> 4),
			off: int16(binary.LittleEndian.Uint16(b[2:])),
			imm: int32(binary.LittleEndian.Uint32(b[4:])),
			ref: refs[i],
		}
		in.second = i > 0 && p.insts[i-1].op == opLoad64 && !p.insts[i-1].second
		p.insts = append(p.insts, in)
	}
	c := &checker{insts: p.insts}
	if err := c.check(); err != nil {
		return nil, err
	}
	return p, nil
}

// A checker checks the form of a program, as check_cfg and the checks of reserved
// fields in kernel/bpf/verifier.c do.
type checker struct {
	insts   []inst
	reached []bool
}

func (c *checker) check() error {
	for i := range c.insts {
		if c.insts[i].second {
			continue
		}
		if why := c.insts[i].malformed(); why != "" {
			return &Fault{i, why}
		}
	}
	c.reached = make([]bool, len(c.insts))
	if err := c.reach(0, 0); err != nil {
		return err
	}
	for i := range c.insts {
		if !c.reached[i] && !c.insts[i].second {
			return &Fault{i, "unreachable insn"}
		}
	}
	return nil
}

// reach marks what can be executed from instruction i on; from is what leads there.
func (c *checker) reach(from, i int) error {
	for {
		if i < 0 || i >= len(c.insts) || c.insts[i].second {
			return &Fault{from, fmt.Sprintf("jump out of range to %d", i)}
		}
		if c.reached[i] {
			return nil
		}
		c.reached[i] = true
		in := &c.insts[i]
		from = i
		target := i + 1 + int(in.off)
		next := i + 1
		class := in.op & classMask
		switch {
		case in.op == opExit:
			return nil
		case in.op == opJa:
			next = target
		case in.op == opGotol:
			next = i + 1 + int(in.imm)
		case in.op == opLoad64:
			next = i + 2
			if in.src == pseudoFunc {
				if err := c.reach(i, i+1+int(in.imm)); err != nil {
					return err
				}
			}
		case in.op == opCall:
			if in.src == pseudoCall {
				if err := c.reach(i, i+1+int(in.imm)); err != nil {
					return err
				}
			}
		case class == classJMP || class == classJMP3:
			if err := c.reach(i, target); err != nil {
				return err
			}
		}
		i = next
	}
}

// malformed returns why the kernel would refuse the instruction by its form,
// or the empty string.
func (in *inst) malformed() string {
	if in.dst > 10 || in.src > 10 {
		return "invalid register"
	}
	var wantSrc, wantImm, wantOff, writesDst bool
	byReg := in.op&srcReg != 0
	switch in.op & classMask {
	case classALU, classALU6:
		op := in.op & opMask
		writesDst = true
		wantSrc = byReg && op != aluEnd
		wantImm = !byReg && op != aluNeg || op == aluEnd
		wantOff = (op == aluDiv || op == aluMod) && in.off == 1 ||
			op == aluMov && byReg && (in.off == 8 || in.off == 16 || in.off == 32 && in.op&classMask == classALU6)
		if why := in.malformedALU(op, byReg); why != "" {
			return why
		}
	case classLDX:
		wantSrc, wantOff, writesDst = true, true, true
	case classST:
		wantImm, wantOff = true, true
	case classSTX:
		wantSrc, wantOff, wantImm = true, true, in.op&modeMask == modeAtomic
	case classJMP, classJMP3:
		switch in.op {
		case opExit:
		case opJa:
			wantOff = true
		case opMayGoto:
			wantOff = true
		case opGotol:
			wantImm = true
		case opCall:
			wantSrc, wantImm = true, true
		default:
			wantOff, wantSrc, wantImm = true, byReg, !byReg
			if in.op&opMask > 0xd0 {
				return "unknown jump"
			}
		}
		if (in.op == opExit || in.op == opJa || in.op == opGotol || in.op == opMayGoto || in.op == opCall) && in.dst != 0 {
			return "reserved field dst is set"
		}
	default:
		if in.op != opLoad64 {
			return "unknown load"
		}
		wantSrc, wantImm, writesDst = true, true, true
	}
	switch {
	case in.src != 0 && !wantSrc:
		return "reserved field src is set"
	case in.imm != 0 && !wantImm:
		return "reserved field imm is set"
	case in.off != 0 && !wantOff:
		return "reserved field off is set"
	case writesDst && in.dst == 10:
		return "frame pointer is read only"
	}
	return ""
}

func (in *inst) malformedALU(op uint8, byReg bool) string {
	width := int32(64)
	if in.op&classMask == classALU {
		width = 32
	}
	switch {
	case op > aluEnd:
		return "unknown operation"
	case (op == aluDiv || op == aluMod) && !byReg && in.imm == 0:
		return "div by zero"
	case (op == aluLsh || op == aluRsh || op == aluArsh) && !byReg && (in.imm < 0 || in.imm >= width):
		return "invalid shift"
	case op == aluEnd && in.imm != 16 && in.imm != 32 && in.imm != 64:
		return "invalid width of a byte swap"
	}
	return ""
}
