package ebpf

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file has what the host can do with maps of every type.

// MapInfo describes a map.
type MapInfo struct {
	Type       string // such as "hash", as bpftool names types
	Name       string
	KeySize    int // bytes
	ValueSize  int // bytes, of one CPU's value if there are several
	MaxEntries int
	Flags      uint32
	InKernel   bool
	ID         uint32 // the kernel's number for the map, or 0
	FD         int    // file descriptor, which belongs to the map, or -1
	Bytes      uint64 // memory that the kernel has taken for the map, if it tells
}

// Info describes the map as it is. For a closed map the error is os.ErrClosed.
//
// Host only.
func (h *handle) Info() (MapInfo, error) {
	i, err := h.ref().native().Backend().Info()
	if err != nil {
		return MapInfo{}, err
	}
	return MapInfo{
		Type:       i.Spec.Kind.String(),
		Name:       i.Spec.Name,
		KeySize:    int(i.Spec.KeySize),
		ValueSize:  int(i.Spec.ValueSize),
		MaxEntries: int(i.Spec.MaxEntries),
		Flags:      i.Spec.Flags,
		InKernel:   h.ref().native().State() == bind.InKernel,
		ID:         i.ID,
		FD:         i.FD,
		Bytes:      i.Bytes,
	}, nil
}

// Pin makes a map that is in the kernel stay at path, in a BPF file system, when
// the process ends. [MapPin] opens it there. The error for a map in memory is
// syscall.EOPNOTSUPP.
//
// Host only.
func (h *handle) Pin(path string) error {
	if path == "" {
		return fmt.Errorf("pin map: no path")
	}
	return h.ref().native().Backend().Pin(path)
}

// Unpin undoes Pin and [MapPin]: the map goes with the last that uses it.
//
// Host only.
func (h *handle) Unpin() error { return h.ref().native().Backend().Pin("") }

// Resize sets the number of entries (of a ring buffer: of bytes) that the map has
// room for. It is for maps that no program has been loaded with, and not for variables,
// perf events and storages, which have no such number. Entries that no longer fit are an
// error, and the map is as before.
//
// Host only.
func (h *handle) Resize(maxEntries int) error {
	m := h.ref().native()
	if err := m.resize(maxEntries); err != nil {
		return fmt.Errorf("resize %s: %w", m.Spec().Kind, err)
	}
	return nil
}

func (m *object) resize(maxEntries int) error {
	n := uint32(maxEntries)
	switch k := m.Spec().Kind; {
	case m.fixedSize || m.Spec().MaxEntries == 0:
		return errors.New("its size is fixed")
	case maxEntries <= 0 || int(n) != maxEntries:
		return fmt.Errorf("%d entries", maxEntries)
	case k == bind.RingBuf || k == bind.UserRingBuf:
		if err := checkBuffer(maxEntries); err != nil {
			return err
		}
	}
	return m.Configure(func(s *bind.Spec) { s.MaxEntries = n })
}

// Close releases the map. Programs that are loaded with it keep it alive in the
// kernel, but the variable has no part in it any more: all operations fail, those with an
// error with os.ErrClosed, and iterations end. Loading another program with the map
// makes a new one in the kernel.
//
// Close may be called at any time, and twice. It is not needed before the process
// ends.
//
// Host only.
func (h *handle) Close() error { return h.ref().native().Close() }

// length counts the entries of a map.
func (m *object) length() int {
	n := 0
	_ = m.Backend().Iterate(func(_, _ []byte) bool { n++; return true })
	return n
}

// clearMap removes the entries that a map has.
func clearMap(m *object) error {
	var failed error
	err := m.Backend().Iterate(func(key, _ []byte) bool {
		failed = m.Backend().Delete(key)
		if errors.Is(failed, syscall.ENOENT) {
			failed = nil // gone meanwhile
		}
		return failed == nil
	})
	return errors.Join(err, failed)
}

// Len returns the number of entries. The kernel does not know it, so they are
// counted; a closed map has none.
//
// Host only.
func (m *table[K, V]) Len() int { return m.ref().native().length() }

// Clear removes all entries that there are when it is called.
//
// Host only.
func (m *table[K, V]) Clear() error { return clearMap(m.ref().native()) }

// Len returns the number of entries, all of which exist.
//
// Host only.
func (m *Array[V]) Len() int { return int(m.ref().native().Spec().MaxEntries) }
