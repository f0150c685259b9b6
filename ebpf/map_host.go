package ebpf

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
	"github.com/undergo-ebpf/undergo/ebpf/internal/mem"
)

// This file has the host's side of the operations that the methods of typed maps
// are made of, on the backend of the map.

// An object is what a handle points to.
type object struct {
	bind.Map
	keyPadding, valuePadding []span
	buffers                  sync.Pool // of *buffer
	// refs keeps the maps that are entries of a map of maps, by their IDs.
	refs sync.Map
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
func getValue[V any](b []byte) (v V) {
	copy(bytesOf(&v), b)
	return v
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

func mapGet[K, V any](ref MapRef, k *K) (v V, ok bool) {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	if m.Backend().Lookup(setKey(m, b, k), b.value) != nil {
		return v, false
	}
	return getValue[V](b.value[m.currentCPU()*m.Spec().ValueStride():]), true
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
		k, v := getValue[K](key), getValue[V](value[at:])
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

// failMap makes a constructor panic.
func failMap(spec *bind.Spec, err error) {
	panic(fmt.Sprintf("ebpf: map of type %s: %v", spec.Kind, err))
}

// newSpec returns the description of a map of the named kind. K and V are the
// types of keys and values; struct{} stands for no key.
func newSpec(kind string, maxEntries int, opts []MapOption) bind.Spec {
	k, ok := bind.ParseKind(kind)
	if !ok {
		panic(fmt.Sprintf("BUG: no map type %q", kind))
	}
	var o mapOptions
	for _, opt := range opts {
		opt(&o)
	}
	spec := bind.Spec{Kind: k, Name: o.name, Flags: o.flags, Pin: o.pin, Extra: uint64(o.hashes)}
	if o.numa {
		spec.Flags |= FlagNUMANode
		spec.NUMANode = o.numaNode
	}
	if maxEntries < 0 || uint64(maxEntries) > math.MaxUint32 {
		failMap(&spec, fmt.Errorf("%d entries", maxEntries))
	}
	spec.MaxEntries = uint32(maxEntries)
	return spec
}

// setTypes makes K and V the types of the map's entries.
func setTypes[K, V any](spec *bind.Spec) {
	spec.Key, spec.Value = reflect.TypeFor[K](), reflect.TypeFor[V]()
	if err := plain(spec.Key, true); err != nil {
		failMap(spec, fmt.Errorf("key: %w", err))
	}
	if err := plain(spec.Value, false); err != nil {
		failMap(spec, fmt.Errorf("value: %w", err))
	}
	spec.KeySize, spec.ValueSize = uint32(spec.Key.Size()), max(1, uint32(spec.Value.Size()))
	if spec.KeySize == 0 {
		failMap(spec, fmt.Errorf("key: %s has no size: use an Array of one entry, or a Var", spec.Key))
	}
	if spec.KeySize > maxKeySize {
		failMap(spec, fmt.Errorf("key: %s has %d bytes, and the kernel takes no more than %d", spec.Key, spec.KeySize, maxKeySize))
	}
}

// maxKeySize is MAX_BPF_STACK, which limits keys: kernel/bpf/hashtab.c, htab_map_alloc_check.
const maxKeySize = 512

// newObject makes and registers a map that is made at site.
func newObject(spec bind.Spec, site bind.Site, children map[string]*bind.Map) unsafe.Pointer {
	m := &object{keyPadding: padding(spec.Key), valuePadding: padding(spec.Value)}
	m.Init(spec, site, mem.New, children)
	return unsafe.Pointer(m)
}

// newMap makes the map of a constructor, which calls it.
func newMap[K comparable, V any](kind string, maxEntries int, opts []MapOption) unsafe.Pointer {
	spec := newSpec(kind, maxEntries, opts)
	if spec.MaxEntries == 0 {
		failMap(&spec, errors.New("no entries"))
	}
	setTypes[K, V](&spec)
	return newObject(spec, bind.Caller(2), nil)
}

func newVar[T any](initial T, opts []MapOption) unsafe.Pointer {
	spec := newSpec("array", 1, opts)
	spec.Flags |= FlagMmapable
	setTypes[uint32, T](&spec)
	p := newObject(spec, bind.Caller(2), nil)
	atomicStore((*T)(mapValue(MapRef{p})), initial)
	return p
}

// newLost makes the counter that belongs to the map of a constructor.
func newLost() *Var[uint64] {
	spec := newSpec("array", 1, nil)
	spec.Flags |= FlagMmapable
	setTypes[uint32, uint64](&spec)
	v := new(Var[uint64])
	v.p = newObject(spec, bind.Site{}, nil)
	v.Load() // so that there is a place after Close
	return v
}

func newRing[T any](kind string, size int, opts []MapOption, lost *Var[uint64]) unsafe.Pointer {
	spec := newSpec(kind, size, opts)
	if size < os.Getpagesize() || size&(size-1) != 0 {
		failMap(&spec, fmt.Errorf("%d bytes: the size must be a power of 2 and a multiple of the page size, %d", size, os.Getpagesize()))
	}
	spec.Value = reflect.TypeFor[T]()
	if err := plain(spec.Value, false); err != nil {
		failMap(&spec, fmt.Errorf("record: %w", err))
	}
	return newObject(spec, bind.Caller(2), map[string]*bind.Map{"lost": lost.Binding()})
}
