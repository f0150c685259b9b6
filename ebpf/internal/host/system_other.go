//go:build !linux

package host

import (
	"os"
	"path/filepath"
	"time"
)

// This file stands in for Linux, so that kernel-side code can be tested elsewhere. Go
// does not tell threads and processors there.

var start = time.Now()

// clock returns the time since the program began, as every clock.
func clock(uintptr) func() uint64 {
	return func() uint64 { return uint64(time.Since(start)) }
}

// ThreadID returns the number of the current thread, or where there is none the process's.
func ThreadID() int { return os.Getpid() }

func threadName() ([]byte, error) {
	path, err := os.Executable()
	return []byte(filepath.Base(path)), err
}

func processorID() uint32 { return 0 }
