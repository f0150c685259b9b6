package diag

import "fmt"

// A Code identifies a kind of diagnostic. Values are stable: they are never
// reused or renumbered. Hundreds are stages: 1 source, 2 Go's own syntax and
// type errors, 3 language subset, 4 calls and imports, 5 limits of BPF and of
// the target kernel, 6 program type and attachment.
type Code int

// String returns the code as U followed by its number.
func (c Code) String() string { return fmt.Sprintf("U%03d", int(c)) }

const (
	// SourceMissing: the source of a function cannot be read.
	//
	// Example: jit.Compile(f) on a machine that has the binary only
	SourceMissing Code = 101

	// SourceChanged: the source is not what the running binary was built from.
	//
	// Example: a line was added above f after go build
	SourceChanged Code = 102

	// UnsuitableValue: a Go value whose declaration cannot be found or compiled.
	//
	// Example: jit.Compile(reader.Read) where reader is an io.Reader
	UnsuitableValue Code = 103

	// UnsuitableCapture: a variable of the enclosing function that a closure
	// uses and whose value cannot be taken over as a constant.
	//
	// Example: n := 0; prog, err := jit.Compile(func(ctx ebpf.Context) int { n++; return n })
	UnsuitableCapture Code = 104

	// UnknownConst: an option gives a value to something that the program does
	// not have, or a value of the wrong type.
	//
	// Example: jit.WithConst("prot", uint16(80))
	UnknownConst Code = 105

	// SyntaxError: the source is not Go.
	//
	// Example: func f( {
	SyntaxError Code = 201

	// TypeError: Go's type checker refuses the source.
	//
	// Example: return "one" in a function that returns int
	TypeError Code = 202

	// TooManyErrors: more errors were found than are reported.
	//
	// Example: a thousand lines with an error each
	TooManyErrors Code = 203

	// UnsupportedStmt: a statement that has no meaning in a BPF program.
	//
	// Example: go f()
	UnsupportedStmt Code = 301

	// UnsupportedType: a type that a BPF program cannot hold.
	//
	// Example: var ch chan int
	UnsupportedType Code = 302

	// UnsupportedFloat: floating point and complex numbers; BPF has none.
	//
	// Example: x := 1.5 * float64(n)
	UnsupportedFloat Code = 303

	// UnsupportedExpr: an expression that undergo cannot give Go's meaning.
	//
	// Example: m := map[string]int{}
	UnsupportedExpr Code = 304

	// EscapingVariable: a pointer to a variable of a loop iteration outlives it, and there
	// is no bound of the number of iterations in the source for which to reserve memory.
	//
	// Example: for i := range n { p[i] = &i }
	EscapingVariable Code = 305

	// UnresolvedCall: a call whose function is not known when compiling.
	//
	// Example: fns[i]()
	UnresolvedCall Code = 401

	// RecursiveCall: a function that calls itself, directly or through others.
	//
	// Example: func f(n int) int { return f(n-1) }
	RecursiveCall Code = 402

	// NoBody: a call of a function whose source has no body and that is no
	// helper.
	//
	// Example: func asm() int; asm()
	NoBody Code = 403

	// NonConstantFormat: a Printk format that is not a constant.
	//
	// Example: ebpf.Printk(s)
	NonConstantFormat Code = 404

	// FormatMismatch: a Printk format that does not fit its arguments.
	//
	// Example: ebpf.Printk("%d")
	FormatMismatch Code = 405

	// HelperUnavailable: a helper that the program type does not have, or that no program can call.
	//
	// Example: ebpf.XdpAdjustHead(ctx, 14) in a kprobe
	HelperUnavailable Code = 406

	// HelperArgument: an argument that a helper cannot take.
	//
	// Example: a size that is not constant where the kernel needs one
	HelperArgument Code = 407

	// UnsupportedImport: the use of a package that kernel-side code cannot import.
	//
	// Example: fmt.Println(pid)
	UnsupportedImport Code = 410

	// HostOnly: the use of a function of package ebpf that runs on the host only.
	//
	// Example: counts.Close() in a program
	HostOnly Code = 411

	// StalePacket: the use of a slice of a packet after the call of a helper that
	// may move the packet.
	//
	// Example: pkt := ctx.Data(); ebpf.XDPAdjustHead(ctx.Context(), -20); return pkt[0]
	StalePacket Code = 412

	// ContextAccess: a read or write of a field of the context that programs of
	// the type have not, or must not write.
	//
	// Example: ctx.IngressIfindex = 1 in an XDP program
	ContextAccess Code = 413

	// NotReleased: a return with something that must be given back: a record of a ring buffer,
	// a reference to a socket, or a spin lock.
	//
	// Example: if r := events.Reserve(); r != nil { return 0 }
	NotReleased Code = 414

	// PacketWrite: a write to packet data by a program of a type that may only read it, or
	// an atomic operation on packet data, which none may do.
	//
	// Example: ctx.Data()[0] = 1 in a cgroup_skb program
	PacketWrite Code = 415

	// KeptPacket: packet data, or a pointer into it, kept in memory where the verifier does not
	// follow it, such as a map value.
	//
	// Example: e := events.Reserve(); e.payload = ctx.Data()
	KeptPacket Code = 416

	// StackOverflow: the local variables need more memory than there is. Those for
	// which the 512 bytes of the stack are too small are put into per-CPU memory of up to 32 KiB,
	// but for those that hold pointers, which the kernel follows on the stack only.
	//
	// Example: var buf [40000]byte
	StackOverflow Code = 501

	// ProgramTooLarge: more instructions than the target kernel takes.
	//
	// Example: 5000 statements for Linux 5.1, which takes 4096 instructions
	ProgramTooLarge Code = 502

	// TooManyArguments: a Printk call with more arguments than the kernel's
	// helper takes.
	//
	// Example: ebpf.Printk("%d %d %d %d", 1, 2, 3, 4) on Linux 5.10
	TooManyArguments Code = 503

	// FeatureMissing: something the target kernel lacks.
	//
	// Example: ebpf.GetAttachCookie() on Linux 5.10
	FeatureMissing Code = 504

	// UnboundedLoop: a loop that runs more often than the target kernel's verifier
	// can follow, or nobody knows how often.
	//
	// Example: for x != 1 { x = next(x) } on Linux 5.10
	UnboundedLoop Code = 505

	// TooComplex: source that stands for more than the compiler looks at, such as
	// types, constants and instances of generic functions that double again and again.
	//
	// Example: type T1 struct{ a, b T0 }; type T2 struct{ a, b T1 }; and so on to T20
	TooComplex Code = 506

	// SharedScratch: variables too large for the stack in a program that sleeps and that nothing
	// keeps from running for another task meanwhile, on the same CPU: on a uprobe or an LSM hook. The
	// memory of the CPU that other programs have for such variables would be both's.
	//
	// Example: var path [4096]byte in a program of section uprobe.s
	SharedScratch Code = 507

	// NoProgram: source without any function that is a program.
	//
	// Example: a file whose functions have no //ebpf:section directive
	NoProgram Code = 601

	// UnknownProgramType: nothing says what kind of program a function is.
	//
	// Example: jit.Compile(func(ctx ebpf.Context) int { return 0 })
	UnknownProgramType Code = 602

	// UnknownSection: a section name that is not one of libbpf's, or is incomplete.
	//
	// Example: //ebpf:section tracepiont/syscalls/sys_enter_write
	UnknownSection Code = 603

	// UnsuitableSignature: parameters or results that a program of its type
	// cannot have.
	//
	// Example: func prog(ctx ebpf.Context) string
	UnsuitableSignature Code = 604
)
