package emit

import (
	"fmt"
	"math"

	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// inst writes one instruction. next is the block that is laid out after the
// current one, or nil.
func (fn *function) inst(in *mir.Inst, next *mir.Block) {
	switch in.Op {
	case mir.OpMov:
		fn.mov(in)
	case mir.OpMovSX:
		fn.movSX(in)
	case mir.OpFrameAddr:
		fn.frameAddr(in)
	case mir.OpOpaque:
		fn.opaque(in)
	case mir.OpLoadSym:
		fn.loadSym(in)
	case mir.OpAdd, mir.OpSub, mir.OpMul, mir.OpDiv, mir.OpSDiv, mir.OpRem, mir.OpSRem,
		mir.OpAnd, mir.OpOr, mir.OpXor, mir.OpLsh, mir.OpRsh, mir.OpArsh, mir.OpNeg:
		fn.alu(in)
	case mir.OpToBE, mir.OpToLE, mir.OpBswap:
		fn.swap(in)
	case mir.OpLoad:
		fn.load(in)
	case mir.OpStore:
		fn.store(in)
	case mir.OpAtomic:
		fn.atomic(in)
	case mir.OpCallHelper:
		fn.code.emit(asm.BuiltinFunc(in.Sym.ID).Call())
	case mir.OpCallFn:
		ins := asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call), Src: asm.PseudoCall}
		fn.code.reference(ins, fn.funcs[in.Sym.Name])
	case mir.OpCSet:
		fn.cset(in)
	case mir.OpCMov:
		fn.cmov(in)
	case mir.OpCheck:
		fn.jumpIf(in.Cond, in, in.Dst, in.Src, fn.stub(in.Site, in.Pos))
	case mir.OpLoopLimit:
		fn.code.jump(asm.Instruction{OpCode: opMayGoto}, fn.stub(in.Site, in.Pos))
	case mir.OpJmp:
		fn.jmp(thread(in.To), next)
	case mir.OpBr:
		fn.br(in, next)
	case mir.OpExit:
		fn.code.emit(asm.Return())
	case mir.OpPanic:
		if in.Site == mir.SitePropagate {
			fn.propagate()
		} else {
			fn.code.jump(asm.Instruction{OpCode: opGoto}, fn.stub(in.Site, in.Pos))
		}
	case mir.OpUnreachable:
		// The verifier may not see what the compiler has proven.
		fn.leave()
	default:
		panic(fmt.Sprintf("BUG: emit: %s: %v: operation %d", fn.f.Name, in, in.Op))
	}
}

// reg returns the number of a physical register.
func reg(r mir.Reg) asm.Register {
	if !r.IsPhys() {
		panic(fmt.Sprintf("BUG: emit: register %v", r))
	}
	return asm.Register(r)
}

// needV4 panics if the target lacks in, which only instruction selection can
// avoid.
func (fn *function) needV4(in *mir.Inst) {
	if !fn.in.Target.Has(target.ISAv4) {
		panic(fmt.Sprintf("BUG: emit: %s: %v needs ISA v4", fn.f.Name, in))
	}
}

// mov chooses the shortest form for immediates: two slots only if neither sign
// extension of 32 bits nor zero extension gives the value.
func (fn *function) mov(in *mir.Inst) {
	dst := reg(in.Dst)
	switch {
	case in.Src != mir.NoReg && in.W32:
		fn.code.emit(asm.Mov.Reg32(dst, reg(in.Src)))
	case in.Src != mir.NoReg:
		fn.code.emit(asm.Mov.Reg(dst, reg(in.Src)))
	case in.W32:
		fn.code.emit(asm.Mov.Imm32(dst, int32(in.Imm)))
	case in.Imm == int64(int32(in.Imm)):
		fn.code.emit(asm.Mov.Imm(dst, int32(in.Imm)))
	case in.Imm >= 0 && in.Imm <= math.MaxUint32:
		fn.code.emit(asm.Mov.Imm32(dst, int32(in.Imm)))
	default:
		fn.code.emit(asm.LoadImm(dst, in.Imm, asm.DWord))
	}
}

func (fn *function) movSX(in *mir.Inst) {
	fn.needV4(in)
	var op asm.ALUOp
	switch in.Width {
	case 1:
		op = asm.MovSX8
	case 2:
		op = asm.MovSX16
	default:
		op = asm.MovSX32
	}
	if in.W32 {
		fn.code.emit(op.Reg32(reg(in.Dst), reg(in.Src)))
	} else {
		fn.code.emit(op.Reg(reg(in.Dst), reg(in.Src)))
	}
}

// opaque writes the difference of the frame pointer and itself: the verifier lets
// privileged programs subtract pointers and takes the result for any number.
func (fn *function) opaque(in *mir.Inst) {
	dst := reg(in.Dst)
	fn.code.emit(asm.Mov.Reg(dst, asm.RFP))
	fn.code.emit(asm.Sub.Reg(dst, asm.RFP))
}

var aluOps = [mir.NumOps]asm.ALUOp{
	mir.OpAdd:  asm.Add,
	mir.OpSub:  asm.Sub,
	mir.OpMul:  asm.Mul,
	mir.OpDiv:  asm.Div,
	mir.OpSDiv: asm.SDiv,
	mir.OpRem:  asm.Mod,
	mir.OpSRem: asm.SMod,
	mir.OpAnd:  asm.And,
	mir.OpOr:   asm.Or,
	mir.OpXor:  asm.Xor,
	mir.OpLsh:  asm.LSh,
	mir.OpRsh:  asm.RSh,
	mir.OpArsh: asm.ArSh,
	mir.OpNeg:  asm.Neg,
}

func (fn *function) alu(in *mir.Inst) {
	if in.Op == mir.OpSDiv || in.Op == mir.OpSRem {
		fn.needV4(in)
	}
	op, dst := aluOps[in.Op], reg(in.Dst)
	switch {
	case in.Src != mir.NoReg && in.W32:
		fn.code.emit(op.Reg32(dst, reg(in.Src)))
	case in.Src != mir.NoReg:
		fn.code.emit(op.Reg(dst, reg(in.Src)))
	case in.W32:
		fn.code.emit(op.Imm32(dst, int32(in.Imm)))
	default:
		fn.code.emit(op.Imm(dst, int32(in.Imm)))
	}
}

func (fn *function) swap(in *mir.Inst) {
	dst, width := reg(in.Dst), size(in.Width)
	switch in.Op {
	case mir.OpToBE:
		fn.code.emit(asm.HostTo(asm.BE, dst, width))
	case mir.OpToLE:
		fn.code.emit(asm.HostTo(asm.LE, dst, width))
	default:
		fn.needV4(in)
		fn.code.emit(asm.BSwap(dst, width))
	}
}
