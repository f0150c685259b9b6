package ebpf

// This file has the methods of contexts that call helpers on their packet.

// AdjustHead moves the beginning of the packet by delta bytes: forwards, which removes them, or
// if delta is negative backwards, into room that drivers leave before a packet; what is
// there then is undefined. It fails with EINVAL if there is too little of either. Slices
// of Data may not be used any more after it.
func (x *XDP) AdjustHead(delta int) error {
	return XdpAdjustHead(x, int32(delta))
}

// AdjustTail moves the end of the packet by delta bytes: backwards if that is negative,
// and otherwise forwards, since Linux 5.8, over zeros. It fails with EINVAL if the packet or the room is
// too small. Slices of Data may not be used any more after it.
func (x *XDP) AdjustTail(delta int) error {
	return XdpAdjustTail(x, int32(delta))
}

// AdjustMeta moves the beginning of the metadata by delta bytes: backwards if that is negative,
// over bytes whose content is undefined, as into a packet without metadata. Its size must be
// a multiple of 4 and at most 32 (252 in newer kernels), or it fails with EACCES. It fails with
// EINVAL if there is no room, and with ENOTSUPP, 524, if the driver has no metadata. Slices of Data and Meta
// may not be used any more after it.
//
//	if ctx.AdjustMeta(-8) == nil {
//		if meta := ctx.Meta(); len(meta) >= 8 {
//			ebpf.Overlay[mark](meta).port = port
//		}
//	}
//
// Linux 4.15.
func (x *XDP) AdjustMeta(delta int) error {
	return XdpAdjustMeta(x, int32(delta))
}

// BufLen returns the length of the packet in all of its buffers. Only programs of sections
// that begin with xdp.frags get packets of more than one, of which Data is the first.
//
// Linux 5.18.
func (x *XDP) BufLen() int { return int(XdpGetBuffLen(x)) }

// Load copies len(to) bytes of the packet from off on, in whatever buffers they are. It fails
// with EINVAL if they are not there, or to is empty.
//
// Linux 5.18.
func (x *XDP) Load(off int, to []byte) error {
	return XdpLoadBytes(x, uint32(off), to)
}

// Store copies from to the packet from off on, in whatever buffers that is. It
// fails with EINVAL if the packet ends before, or from is empty.
//
// Linux 5.18.
func (x *XDP) Store(off int, from []byte) error {
	return XdpStoreBytes(x, uint32(off), from)
}

// PullData makes the first n bytes of the packet available to Data. Slices of Data may
// not be used any more after it. It fails with EINVAL if the packet has fewer. Not for
// socket filters.
func (s *SKB) PullData(n int) error { return SkbPullData(s, uint32(n)) }

// Load copies len(to) bytes of the packet from off on, wherever they lie. It fails with
// EFAULT, and zeroes to, if they are not there, and with EINVAL if to is empty.
func (s *SKB) Load(off int, to []byte) error {
	return SkbLoadBytes(s, uint32(off), to)
}

// Store copies from to the packet from off on, wherever that is. It fails with EFAULT
// if the packet ends before, and with EINVAL if from is empty. The checksums in the packet stay as they
// are, see [L3CsumReplace] and [L4CsumReplace]. Slices of Data may not be used any more after it. For TC programs.
func (s *SKB) Store(off int, from []byte) error {
	return SkbStoreBytes(s, uint32(off), from, 0)
}
