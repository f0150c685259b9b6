// Package jit compiles Go functions for the Linux kernel while the program runs
// that they are part of, and loads them.
//
//	func onWrite(ctx ebpf.Context) int {
//		ebpf.Printk("write by %d", ebpf.GetCurrentPidTgid()>>32)
//		return 0
//	}
//
//	prog, err := jit.Compile(onWrite, jit.As("tracepoint/syscalls/sys_enter_write"))
//
// [Compile] takes a func value, [CompileSource] source text, [CompilePackage] a
// package. [Func] makes a function that runs in the kernel of one that is pure.
// A [Program] is attached with package attach, or with cilium's link package and [Program.BPF].
//
// # What is compiled
//
// The source of the function is read, its package is pruned to what the function
// needs, that is type-checked and translated to go/ssa, which package lower
// compiles to BPF:
//
//	funcvalue.go, entry.go,       func value -> declaration
//	capture.go, snapshot.go
//	source.go, index.go           files -> syntax
//	imports.go, library.go        import path -> files
//	scope.go, reach.go, prune.go  syntax -> what is needed of it
//	outline.go, refuse.go
//	bounds.go, instances.go       what would take forever
//	salvage.go, hostonly.go       more errors, and in better words
//	check.go, ssa.go              -> go/types -> go/ssa
//	section.go                    what kind of program it is
//	lowering.go                   -> lower.Unit
//	target.go, load.go            -> kernel
//	verifier.go, errors.go        and what goes wrong
//
// The file of a function may import anything. What the function reaches may be in
// other packages of its module, in modules that this one requires, and in the
// standard library, as far as it can be compiled. Packages are found in the module's
// directory or in [WithSource], in its vendor directory, in the module cache, and
// in the Go installation that the binary was built with. Neither that nor the go
// command is needed, but for CompilePackage with an import path: a part of the
// standard library is built in (bytes, cmp, encoding/binary, hash/crc32, hash/fnv, iter,
// math/bits, slices, sort, strings, sync/atomic, unicode, unicode/utf16, unicode/utf8). Function and kernel
// agree on everything that Go specifies; what cannot be given its meaning in Go is refused.
//
// # Memory
//
// Variables for which the 512 bytes of BPF's stack are too small, and before Linux 5.12
// also those that are indexed by what is not constant, are put into memory of the
// CPU by themselves: an array map called [lower.ScratchMap] that belongs to the
// program, of up to 32 KiB; lower.Unit.Scratch tells its size. Like all per-CPU memory
// it is right only as long as no run of the program is interrupted by another, or by
// its timers, on the same CPU. What keeps others away depends on the type of the program:
//
//   - XDP and tc programs cannot be interrupted by themselves.
//   - The kernel runs no kprobe, tracepoint or perf event program while another of these runs on the CPU.
//   - It skips runs of a fentry or fexit program, sleeping or not, while one is under way on the CPU,
//     since Linux 5.12, and of a raw tracepoint program since Linux 6.1.
//   - Syscall programs run when somebody runs them: [Program.TestContext] and [Func] let one run
//     end before the next.
//   - Nothing does for programs of uprobes and LSM hooks that sleep. Those with such variables are refused.
//   - Nothing does on preemptible kernels for other LSM programs, for uprobes that do not sleep since Linux 6.0, for iterators,
//     and for programs of sockets and cgroups that run on behalf of a process: keep their variables small there.
//
// Sleepable programs may use such memory since Linux 5.12.
//
// # Errors
//
// An error in the source is a lower.DiagnosticError: all that is wrong, sorted,
// each as file:line:col: message; what to write instead [code]. Format it with %+v for the
// source lines, with a caret at the column:
//
//	prog.go:12:7: undefined: n [U202]
//		if x > n {
//		       ^
//
// The codes never change; lower/CODES.md explains them. A
// [VerifierError] is the kernel's refusal. Other errors are of the system:
// missing privileges wrap EPERM, missing files fs.ErrNotExist.
//
// # What this package may know
//
// jit knows the ebpf package's embedded source, the standard library's, lower's exported API, and cilium's
// loader. It knows the running process and kernel, which lower does not. It knows
// nothing of the representations between go/ssa and lower.Unit.
//
// All functions and methods may be called concurrently. Global state is caches (the parsed
// ebpf package and standard library, the kernel's features and its BTF) and what the
// process has only once, too: where its package-level variables are in the kernel, for
// as long as a program is loaded that assigns to them, and its maps (package ebpf/bind).
package jit
