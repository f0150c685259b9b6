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
}

// Context returns x for helpers.
func (x *XDP) Context() Context { return Context{unsafe.Pointer(x)} }

// XDPAction is the result of an XDP program: what becomes of the packet. Any
// other value drops the packet with a warning, as XDPAborted does.
type XDPAction int32
