package host

import (
	"syscall"
	"unsafe"
)

// maxLoops is BPF_MAX_LOOPS of linux/bpf.h (the kernel's own header).
const maxLoops = 8 << 20

// loop calls f for 0 to n-1 until it returns other than 0, and returns the
// number of calls.
func loop(n uint32, f func(index uint32, ctx unsafe.Pointer) int64, ctx unsafe.Pointer, flags uint64) int64 {
	if flags != 0 {
		return -int64(syscall.EINVAL)
	}
	if n > maxLoops {
		return -int64(syscall.E2BIG)
	}
	for i := range n {
		if f(i, ctx) != 0 {
			return int64(i) + 1
		}
	}
	return int64(n)
}
