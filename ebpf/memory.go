package ebpf

import "unsafe"

// This file reads memory that programs have only an address of. An address that cannot be
// read is an error (syscall.EFAULT), never a crash; what is read into is zero then.

// ReadUser returns the T at an address of the current process. T has no pointers. Linux 5.5.
//
// Memory that is not present, because it has not been used yet or was paged out, cannot be read
// (but by [CopyFromUser] in a program that may sleep): what a system call gets is read
// best when it returns.
func ReadUser[T any](addr uintptr) (v T, err error) {
	err = ProbeReadUser(memoryOf(&v), addr)
	return v, err
}

// ReadKernel returns the T at an address of the kernel. T has no pointers. Linux 5.5.
func ReadKernel[T any](addr uintptr) (v T, err error) {
	err = ProbeReadKernel(memoryOf(&v), addr)
	return v, err
}

// ReadUserBytes fills buf from an address of the current process, see [ReadUser].
func ReadUserBytes(buf []byte, addr uintptr) error {
	return ProbeReadUser(buf, addr)
}

// ReadKernelBytes fills buf from an address of the kernel. Linux 5.5.
func ReadKernelBytes(buf []byte, addr uintptr) error {
	return ProbeReadKernel(buf, addr)
}

// ReadUserString copies a C string from an address of the current process into buf, as much as
// fits with a zero behind it, and returns its length without that. The rest of buf is left as
// it is. See [ReadUser].
func ReadUserString(buf []byte, addr uintptr) (n int, err error) {
	n, err = ProbeReadUserStr(buf, addr)
	return max(n-1, 0), err // 0 if there is no room even for the zero
}

// ReadKernelString copies a C string from an address of the kernel, as [ReadUserString] does.
func ReadKernelString(buf []byte, addr uintptr) (n int, err error) {
	n, err = ProbeReadKernelStr(buf, addr)
	return max(n-1, 0), err
}

// memoryOf returns the memory of a variable.
func memoryOf[T any](p *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), sizeOf[T]()) }

// GoString returns the bytes of b before the first zero, as a string: what C has in an array
// of char.
func GoString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
