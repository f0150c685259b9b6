package ebpf

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
)

// This file has the host's side of the operations that the methods of typed maps
// are made of, on the backend of the map.

// An object is what a handle points to.
type object struct {
	bind.Map
	keyPadding, valuePadding []span
	fields                   []bind.Field // of values, that belong to the kernel
	buffers                  sync.Pool    // of *buffer
	fixedSize                bool
	nested                   nested
	reported                 atomic.Uint64 // lost records, of what the counter counts
	// value is what mapValue returned last.
	value atomic.Pointer[byte]
}

// A buffer holds a key and a value as backends want them.
type buffer struct{ key, value []byte }

// newBytes returns memory for n bytes that is aligned for every type.
func newBytes(n int) []byte {
	words := make([]uint64, (n+7)/8+1)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}

func (m *object) buffer() *buffer {
	if b, ok := m.buffers.Get().(*buffer); ok {
		return b
	}
	return &buffer{newBytes(int(m.Spec().KeySize)), newBytes(m.Spec().ValueBytes())}
}

// native returns what the map is on the host.
func (r MapRef) native() *object {
	if r.p == nil {
		panic("ebpf: map has not been made by its constructor, such as ebpf.NewHash")
	}
	return (*object)(r.p)
}

// Binding returns what the map is to loaders.
func (h *handle) Binding() *bind.Map {
	if h.p == nil {
		return nil
	}
	return &(*object)(h.p).Map
}

// setKey writes *k to b.
func setKey[K any](m *object, b *buffer, k *K) []byte {
	copy(b.key, bytesOf(k))
	for _, s := range m.keyPadding {
		clear(b.key[s.from:s.to])
	}
	return b.key
}

// setValue writes *v to b as a single value.
func setValue[V any](m *object, b *buffer, v *V) []byte {
	value := b.value[:m.Spec().ValueSize]
	copy(value, bytesOf(v))
	for _, s := range m.valuePadding {
		clear(value[s.from:s.to])
	}
	return value
}

// getValue returns the value that lies at the beginning of b.
func getValue[V any](m *object, b []byte) (v V) {
	to := bytesOf(&v)
	copy(to, b)
	for _, f := range m.fields {
		clear(to[f.Offset : f.Offset+f.Size])
	}
	return v
}

// getKey returns the key that b is.
func getKey[K any](b []byte) (k K) {
	copy(bytesOf(&k), b)
	return k
}

// currentCPU returns the CPU whose values the caller works on, if the map has
// values per CPU.
func (m *object) currentCPU() int {
	if !m.Spec().Kind.PerCPU() {
		return 0
	}
	return int(host.Func[func() uint32]("GetSmpProcessorId")()) % bind.PossibleCPUs()
}

func mapLookup[K, V any](ref MapRef, k *K) *V {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	p, err := m.Backend().Pointer(setKey(m, b, k), m.currentCPU())
	if errors.Is(err, syscall.EOPNOTSUPP) {
		panic("ebpf: Lookup on the host of a map that is in the kernel: pointers do not reach there; use Get and Set")
	}
	return (*V)(p)
}

func mapLookupCPU[K, V any](ref MapRef, k *K, cpu uint32) *V {
	zeroPadding(k)
	return (*V)(MapLookupPercpuElem(ref, unsafe.Pointer(k), cpu))
}

func mapGet[K, V any](ref MapRef, k *K) (v V, ok bool) {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	if m.Backend().Lookup(setKey(m, b, k), b.value) != nil {
		return v, false
	}
	return getValue[V](m, b.value[m.currentCPU()*m.Spec().ValueStride():]), true
}

func mapUpdate[K, V any](ref MapRef, k *K, v *V, flags uint64) error {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	if m.Spec().Kind.PerCPU() {
		return m.Backend().UpdateCPU(setKey(m, b, k), setValue(m, b, v), m.currentCPU(), flags)
	}
	return m.Backend().Update(setKey(m, b, k), setValue(m, b, v), flags)
}

func mapDelete[K any](ref MapRef, k *K) error {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	return m.Backend().Delete(setKey(m, b, k))
}

func mapAdd[K, V any](ref MapRef, k *K, delta V) error {
	n := integer(delta)
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	return m.Backend().Add(setKey(m, b, k), m.currentCPU(), n)
}

// integer returns the bits of x, which must be what can be added atomically.
func integer[T any](x T) uint64 {
	switch t := reflect.TypeFor[T](); t.Kind() {
	case reflect.Int32, reflect.Uint32:
		return uint64(*(*uint32)(unsafe.Pointer(&x)))
	case reflect.Int, reflect.Uint, reflect.Int64, reflect.Uint64, reflect.Uintptr:
		return *(*uint64)(unsafe.Pointer(&x))
	default:
		panic(fmt.Sprintf("ebpf: Add of %s: only integers of 32 and 64 bits can be added to atomically", t))
	}
}

func mapLookupOrInit[K, V any](ref MapRef, k *K, v *V) *V {
	p := mapLookup[K, V](ref, k)
	if p == nil {
		// It may exist by now, which is as good.
		_ = mapUpdate(ref, k, v, UpdateNoExist)
		p = mapLookup[K, V](ref, k)
	}
	return p
}

func mapEach[K, V any](ref MapRef, yield func(k *K, v *V) bool) {
	m := ref.native()
	at := m.currentCPU() * m.Spec().ValueStride()
	// A map that is closed meanwhile ends here.
	_ = m.Backend().Iterate(func(key, value []byte) bool {
		k, v := getKey[K](key), getValue[V](m, value[at:])
		return yield(&k, &v)
	})
}

// mapValue returns where the value of an array's first entry is. Of a closed
// map it is where it was last, which backends leave in place.
func mapValue(ref MapRef) unsafe.Pointer {
	m := ref.native()
	p, err := m.Backend().Pointer(firstKey, 0)
	switch {
	case err == nil:
		if m.value.Load() != (*byte)(p) {
			m.value.Store((*byte)(p))
		}
	case errors.Is(err, os.ErrClosed):
		return unsafe.Pointer(m.value.Load())
	default:
		panic(fmt.Sprintf("ebpf: variable: %v", err))
	}
	return p
}

var firstKey = make([]byte, 4)
