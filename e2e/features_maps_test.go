package e2e

import (
	cebpf "github.com/cilium/ebpf"
	probe "github.com/cilium/ebpf/features"

	"github.com/undergo-ebpf/undergo/lower"
)

// bareMap reports whether the kernel has maps of a type.
func bareMap(t cebpf.MapType) func() error { return func() error { return probe.HaveMapType(t) } }

// The features that are types of maps, and programs that use them.
var (
	tables        = &feature{name: "maps of package `ebpf`: hash, array, LRU, per-CPU, LPM trie, queue, stack, variable, maps of maps", min: lower.MinKernel}
	blooms        = &feature{name: "`ebpf.Bloom`", min: lower.Version{Major: 5, Minor: 16}}
	ringBuffers   = &feature{name: "`ebpf.RingBuf`", min: lower.MinKernel}
	perfBuffers   = &feature{name: "`ebpf.PerfEvents`", min: lower.MinKernel}
	tailCalls     = &feature{name: "`ebpf.ProgArray`: tail calls", min: lower.MinKernel}
	stackTraces   = &feature{name: "`ebpf.StackTrace`", min: lower.MinKernel}
	cgroupArrays  = &feature{name: "`ebpf.CgroupArray`", min: lower.MinKernel}
	redirects     = &feature{name: "`ebpf.DevMap`, `DevMapHash`, `CPUMap`", min: lower.MinKernel}
	xdpSocketMaps = &feature{name: "`ebpf.XSKMap`", min: lower.MinKernel, bare: bareMap(cebpf.XSKMap)}
	socketMaps    = &feature{name: "`ebpf.SockMap`, `SockHash`", min: lower.MinKernel, bare: bareMap(cebpf.SockMap)}
	portMaps      = &feature{name: "`ebpf.ReuseportSockArray`", min: lower.MinKernel}
	// In programs of tracepoints with types; sockets: 8e4597c627fb "bpf: Allow using bpf_sk_storage in FENTRY/FEXIT/RAW_TP".
	taskStorages   = &feature{name: "`ebpf.TaskStorage`", min: lower.Version{Major: 5, Minor: 11}}
	sockStorages   = &feature{name: "`ebpf.SockStorage`", min: lower.Version{Major: 5, Minor: 11}}
	cgroupStorages = &feature{name: "`ebpf.CgroupStorage`", min: lower.Version{Major: 6, Minor: 2}}
	inodeStorages  = &feature{name: "`ebpf.InodeStorage`", min: lower.MinKernel, arm64: lower.Version{Major: 6, Minor: 4}, bare: bareLSM}
	loopsOverMaps  = &feature{name: "`range m.All()` in programs", min: lower.Version{Major: 5, Minor: 13}}
	snoopers       = &feature{name: "`examples/opensnoop`, `execsnoop`, `runqlat`", min: lower.MinKernel}
)

var mapFeatures = []*feature{
	tables, blooms, ringBuffers, perfBuffers, tailCalls, stackTraces, cgroupArrays,
	redirects, xdpSocketMaps, socketMaps, portMaps,
	taskStorages, sockStorages, cgroupStorages, inodeStorages, loopsOverMaps, snoopers,
}
