package kernelmap

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A memoryMap is the backend of an array that is mapped into the process. Its values
// are read and written where they are.
type memoryMap struct {
	*kernelMap
	mem []byte
}

// mapMemory maps the array k.
func mapMemory(k *kernelMap) (*memoryMap, error) {
	size := k.spec.ValueStride() * int(k.spec.MaxEntries)
	mem, err := unix.Mmap(k.fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the memory of %s: %w", k.m, err)
	}
	return &memoryMap{k, mem}, nil
}

// value returns where the value of key is, or nil if there is none.
func (m *memoryMap) value(key []byte) unsafe.Pointer {
	i := *(*uint32)(unsafe.Pointer(&key[0]))
	if i >= m.spec.MaxEntries {
		return nil
	}
	return unsafe.Pointer(&m.mem[int(i)*m.spec.ValueStride()])
}

// Pointer implements bind.Backend.
func (m *memoryMap) Pointer(key []byte, _ int) (unsafe.Pointer, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.fd < 0 {
		return nil, errClosed
	}
	p := m.value(key)
	if p == nil {
		return nil, unix.ENOENT
	}
	return p, nil
}

// Add implements bind.Backend.
func (m *memoryMap) Add(key []byte, _ int, delta uint64) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.fd < 0 {
		return errClosed
	}
	p := m.value(key)
	switch {
	case p == nil:
		return unix.E2BIG
	case m.spec.ValueSize == 4:
		atomic.AddUint32((*uint32)(p), uint32(delta))
	default:
		atomic.AddUint64((*uint64)(p), delta)
	}
	return nil
}

// Close implements bind.Backend. Memory of the process takes the place of the map's, with
// the same content, since pointers to values stay usable.
func (m *memoryMap) Close() error {
	m.mu.Lock()
	if m.fd >= 0 {
		saved := append([]byte(nil), m.mem...)
		_, err := unix.MmapPtr(-1, 0, unsafe.Pointer(&m.mem[0]), uintptr(len(m.mem)),
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED)
		if err == nil {
			copy(m.mem, saved)
		}
	}
	m.mu.Unlock()
	return m.kernelMap.Close()
}
