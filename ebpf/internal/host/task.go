package host

import (
	"math/rand/v2"
	"os"
	"syscall"
)

// This file holds what helpers tell of the current task and processor. Natively
// that is the thread that runs the goroutine, which may be another at each call
// unless the test holds it with runtime.LockOSThread.

func currentPidTgid() uint64 {
	return uint64(os.Getpid())<<32 | uint64(ThreadID())
}

func currentUIDGID() uint64 {
	return uint64(os.Getgid())<<32 | uint64(uint32(os.Getuid()))
}

func currentComm(buf []byte) error {
	clear(buf)
	name, err := threadName()
	if len(buf) == 0 || err != nil {
		return syscall.EINVAL
	}
	copy(buf[:len(buf)-1], name)
	return nil
}

func randomU32() uint32 { return rand.Uint32() }
