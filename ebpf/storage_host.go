package ebpf

import (
	"syscall"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file has the host's methods of storages. On the host an owner is known by a file
// descriptor, in programs by a pointer; in memory there is no way from one to the
// other.

func (m *object) checkInKernel() error {
	if m.State() == bind.InMemory {
		return syscall.EOPNOTSUPP
	}
	return nil
}

// GetFD returns the value of what fd is a descriptor of (a pidfd of a task, a file of
// an inode, a socket, a directory of a cgroup), and whether it has one. In memory none
// has. Of a process it is the value of the first thread.
//
// Host only.
func (m *storage[V]) GetFD(fd int) (v V, ok bool) {
	if m.ref().native().checkInKernel() != nil {
		return v, false
	}
	k := int32(fd)
	return mapGet[int32, V](m.ref(), &k)
}

// SetFD sets the value of what fd is a descriptor of. The error is
// syscall.EOPNOTSUPP in memory.
//
// Host only.
func (m *storage[V]) SetFD(fd int, v V) error {
	if err := m.ref().native().checkInKernel(); err != nil {
		return err
	}
	k := int32(fd)
	return mapUpdate(m.ref(), &k, &v, UpdateAny)
}

// DeleteFD removes the value of what fd is a descriptor of. The error is
// syscall.ENOENT if it has none, and EOPNOTSUPP in memory.
//
// Host only.
func (m *storage[V]) DeleteFD(fd int) error {
	if err := m.ref().native().checkInKernel(); err != nil {
		return err
	}
	k := int32(fd)
	return mapDelete(m.ref(), &k)
}
