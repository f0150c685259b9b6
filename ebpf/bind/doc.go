// Package bind connects the maps that a program declares with what holds their
// entries. It is for loaders of programs, such as package jit; who writes
// programs has no use for it.
//
// A typed map of package ebpf is a Go variable that works on both sides of the
// kernel boundary. Its host side is a [Map] here: a [Spec] and a [Backend]. At
// first the backend is memory of the process. A loader that compiles a program
// which uses the map creates the kernel map that the spec describes and puts it
// in with [Map.Bind]; from then on the same variable works on the kernel map.
//
// # Finding maps
//
// Maps register themselves when they are made. A loader finds the object behind
// a package-level variable by where its constructor is called ([At]), since
// that is what both the running process and the source know; behind a variable that a
// closure captured by its pointer ([FromPointer]); and behind a Go value with
// [Of]. Registered maps that nothing else refers to are collected as usual.
//
// # Lifetime
//
// A map is in one of three states. It begins in memory. From the first
// program that is loaded with it, it is in the kernel, with the entries that it
// had in memory, for all later programs too, whether the earlier ones are
// closed or not: entries live as long as the variable does. Close ends that:
// the kernel map is released, by this process (programs that are still loaded
// keep it alive), and every operation fails with [os.ErrClosed], until
// another program that is loaded with the map brings a new one.
//
// # What the package may know
//
// The standard library. It is imported by package ebpf and knows nothing of it,
// of loaders, or of the kernel but what linux/bpf.h says of maps.
package bind
