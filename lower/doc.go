// Package lower is undergo's compiler: it turns a function in go/ssa form into
// a [Unit] of BPF instructions.
//
// # What this package may know
//
// lower knows go/ssa, because that is its input, and cilium's asm and btf,
// because they are its output. It performs no system call and asks nothing of
// the host: all that it knows of a kernel is in a [Target], so that it compiles
// for any kernel on any machine, and the same input gives the same bytes.
//
// # Stages
//
//	go/ssa --build--> ir --opt passes--> ir --isel--> mir --regalloc--> mir --emit--> Unit
//
// Each stage is a package under lower/internal with a text form, a verifier
// and tests of its own. [Compile] calls them in this order; the README beside
// this file is the tour.
package lower
