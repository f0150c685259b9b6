package mem

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// This file copies values to and from where they live: memory that programs may
// have pointers to. It is made of words, and aligned for all Go types.

// newWords returns zeroed memory for size bytes.
func newWords(size int) []uint64 { return make([]uint64, (size+7)/8) }

// load copies len(to) bytes from the beginning of from.
func load(to []byte, from []uint64) {
	for i := range from {
		if 8*i >= len(to) {
			return
		}
		var b [8]byte
		binary.NativeEndian.PutUint64(b[:], atomic.LoadUint64(&from[i]))
		copy(to[8*i:], b[:])
	}
}

// store copies all of from to the beginning of to, and zeros to the end of its
// last word.
func store(to []uint64, from []byte) {
	for i := 0; 8*i < len(from); i++ {
		var b [8]byte
		copy(b[:], from[8*i:])
		atomic.StoreUint64(&to[i], binary.NativeEndian.Uint64(b[:]))
	}
}

// add adds delta to the integer of size bytes, 4 or 8, at the beginning of to.
func add(to []uint64, size uint32, delta uint64) {
	if size == 8 {
		atomic.AddUint64(&to[0], delta)
	} else {
		atomic.AddUint32((*uint32)(unsafe.Pointer(&to[0])), uint32(delta))
	}
}
