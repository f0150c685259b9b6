package emit

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file encodes what has to do with memory and addresses.

// size returns the size field for an access of width bytes.
func size(width uint8) asm.Size {
	switch width {
	case 1:
		return asm.Byte
	case 2:
		return asm.Half
	case 4:
		return asm.Word
	case 8:
		return asm.DWord
	}
	panic(fmt.Sprintf("BUG: emit: width %d", width))
}

// address returns base register and displacement of what in accesses at base or
// in its slot.
func (fn *function) address(in *mir.Inst, base mir.Reg) (asm.Register, int16) {
	off := in.Off
	if in.Slot != nil {
		base = mir.R10
		off += fn.frame.offsets[in.Slot.Index]
	}
	// A frame that does not fit is reported later.
	return reg(base), int16(off)
}

func (fn *function) load(in *mir.Inst) {
	base, off := fn.address(in, in.Src)
	if in.Signed {
		fn.needV4(in)
		fn.code.emit(asm.LoadMemSX(reg(in.Dst), base, off, size(in.Width)))
	} else {
		fn.code.emit(asm.LoadMem(reg(in.Dst), base, off, size(in.Width)))
	}
}

func (fn *function) store(in *mir.Inst) {
	base, off := fn.address(in, in.Dst)
	if in.Src != mir.NoReg {
		fn.code.emit(asm.StoreMem(base, off, reg(in.Src), size(in.Width)))
		return
	}
	// asm.StoreImm refuses 8 bytes, which the kernel takes: the immediate is sign-extended.
	fn.code.emit(asm.Instruction{OpCode: asm.StoreImmOp(size(in.Width)), Dst: base, Offset: off, Constant: in.Imm})
}

func (fn *function) atomic(in *mir.Inst) {
	base, off := fn.address(in, in.Dst)
	fn.code.emit(atomic(in.Imm, in.Width, base, reg(in.Src), off))
}

// atomic returns the instruction for the atomic operation that the immediate op encodes.
func atomic(op int64, width uint8, dst, src asm.Register, off int16) asm.Instruction {
	ins := asm.AtomicOp(op<<8).Mem(dst, src, size(width), off)
	// Instruction.Marshal takes the immediate from Constant but does not set it
	// from the operation.
	ins.Constant = op
	return ins
}

func (fn *function) frameAddr(in *mir.Inst) {
	dst := reg(in.Dst)
	fn.code.emit(asm.Mov.Reg(dst, asm.R10))
	if off := fn.frame.offsets[in.Slot.Index] + int32(in.Imm); off != 0 {
		fn.code.emit(asm.Add.Imm(dst, off))
	}
}

func (fn *function) loadSym(in *mir.Inst) {
	dst := reg(in.Dst)
	switch in.Sym.Kind {
	case mir.SymData:
		p := fn.place(in.Sym)
		fn.code.emit(asm.LoadMapValue(dst, 0, uint32(p.offset+in.Imm)).WithReference(p.section))
	case mir.SymMap:
		fn.code.emit(asm.LoadMapPtr(dst, 0).WithReference(in.Sym.Name))
	case mir.SymFunc:
		ins := asm.Instruction{OpCode: asm.LoadImmOp(asm.DWord), Dst: dst, Src: asm.PseudoFunc}
		fn.code.reference(ins, fn.funcs[in.Sym.Name])
	default:
		panic(fmt.Sprintf("BUG: emit: address of symbol of kind %d", in.Sym.Kind))
	}
}
