package host

import (
	"math/rand/v2"
	"os"
	"syscall"
	"unsafe"
)

// This file holds what helpers tell of the current task and processor. Natively
// that is the thread that runs the goroutine, which may be another at each call
// unless the test holds it with runtime.LockOSThread.

func currentPidTgid() uint64 {
	return uint64(os.Getpid())<<32 | uint64(threadID())
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
	name, err := threadName()
	if err != nil {
		return -int64(syscall.EINVAL)
	}
	copy(dst[:size-1], name)
	return 0
}

func randomU32() uint32 { return rand.Uint32() }
