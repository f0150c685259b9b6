package ebpf

import "unsafe"

// A PerfEvents carries values from programs to the host, in a buffer for each CPU:
// BPF_MAP_TYPE_PERF_EVENT_ARRAY, Linux 4.4. Values of one CPU are read in order.
// Where there is [RingBuf], it is better in every way.
//
//ebpf:map perf_event_array key=4 value=4 entries=0
type PerfEvents[T any] struct{ handle }

// NewPerfEvents returns a map with a buffer of size bytes for each CPU, which
// must be a power of 2 and a multiple of the page size.
//
//ebpf:intrinsic newmap
//go:noinline
func NewPerfEvents[T any](size int, opts ...MapOption) *PerfEvents[T] {
	m := new(PerfEvents[T])
	m.p = newPerf[T]("perf_event_array", size, opts)
	return m
}

// Output passes a copy of v on to the host. The error is syscall.ENOSPC if there is no
// room, and ENOENT if nobody reads on the host.
func (m *PerfEvents[T]) Output(ctx Context, v T) error {
	zeroPadding(&v)
	return errnoError(PerfEventOutput(ctx, m.ref(), FlagCurrentCPU, unsafe.Pointer(&v), uint64(sizeOf[T]())))
}

// OutputBytes passes a record of any size on to the host, which gets it from
// ReadBytes, rounded up with zeros so that 4 bytes more are a multiple of 8.
func (m *PerfEvents[T]) OutputBytes(ctx Context, b []byte) error {
	return errnoError(PerfEventOutput(ctx, m.ref(), FlagCurrentCPU, unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b))))
}

// OutputSKB passes a copy of v on to the host, and the first n bytes of a packet behind it, for ReadBytes. It
// is for tracing programs that have the kernel's sk_buff. Linux 5.5.
func (m *PerfEvents[T]) OutputSKB(skb *KernelSKB, n int, v T) error {
	zeroPadding(&v)
	return errnoError(SkbOutput(unsafe.Pointer(skb), m.ref(), FlagCurrentCPU|uint64(n)<<32, unsafe.Pointer(&v), uint64(sizeOf[T]())))
}

// OutputXDP is OutputSKB for tracing programs that have the kernel's xdp_buff. Linux 5.7.
func (m *PerfEvents[T]) OutputXDP(xdp *KernelXDP, n int, v T) error {
	zeroPadding(&v)
	return errnoError(XdpOutput(unsafe.Pointer(xdp), m.ref(), FlagCurrentCPU|uint64(n)<<32, unsafe.Pointer(&v), uint64(sizeOf[T]())))
}
