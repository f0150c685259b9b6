package attach

import (
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// LSM attaches p to the hook of the Linux security modules that its section
// names, as in //ebpf:section lsm/file_open. A program that returns a negative
// error number denies what the hook is asked for.
//
// Needs Linux 5.7 on amd64 and 6.4 on arm64, a kernel built with CONFIG_BPF_LSM, and bpf among
// the active modules: /sys/kernel/security/lsm lists them, and the kernel's
// command line sets them, as in lsm=...,bpf. Without that the program attaches
// and never runs.
func LSM(p *jit.Program) (*Link, error) {
	if err := wantSection(p, "lsm", "lsm.s"); err != nil {
		return nil, err
	}
	l, err := link.AttachLSM(link.LSMOptions{Program: p.BPF()})
	if err != nil {
		return nil, attachError(p, p.Section(), err)
	}
	return newLink(p, p.Section(), l, LSM), nil
}
