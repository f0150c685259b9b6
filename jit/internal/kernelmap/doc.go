// Package kernelmap holds the entries of typed maps in the kernel: it makes the
// map that a [bind.Spec] describes and is its [bind.Backend].
//
// Operations on entries are system calls on the bytes of keys and values. What
// only programs can do, adding to a value atomically and setting the value of one
// CPU, is done by small programs of this package, which the kernel runs on
// request (BPF_PROG_TEST_RUN).
//
// # What the package may know
//
// Package bind, and cilium's loader and readers. It knows nothing of compilers.
package kernelmap
