package ebpf

import "unsafe"

// Regs is the context of a kprobe, kretprobe, uprobe or uretprobe: the registers
// at the probed place. Their layout in the kernel (struct pt_regs) is the
// machine's; the methods know it. A Regs must not be copied.
//
// Linux 4.1.
//
//ebpf:context kprobe
type Regs struct {
	args           [8]uint64
	result, pc, sp uint64
}

// NewRegs returns registers for tests that call a program natively: at the entry
// of a function that is called with args, at most eight, or at its exit with
// result.
func NewRegs(result uint64, args ...uint64) *Regs {
	r := &Regs{result: result}
	copy(r.args[:], args)
	return r
}

// Arg returns argument n, counted from 0, of the function at whose entry the
// probe is, by the C calling convention, in 64 bits: a narrower argument has
// undefined bits above its own. It is the content of a register, so it is an
// argument only at the entry, and only for the first six arguments on amd64 and
// the first eight on arm64. n must be a constant.
//
//ebpf:intrinsic regs.arg
func (r *Regs) Arg(n int) uint64 { return r.args[n] }

// Ret returns the result of the function at whose exit the probe is.
//
//ebpf:intrinsic regs.ret
func (r *Regs) Ret() uint64 { return r.result }

// PC returns the program counter.
//
//ebpf:intrinsic regs.pc
func (r *Regs) PC() uint64 { return r.pc }

// SP returns the stack pointer.
//
//ebpf:intrinsic regs.sp
func (r *Regs) SP() uint64 { return r.sp }

// Context returns r for helpers.
func (r *Regs) Context() Context { return Context{unsafe.Pointer(r)} }
