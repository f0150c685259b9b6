// Package vm is a small BPF interpreter: the oracle for emitted code in tests,
// where no privilege is needed and every step is checked.
//
// It knows asm.Instructions as a format and nothing of the compiler. Programs are
// run from their bytes, as the kernel would get them, so that encoding is part of what is
// tested. The semantics are those of Documentation/bpf/standardization/instruction-set.rst.
//
// Memory is a set of regions with bounds: the frames of active calls, the context or
// packet, data sections. What the verifier would refuse is a [Fault], and so a bug of
// the compiler: an access outside of a region or misaligned where the kernel
// minds, a read of a register or stack byte that was not written, reserved fields
// that are set, dead code. The verifier proves this for every path, vm checks the
// path it takes.
package vm
