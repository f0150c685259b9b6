package kerneltest

import "github.com/undergo-ebpf/undergo/lower"

// The features of networks and of programs that are run by hand.
var (
	Frags = &Feature{Name: "`xdp.frags`: packets in several buffers", Min: lower.Version{Major: 5, Minor: 18}}
	// Where test runs tell packet and metadata apart: 47316f4a3053 "bpf: Support input xdp_md context in BPF_PROG_TEST_RUN".
	Meta     = &Feature{Name: "test runs of programs with XDP metadata", Min: lower.Version{Major: 5, Minor: 15}}
	TC       = &Feature{Name: "`attach.TC` of classifiers", Min: lower.MinKernel}
	Actions  = &Feature{Name: "`attach.TC` of actions", Min: lower.MinKernel, Bare: bareAction}
	TCX      = &Feature{Name: "`attach.TCX`", Min: lower.Version{Major: 6, Minor: 6}}
	Cgroup   = &Feature{Name: "`attach.Cgroup`", Min: lower.MinKernel}
	Socket   = &Feature{Name: "`attach.Socket`", Min: lower.MinKernel}
	Firewall = &Feature{Name: "`examples/xdpfirewall`", Min: lower.MinKernel}
	// 79a7f8bdb159 "bpf: Introduce bpf_sys_bpf() helper and program type."
	Syscalls = &Feature{Name: "syscall programs", Min: lower.Version{Major: 5, Minor: 14}}
	// "bpf: fix cgroup_skb prog test run direct packet access"
	CgroupTests = &Feature{Name: "test runs of programs of control groups with packet data", Min: lower.Version{Major: 6, Minor: 14}}
)

// netFeatures is their rows of the README's table.
var netFeatures = []*Feature{Frags, Meta, TC, Actions, TCX, Cgroup, Socket, Firewall, Syscalls, CgroupTests}
