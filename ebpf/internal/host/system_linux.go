package host

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// This file asks Linux.

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

// ThreadID returns the number of the current thread, or where there is none the process's.
func ThreadID() int { return syscall.Gettid() }

// threadName returns the name of the current thread.
func threadName() ([]byte, error) {
	comm, err := os.ReadFile("/proc/thread-self/comm")
	return bytes.TrimSuffix(comm, []byte("\n")), err
}

// getcpu is the number of the system call, which package syscall has not everywhere.
var getcpu = map[string]uintptr{
	"amd64": 309, "arm64": 168, "loong64": 168, "riscv64": 168, "ppc64": 302, "ppc64le": 302, "s390x": 311,
}[runtime.GOARCH]

// processorID returns the processor on which the thread runs, or did just now.
func processorID() uint32 {
	if getcpu == 0 {
		return 0
	}
	var cpu uint32
	if _, _, errno := syscall.RawSyscall(getcpu, uintptr(unsafe.Pointer(&cpu)), 0, 0); errno != 0 {
		panic(fmt.Sprintf("ebpf.GetSmpProcessorId: %v", errno))
	}
	return cpu
}
