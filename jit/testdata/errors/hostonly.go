package p

import "github.com/undergo-ebpf/undergo/ebpf"

var (
	counts = ebpf.NewHash[uint32, uint64](16)
	events = ebpf.NewRingBuf[uint32](4096)
	limit  = ebpf.NewVar(uint32(5))
)

//ebpf:section xdp
func reads(ctx *ebpf.XDP) int {
	for e := range events.Read(nil) { // want "method Read of ebpf.RingBuf is for the host only; send records with Output or Reserve .U411"
		return int(e)
	}
	return 0
}

//ebpf:section xdp
func makes(ctx *ebpf.XDP) int {
	m := ebpf.NewHash[uint32, uint64](16) // want "NewHash.* makes maps on the host only; call it in the initialiser of a package-level variable, or compile a method or a function literal that captures the map .U411"
	m.Set(1, 1)
	limit.Store(6)
	return counts.Len() // want "method Len of ebpf.Hash is for the host only; count entries as they are made, in an ebpf.Var .U411"
}

//ebpf:section xdp
func closes(ctx *ebpf.XDP) int {
	counts.Close()      // want "method Close of ebpf.Hash is for the host only; call it on the host .U411"
	return counts.Cap() // want "counts.Cap undefined .* has no field or method Cap. .U202"
}
