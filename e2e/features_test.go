package e2e

import (
	"fmt"
	"runtime"
	"strings"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/lower"
)

// A feature is something of undergo's that not every kernel can do. It is a
// row of the README's table.
type feature struct {
	name string
	// min is the first kernel release that must have it.
	min lower.Version
	// arm64 is the first release that has it on arm64, if that is later.
	arm64 lower.Version
	// bare tries the same hook with a program that does nothing, without
	// undergo. The kernel of the host may be built without the hook, for which
	// this is the proof; those of the matrix are not, and are not asked. Nil:
	// every kernel has it.
	bare func() error
}

// The features, each declared once, with the release that must have it.
var (
	language    = &feature{name: "the language, `jit.Func`, panics", min: lower.MinKernel}
	callbacks   = &feature{name: "functions that helpers call back: `ebpf.Loop`, `All` of maps", min: lower.LoopHelper.MinKernel()}
	printk      = &feature{name: "`ebpf.Printk` of up to 3 arguments", min: lower.MinKernel}
	printkAny   = &feature{name: "`ebpf.Printk` of any number of arguments", min: lower.TraceVprintk.MinKernel()}
	tracepoints = &feature{name: "`attach.Tracepoint`", min: lower.MinKernel}
	// b89fbfbb854c "bpf: Implement minimal BPF perf link".
	perfLinks      = &feature{name: "links of tracepoints and probes that can be pinned", min: lower.Version{Major: 5, Minor: 15}}
	rawTracepoints = &feature{name: "`attach.RawTracepoint`", min: lower.MinKernel}
	xdp            = &feature{name: "`attach.XDP`", min: lower.MinKernel}
	packets        = &feature{name: "packets as slices, in XDP and TC programs", min: lower.MinKernel}
	kprobes        = &feature{name: "`attach.Kprobe`, `attach.Kretprobe`", min: lower.MinKernel, bare: bareKprobe}
	// On arm64: 2aa6ac03516d "arm64: ftrace: Add direct call support".
	trampolines = &feature{name: "`attach.Fentry`, `attach.Fexit`", min: lower.MinKernel, arm64: lower.Version{Major: 6, Minor: 4}, bare: bareFentry}
	lsm         = &feature{name: "`attach.LSM`", min: lower.MinKernel, arm64: lower.Version{Major: 6, Minor: 4}, bare: bareLSM}
)

// features is the rows of the README's table.
var features = append([]*feature{
	language, callbacks, printk, printkAny, tracepoints, perfLinks, rawTracepoints, xdp, packets, kprobes, trampolines, lsm,
}, mapFeatures...)

// expected reports whether a kernel release must have the feature.
func (f *feature) expected(kernel lower.Version) bool {
	return kernel.AtLeast(f.min) && (runtime.GOARCH != "arm64" || kernel.AtLeast(f.arm64))
}

// runningRelease returns the running kernel's release.
func runningRelease() (v lower.Version, err error) {
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

// bareProgram loads a program that returns 0.
func bareProgram(spec cebpf.ProgramSpec) (*cebpf.Program, error) {
	spec.License = "GPL"
	spec.Instructions = asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}
	return cebpf.NewProgram(&spec)
}

func bareKprobe() error {
	p, err := bareProgram(cebpf.ProgramSpec{Type: cebpf.Kprobe})
	if err != nil {
		return err
	}
	defer p.Close()
	return closed(link.Kprobe("vfs_read", p, nil))
}

func bareFentry() error {
	p, err := bareProgram(cebpf.ProgramSpec{Type: cebpf.Tracing, AttachType: cebpf.AttachTraceFEntry, AttachTo: "vfs_read"})
	if err != nil {
		return err
	}
	defer p.Close()
	return closed(link.AttachTracing(link.TracingOptions{Program: p}))
}

func bareLSM() error {
	p, err := bareProgram(cebpf.ProgramSpec{Type: cebpf.LSM, AttachType: cebpf.AttachLSMMac, AttachTo: "file_open"})
	if err != nil {
		return err
	}
	defer p.Close()
	return closed(link.AttachLSM(link.LSMOptions{Program: p}))
}

// closed closes l if there is one.
func closed(l link.Link, err error) error {
	if err != nil {
		return err
	}
	return l.Close()
}
