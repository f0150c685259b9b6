package host

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// This file holds what helpers tell of the current task and processor. Natively
// that is the thread that runs the goroutine, which may be another at each call
// unless the test holds it with runtime.LockOSThread.

func currentPidTgid() uint64 {
	return uint64(os.Getpid())<<32 | uint64(syscall.Gettid())
}

func currentUIDGID() uint64 {
	return uint64(os.Getgid())<<32 | uint64(uint32(os.Getuid()))
}

func currentComm(buf unsafe.Pointer, size uint32) int64 {
	if size == 0 {
		return -int64(syscall.EINVAL)
	}
	dst := unsafe.Slice((*byte)(buf), size)
	clear(dst)
	comm, err := os.ReadFile("/proc/thread-self/comm")
	if err != nil {
		return -int64(syscall.EINVAL)
	}
	copy(dst[:size-1], bytes.TrimSuffix(comm, []byte("\n")))
	return 0
}

// processorID reads the processor of the thread's last time slice, field 39 of
// proc_pid_stat(5).
func processorID() uint32 {
	stat, err := os.ReadFile("/proc/thread-self/stat")
	if err != nil {
		panic(fmt.Sprintf("ebpf.GetSmpProcessorId: %v", err))
	}
	// Field 2, the name, may hold spaces; it ends at the last parenthesis.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const processor = 39 - 3
	if len(fields) <= processor {
		panic(fmt.Sprintf("ebpf.GetSmpProcessorId: cannot read /proc/thread-self/stat: %q", stat))
	}
	cpu, err := strconv.ParseUint(string(fields[processor]), 10, 32)
	if err != nil {
		panic(fmt.Sprintf("ebpf.GetSmpProcessorId: %v", err))
	}
	return uint32(cpu)
}

func randomU32() uint32 { return rand.Uint32() }
