// Package build translates go/ssa into undergo's intermediate representation:
// it writes out everything that Go leaves implicit.
//
// # What this package may know
//
// build knows go/types and go/ssa, the semantics of Go, the directives of the
// ebpf package and, through [target.Target], which kernel it builds for. It
// knows ir and diag, and has interp run the initialisers of variables. It knows nothing of BPF instructions and registers, of
// cilium, and of the host: what it computes depends on its arguments alone.
//
// # How Go is lowered
//
// Integers narrower than 32 bits are kept normalised after every operation that
// may overflow them; divisions, shifts, indexing and dereferences get the
// checks that Go demands. Structs, arrays, strings and slices are exploded into
// their leaves (see layout.go) or, above [maxLeaves], held in stack objects that
// nothing changes once they are written. Variables whose address is taken live
// in stack objects; the optimiser dissolves those it can.
//
// # Specialisation
//
// Function values and interfaces have no representation at run time. A function
// is built once for each combination of the things that its arguments are
// statically known to be (see shape.go): which function, which dynamic type,
// what a pointer points into. So a call through a parameter is a static call
// by the time it is lowered, however deep the callbacks nest, and needs no
// inlining to be one. What remains unresolved is an error that names the value.
//
// Recursion is refused, unless it is a loop (see tailcall.go), so that building a callee when its first call is met
// terminates, and its results are known before the call is lowered.
package build
