package ebpf

import (
	"math"
	"slices"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
)

// This file has the native behaviour of the helpers that change packets or copy parts of them.

var _ = host.Define("XdpAdjustHead", nativeAdjustHead) &&
	host.Define("XdpAdjustTail", nativeAdjustTail) &&
	host.Define("XdpAdjustMeta", nativeAdjustMeta) &&
	host.Define("XdpGetBuffLen", func(ctx Context) uint64 { return uint64(len((*XDP)(ctx.ptr).packet)) }) &&
	host.Define("XdpLoadBytes", func(ctx Context, off uint32, buf unsafe.Pointer, n uint32) int64 {
		return copyBuffers((*XDP)(ctx.ptr).packet, off, buf, n, false)
	}) &&
	host.Define("XdpStoreBytes", func(ctx Context, off uint32, buf unsafe.Pointer, n uint32) int64 {
		return copyBuffers((*XDP)(ctx.ptr).packet, off, buf, n, true)
	}) &&
	host.Define("SkbPullData", nativePull) &&
	host.Define("SkbLoadBytes", nativeLoadBytes) &&
	host.Define("SkbStoreBytes", func(ctx Context, off uint32, from unsafe.Pointer, n uint32, flags uint64) int64 {
		return copyPart((*SKB)(ctx.ptr).packet, off, from, n, true)
	})

// headroom is the room before a packet natively: XDP_PACKET_HEADROOM in linux/bpf.h.
const headroom = 256

// minPacket is ETH_HLEN in linux/if_ether.h, below which no packet is cut.
const minPacket = 14

func nativeAdjustHead(ctx Context, delta int32) int64 {
	x := (*XDP)(ctx.ptr)
	n := len(x.packet) - int(delta)
	if n < minPacket || int(delta) < -headroom {
		return -int64(syscall.EINVAL)
	}
	if delta >= 0 {
		x.packet = x.packet[delta:]
	} else {
		x.packet = slices.Concat(make([]byte, -delta), x.packet)
	}
	return 0
}

func nativeAdjustTail(ctx Context, delta int32) int64 {
	x := (*XDP)(ctx.ptr)
	n := len(x.packet) + int(delta)
	if n < minPacket || delta > headroom {
		return -int64(syscall.EINVAL)
	}
	if delta > 0 {
		x.packet = append(x.packet, make([]byte, delta)...)
	}
	x.packet = x.packet[:n:n]
	return 0
}

// Packet returns the packet as a program that ran natively has left it.
// Host only.
func (x *XDP) Packet() []byte { return x.packet }

// maxMeta is how much metadata a packet can have: max_meta of xdp_metalen_invalid in include/net/xdp.h.
const maxMeta = 252

func nativeAdjustMeta(ctx Context, delta int32) int64 {
	x := (*XDP)(ctx.ptr)
	switch n := len(x.meta) - int(delta); {
	case n < 0 || n > headroom:
		return -int64(syscall.EINVAL)
	case n%4 != 0 || n > maxMeta:
		return -int64(syscall.EACCES)
	case delta >= 0:
		x.meta = x.meta[delta:]
	default:
		x.meta = slices.Concat(make([]byte, -delta), x.meta)
	}
	return 0
}

func nativePull(ctx Context, n uint32) int64 {
	if int(n) > len((*SKB)(ctx.ptr).packet) {
		return -int64(syscall.EINVAL)
	}
	return 0
}

func nativeLoadBytes(ctx Context, off uint32, to unsafe.Pointer, n uint32) int64 {
	r := copyPart((*SKB)(ctx.ptr).packet, off, to, n, false)
	if r < 0 {
		clear(unsafe.Slice((*byte)(to), n))
	}
	return r
}

// copyPart copies n bytes of packet from off on to buf, or the other way.
func copyPart(packet []byte, off uint32, buf unsafe.Pointer, n uint32, store bool) int64 {
	if uint64(off)+uint64(n) > uint64(len(packet)) {
		return -int64(syscall.EFAULT)
	}
	part, mem := packet[off:off+n], unsafe.Slice((*byte)(buf), n)
	if store {
		copy(part, mem)
	} else {
		copy(mem, part)
	}
	return 0
}

// copyBuffers is copyPart with the errors of XDP.
func copyBuffers(packet []byte, off uint32, buf unsafe.Pointer, n uint32, store bool) int64 {
	r := copyPart(packet, off, buf, n, store)
	if r < 0 && off <= math.MaxUint16 && n <= math.MaxUint16 {
		return -int64(syscall.EINVAL)
	}
	return r
}
