package ebpf

import "unsafe"

// This file has the methods of contexts that call helpers on their packet.

// AdjustHead moves the beginning of the packet by delta bytes: forwards, which removes them, or
// if delta is negative backwards, into room that drivers leave before a packet; what is
// there then is undefined. It fails with EINVAL if there is too little of either. Slices
// of Data may not be used any more after it.
func (x *XDP) AdjustHead(delta int) error {
	return errnoError(XdpAdjustHead(x.Context(), int32(delta)))
}

// AdjustTail moves the end of the packet by delta bytes: backwards if that is negative,
// and otherwise forwards, since Linux 5.8, over zeros. It fails with EINVAL if the packet or the room is
// too small. Slices of Data may not be used any more after it.
func (x *XDP) AdjustTail(delta int) error {
	return errnoError(XdpAdjustTail(x.Context(), int32(delta)))
}

// PullData makes the first n bytes of the packet available to Data. Slices of Data may
// not be used any more after it. It fails with EINVAL if the packet has fewer. Not for
// socket filters.
func (s *SKB) PullData(n int) error { return errnoError(SkbPullData(s.Context(), uint32(n))) }

// Load copies len(to) bytes of the packet from off on, wherever they lie, which must be
// known when compiling. It fails with EFAULT, and zeroes to, if they are not there.
func (s *SKB) Load(off int, to []byte) error {
	return errnoError(SkbLoadBytes(s.Context(), uint32(off), unsafe.Pointer(unsafe.SliceData(to)), uint32(len(to))))
}
