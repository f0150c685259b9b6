package emit

import (
	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file encodes what depends on a condition.

var jumpOps = [mir.NumConds]asm.JumpOp{
	mir.Eq:  asm.JEq,
	mir.Ne:  asm.JNE,
	mir.ULt: asm.JLT,
	mir.ULe: asm.JLE,
	mir.UGt: asm.JGT,
	mir.UGe: asm.JGE,
	mir.SLt: asm.JSLT,
	mir.SLe: asm.JSLE,
	mir.SGt: asm.JSGT,
	mir.SGe: asm.JSGE,
	mir.Set: asm.JSet,
}

// jumpIf writes a jump to l if (a cond b) holds, where b is in's immediate if it is
// NoReg. The comparison is as wide as in says.
func (fn *function) jumpIf(cond mir.Cond, in *mir.Inst, a, b mir.Reg, l label) {
	class, source := asm.JumpClass, asm.ImmSource
	if in.W32 {
		class = asm.Jump32Class
	}
	if b != mir.NoReg {
		source = asm.RegSource
	}
	ins := asm.Instruction{OpCode: asm.OpCode(class).SetJumpOp(jumpOps[cond]).SetSource(source), Dst: reg(a)}
	if b != mir.NoReg {
		ins.Src = reg(b)
	} else {
		ins.Constant = in.Imm
	}
	fn.code.jump(ins, l)
}

// cset writes
//
//	d = 1
//	if s cond t goto over
//	d = 0
//	over:
func (fn *function) cset(in *mir.Inst) {
	over := fn.code.newLabel()
	fn.code.emit(asm.Mov.Imm32(reg(in.Dst), 1))
	fn.jumpIf(in.Cond, in, in.Src, in.Src2, over)
	fn.code.emit(asm.Mov.Imm32(reg(in.Dst), 0))
	fn.code.bind(over)
}

// cmov writes
//
//	if s cond imm goto over
//	d = t
//	over:
func (fn *function) cmov(in *mir.Inst) {
	over := fn.code.newLabel()
	fn.jumpIf(in.Cond, in, in.Src, mir.NoReg, over)
	if in.Src2 != mir.NoReg {
		fn.code.emit(asm.Mov.Reg(reg(in.Dst), reg(in.Src2)))
	} else {
		fn.code.emit(asm.Mov.Imm(reg(in.Dst), in.Off))
	}
	fn.code.bind(over)
}

// jmp continues at b. If b only returns, the return is copied, unless it comes next: it is
// no longer than the jump.
func (fn *function) jmp(b, next *mir.Block) {
	if isExit(b) && b != next {
		fn.code.at(b.Insts[0].Pos)
		fn.code.emit(asm.Return())
		return
	}
	fn.goTo(b, next)
}

// goTo continues at b, by a jump unless b comes next.
func (fn *function) goTo(b, next *mir.Block) {
	if b != next {
		fn.code.jump(asm.Instruction{OpCode: opGoto}, fn.destination(b))
	}
}

// br jumps to one target so that it can fall through to the other where
// possible.
func (fn *function) br(in *mir.Inst, next *mir.Block) {
	to, other := thread(in.To), thread(in.Else)
	cond := in.Cond
	if to == other {
		fn.jmp(to, next)
		return
	}
	if to == next {
		if negated, ok := cond.Negated(); ok {
			cond = negated
			to, other = other, to
		}
	}
	fn.jumpIf(cond, in, in.Dst, in.Src, fn.destination(to))
	fn.goTo(other, next)
}

// destination returns the label of b or, if b does nothing but panic, that of
// the exit.
func (fn *function) destination(b *mir.Block) label {
	if isStub(b) {
		return fn.stub(b.Insts[0].Site, b.Insts[0].Pos)
	}
	return fn.label(b)
}
