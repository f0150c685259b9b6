package attach

import (
	"errors"
	"fmt"
	"slices"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/jit"
)

// This file attaches programs to the traffic control of an interface: as filters of the
// queueing discipline clsact, by rtnetlink(7), as tc(8) does.

// TCOptions are the options of [TC]. The zero value attaches after all filters that there are.
type TCOptions struct {
	// Priority is the place among the filters of the interface and direction, which run from
	// low to high. 0 stands for one more than the highest that there is. No two filters
	// have the same.
	Priority uint16
}

// TC attaches p to the packets of a network interface, given by name or index, in one
// direction, at the same places as [TCX] but as a filter of traffic control, which kernels before
// Linux 6.6 have too. A filter runs if all before it returned ebpf.TCUnspec. At most one
// option struct may be given.
//
// The kernel knows no link for it: the program stays attached until Close, even when the
// process ends, and it cannot be pinned. The queueing discipline clsact, which TC adds to an interface that
// has none, stays.
//
// p must be of type sched_cls, or sched_act, which becomes the action of a filter that
// all packets match. Replace exchanges programs of type sched_cls in their place; the kernel
// cannot do that with actions, of which the new one comes after all other filters. Needs Linux 4.5.
func TC(p *jit.Program, ifname string, dir Direction, opts ...TCOptions) (*Link, error) {
	hook := fmt.Sprintf("tc/%s on %s", dir, ifname)
	if err := wantType(p, cebpf.SchedCLS, cebpf.SchedACT); err != nil {
		return nil, attachError(p, hook, err)
	}
	iface, err := findInterface(ifname)
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	conn, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	f := &tcFilter{conn: conn, iface: iface.Index, dir: dir}
	if len(opts) > 0 {
		f.priority = opts[0].Priority
	}
	if err := f.attach(p); err != nil {
		conn.Close()
		return nil, attachError(p, hook, err)
	}
	l := &Link{hook: hook, prog: p, file: f, again: func(p *jit.Program) (*Link, error) { return TC(p, ifname, dir) }}
	if p.BPF().Type() == cebpf.SchedCLS {
		l.exchange = func(p *jit.Program) error { return conn.FilterReplace(f.filter(p)) }
	}
	return l, nil
}

// A tcFilter is a program in the traffic control of an interface.
type tcFilter struct {
	conn     *netlink.Handle // in the network namespace of the interface
	iface    int
	dir      Direction
	priority uint16
	attached netlink.Filter
}

// parent returns what the filters of f's direction hang below.
func (f *tcFilter) parent() uint32 {
	if f.dir == Egress {
		return netlink.HANDLE_MIN_EGRESS
	}
	return netlink.HANDLE_MIN_INGRESS
}

// filter returns the filter that runs p.
func (f *tcFilter) filter(p *jit.Program) netlink.Filter {
	attrs := netlink.FilterAttrs{LinkIndex: f.iface, Parent: f.parent(), Handle: 1, Priority: f.priority, Protocol: unix.ETH_P_ALL}
	if p.BPF().Type() == cebpf.SchedACT {
		action := &netlink.BpfAction{Fd: p.BPF().FD(), Name: p.Name()}
		action.Attrs().Action = netlink.TC_ACT_PIPE // of an action without a program
		return &netlink.MatchAll{FilterAttrs: attrs, Actions: []netlink.Action{action}}
	}
	return &netlink.BpfFilter{FilterAttrs: attrs, Fd: p.BPF().FD(), Name: p.Name(), DirectAction: true}
}

// attach adds the filter, and what it needs.
func (f *tcFilter) attach(p *jit.Program) error {
	if err := f.addClsact(); err != nil {
		return err
	}
	if f.priority != 0 {
		return f.add(p)
	}
	const attempts = 10 // at a priority that another process takes meanwhile
	for range attempts {
		if err := f.choosePriority(); err != nil {
			return err
		}
		err := f.add(p)
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
	return fmt.Errorf("%w: other processes attach all the time", unix.EEXIST)
}

// add adds the filter at its priority.
func (f *tcFilter) add(p *jit.Program) error {
	f.attached = f.filter(p)
	err := f.conn.FilterAdd(f.attached)
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("priority %d is taken: %w", f.priority, err)
	}
	return err
}

// addClsact adds the queueing discipline that the filters belong to, unless there is one.
func (f *tcFilter) addClsact() error {
	err := f.conn.QdiscAdd(&netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: f.iface, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
	}})
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: it has no queueing discipline clsact (CONFIG_NET_SCH_INGRESS)", link.ErrNotSupported)
	case !errors.Is(err, unix.EEXIST):
		return err
	}
	// Ingress, which clsact took the place of, has the same handle, but no egress.
	list, err := f.conn.QdiscList(f.device())
	if err != nil {
		return err
	}
	if f.dir == Egress && slices.ContainsFunc(list, func(q netlink.Qdisc) bool { return q.Type() == "ingress" }) {
		return errors.New("the interface has the queueing discipline ingress in the place of clsact: delete it with tc qdisc del dev NAME ingress")
	}
	return nil
}

// device returns the interface for requests of lists.
func (f *tcFilter) device() netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: f.iface}}
}

// choosePriority makes f's priority one that comes after all filters.
func (f *tcFilter) choosePriority() error {
	list, err := f.conn.FilterList(f.device(), f.parent())
	if err != nil {
		return err
	}
	f.priority = 0
	for _, other := range list {
		f.priority = max(f.priority, other.Attrs().Priority)
	}
	if f.priority++; f.priority == 0 {
		return errors.New("the highest priority is taken: give one that is free")
	}
	return nil
}

// Close removes the filter, if it and the interface are still there.
func (f *tcFilter) Close() error {
	defer f.conn.Close()
	err := f.conn.FilterDel(f.attached)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}
