package ebpf

import (
	"math"
	"slices"
	"syscall"

	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
)

// This file has the native behaviour of the helpers that change packets or copy parts of them.

var _ = host.Define("XdpAdjustHead", nativeAdjustHead) &&
	host.Define("XdpAdjustTail", nativeAdjustTail) &&
	host.Define("XdpAdjustMeta", nativeAdjustMeta) &&
	host.Define("XdpGetBuffLen", func(ctx Contexter) uint64 { return uint64(len((*XDP)(ctx.Context().ptr).packet)) }) &&
	host.Define("XdpLoadBytes", func(ctx Contexter, off uint32, to []byte) error {
		return copyBuffers((*XDP)(ctx.Context().ptr).packet, off, to, false)
	}) &&
	host.Define("XdpStoreBytes", func(ctx Contexter, off uint32, from []byte) error {
		return copyBuffers((*XDP)(ctx.Context().ptr).packet, off, from, true)
	}) &&
	host.Define("SkbPullData", nativePull) &&
	host.Define("SkbLoadBytes", nativeLoadBytes) &&
	host.Define("SkbStoreBytes", func(ctx Contexter, off uint32, from []byte, flags uint64) error {
		return copyPart((*SKB)(ctx.Context().ptr).packet, off, from, true)
	})

// headroom is the room before a packet natively: XDP_PACKET_HEADROOM in linux/bpf.h.
const headroom = 256

// minPacket is ETH_HLEN in linux/if_ether.h, below which no packet is cut.
const minPacket = 14

func nativeAdjustHead(ctx Contexter, delta int32) error {
	x := (*XDP)(ctx.Context().ptr)
	n := len(x.packet) - int(delta)
	if n < minPacket || int(delta) < -headroom {
		return syscall.EINVAL
	}
	if delta >= 0 {
		x.packet = x.packet[delta:]
	} else {
		x.packet = slices.Concat(make([]byte, -delta), x.packet)
	}
	return nil
}

func nativeAdjustTail(ctx Contexter, delta int32) error {
	x := (*XDP)(ctx.Context().ptr)
	n := len(x.packet) + int(delta)
	if n < minPacket || delta > headroom {
		return syscall.EINVAL
	}
	if delta > 0 {
		x.packet = append(x.packet, make([]byte, delta)...)
	}
	x.packet = x.packet[:n:n]
	return nil
}

// Packet returns the packet as a program that ran natively has left it.
// Host only.
func (x *XDP) Packet() []byte { return x.packet }

// maxMeta is how much metadata a packet can have: max_meta of xdp_metalen_invalid in include/net/xdp.h.
const maxMeta = 252

func nativeAdjustMeta(ctx Contexter, delta int32) error {
	x := (*XDP)(ctx.Context().ptr)
	switch n := len(x.meta) - int(delta); {
	case n < 0 || n > headroom:
		return syscall.EINVAL
	case n%4 != 0 || n > maxMeta:
		return syscall.EACCES
	case delta >= 0:
		x.meta = x.meta[delta:]
	default:
		x.meta = slices.Concat(make([]byte, -delta), x.meta)
	}
	return nil
}

func nativePull(ctx Contexter, n uint32) error {
	if int(n) > len((*SKB)(ctx.Context().ptr).packet) {
		return syscall.EINVAL
	}
	return nil
}

func nativeLoadBytes(ctx Contexter, off uint32, to []byte) error {
	err := copyPart((*SKB)(ctx.Context().ptr).packet, off, to, false)
	if err != nil {
		clear(to)
	}
	return err
}

// copyPart copies the bytes of packet from off on to buf, or the other way.
func copyPart(packet []byte, off uint32, buf []byte, store bool) error {
	if len(buf) == 0 {
		return syscall.EINVAL
	}
	if uint64(off)+uint64(len(buf)) > uint64(len(packet)) {
		return syscall.EFAULT
	}
	if part := packet[off : int(off)+len(buf)]; store {
		copy(part, buf)
	} else {
		copy(buf, part)
	}
	return nil
}

// copyBuffers is copyPart with the errors of XDP.
func copyBuffers(packet []byte, off uint32, buf []byte, store bool) error {
	err := copyPart(packet, off, buf, store)
	if err != nil && off <= math.MaxUint16 && len(buf) <= math.MaxUint16 {
		return syscall.EINVAL
	}
	return err
}
