// Package target describes the kernel and machine that a program is compiled for,
// as a plain value. It knows nothing of the host and imports nothing of the
// compiler, so that every stage may ask it.
package target

import "fmt"

// A Version is a kernel release, such as 6.12.
type Version struct{ Major, Minor int }

// String returns the version as major.minor.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast reports whether v is w or newer.
func (v Version) AtLeast(w Version) bool {
	return v.Major > w.Major || v.Major == w.Major && v.Minor >= w.Minor
}

// A Feature is something that kernels have from some version on and that
// changes the code undergo generates.
type Feature int

const (
	// ISAv4 is the instructions of -mcpu=v4: sdiv, smod, movsx, ldsx, bswap, gotol.
	ISAv4 Feature = iota
	// AtomicFetch is atomic operations that return the old value, xchg, cmpxchg.
	AtomicFetch
	// VarOffStack is loads and stores at variable offsets into the stack.
	VarOffStack
	// TraceVprintk is the helper bpf_trace_vprintk: printk with any number of arguments.
	TraceVprintk
	// PrintkFull is the full format syntax in bpf_trace_printk: width, %c, %u of all sizes.
	PrintkFull
	// SpillBounds is a verifier that keeps the bounds of scalars spilled to the stack.
	SpillBounds
	// CtxStoreImm is stores of immediates into the context.
	CtxStoreImm
	// BranchRanges is a verifier that decides a branch by the ranges of both
	// operands, and learns from x != 0.
	BranchRanges
	// OperandRanges is a verifier that computes bounds of |, ^ and * even if neither
	// operand is known.
	OperandRanges
	// LoopHelper is the helper bpf_loop, which calls a function a number of times.
	LoopHelper
	// CallbackRounds is a verifier that follows the functions that helpers call back until
	// nothing changes any more.
	CallbackRounds
	// MayGoto is the instruction may_goto, which ends a loop that takes too long.
	MayGoto
	// BackEdges is a verifier that lets a loop come back in any way, not by jumps only.
	BackEdges

	numFeatures
)

// features gives, for each Feature, its name and the first kernel release that
// has it. Sources: the commits that introduced them, as listed in
// https://docs.ebpf.io/linux/timeline/ and the kernel's git history.
var features = [numFeatures]struct {
	name string
	min  Version
}{
	ISAv4:          {"isa-v4", Version{6, 6}},          // 1f9a1ea821ff "bpf: Support new sign-extension load insns" and followers
	AtomicFetch:    {"atomic-fetch", Version{5, 12}},   // 5ca419f2864a "bpf: Add BPF_FETCH field / create atomic_fetch_add instruction"
	VarOffStack:    {"var-off-stack", Version{5, 12}},  // 01f810ace9ed "bpf: Allow variable-offset stack access"
	TraceVprintk:   {"trace-vprintk", Version{5, 16}},  // 10aceb629e19 "bpf: Add bpf_trace_vprintk helper"
	PrintkFull:     {"printk-full", Version{5, 13}},    // d9c9e4db186a "bpf: Factorize bpf_trace_printk and bpf_seq_printf"
	CtxStoreImm:    {"ctx-store-imm", Version{6, 4}},   // 0d80a619c113 "bpf: allow ctx writes using BPF_ST_MEM instruction"
	BranchRanges:   {"branch-ranges", Version{6, 8}},   // c31534267c18 "bpf: generalize is_branch_taken() to work with two registers"
	OperandRanges:  {"operand-ranges", Version{6, 10}}, // 138cc42c05d1 "bpf/verifier: improve XOR and OR range computation", 41d047a87106 for MUL
	LoopHelper:     {"loop-helper", Version{5, 17}},    // e6f2dd0f8067 "bpf: Add bpf_loop helper"
	CallbackRounds: {"callback-rounds", Version{6, 7}}, // ab5cfac139ab "bpf: verify callbacks as if they are called unknown number of times"
	MayGoto:        {"may-goto", Version{6, 9}},        // 011832b97b31 "bpf: Introduce may_goto instruction"
	BackEdges:      {"back-edges", Version{6, 8}},      // 10e14e9652bf "bpf: fix control-flow graph checking in privileged mode"
	SpillBounds:    {"spill-bounds", Version{5, 16}},   // 354e8f1970f8 "bpf: Support <8-byte scalar spill and refill"
}

// String returns the name of f as Target's text form uses it.
func (f Feature) String() string { return features[f].name }

// MinKernel returns the first kernel release that has f.
func (f Feature) MinKernel() Version { return features[f].min }

// A Target is all that the compiler knows of the kernel and machine it compiles
// for. It is a plain value: the same Target gives the same code on any host.
type Target struct {
	// Kernel decides which helpers are available.
	Kernel Version
	// Arch is the machine in Go's naming, amd64 or arm64.
	Arch string
	// Features is a bit set indexed by Feature. For fills it by version;
	// a loader that has probed the running kernel may correct it.
	Features uint64
	// StackSize is the number of bytes a call chain may use: MAX_BPF_STACK in
	// include/linux/filter.h.
	StackSize int
	// MaxInsns is the number of instructions of the largest program the kernel
	// takes: BPF_COMPLEXITY_LIMIT_INSNS in include/linux/bpf.h for privileged
	// loaders.
	MaxInsns int
}

// MinKernel is the oldest kernel release that undergo compiles for.
var MinKernel = Version{5, 10}

// For returns the target for a mainline kernel of the given release.
func For(kernel Version, arch string) Target {
	t := Target{Kernel: kernel, Arch: arch, StackSize: 512, MaxInsns: 1_000_000}
	for f := range numFeatures {
		if kernel.AtLeast(features[f].min) {
			t.Features |= 1 << f
		}
	}
	return t
}

// Has reports whether the target has feature f.
func (t Target) Has(f Feature) bool { return t.Features&(1<<f) != 0 }
