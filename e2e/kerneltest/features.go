package kerneltest

import (
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/lower"
)

// A Feature is something of undergo's that not every kernel can do. It is a
// row of the README's table.
type Feature struct {
	Name string
	// Min is the first kernel release that must have it.
	Min lower.Version
	// Arm64 is the first release that has it on arm64, if that is later.
	Arm64 lower.Version
	// Bare tries the same hook with a program that does nothing, without
	// undergo. The kernel of the host may be built without the hook, for which
	// this is the proof; those of the matrix are not, and are not asked. Nil:
	// every kernel has it.
	Bare func() error
}

// The features, each declared once, with the release that must have it.
var (
	Language    = &Feature{Name: "the language, `jit.Func`, panics", Min: lower.MinKernel}
	Callbacks   = &Feature{Name: "functions that helpers call back: `ebpf.Loop`, `All` of maps", Min: lower.LoopHelper.MinKernel()}
	Printk      = &Feature{Name: "`ebpf.Printk` of up to 3 arguments", Min: lower.MinKernel}
	PrintkAny   = &Feature{Name: "`ebpf.Printk` of any number of arguments", Min: lower.TraceVprintk.MinKernel()}
	Tracepoints = &Feature{Name: "`attach.Tracepoint`", Min: lower.MinKernel}
	// b89fbfbb854c "bpf: Implement minimal BPF perf link".
	PerfLinks      = &Feature{Name: "links of tracepoints and probes that can be pinned", Min: lower.Version{Major: 5, Minor: 15}}
	RawTracepoints = &Feature{Name: "`attach.RawTracepoint`", Min: lower.MinKernel}
	XDP            = &Feature{Name: "`attach.XDP`", Min: lower.MinKernel}
	Packets        = &Feature{Name: "packets as slices, in XDP and TC programs", Min: lower.MinKernel}
	Kprobes        = &Feature{Name: "`attach.Kprobe`, `attach.Kretprobe`", Min: lower.MinKernel, Bare: bareKprobe}
	// On Arm64: 2aa6ac03516d "Arm64: ftrace: Add direct call support".
	Trampolines = &Feature{Name: "`attach.Fentry`, `attach.Fexit`", Min: lower.MinKernel, Arm64: lower.Version{Major: 6, Minor: 4}, Bare: bareFentry}
	LSM         = &Feature{Name: "`attach.LSM`", Min: lower.MinKernel, Arm64: lower.Version{Major: 6, Minor: 4}, Bare: bareLSM}
	// aba64c7da983 "bpf: Add verified_insns to bpf_prog_info and fdinfo".
	VerifiedCount = &Feature{Name: "`Stats().Verified`", Min: lower.Version{Major: 5, Minor: 16}}
	// 95b0b8c62b73 "bpf: emit source code file name and line number in verifier log".
	LogPositions = &Feature{Name: "Go positions in the verifier's own log (`jit.WithLog`)", Min: lower.Version{Major: 6, Minor: 9}}
)

// Features is the rows of the README's table.
var Features = append([]*Feature{
	Language, Callbacks, Printk, PrintkAny, Tracepoints, PerfLinks, RawTracepoints, XDP, Packets, Kprobes, Trampolines, LSM,
	VerifiedCount, LogPositions,
}, append(netFeatures, mapFeatures...)...)

// Expected reports whether a kernel release must have the feature.
func (f *Feature) Expected(kernel lower.Version) bool {
	return kernel.AtLeast(f.Min) && (runtime.GOARCH != "arm64" || kernel.AtLeast(f.Arm64))
}

// RunningRelease returns the running kernel's release.
func RunningRelease() (v lower.Version, err error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return v, err
	}
	release := unix.ByteSliceToString(u.Release[:])
	if _, err := fmt.Sscanf(release, "%d.%d", &v.Major, &v.Minor); err != nil {
		return v, fmt.Errorf("kernel release %q: %w", strings.TrimSpace(release), err)
	}
	return v, nil
}
