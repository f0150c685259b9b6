package ebpf

import "unsafe"

// XDP is the context of an XDP program: struct xdp_md of linux/bpf.h. A
// program may read its fields and not write them.
//
// Linux 4.8.
//
//ebpf:context xdp
type XDP struct {
	// The packet's data, data_end and data_meta. They are pointers that the
	// kernel shows as 32-bit numbers, so they are no fields to be read here.
	_ [3]uint32

	IngressIfindex uint32 // interface the packet came in on; Linux 4.16
	RxQueueIndex   uint32 // receive queue of that interface; Linux 4.16
	EgressIfindex  uint32 // interface it goes out on, in programs of a device map; Linux 5.8

	packet, meta []byte // natively
}

// NewXDP returns the context of a program that runs natively with the given packet.
// Host only.
func NewXDP(packet []byte) *XDP { return &XDP{packet: packet[:len(packet):len(packet)]} }

// Data returns the packet, from the beginning of the Ethernet header on. Of a packet
// that is in several buffers it is the first (see [XDP.BufLen]).
//
// In the kernel it is a slice like any other but for this: it is never nil; what is
// more than some 16 KiB from its beginning may not be reached by variable indices, which panic; it cannot be
// kept in maps or other memory that outlives the program; and after a call of a helper that
// may move the packet, such as [XDP.AdjustHead], it may not be used any more. Call
// Data again then.
//
//ebpf:intrinsic packet.xdp
func (x *XDP) Data() []byte { return x.packet }

// Meta returns the metadata before the packet, of which there is none until a program
// calls AdjustMeta. It travels with the packet to TC programs, see [SKB.Meta]. It is a
// slice like that of Data; the two can be in one variable only if it is clear which it is.
//
// Linux 4.15.
//
//ebpf:intrinsic packet.xdp.meta
func (x *XDP) Meta() []byte { return x.meta }

// Context returns x for helpers.
func (x *XDP) Context() Context { return Context{unsafe.Pointer(x)} }

// XDPAction is the result of an XDP program: what becomes of the packet. Any
// other value drops the packet with a warning, as XDPAborted does.
type XDPAction int32
