package mem

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// An array has all its entries from the start. Values are changed in place.
type array struct {
	common
	size   int // words of an entry
	stride int // words from one CPU's value to the next, or 0
	fields []bind.Field
	// The words of all entries are made when they are first needed: most arrays
	// go to the kernel before.
	touched atomic.Bool
	words   func() []uint64
}

func newArray(spec *bind.Spec) *array {
	a := &array{common: common{spec}, size: spec.ValueStride() / 8, fields: bind.KernelFields(spec.Value)}
	if spec.Kind.PerCPU() {
		a.stride = a.size
		a.size = spec.ValueBytes() / 8
	}
	a.words = sync.OnceValue(func() []uint64 {
		a.touched.Store(true)
		return make([]uint64, a.size*int(spec.MaxEntries))
	})
	return a
}

// Untouched reports whether all entries are as they were in the beginning.
func (a *array) Untouched() bool { return !a.touched.Load() }

// entry returns the memory of an entry, from a CPU's value on.
func (a *array) entry(key []byte, cpu int) ([]uint64, bool) {
	i := binary.NativeEndian.Uint32(key)
	if i >= a.spec.MaxEntries {
		return nil, false
	}
	at := int(i) * a.size
	return a.words()[at+cpu*a.stride : at+a.size], true
}

func (a *array) Lookup(key, value []byte) error {
	e, ok := a.entry(key, 0)
	if !ok {
		return syscall.ENOENT
	}
	load(value, e)
	return nil
}

func (a *array) Update(key, value []byte, flags uint64) error {
	return a.UpdateCPU(key, value, 0, flags)
}

// UpdateCPU checks in the order of array_map_update_elem (kernel/bpf/arraymap.c).
func (a *array) UpdateCPU(key, value []byte, cpu int, flags uint64) error {
	if flags&^flagLock > flagExist {
		return syscall.EINVAL
	}
	e, ok := a.entry(key, cpu)
	if !ok {
		return syscall.E2BIG
	}
	if flags&flagNoExist != 0 {
		return syscall.EEXIST
	}
	if len(a.fields) > 0 {
		old := make([]byte, len(value))
		load(old, e)
		value = slices.Clone(value)
		for _, f := range a.fields {
			copy(value[f.Offset:f.Offset+f.Size], old[f.Offset:])
		}
	}
	store(e, value)
	return nil
}

func (a *array) Delete([]byte) error { return syscall.EINVAL }

func (a *array) Add(key []byte, cpu int, delta uint64) error {
	e, ok := a.entry(key, cpu)
	if !ok {
		return syscall.E2BIG
	}
	add(e, a.spec.ValueSize, delta)
	return nil
}

func (a *array) Pointer(key []byte, cpu int) (unsafe.Pointer, error) {
	e, ok := a.entry(key, cpu)
	if !ok {
		return nil, syscall.ENOENT
	}
	return unsafe.Pointer(&e[0]), nil
}

// Owner returns the entry in which p is.
func (a *array) Owner(p unsafe.Pointer) (key []byte, value unsafe.Pointer, ok bool) {
	words := a.words()
	at := uintptr(p) - uintptr(unsafe.Pointer(&words[0]))
	i := at / uintptr(8*a.size)
	if i >= uintptr(a.spec.MaxEntries) {
		return nil, nil, false
	}
	return binary.NativeEndian.AppendUint32(nil, uint32(i)), unsafe.Pointer(&words[int(i)*a.size]), true
}

func (a *array) Iterate(yield func(key, value []byte) bool) error {
	value := make([]byte, a.spec.ValueBytes())
	var key [4]byte
	for i := range a.spec.MaxEntries {
		binary.NativeEndian.PutUint32(key[:], i)
		e, _ := a.entry(key[:], 0)
		load(value, e)
		if !yield(key[:], value) {
			break
		}
	}
	return nil
}

// A sparse is an array whose entries need not exist: those of references to
// something (programs, maps, devices, sockets).
type sparse struct {
	common
	mu     sync.RWMutex
	values [][]byte // nil where there is none
}

func newSparse(spec *bind.Spec) *sparse {
	return &sparse{common: common{spec}, values: make([][]byte, spec.MaxEntries)}
}

func (s *sparse) Lookup(key, value []byte) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := binary.NativeEndian.Uint32(key)
	if i >= s.spec.MaxEntries || s.values[i] == nil {
		return syscall.ENOENT
	}
	copy(value, s.values[i])
	return nil
}

func (s *sparse) Update(key, value []byte, flags uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := binary.NativeEndian.Uint32(key)
	if i >= s.spec.MaxEntries {
		return syscall.E2BIG
	}
	if err := checkExist(flags, s.values[i] != nil); err != nil {
		return err
	}
	s.values[i] = slices.Clone(value)
	return nil
}

func (s *sparse) Delete(key []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := binary.NativeEndian.Uint32(key)
	beyond, empty := s.deleteErrors()
	switch {
	case i >= s.spec.MaxEntries:
		return beyond
	case s.values[i] == nil:
		return empty
	}
	s.values[i] = nil
	return nil
}

// deleteErrors returns what it is to delete an entry beyond the end, and one that is empty: in
// dev_map_delete_elem, cpu_map_delete_elem, xsk_map_delete_elem, sock_map_delete_elem, and
// fd_array_map_delete_elem and reuseport_array_delete_elem.
func (s *sparse) deleteErrors() (beyond, empty error) {
	switch s.spec.Kind {
	case bind.DevMap, bind.CPUMap, bind.XSKMap:
		return syscall.EINVAL, nil
	case bind.SockMap:
		return syscall.EINVAL, syscall.EINVAL
	}
	return syscall.E2BIG, syscall.ENOENT
}

func (s *sparse) Iterate(yield func(key, value []byte) bool) error {
	value := make([]byte, s.spec.ValueSize)
	var key [4]byte
	for i := range s.spec.MaxEntries {
		binary.NativeEndian.PutUint32(key[:], i)
		if s.Lookup(key[:], value) == nil && !yield(key[:], value) {
			break
		}
	}
	return nil
}
