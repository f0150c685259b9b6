package ebpf

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// This file has the host's side of access to values that lie where programs reach
// them: at an address that is a multiple of 8, with nothing else in
// the last 8 bytes that they use.

// words returns the memory of *p in words.
func words[T any](p *T) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(p)), (unsafe.Sizeof(*p)+7)/8)
}

func atomicLoad[T any](p *T) (x T) {
	to := bytesOf(&x)
	from := words(p)
	for i := range from {
		var b [8]byte
		binary.NativeEndian.PutUint64(b[:], atomic.LoadUint64(&from[i]))
		copy(to[8*i:], b[:])
	}
	return x
}

func atomicStore[T any](p *T, x T) {
	zeroPadding(&x)
	from := bytesOf(&x)
	to := words(p)
	for i := range to {
		var b [8]byte
		copy(b[:], from[8*i:])
		atomic.StoreUint64(&to[i], binary.NativeEndian.Uint64(b[:]))
	}
}

func atomicAdd[T any](p *T, delta T) {
	n := integer(delta)
	if unsafe.Sizeof(delta) == 8 {
		atomic.AddUint64((*uint64)(unsafe.Pointer(p)), n)
	} else {
		atomic.AddUint32((*uint32)(unsafe.Pointer(p)), uint32(n))
	}
}
