package kerneltest

import "github.com/undergo-ebpf/undergo/lower"

// The features of networks.
var (
	TCX      = &Feature{Name: "`attach.TCX`", Min: lower.Version{Major: 6, Minor: 6}}
	Cgroup   = &Feature{Name: "`attach.Cgroup`", Min: lower.MinKernel}
	Socket   = &Feature{Name: "`attach.Socket`", Min: lower.MinKernel}
	Firewall = &Feature{Name: "`examples/xdpfirewall`", Min: lower.MinKernel}
)

// netFeatures is their rows of the README's table.
var netFeatures = []*Feature{TCX, Cgroup, Socket, Firewall}
