// Package old has a program for new kernels.
package old

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:section xdp
func args(ctx *ebpf.XDP) int {
	n := ebpf.GetPrandomU32()
	ebpf.Printk("%d %d %d %d", n, n, n, n) // want `Printk with 4 arguments needs Linux 5.16; .*\[U503\]`
	return 0
}
