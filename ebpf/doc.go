// Package ebpf is what kernel-side Go imports: the contexts that programs are
// called with, the functions the kernel offers them, and their constants.
//
// Kernel-side code is ordinary Go in an ordinary package. It is compiled twice:
// by the go command with everything else, and, for the functions that are given
// to package jit, into the kernel while the program runs.
//
//	//ebpf:section tracepoint/syscalls/sys_enter_write
//	func onWrite(ctx ebpf.Context) int {
//		pid := ebpf.GetCurrentPidTgid() >> 32
//		ebpf.Printk("BPF triggered sys_enter_write from PID %d.\n", pid)
//		return 0
//	}
//
// # Which program a function is
//
// The directive //ebpf:section names the program type and what the program is
// attached to, with libbpf's section names. Without one the type of the
// parameter tells: a function of an [*XDP] is an XDP program, a function of a
// [*RawTracepoint] one for a raw tracepoint.
//
// # The language
//
// A compiled function computes what the same function computes natively.
// Accepted are: booleans and all integer types; constants and constant
// strings; arithmetic, shifts, comparisons and conversions; pointers to
// variables; structs and arrays; assignments; if, for, switch, goto and labels;
// functions with any number of results, methods and generic functions; calls
// of the functions of this package. A loop must come to an end that the kernel
// can see.
//
// Refused, each with the place and what to write instead, are: go, select,
// defer and channels; maps of the language; floating-point and complex numbers;
// interfaces, but for the arguments of [Printk]; recursion; calls of the
// standard library; and what does not fit on a stack of 512 bytes.
//
// What panics in Go (an index out of range, a nil pointer, a division by zero,
// panic itself) ends the program safely in the kernel, with a result the host
// chooses.
//
// # Helpers
//
// Each helper of the kernel is a function of the same name: bpf_ktime_get_ns is
// [KtimeGetNs]. Its types are those of linux/bpf.h: long is int64, int is int32, a
// context is a [Context], a map a [MapRef], char * is *byte, and a pointer to anything
// but a number is an unsafe.Pointer. An address in foreign memory, which only
// the probe helpers follow, is a uintptr. Errors are negative errno values, as
// the kernel returns them.
//
// # Running natively
//
// Kernel-side code can be called like any other Go code, under go test, in a
// debugger, with the race detector. Contexts are plain structs for a test to
// fill. Helpers that have a meaning in a test process behave as in the kernel,
// with the test as the current task: those of the current task, of clocks, of
// random numbers and of probed memory (of package-level variables: the address of
// another may not outlive the next call). [Printk] writes to standard error. A
// call of another helper panics and says so. Package sim replaces the behaviour
// of any helper, and the destination of [Printk].
//
// # Directives
//
// This section is for those who work on the compiler. Directives stand at the
// end of a declaration's doc comment. Fields are separated by one space, lists
// by commas.
//
//	//ebpf:helper id=N name=NAME kernel=X.Y gpl=BOOL types=TYPE,... [args=KIND,...] ret=KIND [effects=EFFECT,...]
//
// marks a function as a kernel helper. Calls become the instruction call N; the
// body is never compiled. NAME is without bpf_, X.Y the first Linux release that
// has it, BOOL true if it is only for programs with a GPL-compatible licence.
// TYPE is a libbpf name of a program type that may call it in the newest kernel,
// or all; the list may be too long for the running kernel, whose verifier
// decides. KIND of an argument, in r1 to r5, is one of
//
//	scalar        a number
//	const         a number known when the program is loaded
//	size, size0   the size of the memory another argument points to; size0 may be 0
//	in:N          memory that is read; argument N, from 1, is its size
//	out:N         memory that is written and need not be initialised
//	inout:N       memory that is read and written
//	in=B, out=B, inout=B
//	              the same of B bytes
//	str           a constant string that ends in NUL, in a read-only map
//	ctx           the program's context
//	map           a map
//	key           a key of the map of r1, read
//	value         a value of the map of r1, read
//	outvalue      a value of the map of r1, written
//	fn            a function of the program
//	fnctx         memory on the stack, passed on to that function
//	sock          a socket
//	btf:T         a kernel struct T; btf alone: any
//	percpu        a per-CPU variable of the kernel
//	kptr          a field of a map value that holds a kernel pointer
//	ringmem       a ring buffer reservation
//	dynptr        a dynptr
//	outdynptr     a dynptr on the stack, made by the call
//	spinlock, timer
//	              such a field of a map value
//
// followed by ? if it may be nil, by ! if the call releases it; A|B is either,
// by program type. KIND of the result is scalar, void, or a pointer: mapvalue,
// sock, tcpsock, btf or btf:T, ringmem, dynmem, percpu, followed by ? if it may
// be nil. EFFECT is pkt if packet pointers are invalid after the call, sleep if
// only a sleepable program may call it, acquire if the result must be released.
//
//	//ebpf:intrinsic NAME
//
// marks a function or method that the compiler implements itself, under NAME.
// The body is native only.
//
//	//ebpf:context TYPE
//
// marks a type as the context of programs of a type: as the type of a function's
// only parameter, or what it points to, it makes the function such a program.
// TYPE is a libbpf name, or any for a type that implies none.
//
// All other functions are compiled like the user's own.
//
// # What the package may know
//
// The standard library, and none of the other packages of this module but its
// own internal ones. The compiler knows it by its source alone: see [Source].
// A file that imports nothing but unsafe is part of that source as it is; a
// function of any other file is part of it, without its body, if it is a helper
// or an intrinsic.
package ebpf
