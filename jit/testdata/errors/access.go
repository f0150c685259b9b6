package p

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:section xdp
func helper(ctx *ebpf.XDP) int {
	_ = ebpf.SetRetval(1) // want "helper bpf_set_retval cannot be called by a program of type xdp; call it in a program of type .* .U406"
	return 0
}

//ebpf:section xdp
func stale(ctx *ebpf.XDP) int {
	data := ctx.Data()
	if len(data) < 14 {
		return 0
	}
	ctx.AdjustHead(-8)
	return int(data[12]) // want "U412"
}

//ebpf:section socket
func field(ctx *ebpf.SKB) int {
	ctx.Mark = 1 // want "programs of type socket_filter cannot write field Mark of SKB; only programs of type sched_cls, .* can .U413"
	return 0
}
