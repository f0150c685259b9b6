package attach

import (
	"errors"
	"strings"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// Cgroup attaches p to a control group of version 2, given by its directory, and so to
// all processes and sockets of that and of the groups below. To what it is attached says
// p's section: cgroup_skb/ingress, cgroup/connect4 and so on. Other programs stay
// attached, and all of them run.
//
// p must be of one of the program types that have such a section. Needs Linux 5.7.
func Cgroup(p *jit.Program, dir string) (*Link, error) {
	hook := p.Section() + " on " + dir
	kind := p.AttachType()
	if !strings.HasPrefix(p.Section(), "cgroup") && !strings.HasPrefix(p.Section(), "sockops") || kind == cebpf.AttachNone && p.BPF().Type() != cebpf.CGroupSKB {
		return nil, attachError(p, hook, errors.New("its section is none of a control group, such as cgroup_skb/ingress"))
	}
	l, err := link.AttachCgroup(link.CgroupOptions{Path: dir, Attach: kind, Program: p.BPF()})
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	return newLink(p, hook, l, func(p *jit.Program) (*Link, error) { return Cgroup(p, dir) }), nil
}
