package p

import "github.com/undergo-ebpf/undergo/ebpf"

type probe struct{ counts *ebpf.Hash[uint32, uint64] }

func newProbe() *probe {
	return &probe{ebpf.NewHash[uint32, uint64](16)} // want "NewHash.* makes maps on the host only, in what is run when compiling for the value of variable made; call it in the initialiser of a package-level variable, or compile a method or a function literal that captures the map .U411"
}

var made = newProbe()

//ebpf:section xdp
func uses(ctx *ebpf.XDP) int {
	made.counts.Add(1, 1)
	return 2
}
