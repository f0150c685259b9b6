package p

import (
	"sync/atomic"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf"
)

//ebpf:section cgroup_skb/egress
func writes(ctx *ebpf.SKB) ebpf.CgroupVerdict {
	pkt := ctx.Data()
	if len(pkt) < 40 {
		return ebpf.CgroupAllow
	}
	pkt[8] = 64         // want "programs of type cgroup_skb cannot write to packet data; change a copy, or do it in a TC program .U415"
	copy(pkt, pkt[4:8]) // want "cannot write to packet data.*U415"
	overlay(pkt).TTL--  // want "cannot write to packet data.*U415"
	return ebpf.CgroupAllow
}

func overlay(p []byte) *ebpf.IPv4 { return ebpf.Overlay[ebpf.IPv4](p) }

//ebpf:section xdp
func counts(ctx *ebpf.XDP) int {
	if pkt := ctx.Data(); len(pkt) >= 4 {
		atomic.AddUint32((*uint32)(unsafe.Pointer(&pkt[0])), 1) // want "atomic operation on packet data.*; load, change and store it .U415"
	}
	return 0
}

type event struct {
	n       uint64
	payload []byte
}

var (
	events = ebpf.NewRingBuf[event](4096)
	bytes  = ebpf.NewRingBuf[[64]byte](4096)
	last   = ebpf.NewHash[uint32, event](16)
	firsts = ebpf.NewArray[*byte](16)
	kept   []byte
)

//ebpf:section xdp
func keeps(ctx *ebpf.XDP) int {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 0
	}
	if e := events.Reserve(); e != nil {
		e.payload = pkt // want "packet data kept in memory that outlives the program.*; copy the bytes that are needed to an array, or keep their offset .U416"
		events.Submit(e)
	}
	last.Set(1, event{payload: pkt[14:]}) // want "packet data kept in memory.*U416"
	firsts.Set(1, &pkt[0])                // want "packet data kept in memory.*U416"
	bytes.OutputBytes(pkt[:64])           // want "helper bpf_ringbuf_output cannot take packet data; copy it to a variable, and pass that .U407"
	return 0
}

//ebpf:section xdp
func global(ctx *ebpf.XDP) int {
	kept = ctx.Data()
	return len(kept) + int(kept[0]) // want "package-level variable kept refers to memory and is assigned to.*U304"
}

//ebpf:section cgroup_skb/ingress
func fields(ctx *ebpf.SKB) ebpf.CgroupVerdict {
	ctx.TCIndex = 1       // want "programs of type cgroup_skb cannot write field TCIndex of SKB; only programs of type sched_cls, sched_act, sk_skb can .U413"
	ctx.Len = ctx.WireLen // want "cannot read field WireLen of SKB; only programs of type sched_cls, sched_act can .U413"
	hash := &ctx.Hash
	*hash = 3                                                       // want "programs cannot write field Hash of SKB; keep the value in a variable of the program .U413"
	whole := *ctx                                                   // want "copy of the context; use its fields, one by one .U413"
	return ebpf.CgroupVerdict(whole.Mark + uint32(len(ctx.Meta()))) // want "programs of type cgroup_skb cannot access the metadata of a packet; .*U413"
}

//ebpf:section xdp
func mixes(ctx *ebpf.XDP) int {
	p := ctx.Data() // want "a slice that is of the packet or of its metadata; use a variable for each .U304"
	if len(p) > 60 {
		p = ctx.Meta()
	}
	if len(p) > 3 {
		return int(p[2])
	}
	return 0
}
