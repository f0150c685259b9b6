package lower

import "github.com/undergo-ebpf/undergo/lower/internal/target"

// A Target is all that the compiler knows of the kernel and machine it compiles
// for. It is a plain value: the same Target gives the same code on any host.
type Target = target.Target

// A Version is a kernel release, such as 6.12.
type Version = target.Version

// A Feature is something that kernels have from some version on and that
// changes the code undergo generates.
type Feature = target.Feature

// The features, see their documentation in the target's feature table.
const (
	ISAv4          = target.ISAv4
	AtomicFetch    = target.AtomicFetch
	VarOffStack    = target.VarOffStack
	TraceVprintk   = target.TraceVprintk
	PrintkFull     = target.PrintkFull
	SpillBounds    = target.SpillBounds
	LoopHelper     = target.LoopHelper
	MayGoto        = target.MayGoto
	CallbackRounds = target.CallbackRounds
	CtxStoreImm    = target.CtxStoreImm
	BranchRanges   = target.BranchRanges
	OperandRanges  = target.OperandRanges
	BackEdges      = target.BackEdges
)

// MinKernel is the oldest kernel release that undergo compiles for.
var MinKernel = target.MinKernel

// TargetFor returns the target for a mainline kernel of the given release and
// an architecture in Go's naming.
func TargetFor(kernel Version, arch string) Target { return target.For(kernel, arch) }
