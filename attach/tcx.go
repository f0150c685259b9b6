package attach

import (
	"errors"
	"fmt"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// A Direction is that of the packets that a program sees.
type Direction int

const (
	// Ingress is of packets that come in.
	Ingress Direction = iota
	// Egress is of packets that go out.
	Egress
)

// String returns ingress or egress.
func (d Direction) String() string {
	if d == Egress {
		return "egress"
	}
	return "ingress"
}

// TCXOptions are the options of [TCX]. The zero value attaches after all programs that are
// attached already. At most one field may be set.
type TCXOptions struct {
	First  bool  // before all programs that are attached
	Before *Link // before that program on the same interface
	After  *Link // after it
}

// anchor returns the place that o means.
func (o TCXOptions) anchor() (link.Anchor, error) {
	set := 0
	var a link.Anchor
	if o.First {
		a, set = link.Head(), set+1
	}
	if o.Before != nil {
		a, set = link.BeforeLink(o.Before.Raw()), set+1
	}
	if o.After != nil {
		a, set = link.AfterLink(o.After.Raw()), set+1
	}
	if set > 1 {
		return nil, errors.New("more than one of First, Before and After is given")
	}
	return a, nil
}

// TCX attaches p to the packets of a network interface, given by name or index, in one
// direction: behind XDP and the making of the sk_buff on the way in, and before the
// driver on the way out. Programs run in the order of the anchors they were attached
// with, until one returns another result than ebpf.TCXNext. At most one option struct may
// be given.
//
// p must be of type sched_cls. Needs Linux 6.6.
func TCX(p *jit.Program, ifname string, dir Direction, opts ...TCXOptions) (*Link, error) {
	hook := fmt.Sprintf("tcx/%s on %s", dir, ifname)
	if err := wantType(p, cebpf.SchedCLS); err != nil {
		return nil, attachError(p, hook, err)
	}
	iface, err := findInterface(ifname)
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	o := link.TCXOptions{Interface: iface.Index, Program: p.BPF(), Attach: cebpf.AttachTCXIngress}
	if dir == Egress {
		o.Attach = cebpf.AttachTCXEgress
	}
	if len(opts) > 0 {
		if o.Anchor, err = opts[0].anchor(); err != nil {
			return nil, attachError(p, hook, err)
		}
	}
	l, err := link.AttachTCX(o)
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	return newLink(p, hook, l, func(p *jit.Program) (*Link, error) { return TCX(p, ifname, dir, opts...) }), nil
}
