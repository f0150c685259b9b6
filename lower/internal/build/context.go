package build

import (
	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers the methods of contexts whose layout is not that of their Go
// type: it depends on the machine, or on the kernel function that is traced.

// Prefixes of the intrinsics' names.
const (
	regsPrefix    = "regs."
	tracingPrefix = "tracing."
)

// A regsLayout is where a machine's struct pt_regs has the registers that the C
// calling convention gives a meaning, in bytes.
type regsLayout struct {
	args        []int64
	ret, pc, sp int64
}

// regsLayouts is by architecture in Go's naming.
var regsLayouts = map[string]regsLayout{
	// arch/x86/include/uapi/asm/ptrace.h: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8
	// rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss. The System V ABI passes
	// arguments in rdi rsi rdx rcx r8 r9.
	"amd64": {args: []int64{8 * 14, 8 * 13, 8 * 12, 8 * 11, 8 * 9, 8 * 8}, ret: 8 * 10, pc: 8 * 16, sp: 8 * 19},
	// arch/arm64/include/uapi/asm/ptrace.h: x0 to x30, sp, pc, pstate. The AAPCS64
	// passes arguments in x0 to x7.
	"arm64": {args: []int64{8 * 0, 8 * 1, 8 * 2, 8 * 3, 8 * 4, 8 * 5, 8 * 6, 8 * 7}, ret: 8 * 0, pc: 8 * 32, sp: 8 * 31},
}

// lowerRegs lowers a method of ebpf.Regs.
func (fn *function) lowerRegs(name string, c *ssa.CallCommon) operand {
	layout, ok := regsLayouts[fn.b.target.Arch]
	if !ok {
		fn.fail(diag.FeatureMissing, "compile for amd64 or arm64", "registers of %s", fn.b.target.Arch)
		return badOperand
	}
	off := map[string]int64{"regs.ret": layout.ret, "regs.pc": layout.pc, "regs.sp": layout.sp}[name]
	if name == "regs.arg" {
		n, ok := fn.argumentNumber(c, len(layout.args), "are in registers on "+fn.b.target.Arch)
		if !ok {
			return badOperand
		}
		off = layout.args[n]
	}
	return fn.contextWord(c, off)
}

// lowerTracing lowers a method of ebpf.Tracing: the context is an array of the
// arguments, and the result after them.
func (fn *function) lowerTracing(name string, c *ssa.CallCommon) operand {
	if name == "tracing.ret" {
		if fn.b.in.Traced < 0 {
			fn.fail(diag.FeatureMissing, "compile for the running kernel",
				"result of the traced function, whose number of parameters is not known")
			return badOperand
		}
		return fn.contextWord(c, 8*int64(fn.b.in.Traced))
	}
	limit := fn.b.in.Traced
	if limit < 0 {
		limit = maxTraced
	}
	n, ok := fn.argumentNumber(c, limit, "there are")
	if !ok {
		return badOperand
	}
	if name == "tracing.pointer" {
		return fn.contextLeaf(c, 8*n, ir.PtrKernel)
	}
	return fn.contextWord(c, 8*n)
}

// maxTraced is MAX_BPF_FUNC_ARGS in include/linux/bpf.h.
const maxTraced = 12

// argumentNumber returns the constant argument of a method Arg, which must be
// less than limit.
func (fn *function) argumentNumber(c *ssa.CallCommon, limit int, why string) (int64, bool) {
	n, ok := constInt(c.Args[1])
	switch {
	case !ok:
		fn.fail(diag.UnsupportedExpr, "write the number, or switch over it", "number of an argument that is not constant")
		return 0, false
	case n < 0 || n >= int64(limit):
		fn.fail(diag.UnsupportedExpr, "arguments are counted from 0", "argument %d of the probed function: %d %s", n, limit, why)
		return 0, false
	}
	return n, true
}

// contextWord loads 64 bits of the context, the receiver of c.
func (fn *function) contextWord(c *ssa.CallCommon, off int64) operand {
	return fn.contextLeaf(c, off, ir.I64)
}

// contextLeaf loads a value of 8 bytes of the context, the receiver of c.
func (fn *function) contextLeaf(c *ssa.CallCommon, off int64, t ir.Type) operand {
	ctx := fn.deref(c.Args[0])
	if ctx.base == nil {
		return badOperand
	}
	if ctx.base.Type == ir.PtrStack {
		fn.fail(diag.UnsupportedExpr, "use the context itself", "copy of the context, whose layout is not that of its Go type")
		return badOperand
	}
	return operand{vals: []*ir.Value{fn.loadLeaf(ctx.plus(off), leaf{typ: t, width: 8})}}
}
