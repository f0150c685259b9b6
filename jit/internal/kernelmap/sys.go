package kernelmap

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file has the system calls on entries of maps. cilium/ebpf has them too, with
// conversions of keys and values that are not needed here and errors of its own.

// Commands, enum bpf_cmd of linux/bpf.h.
const (
	cmdLookup          = 1
	cmdUpdate          = 2
	cmdDelete          = 3
	cmdNextKey         = 4
	cmdLookupAndDelete = 21
	cmdLookupBatch     = 24
)

// elemAttr is the part of union bpf_attr for entries.
type elemAttr struct {
	fd    uint32
	_     uint32
	key   unsafe.Pointer
	value unsafe.Pointer // or the next key
	flags uint64
}

// batchAttr is the part of union bpf_attr for batches.
type batchAttr struct {
	in, out    unsafe.Pointer
	keys       unsafe.Pointer
	values     unsafe.Pointer
	count      uint32
	fd         uint32
	elemFlags  uint64
	batchFlags uint64
}

// elem makes a system call on one entry. An error is a syscall.Errno.
func elem(cmd uintptr, fd int, key, value []byte, flags uint64) error {
	attr := elemAttr{fd: uint32(fd), key: unsafe.Pointer(unsafe.SliceData(key)), value: unsafe.Pointer(unsafe.SliceData(value)), flags: flags}
	return bpf(cmd, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}

func bpf(cmd uintptr, attr unsafe.Pointer, size uintptr) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_BPF, cmd, uintptr(attr), size)
		runtime.KeepAlive(attr)
		switch errno {
		case 0:
			return nil
		case unix.EINTR, unix.EAGAIN:
			if cmd == cmdLookup || cmd == cmdNextKey || cmd == cmdLookupBatch {
				continue
			}
		}
		return errno
	}
}
