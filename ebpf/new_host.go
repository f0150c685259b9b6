package ebpf

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"time"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/ebpf/internal/mem"
)

// This file makes maps. What it has are the bodies of the constructors: each of
// them is called by one, and takes the place of that one's call for the map's.

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
	spec := bind.Spec{Kind: k, Name: o.name, Flags: o.flags, Pin: o.pin, Extra: uint64(o.hashes), Poll: time.Duration(o.poll)}
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

// newSized is newSpec for maps that need a size.
func newSized(kind string, maxEntries int, opts []MapOption) bind.Spec {
	spec := newSpec(kind, maxEntries, opts)
	if spec.MaxEntries == 0 {
		failMap(&spec, errors.New("no entries"))
	}
	return spec
}

// setTypes makes K and V the types of the map's entries.
func setTypes[K, V any](spec *bind.Spec) {
	setKeyType[K](spec)
	setValueType[V](spec)
}

func setKeyType[K any](spec *bind.Spec) {
	spec.Key = reflect.TypeFor[K]()
	spec.KeySize = uint32(spec.Key.Size())
	err := plain(spec.Key, true)
	switch {
	case err != nil:
	case spec.KeySize == 0:
		err = fmt.Errorf("%s has no size: use an Array of one entry, or a Var", spec.Key)
	case spec.KeySize > maxKeySize:
		err = fmt.Errorf("%s has %d bytes, and the kernel takes no more than %d", spec.Key, spec.KeySize, maxKeySize)
	}
	if err != nil {
		failMap(spec, fmt.Errorf("key: %w", err))
	}
}

func setValueType[V any](spec *bind.Spec) {
	spec.Value = reflect.TypeFor[V]()
	spec.ValueSize = max(1, uint32(spec.Value.Size()))
	if err := plain(spec.Value, false); err != nil {
		failMap(spec, fmt.Errorf("value: %w", err))
	}
}

// maxKeySize is MAX_BPF_STACK, which limits keys: kernel/bpf/hashtab.c, htab_map_alloc_check.
const maxKeySize = 512

// newObject makes and registers a map that is made at site.
func newObject(spec bind.Spec, site bind.Site, children map[string]*bind.Map) unsafe.Pointer {
	m := &object{
		keyPadding:   padding(spec.Key),
		valuePadding: padding(spec.Value),
		fields:       bind.KernelFields(spec.Value),
	}
	m.Init(spec, site, mem.New, children)
	return unsafe.Pointer(m)
}

// newMap makes the map of a constructor, which calls it.
func newMap[K comparable, V any](kind string, maxEntries int, opts []MapOption) unsafe.Pointer {
	spec := newSized(kind, maxEntries, opts)
	setTypes[K, V](&spec)
	return newObject(spec, bind.Caller(2), nil)
}

func newVar[T any](initial T, opts []MapOption) unsafe.Pointer {
	spec := newSpec("array", 1, opts)
	spec.Flags |= FlagMmapable
	setTypes[uint32, T](&spec)
	p := newObject(spec, bind.Caller(2), nil)
	(*object)(p).fixedSize = true
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
	(*object)(v.p).fixedSize = true
	v.Load() // so that there is a place after Close
	return v
}

// checkBuffer returns an error if size is not that of a buffer.
func checkBuffer(size int) error {
	page := os.Getpagesize()
	if size < page || size&(size-1) != 0 {
		return fmt.Errorf("%d bytes: the size must be a power of 2 and a multiple of the page size, %d", size, page)
	}
	return nil
}

// setRecordType makes T the type of records.
func setRecordType[T any](spec *bind.Spec) {
	spec.Value = reflect.TypeFor[T]()
	if err := plain(spec.Value, false); err != nil {
		failMap(spec, fmt.Errorf("record: %w", err))
	}
}

func newRing[T any](kind string, size int, opts []MapOption, lost *Var[uint64]) unsafe.Pointer {
	spec := newSpec(kind, size, opts)
	if err := checkBuffer(size); err != nil {
		failMap(&spec, err)
	}
	setRecordType[T](&spec)
	var children map[string]*bind.Map
	if lost != nil {
		children = map[string]*bind.Map{"lost": lost.Binding()}
	}
	return newObject(spec, bind.Caller(2), children)
}

func newPerf[T any](kind string, size int, opts []MapOption) unsafe.Pointer {
	spec := newSpec(kind, 0, opts)
	if err := checkBuffer(size); err != nil {
		failMap(&spec, err)
	}
	setRecordType[T](&spec)
	spec.KeySize, spec.ValueSize, spec.Buffer = 4, 4, size
	return newObject(spec, bind.Caller(2), nil)
}

func newTrie[A comparable, V any](kind string, maxEntries int, opts []MapOption) unsafe.Pointer {
	spec := newSized(kind, maxEntries, opts)
	spec.Flags |= FlagNoPrealloc
	setTypes[Prefix[A], V](&spec)
	addr := reflect.TypeFor[A]()
	switch {
	case addr.Align() > 4:
		failMap(&spec, fmt.Errorf("key: %s is aligned to %d bytes, and a prefix begins at byte 4: use an array of bytes", addr, addr.Align()))
	case addr.Size() == 0 || addr.Size() > maxPrefix:
		failMap(&spec, fmt.Errorf("key: %s has %d bytes, and prefixes have 1 to %d", addr, addr.Size(), maxPrefix))
	}
	spec.KeySize = uint32(4 + addr.Size())
	return newObject(spec, bind.Caller(2), nil)
}

// maxPrefix is LPM_DATA_SIZE_MAX of kernel/bpf/lpm_trie.c.
const maxPrefix = 256

// newKeyless makes a map that has values and no keys.
func newKeyless[V any](kind string, maxEntries int, opts []MapOption) unsafe.Pointer {
	spec := newSized(kind, maxEntries, opts)
	setValueType[V](&spec)
	return newObject(spec, bind.Caller(2), nil)
}

func newNested[K comparable](kind string, maxEntries int, inner MapRef, opts []MapOption) unsafe.Pointer {
	spec := newSized(kind, maxEntries, opts)
	setKeyType[K](&spec)
	spec.ValueSize = 4
	spec.Inner = inner.native().Spec()
	if spec.Inner.Inner != nil {
		failMap(&spec, errors.New("maps of maps cannot be in another"))
	}
	return newObject(spec, bind.Caller(2), nil)
}

// newReferences makes a map whose values stand for something else, such as
// file descriptors.
func newReferences[K comparable](kind string, maxEntries int, valueSize uint32, opts []MapOption) unsafe.Pointer {
	spec := newSized(kind, maxEntries, opts)
	setKeyType[K](&spec)
	spec.ValueSize = valueSize
	return newObject(spec, bind.Caller(2), nil)
}

// newStorage makes a map whose keys are, in system calls, file descriptors.
func newStorage[V any](kind string, opts []MapOption) unsafe.Pointer {
	spec := newSpec(kind, 0, opts)
	spec.Flags |= FlagNoPrealloc
	setTypes[int32, V](&spec)
	return newObject(spec, bind.Caller(2), nil)
}
