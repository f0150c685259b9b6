package ebpf

import (
	"errors"
	"os"
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
	var v T
	b, err := producer(ref)
	if err != nil {
		panic("ebpf: Reserve on the host of a ring buffer that is in the kernel, where only programs put out records")
	}
	p, err := b.Reserve(int(unsafe.Sizeof(v)))
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

func ringOutput(ref MapRef, data unsafe.Pointer, size, flags uint64) error {
	b, err := producer(ref)
	if err != nil {
		return err
	}
	p, err := b.Reserve(int(size))
	switch {
	case errors.Is(err, os.ErrClosed):
		return err
	case err != nil:
		return syscall.EAGAIN
	}
	copy(unsafe.Slice((*byte)(p), size), unsafe.Slice((*byte)(data), size))
	return b.Commit(p, false, flags)
}

func ringQuery(ref MapRef, _ uint64) uint64 {
	if s, ok := ref.native().Backend().(bind.Streamer); ok {
		n, _ := s.Unread()
		return n
	}
	return 0
}
