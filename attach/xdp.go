package attach

import (
	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// XDPMode says where in the receive path an XDP program runs.
type XDPMode int

const (
	// XDPBest lets the kernel choose: the driver if it can, else generic.
	XDPBest XDPMode = iota
	// XDPGeneric runs the program after the kernel has made an sk_buff; works
	// with every interface.
	XDPGeneric
	// XDPDriver runs the program in the driver, and fails if the driver cannot.
	XDPDriver
	// XDPOffload runs the program on the network card.
	XDPOffload
)

// XDPOptions are the options of [XDP]. The zero value is XDPBest.
type XDPOptions struct {
	Mode XDPMode
}

// XDP attaches p to the network interface of the given name or index. At most one
// option struct may be given.
//
// p must be of type xdp. Needs Linux 5.9.
func XDP(p *jit.Program, ifname string, opts ...XDPOptions) (*Link, error) {
	hook := "xdp on " + ifname
	if err := wantType(p, cebpf.XDP); err != nil {
		return nil, attachError(p, hook, err)
	}
	iface, err := findInterface(ifname)
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	var o XDPOptions
	if len(opts) > 0 {
		o = opts[0]
	}
	flags := map[XDPMode]link.XDPAttachFlags{
		XDPGeneric: link.XDPGenericMode,
		XDPDriver:  link.XDPDriverMode,
		XDPOffload: link.XDPOffloadMode,
	}[o.Mode]
	l, err := link.AttachXDP(link.XDPOptions{Program: p.BPF(), Interface: iface.Index, Flags: flags})
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	return newLink(p, hook, l, func(p *jit.Program) (*Link, error) { return XDP(p, ifname, opts...) }), nil
}
