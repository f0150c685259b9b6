// Package emit turns machine code with physical registers into BPF
// instructions: it lays out blocks and stack frames, expands
// pseudo-instructions, writes the exits of panics and resolves jumps, and
// describes the result with source lines and functions.
//
// # What this package may know
//
// emit knows mir, the target, diagnostics, and cilium's asm and btf packages as
// formats; it never touches the kernel. It does not know Go's syntax tree, go/ssa
// or ir. The output depends on the input only.
//
// # Code
//
// Every function goes through the same steps: merge.go makes one of equal blocks,
// layout.go and rotate.go order them, frame.go places its slots, encode.go and its
// companions write instructions into an assembler (assemble.go) whose labels are
// resolved at the end (jump.go). panic.go writes the cold exits behind the code. lineinfo.go adds what
// only people and the kernel's log need; disasm.go prints the result.
package emit
