package ebpf

import (
	"errors"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file has the host's side of the operations of ring buffers.

// producer returns what takes the host's records: of a ring buffer in the kernel
// nothing does.
func producer(ref MapRef) (bind.Producer, error) {
	switch b := ref.native().Backend().(type) {
	case bind.Producer:
		return b, nil
	default:
		return nil, syscall.EOPNOTSUPP
	}
}

func ringReserve[T any](ref MapRef) *T {
	b, err := producer(ref)
	if err != nil {
		panic("ebpf: Reserve on the host of a ring buffer that is in the kernel, where only programs put out records")
	}
	p, err := b.Reserve(int(sizeOf[T]()))
	if err != nil {
		return nil
	}
	return (*T)(p)
}

func ringCommit[T any](ref MapRef, rec *T, discard bool, flags uint64) {
	zeroPadding(rec)
	b, err := producer(ref)
	if err == nil {
		err = b.Commit(unsafe.Pointer(rec), discard, flags)
	}
	if errors.Is(err, syscall.EINVAL) {
		panic("ebpf: record is not reserved")
	}
}

// A drainer is a backend in memory that the host can drain in place of programs.
type drainer interface {
	Drain(f func(data []byte) bool) (n int, err error)
}

func ringDrain[T any](ref MapRef, f func(rec *T) bool) (n int, err error) {
	d, ok := ref.native().Backend().(drainer)
	if !ok {
		return 0, syscall.EOPNOTSUPP
	}
	return d.Drain(func(data []byte) bool {
		return uintptr(len(data)) < sizeOf[T]() || f((*T)(unsafe.Pointer(unsafe.SliceData(data))))
	})
}

// Reserve returns memory for a record, all zero, or nil if there is no room or the map
// is closed. What it returns is to be given to Submit or Discard.
//
// Host only.
func (m *UserRingBuf[T]) Reserve() *T { return ringReserve[T](m.ref()) }

// Submit passes a reserved record on to programs.
//
// Host only.
func (m *UserRingBuf[T]) Submit(rec *T) { ringCommit(m.ref(), rec, false, 0) }

// Discard drops a reserved record.
//
// Host only.
func (m *UserRingBuf[T]) Discard(rec *T) { ringCommit(m.ref(), rec, true, 0) }

// Send passes a copy of v on to programs. The error is syscall.EAGAIN if there is no room.
//
// Host only.
func (m *UserRingBuf[T]) Send(v T) error {
	zeroPadding(&v)
	return errnoError(nativeRingOutput(m.ref(), unsafe.Pointer(&v), uint64(sizeOf[T]()), 0))
}
