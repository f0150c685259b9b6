package e2e

import (
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
)

// A feature is one of package kerneltest, which declares them, with what the tests of
// this package do with it.
type feature struct{ *kerneltest.Feature }

var (
	language       = &feature{kerneltest.Language}
	callbacks      = &feature{kerneltest.Callbacks}
	printk         = &feature{kerneltest.Printk}
	printkAny      = &feature{kerneltest.PrintkAny}
	tracepoints    = &feature{kerneltest.Tracepoints}
	perfLinks      = &feature{kerneltest.PerfLinks}
	rawTracepoints = &feature{kerneltest.RawTracepoints}
	xdp            = &feature{kerneltest.XDP}
	packets        = &feature{kerneltest.Packets}
	kprobes        = &feature{kerneltest.Kprobes}
	trampolines    = &feature{kerneltest.Trampolines}
	lsm            = &feature{kerneltest.LSM}

	tables         = &feature{kerneltest.Tables}
	blooms         = &feature{kerneltest.Blooms}
	ringBuffers    = &feature{kerneltest.RingBuffers}
	perfBuffers    = &feature{kerneltest.PerfBuffers}
	tailCalls      = &feature{kerneltest.TailCalls}
	stackTraces    = &feature{kerneltest.StackTraces}
	cgroupArrays   = &feature{kerneltest.CgroupArrays}
	redirects      = &feature{kerneltest.Redirects}
	xdpSocketMaps  = &feature{kerneltest.XdpSocketMaps}
	socketMaps     = &feature{kerneltest.SocketMaps}
	portMaps       = &feature{kerneltest.PortMaps}
	taskStorages   = &feature{kerneltest.TaskStorages}
	sockStorages   = &feature{kerneltest.SockStorages}
	cgroupStorages = &feature{kerneltest.CgroupStorages}
	inodeStorages  = &feature{kerneltest.InodeStorages}
	loopsOverMaps  = &feature{kerneltest.LoopsOverMaps}
	snoopers       = &feature{kerneltest.Snoopers}
)

// test makes t a test of the feature.
func (f *feature) test(t *testing.T) {
	t.Helper()
	f.Test(t)
}

// require ends the test unless err is nil: see [kerneltest.Feature.Require].
func (f *feature) require(t *testing.T, err error) {
	t.Helper()
	f.Require(t, err)
}

// privileged reports whether this thread may do everything that BPF programs need.
func privileged() bool { return kerneltest.Privileged() }
