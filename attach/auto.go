package attach

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// Auto attaches p to the hook that its section names, as the directive
// //ebpf:section, jit.As, the type of the context or the name of the function
// say (see jit.Program.Section): tracepoint/GROUP/NAME (or tp/),
// raw_tracepoint/NAME (or raw_tp/), kprobe/FUNCTION[+OFFSET], kretprobe/FUNCTION,
// fentry/FUNCTION, fexit/FUNCTION, lsm/HOOK, xdp/INTERFACE, tcx/ingress/INTERFACE,
// tcx/egress/INTERFACE, or the same with tc/, which is by [TCX] where the kernel has it and else by [TC].
// Control groups, sockets and maps of sockets it cannot name.
func Auto(p *jit.Program) (*Link, error) {
	kind, target, _ := strings.Cut(p.Section(), "/")
	switch kind {
	case "tracepoint", "tp":
		group, name, ok := strings.Cut(target, "/")
		if !ok {
			return nil, needsTarget(p, "tracepoint/GROUP/NAME", "attach.Tracepoint(p, group, name)")
		}
		return Tracepoint(p, group, name)
	case "raw_tracepoint", "raw_tp":
		if target == "" {
			return nil, needsTarget(p, "raw_tracepoint/NAME", "attach.RawTracepoint(p, name)")
		}
		return RawTracepoint(p, target)
	case "kprobe", "kretprobe":
		return autoKprobe(p, kind, target)
	case "fentry", "fentry.s":
		return Fentry(p)
	case "fexit", "fexit.s":
		return Fexit(p)
	case "lsm", "lsm.s":
		return LSM(p)
	case "xdp", "xdp.frags":
		if target == "" {
			return nil, needsTarget(p, kind+"/INTERFACE", "attach.XDP(p, ifname)")
		}
		return XDP(p, target)
	case "tcx", "tc":
		return autoTC(p, kind, target)
	case "classifier", "action":
		return nil, fmt.Errorf("attach %s: section %q does not say where: call attach.TC(p, ifname, dir)", p.Name(), p.Section())
	case "cgroup", "cgroup_skb", "sockops":
		return nil, fmt.Errorf("attach %s: section %q does not say to which control group: call attach.Cgroup(p, dir)", p.Name(), p.Section())
	case "sk_skb", "sk_msg":
		return nil, fmt.Errorf("attach %s: section %q does not say to the sockets of which map: call attach.SockMap(p, m)", p.Name(), p.Section())
	case "socket":
		return nil, fmt.Errorf("attach %s: section %q does not say to which socket: call attach.Socket(p, conn)", p.Name(), p.Section())
	}
	return nil, fmt.Errorf("attach %s: section %q names no hook that Auto knows: use the function of the hook, or cilium's link package with p.BPF()", p.Name(), p.Section())
}

// autoTC attaches p to what follows tcx/ or tc/ in its section; tc/ leaves open by which of
// the two ways.
func autoTC(p *jit.Program, kind, target string) (*Link, error) {
	name, ifname, _ := strings.Cut(target, "/")
	dir := Ingress
	if name == Egress.String() {
		dir = Egress
	}
	if ifname == "" {
		return nil, needsTarget(p, kind+"/"+dir.String()+"/INTERFACE", "attach."+strings.ToUpper(kind)+"(p, ifname, dir)")
	}
	l, err := TCX(p, ifname, dir)
	if kind == "tc" && errors.Is(err, link.ErrNotSupported) {
		return TC(p, ifname, dir)
	}
	return l, err
}

func needsTarget(p *jit.Program, section, call string) error {
	return fmt.Errorf("attach %s: section %q does not say where: write //ebpf:section %s, or call %s", p.Name(), p.Section(), section, call)
}
