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
// [*RawTracepoint] one for a raw tracepoint, a function of [*Regs] a kprobe. A
// [*Tracing] is the context of programs on kernel functions by their types (fentry,
// fexit, lsm), which need the directive to say which function. A [*SysEnter] or [*SysExit] is
// that of a trace event of system calls, and a struct of the package's own is one of any other
// trace event if the directive //ebpf:context tracepoint stands above it: its fields are where
// the event's file format in tracefs says. Which event may be said by the function's name, as in
// func Sched_SchedWakeup.
//
// # The language
//
// A compiled function computes what the same function computes natively.
// Accepted are: booleans and all integer types; constants and constant
// strings; arithmetic, shifts, comparisons and conversions; pointers to
// variables; structs and arrays; assignments; if, for, switch, goto and labels;
// functions with any number of results, methods and generic functions; defer,
// panic and recover; calls of the functions of this package. A
// loop must come to an end that the kernel can see.
//
// There is no heap. A variable that outlives the iteration of the loop that declares it
// (captured by a function that is stored, or put into a list) needs a loop of which the source
// bounds the iterations: for range 8, or for i := range min(n, 8). In loops without such a bound,
// and in loops of more than 32 iterations, a function can defer 32 calls; one more panics.
//
// A panic runs what is deferred, as in Go, so that locks and records are given back.
// One that nothing recovers from ends the program. What recover returns has the type and the value
// that panic was called with; that of Go's own panics is an error whose text is
// not kept: asking for it is refused, or panics where the error was in memory.
//
// Function values and interfaces can be kept in variables, structs, arrays and
// slices; a call of one that is not known when compiling chooses between all that the
// program stores. Package-level variables of such types cannot be written.
//
// Package-level variables begin with the value that Go gives them: the compiler runs their
// initialisers, and the functions named init of their package that may assign to one that the program
// uses, of imported packages too. Such a function must be one that can be compiled; the others are
// left alone. They may hold
// strings, slices and the addresses of other variables, as tables of names do, as
// long as the program does not assign to them and indexes the table where it uses the element;
// the numbers in an element can be read through a pointer to it, too. Errors made
// with errors.New, at package level or not, can be compared; their text is
// not available.
//
// Refused, each with the place and what to write instead, are: go, select
// and channels; maps of the language; floating-point and complex numbers;
// and recursion, but for calls of a function to itself as the last thing it does.
//
// Functions of other packages can be called if they are written in Go and keep to
// the above, down to what they call. Of the standard library this includes
// math/bits, encoding/binary (byte orders and varints; each access is a single one
// with a byte swap if need be), sync/atomic (integers and booleans, from Linux
// 5.12 on; additions without use of the result from 5.10), cmp, slices but for
// what allocates, sort but for Slice and SliceStable (of more than twelve elements,
// those that compare equal stay in their order, where Go leaves it open), what does
// not allocate in bytes, strings, unicode, unicode/utf8, unicode/utf16 and net/netip,
// hash/fnv, hash/crc32, time but for the clock and local time, unsafe, and
// runtime.KeepAlive. A slice cannot grow beyond its capacity: an append that would make
// it panics. Strings can be concatenated and converted to bytes and back if it is known
// how long they can be: a constant is as long as it is, s[:min(len(s), n)] no longer
// than n, a part of an array no longer than the array. Packages fmt, errors (but for
// New), log, os, sync and others of the host are refused.
//
// What panics in Go (an index out of range, a nil pointer, a division by zero,
// panic itself) ends the program safely in the kernel, with a result the host
// chooses.
//
// # Packets
//
// The packet of an XDP or TC program is a slice of bytes:
//
//	func onPacket(ctx *ebpf.XDP) ebpf.XDPAction {
//		pkt := ctx.Data()
//		if len(pkt) < 34 {
//			return ebpf.XDPPass
//		}
//		ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
//
// It is read, written, sliced and copied as any other. What is out of range panics; what
// the length has been tested for is not checked again. [Overlay] lays headers such as
// [Ethernet], [IPv4] and [TCP] over it, with fields in network byte order ([Be16], [Be32]);
// [Checksum] and others compute checksums. See [XDP.Data] for what a packet is not. Natively
// a test makes the context of bytes, with [NewXDP] or [NewSKB]; the Test method of
// a loaded program runs it in the kernel on the same bytes.
//
// An element of an array in a context can be read by a variable index, but in programs of tracepoints.
// Which fields of a context a program may read and write depends on its type. The compiler
// refuses the others.
//
// # Helpers
//
// Each helper of the kernel is a function of the same name: bpf_ktime_get_ns is
// [KtimeGetNs]. Its parameters and results are what a Go function would have. Memory is a slice of bytes, or
// a pointer to the struct that the helper deals with, and the helper is told its length; text that the
// kernel wants to know when the program is loaded is a constant string; a [Contexter] is any context. What fails
// returns an error, a [syscall.Errno], and what also has a result returns both. Sockets, tasks and
// other objects of the kernel are pointers to types of their own, such as [Sock], which is nil if there is none.
// An address in foreign memory, which only the probe helpers follow, is a uintptr. Flags and such
// are integers of the kernel's size.
//
//	var buf [64]byte
//	if err := ebpf.SkbLoadBytes(ctx, 14, buf[:n]); err != nil {
//
// A call with an empty slice fails with EINVAL, without the kernel, where a helper takes no less than a
// byte. Helpers that take maps are methods of the maps: the functions that have a [MapRef] or an
// unsafe.Pointer are what those call, and what a test may replace. Those with another function in their
// place are [Loop] and [FindVMA], which take closures.
//
// The only other names are [SpinLockAcquire] and [SpinLockRelease], since their own are
// taken by a type.
//
// Calls of seven are errors when compiling, because programs have nothing to call them with:
//
//   - [PerfEventRead], [PerfEventReadValue]: a map of perf events that a program counts with
//   - [GetLocalStorage]: a map of a type that Linux 6.2 has replaced by that of [CgroupStorage]
//   - [PerCpuPtr], [ThisCpuPtr]: a variable of the kernel
//   - [KptrXchg]: a field of a map that holds an object of the kernel
//   - [TcpSendAck]: a struct_ops program
//
// # Maps
//
// A map is a variable of the host's program, used on both sides:
//
//	var counts = ebpf.NewHash[uint32, uint64](1024)
//
//	//ebpf:section tracepoint/syscalls/sys_enter_write
//	func onWrite(ctx ebpf.Context) int {
//		counts.Add(uint32(ebpf.GetCurrentPidTgid()>>32), 1)
//		return 0
//	}
//
//	for pid, n := range counts.All() { // on the host
//
// A map may also be a field of a struct, an element of an array, or a variable of a function: a
// program that is compiled of a method or of a function literal uses the maps of
// its receiver and of what it captures. Two probes of one type so have maps of their own:
//
//	type Probe struct {
//		counts *ebpf.Hash[uint32, uint64]
//		events *ebpf.RingBuf[Event]
//	}
//
//	func (p *Probe) onWrite(ctx ebpf.Context) int {
//		p.counts.Add(uint32(ebpf.GetCurrentPidTgid()>>32), 1)
//		return 0
//	}
//
//	prog, err := jit.Compile(p.onWrite)
//
// The constructor of a map in a package-level variable of the program's must be called in
// the initialiser of that variable, be it in a composite literal.
//
// There is a type for each type of map that the kernel has. Methods whose comment
// ends in "Host only." cannot be called in programs; all others do the same on both
// sides.
//
// Keys and values are of any type of fixed size: booleans, integers, arrays and
// structs; in values floating-point numbers too, with which only the host can compute.
// They lie in memory as Go's 64-bit compilers lay them out, on every host: int,
// uint and uintptr have 64 bits. Types with pointers, strings, slices, or anything
// else that refers to memory elsewhere are refused by the constructors, which
// panic with what to write instead. Padding, and fields named _, are zero in all
// keys and values, so that keys are equal for the kernel when they are for Go.
//
// A map works from the start, in memory of the process. When the first program that
// uses it is loaded, it becomes a map of the kernel, with the entries that it has;
// programs that are loaded later share it. It stays there when programs are
// closed, with its entries, as a variable does, until Close or the end of the
// process. Maps that are pinned outlast that.
//
// Errors are those of the kernel, as values of [syscall.Errno], in memory and in
// the kernel alike: E2BIG of a map that is full, ENOENT of an entry that does not
// exist, EEXIST of one that does. Operations on a map that has been closed fail with
// [os.ErrClosed].
//
// All maps can be used by any number of goroutines; records of a ring buffer or of perf events are
// read by one at a time, and a second reader fails with EBUSY.
//
// # Running natively
//
// Kernel-side code can be called like any other Go code, under go test, in a
// debugger, with the race detector. Contexts are plain structs for a test to
// fill. Helpers that have a meaning in a test process behave as in the kernel,
// with the test as the current task: those of the current task, of clocks, of
// random numbers and of probed memory (of package-level variables: the address of
// another may not outlive the next call). Maps are in memory. What depends on the
// CPU asks [GetSmpProcessorId]. [Printk] writes to standard error. A
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
//	str           a constant string that ends in NUL, in a read-only map; a string in Go
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
// be nil. How Go's parameters and results come by these is in package build, helpershape.go. EFFECT is pkt if packet pointers are invalid after the call, sleep if
// only a sleepable program may call it, acquire if the result must be released.
//
//	//ebpf:intrinsic NAME
//
// marks a function or method that the compiler implements itself, under NAME.
// The body is native only.
//
//	//ebpf:unavailable REASON
//
// marks a function of another package whose body package jit has dropped, because it
// needs what there is not. No source has it.
//
//	//ebpf:context TYPE
//
// marks a type as the context of programs of a type: as the type of a function's
// only parameter, or what it points to, it makes the function such a program.
// TYPE is a libbpf name, or any for a type that implies none, or a list of the
// types that have this context and of which none is implied.
//
//	//ebpf:map KIND [key=SIZE] [value=SIZE] [entries=N] [flags=N] [inner=PARAMETER]
//
// marks a type of map. KIND is bpftool's name of the map type. SIZE, 0 without the
// attribute, is a sum of numbers of bytes and of type parameters, which stand for their
// sizes; a value has one byte at least. The number of entries is that given, or else
// the constructor's first argument. Inner names the type parameter that is the
// type of a map's values, themselves maps.
//
// A map type has no memory in the kernel. Its first field, however deep, is a
// handle, and the method ref of that (intrinsic mapref) yields the map that the
// receiver is: which variable, if it is a pointer that was loaded from a
// package-level one; for a field of a map that is a pointer to a map type, the map that
// belongs to it by that name. A value of such a pointer type that is not known when
// compiling is a pointer to a map of the kernel, or nil; innermap makes it of what a lookup
// in a map of maps returned. Initialisers of map variables are not compiled.
//
//	//ebpf:field NAME
//
// marks a type as the kernel's own struct NAME: a field of a map value. Copies of
// values neither read nor write it.
//
// Intrinsics beyond those of the names of their functions:
//
//	mapref     the map that the receiver is, a MapRef
//	mapvalue   the address of the value of a map of one entry
//	innermap   the pointer to a map that a pointer from a lookup is
//	newmap     a constructor of maps, which runs on the host
//	overlay    the beginning of a slice of bytes as what the result points to
//	packet.xdp, packet.skb, packet.msg
//	           the packet that a context refers to, of the layout of that name
//	zeropad    zeroes what of *p is padding, a field named _ or an //ebpf:field, and
//	           the one byte that stands for a value without size
//	zero       zeroes all of *p
//	atomicadd  adds to *p atomically; an integer of 4 or 8 bytes, or an error
//	errno      the error of a helper's result: nil from 0 on, else syscall.Errno of
//	           its negative
//
// A function literal that a helper takes may capture variables if the helper passes a
// context on (fnctx), which then is nil in the call and the compiler's.
//
// All other functions are compiled like the user's own.
//
// # What the package may know
//
// The standard library, and none of the other packages of this module but its
// own internal ones and bind. The compiler knows it by its source alone: see [Source].
// A file that imports nothing but unsafe is part of that source as it is; a
// function of any other file is part of it, without its body, if it is a helper
// or an intrinsic. For the functions of the files *_host.go that the others call
// there is a second body, the kernel's, in stub_map.go.
package ebpf
