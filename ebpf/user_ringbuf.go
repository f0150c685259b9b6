package ebpf

// A UserRingBuf carries values from the host to programs: BPF_MAP_TYPE_USER_RINGBUF,
// Linux 6.1. The host sends them, and a program drains the buffer when it is
// called for something.
//
//ebpf:map user_ringbuf
type UserRingBuf[T any] struct{ handle }

// NewUserRingBuf returns a buffer of size bytes, which must be a power of 2 and a
// multiple of the page size. Each record takes 8 bytes more than its data, and is
// rounded up to a multiple of 8.
//
//ebpf:intrinsic newmap
//go:noinline
func NewUserRingBuf[T any](size int, opts ...MapOption) *UserRingBuf[T] {
	m := new(UserRingBuf[T])
	m.p = newRing[T]("user_ringbuf", size, opts, nil)
	return m
}

// Drain calls f for the records that the host has sent, oldest first, until it
// returns false, and returns their number. A record is valid during the call.
// The error is syscall.EBUSY if the buffer is being drained by another CPU.
func (m *UserRingBuf[T]) Drain(f func(rec *T) bool) (n int, err error) {
	return ringDrain(m.ref(), f)
}
