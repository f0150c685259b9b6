package e2e

import (
	"errors"
	"maps"
	"slices"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file compares what package ebpf says of which programs may call a helper with the kernel.

// probedTypes is the types of programs that can be loaded without a function to attach to.
var probedTypes = []struct {
	name string
	typ  cebpf.ProgramType
}{
	{"socket_filter", cebpf.SocketFilter},
	{"kprobe", cebpf.Kprobe},
	{"sched_cls", cebpf.SchedCLS},
	{"sched_act", cebpf.SchedACT},
	{"tracepoint", cebpf.TracePoint},
	{"xdp", cebpf.XDP},
	{"perf_event", cebpf.PerfEvent},
	{"cgroup_skb", cebpf.CGroupSKB},
	{"cgroup_sock", cebpf.CGroupSock},
	{"lwt_in", cebpf.LWTIn},
	{"lwt_out", cebpf.LWTOut},
	{"lwt_xmit", cebpf.LWTXmit},
	{"sock_ops", cebpf.SockOps},
	{"sk_skb", cebpf.SkSKB},
	{"cgroup_device", cebpf.CGroupDevice},
	{"sk_msg", cebpf.SkMsg},
	{"raw_tracepoint", cebpf.RawTracepoint},
	{"raw_tracepoint_writable", cebpf.RawTracepointWritable},
	{"cgroup_sock_addr", cebpf.CGroupSockAddr},
	{"lwt_seg6local", cebpf.LWTSeg6Local},
	{"lirc_mode2", cebpf.LircMode2},
	{"sk_reuseport", cebpf.SkReuseport},
	{"flow_dissector", cebpf.FlowDissector},
	{"cgroup_sysctl", cebpf.CGroupSysctl},
	{"cgroup_sockopt", cebpf.CGroupSockopt},
	{"sk_lookup", cebpf.SkLookup},
	{"syscall", cebpf.Syscall},
	{"netfilter", cebpf.Netfilter},
}

// otherwise is the helpers of which the kernel, asked by cilium's probes, says something else, by
// what decides it besides the type of the program.
var otherwise = map[string][]string{
	"the map: tracing programs have no locks": {"spin_lock", "spin_unlock"},
	"the attach type, or lockdown and how the kernel was built": {"getsockopt", "setsockopt", "get_retval", "set_retval",
		"probe_write_user", "override_return"},
}

// TestHelperTypes asks the kernel for each type of program and each helper whether the one
// may call the other. A helper that is refused wrongly could not be called; what the
// kernel has not is found out when a program is loaded at the latest.
func TestHelperTypes(t *testing.T) {
	kernel, err := kerneltest.RunningRelease()
	if err != nil {
		t.Fatal(err)
	}
	if !kernel.AtLeast(oldestExact) {
		t.Skipf("Linux %v is older than %v", kernel, oldestExact)
	}
	if !privileged() {
		language.require(t, features.HaveProgramType(cebpf.Kprobe))
	}
	pairs := 0
	for i, p := range probedTypes {
		if guest != "" && i%6 != 1 {
			continue // a probe takes its time there
		}
		if err := features.HaveProgramType(p.typ); errors.Is(err, cebpf.ErrNotSupported) {
			t.Logf("%s: %v", p.name, err)
			continue
		}
		for _, h := range declaredHelpers(t) {
			if !kernel.AtLeast(h.kernel) || slices.ContainsFunc(slices.Collect(maps.Values(otherwise)), func(l []string) bool { return slices.Contains(l, h.name) }) {
				continue
			}
			err := features.HaveProgramHelper(p.typ, asm.BuiltinFunc(h.id))
			if err != nil && !errors.Is(err, cebpf.ErrNotSupported) {
				continue // another refusal, such as that the program may not sleep
			}
			pairs++
			may := err == nil
			declared := p.name != "lirc_mode2" && slices.Contains(h.types, "all") || slices.Contains(h.types, p.name)
			switch {
			case may && !declared:
				t.Errorf("%s programs may call bpf_%s, which package ebpf does not say", p.name, h.name)
			case !may && declared:
				t.Errorf("%s programs may not call bpf_%s, against what package ebpf says", p.name, h.name)
			}
		}
	}
	t.Logf("%d pairs of a type and a helper", pairs)
}

// oldestExact is a release in which helpers may be called by all types that package ebpf
// says. In older ones helpers had not come to all of them.
var oldestExact = lower.Version{Major: 6, Minor: 18}
