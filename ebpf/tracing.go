package ebpf

import "unsafe"

// Tracing is the context of a program that is attached to a kernel function by
// its type information: fentry, fexit, fmod_ret and lsm programs. It holds the
// function's arguments, each in 64 bits, and in all but fentry programs its result.
//
// Linux 5.5; lsm and fmod_ret 5.7.
//
//ebpf:context tracing,lsm
type Tracing struct {
	args   [12]uint64 // MAX_BPF_FUNC_ARGS
	result int64
}

// NewTracing returns a context for tests that call a program natively.
func NewTracing(result int64, args ...uint64) *Tracing {
	t := &Tracing{result: result}
	copy(t.args[:], args)
	return t
}

// Arg returns argument n, counted from 0. n must be a constant less than the
// number of parameters of the kernel function. A pointer is an address; follow it with
// [ProbeReadKernel].
//
//ebpf:intrinsic tracing.arg
func (t *Tracing) Arg(n int) uint64 { return t.args[n] }

// Pointer returns argument n, see Arg, as a pointer to what it is in the kernel, for helpers and as the
// owner of a value in a storage. It is converted to the type that they take, as in
// (*Inode)(ctx.Pointer(0)), and not to be followed.
//
//ebpf:intrinsic tracing.pointer
func (t *Tracing) Pointer(n int) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&t.args[n]))
}

// Ret returns the function's result: in fexit programs what it has returned, in
// fmod_ret and lsm programs what the program before this one on the same hook
// has, or 0.
//
//ebpf:intrinsic tracing.ret
func (t *Tracing) Ret() int64 { return t.result }

// Context returns t for helpers.
func (t *Tracing) Context() Context { return Context{unsafe.Pointer(t)} }
