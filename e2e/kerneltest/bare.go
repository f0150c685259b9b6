package kerneltest

import (
	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// This file tries hooks with programs that do nothing, without undergo.

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

// bareAction adds a filter with an action to the loopback interface, which the test has
// given the queueing discipline clsact.
func bareAction() error {
	p, err := bareProgram(cebpf.ProgramSpec{Type: cebpf.SchedACT})
	if err != nil {
		return err
	}
	defer p.Close()
	f := &netlink.MatchAll{
		FilterAttrs: netlink.FilterAttrs{LinkIndex: 1, Parent: netlink.HANDLE_MIN_INGRESS, Priority: 1000, Protocol: unix.ETH_P_ALL},
		Actions:     []netlink.Action{&netlink.BpfAction{Fd: p.FD(), Name: "bare"}},
	}
	if err := netlink.FilterAdd(f); err != nil {
		return err
	}
	return netlink.FilterDel(f)
}

// closed closes l if there is one.
func closed(l link.Link, err error) error {
	if err != nil {
		return err
	}
	return l.Close()
}
