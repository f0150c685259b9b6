package kerneltest

import (
	cebpf "github.com/cilium/ebpf"
	probe "github.com/cilium/ebpf/features"

	"github.com/undergo-ebpf/undergo/lower"
)

// bareMap reports whether the kernel has maps of a type.
func bareMap(t cebpf.MapType) func() error { return func() error { return probe.HaveMapType(t) } }

// The features that are types of maps, and programs that use them.
var (
	Tables        = &Feature{Name: "maps of package `ebpf`: hash, array, LRU, per-CPU, LPM trie, queue, stack, variable, maps of maps", Min: lower.MinKernel}
	Blooms        = &Feature{Name: "`ebpf.Bloom`", Min: lower.Version{Major: 5, Minor: 16}}
	RingBuffers   = &Feature{Name: "`ebpf.RingBuf`", Min: lower.MinKernel}
	PerfBuffers   = &Feature{Name: "`ebpf.PerfEvents`", Min: lower.MinKernel}
	TailCalls     = &Feature{Name: "`ebpf.ProgArray`: tail calls", Min: lower.MinKernel}
	StackTraces   = &Feature{Name: "`ebpf.StackTrace`", Min: lower.MinKernel}
	CgroupArrays  = &Feature{Name: "`ebpf.CgroupArray`", Min: lower.MinKernel}
	Redirects     = &Feature{Name: "`ebpf.DevMap`, `DevMapHash`, `CPUMap`", Min: lower.MinKernel}
	XdpSocketMaps = &Feature{Name: "`ebpf.XSKMap`", Min: lower.MinKernel, Bare: bareMap(cebpf.XSKMap)}
	SocketMaps    = &Feature{Name: "`ebpf.SockMap`, `SockHash`", Min: lower.MinKernel, Bare: bareMap(cebpf.SockMap)}
	PortMaps      = &Feature{Name: "`ebpf.ReuseportSockArray`", Min: lower.MinKernel}
	// In programs of tracepoints with types; sockets: 8e4597c627fb "bpf: Allow using bpf_sk_storage in FENTRY/FEXIT/RAW_TP".
	TaskStorages   = &Feature{Name: "`ebpf.TaskStorage`", Min: lower.Version{Major: 5, Minor: 11}}
	SockStorages   = &Feature{Name: "`ebpf.SockStorage`", Min: lower.Version{Major: 5, Minor: 11}}
	CgroupStorages = &Feature{Name: "`ebpf.CgroupStorage`", Min: lower.Version{Major: 6, Minor: 2}}
	InodeStorages  = &Feature{Name: "`ebpf.InodeStorage`", Min: lower.MinKernel, Arm64: lower.Version{Major: 6, Minor: 4}, Bare: bareLSM}
	// 583c1f420173 "bpf: Define new BPF_MAP_TYPE_USER_RINGBUF map type".
	UserRings = &Feature{Name: "`ebpf.UserRingBuf`", Min: lower.Version{Major: 6, Minor: 1}}
	// b00628b1c7d5 "bpf: Introduce bpf timers."
	Timers        = &Feature{Name: "`ebpf.Timer`", Min: lower.Version{Major: 5, Minor: 15}}
	LoopsOverMaps = &Feature{Name: "`range m.All()` in programs", Min: lower.Version{Major: 5, Minor: 13}}
	Snoopers      = &Feature{Name: "`examples/opensnoop`, `execsnoop`, `runqlat`", Min: lower.MinKernel}
)

// mapFeatures is their rows of the README's table.
var mapFeatures = []*Feature{
	Tables, Blooms, UserRings, Timers, RingBuffers, PerfBuffers, TailCalls, StackTraces, CgroupArrays,
	Redirects, XdpSocketMaps, SocketMaps, PortMaps,
	TaskStorages, SockStorages, CgroupStorages, InodeStorages, LoopsOverMaps, Snoopers,
}
