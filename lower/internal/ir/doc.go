// Package ir is undergo's middle representation: a typed control-flow graph in
// SSA form with block arguments, in which everything that Go leaves implicit
// (widths, checks, panics, memory layout) has been written out.
//
// # What this package may know
//
// ir knows Go's semantics only through its operations and knows BPF only
// through the set of pointer kinds that the kernel verifier tells apart. It
// imports neither go/ssa nor cilium's asm, performs no I/O and keeps no global
// state, so that a function can be built, printed, parsed, verified and
// interpreted in a unit test on any machine.
//
// # Shape
//
// A [Module] holds the functions of one BPF program, entry first, and the
// objects they refer to: [Data] (read-only or shared bytes), [Map], [Site]
// (places that may panic). A [Func] is a list of [Block]s, entry first. A block
// has parameters instead of phis, a list of instructions in execution order,
// and one terminator; each [Edge] to a successor carries the arguments of the
// successor's parameters. Memory operations are ordered by their position in
// the block: there are no memory tokens.
//
// # Values
//
// There are two integer widths, I32 and I64. Narrower Go integers and booleans
// live in I32 and are always kept normalised, that is sign- or zero-extended
// from their Go width to 32 bits; a boolean is 0 or 1. Pointer types carry
// provenance. Structs, arrays, strings and slices do not exist as values: they
// are exploded to their leaves or live in a [Slot].
//
// All arithmetic is total and has the meaning of the BPF instruction of the
// same name: x/0 is 0, x%0 is x, shift counts are taken modulo the width, and
// the smallest integer divided by -1 is itself. Go's checks are separate
// instructions around it. Speculating pure arithmetic is therefore always safe.
//
// # Checks and proofs
//
// [OpCheckIdx], [OpCheckULe] and [OpCheckNonNil] return the value they checked
// under a new name. Whatever relies on the check uses that name, so that no
// pass can separate the register that was compared from the register that is
// used, which is what the kernel verifier follows. [OpPi] is such a name whose
// comparison has been proven redundant. Passes must not treat a check's or a
// pi's result as equal to its operand.
package ir
