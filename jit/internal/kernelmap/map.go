package kernelmap

import (
	"fmt"
	"sync"
	"unsafe"

	cebpf "github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// A kernelMap is the backend of most kinds.
type kernelMap struct {
	spec bind.Spec
	m    *cebpf.Map

	mu sync.RWMutex // held for writing by Close
	fd int          // -1 when closed

	running runner
}

// Map implements Kernel.
func (k *kernelMap) Map() *cebpf.Map { return k.m }

// elem makes a system call on one entry, unless the map is closed.
func (k *kernelMap) elem(cmd uintptr, key, value []byte, flags uint64) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.fd < 0 {
		return errClosed
	}
	return elem(cmd, k.fd, key, value, flags)
}

// Lookup implements bind.Backend.
func (k *kernelMap) Lookup(key, value []byte) error { return k.elem(cmdLookup, key, value, 0) }

// Update implements bind.Backend.
func (k *kernelMap) Update(key, value []byte, flags uint64) error {
	return k.elem(cmdUpdate, key, value, flags)
}

// Delete implements bind.Backend.
func (k *kernelMap) Delete(key []byte) error { return k.elem(cmdDelete, key, nil, 0) }

// LookupAndDelete implements bind.Backend.
func (k *kernelMap) LookupAndDelete(key, value []byte) error {
	return k.elem(cmdLookupAndDelete, key, value, 0)
}

// UpdateCPU implements bind.Backend.
func (k *kernelMap) UpdateCPU(key, value []byte, cpu int, flags uint64) error {
	return k.run(updateProgram, key, value, cpu, flags)
}

// Add implements bind.Backend.
func (k *kernelMap) Add(key []byte, cpu int, delta uint64) error {
	value := make([]byte, 8)
	*(*uint64)(unsafe.Pointer(&value[0])) = delta
	if !k.spec.Kind.PerCPU() {
		cpu = anyCPU
	}
	return k.run(addProgram, key, value, cpu, 0)
}

// Pointer implements bind.Backend.
func (k *kernelMap) Pointer([]byte, int) (unsafe.Pointer, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.fd < 0 {
		return nil, errClosed
	}
	return nil, unix.EOPNOTSUPP
}

// Info implements bind.Backend.
func (k *kernelMap) Info() (bind.Info, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.fd < 0 {
		return bind.Info{}, errClosed
	}
	i, err := k.m.Info()
	if err != nil {
		return bind.Info{}, fmt.Errorf("map info: %w", err)
	}
	info := bind.Info{Spec: k.spec, FD: k.fd}
	info.Spec.Name, info.Spec.MaxEntries = i.Name, i.MaxEntries
	if id, ok := i.ID(); ok {
		info.ID = uint32(id)
	}
	if n, ok := i.Memlock(); ok {
		info.Bytes = n
	}
	return info, nil
}

// Pin implements bind.Backend.
func (k *kernelMap) Pin(path string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.fd < 0:
		return errClosed
	case path == "":
		if k.spec.Pin != "" && !k.m.IsPinned() {
			return unix.Unlink(k.spec.Pin) // found there, so that cilium/ebpf did not pin it
		}
		return k.m.Unpin()
	}
	return k.m.Pin(path)
}

// Close implements bind.Backend.
func (k *kernelMap) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fd < 0 {
		return nil
	}
	k.fd = -1
	k.running.close()
	return k.m.Close()
}
