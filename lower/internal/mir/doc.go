// Package mir is undergo's machine representation: BPF instructions over
// virtual and physical registers, in basic blocks.
//
// # What this package may know
//
// mir knows the BPF instruction set (Documentation/bpf/standardization in the
// kernel source) and nothing of Go, of ir or of cilium's asm. It performs no
// I/O and keeps no global state.
//
// # Shape
//
// A [Func] is a list of [Block]s, entry first. Blocks end in exactly one of
// OpJmp, OpBr, OpExit, OpPanic or OpUnreachable. [OpCheck] may leave the program in the middle of a
// block; it has no successor in the graph, because nothing is live on the way
// out.
//
// The form is not SSA: a register may be written more than once. Arithmetic is
// two-address, so Dst of an ALU operation is read and written. Calls take their
// arguments in R1-R5, return in R0 and clobber R0-R5: instruction selection
// writes the moves to and from these physical registers explicitly, and the
// register allocator coalesces them. Before allocation physical registers occur
// only around calls, at the entry (parameters) and before OpExit (R0); their
// live ranges never cross a block boundary.
//
// # Widths
//
// W32 selects the 32-bit form of an operation, which zeroes the upper half of
// the destination. A register that holds a 32-bit value always has a zero upper
// half, so that zero extension is a plain move.
package mir
