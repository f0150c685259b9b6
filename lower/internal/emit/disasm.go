package emit

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/asm"
)

// Disassemble returns insns one a line, in the notation of the kernel verifier's
// log (kernel/bpf/disasm.c), numbered by offset in 8-byte slots. Immediates are
// decimal throughout.
func Disassemble(insns asm.Instructions) string {
	var b strings.Builder
	iter := insns.Iterate()
	for iter.Next() {
		if symbol := iter.Ins.Symbol(); symbol != "" {
			fmt.Fprintf(&b, "%s:\n", symbol)
		}
		fmt.Fprintf(&b, "%4d: %s\n", iter.Offset, disassemble(iter.Ins))
	}
	return b.String()
}

func disassemble(ins *asm.Instruction) string {
	switch class := ins.OpCode.Class(); class {
	case asm.ALUClass, asm.ALU64Class:
		return disassembleALU(ins, class == asm.ALUClass)
	case asm.JumpClass, asm.Jump32Class:
		return disassembleJump(ins, class == asm.Jump32Class)
	case asm.LdXClass:
		sign := "u"
		if ins.OpCode.Mode() == asm.MemSXMode {
			sign = "s"
		}
		return fmt.Sprintf("r%d = %s", ins.Dst, operand(ins, sign, ins.Src))
	case asm.StClass:
		return fmt.Sprintf("%s = %d", operand(ins, "u", ins.Dst), ins.Constant)
	case asm.StXClass:
		if ins.OpCode.Mode() == asm.AtomicMode {
			return disassembleAtomic(ins)
		}
		return fmt.Sprintf("%s = r%d", operand(ins, "u", ins.Dst), ins.Src)
	case asm.LdClass:
		return disassembleLoadImm(ins)
	}
	return fmt.Sprint(*ins)
}

// operand returns the memory at base plus the instruction's displacement.
func operand(ins *asm.Instruction, sign string, base asm.Register) string {
	return fmt.Sprintf("*(%s%d *)(r%d %+d)", sign, 8*ins.OpCode.Size().Sizeof(), base, ins.Offset)
}

var aluSymbols = map[asm.ALUOp]string{
	asm.Add: "+=", asm.Sub: "-=", asm.Mul: "*=", asm.Div: "/=", asm.SDiv: "s/=", asm.Mod: "%=", asm.SMod: "s%=",
	asm.Or: "|=", asm.And: "&=", asm.Xor: "^=", asm.LSh: "<<=", asm.RSh: ">>=", asm.ArSh: "s>>=", asm.Mov: "=",
}

var signExtensions = map[asm.ALUOp]int{asm.MovSX8: 8, asm.MovSX16: 16, asm.MovSX32: 32}

func disassembleALU(ins *asm.Instruction, narrow bool) string {
	op := ins.OpCode.ALUOp()
	r := byte('r')
	if narrow && op != asm.Swap {
		r = 'w'
	}
	switch {
	case op == asm.Neg:
		return fmt.Sprintf("%c%d = -%c%d", r, ins.Dst, r, ins.Dst)
	case op == asm.Swap:
		name := "bswap"
		if narrow {
			name = strings.ToLower(ins.OpCode.Endianness().String())
		}
		return fmt.Sprintf("r%d = %s%d r%d", ins.Dst, name, ins.Constant, ins.Dst)
	case signExtensions[op] != 0:
		return fmt.Sprintf("%c%d = (s%d)%c%d", r, ins.Dst, signExtensions[op], r, ins.Src)
	case ins.OpCode.Source() == asm.RegSource:
		return fmt.Sprintf("%c%d %s %c%d", r, ins.Dst, aluSymbols[op], r, ins.Src)
	}
	return fmt.Sprintf("%c%d %s %d", r, ins.Dst, aluSymbols[op], ins.Constant)
}

var jumpSymbols = map[asm.JumpOp]string{
	asm.JEq: "==", asm.JNE: "!=", asm.JGT: ">", asm.JGE: ">=", asm.JLT: "<", asm.JLE: "<=",
	asm.JSGT: "s>", asm.JSGE: "s>=", asm.JSLT: "s<", asm.JSLE: "s<=", asm.JSet: "&",
}

func disassembleJump(ins *asm.Instruction, narrow bool) string {
	r := byte('r')
	if narrow {
		r = 'w'
	}
	switch op := ins.OpCode.JumpOp(); {
	case op == asm.Exit:
		return "exit"
	case op == asm.Call && ins.Src == asm.PseudoCall:
		return fmt.Sprintf("call pc%+d <%s>", ins.Constant, ins.Reference())
	case op == asm.Call:
		return fmt.Sprintf("call %v#%d", asm.BuiltinFunc(ins.Constant), ins.Constant)
	case op == asm.Ja && narrow:
		return fmt.Sprintf("gotol pc%+d", ins.Constant)
	case op == asm.JCOND:
		return fmt.Sprintf("may_goto pc%+d", ins.Offset)
	case op == asm.Ja:
		return fmt.Sprintf("goto pc%+d", ins.Offset)
	case ins.OpCode.Source() == asm.RegSource:
		return fmt.Sprintf("if %c%d %s %c%d goto pc%+d", r, ins.Dst, jumpSymbols[op], r, ins.Src, ins.Offset)
	default:
		return fmt.Sprintf("if %c%d %s %d goto pc%+d", r, ins.Dst, jumpSymbols[op], ins.Constant, ins.Offset)
	}
}

func disassembleAtomic(ins *asm.Instruction) string {
	mem := fmt.Sprintf("(u%d *)(r%d %+d)", 8*ins.OpCode.Size().Sizeof(), ins.Dst, ins.Offset)
	op := ins.OpCode.AtomicOp()
	switch op {
	case asm.AddAtomic, asm.OrAtomic, asm.AndAtomic, asm.XorAtomic:
		return fmt.Sprintf("lock *%s %s r%d", mem, aluSymbols[asm.ALUOp(op>>8)], ins.Src)
	case asm.CmpXchg:
		return fmt.Sprintf("r0 = cmpxchg(%s, r0, r%d)", mem, ins.Src)
	}
	return fmt.Sprintf("r%d = %s(%s, r%d)", ins.Src, strings.ToLower(op.String()), mem, ins.Src)
}

func disassembleLoadImm(ins *asm.Instruction) string {
	switch ins.Src {
	case asm.PseudoMapFD:
		return fmt.Sprintf("r%d = map %s", ins.Dst, ins.Reference())
	case asm.PseudoMapValue:
		return fmt.Sprintf("r%d = &%s%+d", ins.Dst, ins.Reference(), ins.Constant>>32)
	case asm.PseudoFunc:
		return fmt.Sprintf("r%d = func pc%+d <%s>", ins.Dst, int32(ins.Constant), ins.Reference())
	}
	return fmt.Sprintf("r%d = %d ll", ins.Dst, ins.Constant)
}
