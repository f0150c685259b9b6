package kernelmap

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// An outerMap is the backend of a map of maps. Its values are numbers of this
// process for maps; the kernel takes file descriptors and returns numbers of its own.
type outerMap struct {
	*kernelMap
	inner map[uint32]uint32 // numbers of the process by the kernel's; guarded by mu
}

// Update implements bind.Backend. A map that is in memory is put into the kernel.
func (o *outerMap) Update(key, value []byte, flags uint64) error {
	id := binary.NativeEndian.Uint32(value)
	m := bind.ByID(id)
	if m == nil {
		return unix.EBADF
	}
	binding, err := m.Bind(func(s *bind.Spec) (bind.Backend, bool, error) { return Open(s, "inner") })
	if err != nil {
		return fmt.Errorf("inner map: %w", err)
	}
	info, err := m.Backend().Info()
	if err == nil {
		fd := make([]byte, 4)
		binary.NativeEndian.PutUint32(fd, uint32(info.FD))
		err = o.kernelMap.Update(key, fd, flags)
	}
	if err != nil {
		_ = binding.Undo()
		return err
	}
	binding.Keep()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inner[info.ID] = id
	return nil
}

// Lookup implements bind.Backend.
func (o *outerMap) Lookup(key, value []byte) error {
	if err := o.kernelMap.Lookup(key, value); err != nil {
		return err
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	binary.NativeEndian.PutUint32(value, o.inner[binary.NativeEndian.Uint32(value)])
	return nil
}
