package isel

import (
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file makes instructions. All of these methods append to the code of the
// current value.

// label marks, in the code of a value, the beginning of the block To. The
// instruction before it is a terminator.
const label = mir.OpInvalid

func (s *selector) emit(in mir.Inst) {
	in.Pos = s.pos
	s.seq = append(s.seq, in)
}

func (s *selector) label(b *mir.Block) { s.seq = append(s.seq, mir.Inst{Op: label, To: b}) }

// mov copies all 64 bits.
func (s *selector) mov(dst, src mir.Reg) {
	s.emit(mir.Inst{Op: mir.OpMov, Dst: dst, Src: src, Src2: mir.NoReg})
}

// mov32 copies the low half and zeroes the upper one.
func (s *selector) mov32(dst, src mir.Reg) {
	s.emit(mir.Inst{Op: mir.OpMov, W32: true, Dst: dst, Src: src, Src2: mir.NoReg})
}

// movImm sets dst to the constant c, which is one of type t. Constants with a
// zero upper half, as all I32 have in a register, fit in one instruction slot.
func (s *selector) movImm(dst mir.Reg, t ir.Type, c int64) {
	in := mir.Inst{Op: mir.OpMov, Dst: dst, Src: mir.NoReg, Src2: mir.NoReg, Imm: c}
	switch {
	case t == ir.I32 && c < 0:
		in.W32 = true
	case t != ir.I32 && c > math.MaxInt32 && c <= math.MaxUint32:
		in.W32, in.Imm = true, int64(int32(c))
	}
	s.emit(in)
}

// alu is dst = dst op src.
func (s *selector) alu(op mir.Op, w32 bool, dst, src mir.Reg) {
	s.emit(mir.Inst{Op: op, W32: w32, Dst: dst, Src: src, Src2: mir.NoReg})
}

// aluImm is dst = dst op imm, where imm fits in 32 signed bits.
func (s *selector) aluImm(op mir.Op, w32 bool, dst mir.Reg, imm int64) {
	s.emit(mir.Inst{Op: op, W32: w32, Dst: dst, Src: mir.NoReg, Src2: mir.NoReg, Imm: imm})
}

// negate is dst = -dst.
func (s *selector) negate(w32 bool, dst mir.Reg) {
	s.emit(mir.Inst{Op: mir.OpNeg, W32: w32, Dst: dst, Src: mir.NoReg, Src2: mir.NoReg})
}

func (s *selector) jump(to *mir.Block) {
	s.emit(mir.Inst{Op: mir.OpJmp, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, To: to})
}

// simple emits an operation without operands.
func (s *selector) simple(op mir.Op, site int) {
	s.emit(mir.Inst{Op: op, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, Site: site})
}

// loadSym is dst = the address of sym plus off.
func (s *selector) loadSym(dst mir.Reg, sym mir.Sym, off int64) {
	s.emit(mir.Inst{Op: mir.OpLoadSym, Dst: dst, Src: mir.NoReg, Src2: mir.NoReg, Sym: &sym, Imm: off})
}

// frameAddr is dst = the address of slot plus off.
func (s *selector) frameAddr(dst mir.Reg, slot *mir.Slot, off int64) {
	s.emit(mir.Inst{Op: mir.OpFrameAddr, Dst: dst, Src: mir.NoReg, Src2: mir.NoReg, Slot: slot, Imm: off})
}

// loadMem is dst = width bytes at a, zero-extended, or sign-extended to 64 bits.
func (s *selector) loadMem(dst mir.Reg, a addr, width uint8, signed bool) {
	s.emit(mir.Inst{Op: mir.OpLoad, Width: width, Signed: signed, Dst: dst, Src: a.base, Src2: mir.NoReg, Slot: a.slot, Off: a.off})
}

// storeMem is width bytes at a = src.
func (s *selector) storeMem(a addr, width uint8, src mir.Reg) {
	s.emit(mir.Inst{Op: mir.OpStore, Width: width, Dst: a.base, Src: src, Src2: mir.NoReg, Slot: a.slot, Off: a.off})
}

// storeImm is width bytes at a = imm, where imm fits in 32 signed bits.
func (s *selector) storeImm(a addr, width uint8, imm int64) {
	s.emit(mir.Inst{Op: mir.OpStore, Width: width, Dst: a.base, Src: mir.NoReg, Src2: mir.NoReg, Slot: a.slot, Off: a.off, Imm: imm})
}

// fits32 reports whether c is what the immediate operand of an instruction,
// sign-extended from 32 bits, can hold.
func fits32(c int64) bool { return int64(int32(c)) == c }

// fits16 reports whether off is what the displacement of a memory access can
// hold.
func fits16(off int64) bool { return int64(int16(off)) == off }
