package ebpf

import "unsafe"

// A RingBuf carries values from programs on all CPUs to the host, in order:
// BPF_MAP_TYPE_RINGBUF, Linux 5.8. A program either puts values out as a whole, or
// reserves room, fills it, and submits or discards it:
//
//	if ev := events.Reserve(); ev != nil {
//		ev.PID = pid
//		events.Submit(ev)
//	}
//
// The host reads them:
//
//	for ev, err := range events.Read(ctx) {
//
//ebpf:map ringbuf
type RingBuf[T any] struct {
	handle
	// lost counts what did not fit. The kernel does not.
	lost *Var[uint64]
}

// NewRingBuf returns a ring buffer of size bytes, which must be a power of 2 and a
// multiple of the page size. Each record takes 8 bytes more than its data, and is
// rounded up to a multiple of 8.
//
//ebpf:intrinsic newmap
//go:noinline
func NewRingBuf[T any](size int, opts ...MapOption) *RingBuf[T] {
	m := new(RingBuf[T])
	m.lost = newLost()
	m.p = newRing[T]("ringbuf", size, opts, m.lost)
	return m
}

// RingPoll makes the host look into a ring buffer after every so many nanoseconds, a
// [time.Duration], even if nobody has woken it up. It is for programs that wake it up
// only when there is much to read.
func RingPoll[D ~int64](every D) MapOption { return func(o *mapOptions) { o.poll = int64(every) } }

// Reserve returns memory for a record, all zero, or nil if there is no room. What
// it returns must be given to Submit or Discard on every path; a panic discards
// it.
func (m *RingBuf[T]) Reserve() *T {
	p := ringReserve[T](m.ref())
	if p == nil {
		m.lost.Add(1)
	}
	return p
}

// Submit passes a reserved record on to the host.
func (m *RingBuf[T]) Submit(rec *T) { ringCommit(m.ref(), rec, false, 0) }

// SubmitFlags is Submit with flags: [RingbufNoWakeup] or [RingbufForceWakeup].
func (m *RingBuf[T]) SubmitFlags(rec *T, flags uint64) { ringCommit(m.ref(), rec, false, flags) }

// Discard drops a reserved record.
func (m *RingBuf[T]) Discard(rec *T) { ringCommit(m.ref(), rec, true, 0) }

// Output passes a copy of v on to the host. The error is syscall.EAGAIN if there
// is no room.
func (m *RingBuf[T]) Output(v T) error { return m.OutputFlags(v, 0) }

// OutputFlags is Output with flags: [RingbufNoWakeup] or [RingbufForceWakeup].
func (m *RingBuf[T]) OutputFlags(v T, flags uint64) error {
	zeroPadding(&v)
	err := errnoError(RingbufOutput(m.ref(), unsafe.Pointer(&v), uint64(sizeOf[T]()), flags))
	if err != nil {
		m.lost.Add(1)
	}
	return err
}

// OutputBytes passes a record of any size on to the host, which gets it from
// ReadBytes. Like Output it returns syscall.EAGAIN if there is no room.
func (m *RingBuf[T]) OutputBytes(b []byte) error {
	err := errnoError(RingbufOutput(m.ref(), unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b)), 0))
	if err != nil {
		m.lost.Add(1)
	}
	return err
}

// ReserveDynptr makes d a record of size bytes, which only the running program need know. The error is EINVAL if
// there is no room; d must be submitted or discarded then, too. Linux 5.19.
func (m *RingBuf[T]) ReserveDynptr(size uint32, d *Dynptr) error {
	err := errnoError(RingbufReserveDynptr(m.ref(), size, 0, unsafe.Pointer(d)))
	if err != nil {
		m.lost.Add(1)
	}
	return err
}

// Unread returns the number of bytes that records take which have not been
// read. By it a program decides when to wake the reader up.
func (m *RingBuf[T]) Unread() uint64 { return RingbufQuery(m.ref(), RingbufAvailData) }

// WakeupFrom returns the flags for a record with which the reader is to be woken up if
// at least so many bytes wait for it, and else left asleep. Waking it up costs more than
// the record. What waits in the end is read after [RingPoll].
//
//	events.OutputFlags(ev, events.WakeupFrom(64<<10))
func (m *RingBuf[T]) WakeupFrom(bytes uint64) uint64 {
	if m.Unread() >= bytes {
		return RingbufForceWakeup
	}
	return RingbufNoWakeup
}
