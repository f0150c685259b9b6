package ebpf

import "unsafe"

// RawTracepoint is the context of a raw tracepoint program: struct
// bpf_raw_tracepoint_args, the arguments of the tracepoint as the kernel passes
// them (TP_PROTO), each in 64 bits.
//
// Linux 4.17.
//
//ebpf:context raw_tracepoint
type RawTracepoint struct {
	// Args are the arguments. A tracepoint has at most twelve
	// (MAX_BPF_FUNC_ARGS); the kernel refuses a program that reads more than
	// its own has. The index must be a constant.
	Args [12]uint64
}

// Arg returns argument n, counted from 0, of the tracepoint. In the kernel n
// must be a constant after inlining.
func (r *RawTracepoint) Arg(n int) uint64 { return r.Args[n] }

// Context returns r for helpers.
func (r *RawTracepoint) Context() Context { return Context{unsafe.Pointer(r)} }
