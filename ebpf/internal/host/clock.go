package host

import (
	"fmt"
	"syscall"
	"unsafe"
)

// The clocks of linux/time.h that the kernel's ktime helpers read.
const (
	clockMonotonic       = 1
	clockMonotonicCoarse = 6
	clockBoottime        = 7
	clockTAI             = 11
)

// clock returns a function that reads a clock in nanoseconds. Package time does
// not tell the reading of a clock, only differences.
func clock(id uintptr) func() uint64 {
	return func() uint64 {
		var ts syscall.Timespec
		_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&ts)), 0)
		if errno != 0 {
			panic(fmt.Sprintf("ebpf: clock_gettime(%d): %v", id, errno))
		}
		return uint64(ts.Nano())
	}
}
