package ebpf

import "unsafe"

// This file holds what all typed maps have in common. Like every file of maps
// that imports nothing but unsafe it is compiled twice: natively, on the
// operations of map_host.go, and in the kernel, on those of stub_map.go, which
// have the same names.

// A handle is the first field of every map type. Natively it points to the map's
// [bind.Map]. In the kernel a map whose address is known has none of this
// memory: the compiler follows it from the variable to ref.
type handle struct{ p unsafe.Pointer }

// ref returns the map for the helpers.
//
//ebpf:intrinsic mapref
func (h *handle) ref() MapRef { return MapRef{h.p} }

// sizeOf returns the size of a T.
func sizeOf[T any]() uintptr {
	var v T
	return unsafe.Sizeof(v)
}

// A MapOption changes how a map is made: see [MapName], [MapFlags], [MapPin] and
// [MapNUMANode].
type MapOption func(*mapOptions)

type mapOptions struct {
	name     string
	flags    uint32
	pin      string
	numa     bool
	numaNode uint32
	hashes   int
	poll     int64
}

// MapName sets the name that the kernel shows for the map, of which it keeps 15
// bytes. Without it the name is made of the variable's.
func MapName(name string) MapOption { return func(o *mapOptions) { o.name = name } }

// MapFlags sets further flags of the map, such as [FlagNoPrealloc], from
// BPF_F_... of linux/bpf.h. Those that a type cannot do without are set anyway.
func MapFlags(flags uint32) MapOption { return func(o *mapOptions) { o.flags |= flags } }

// MapPin makes programs use the map that is pinned at path in a BPF file system.
// If there is none, the map that is made is pinned there, and stays when the process
// ends. A map of other sizes there is an error when a program is loaded.
func MapPin(path string) MapOption { return func(o *mapOptions) { o.pin = path } }

// MapNUMANode makes the kernel take the map's memory from a NUMA node. Linux 4.14.
func MapNUMANode(node int) MapOption {
	return func(o *mapOptions) { o.numa, o.numaNode = true, uint32(node) }
}

// values is the methods of maps whose entries can be read and written.
type values[K comparable, V any] struct{ handle }

// Lookup returns a pointer to the value of key k, or nil if the map has no such
// entry. What is written through it is in the map. To access a value that others
// may access at the same time, use [sync/atomic].
//
// In a per-CPU map it is the value of the CPU that the program runs on.
//
// It is for kernel-side code. On the host it works as long as the map is in
// memory, which is for tests of such code, and for an [Array]; of other maps
// in the kernel the host has only copies, so Lookup panics: use Get and Set.
func (m *values[K, V]) Lookup(k K) *V { return mapLookup[K, V](m.ref(), &k) }

// Get returns a copy of the value of key k, and whether there is one. On a
// closed map there is none.
//
// In a per-CPU map it is the value of the CPU that the caller runs on.
func (m *values[K, V]) Get(k K) (v V, ok bool) { return mapGet[K, V](m.ref(), &k) }

// Set sets the value of key k. If that is a new entry and the map is full, the error
// is syscall.E2BIG (of an [LPMTrie] ENOSPC).
//
// In a per-CPU map it sets the value of the CPU that the caller runs on, and if
// the entry is new, those of the others to zero.
func (m *values[K, V]) Set(k K, v V) error { return mapUpdate(m.ref(), &k, &v, UpdateAny) }

// Add adds delta to the value of key k, which must be an integer type of 32 or 64
// bits, and wraps around. If the map has no such entry it is made, with the
// value 0 before the addition. No addition is lost, wherever it comes from.
//
// The error is that of making the entry: syscall.E2BIG if the map is full.
func (m *values[K, V]) Add(k K, delta V) error { return mapAdd(m.ref(), &k, delta) }

// entries is the methods of maps whose entries can be made and removed.
type entries[K comparable, V any] struct{ values[K, V] }

// SetIfAbsent makes an entry. If there is one with the key already it changes
// nothing and returns syscall.EEXIST.
func (m *entries[K, V]) SetIfAbsent(k K, v V) error {
	return mapUpdate(m.ref(), &k, &v, UpdateNoExist)
}

// SetIfPresent changes the value of an entry. If there is none with the key it
// returns syscall.ENOENT.
func (m *entries[K, V]) SetIfPresent(k K, v V) error {
	return mapUpdate(m.ref(), &k, &v, UpdateExist)
}

// Delete removes the entry with key k. If there is none it returns
// syscall.ENOENT.
func (m *entries[K, V]) Delete(k K) error { return mapDelete(m.ref(), &k) }

// LookupOrInit is Lookup, but makes an entry with the value v if there is
// none. It returns nil only if the map is full.
func (m *entries[K, V]) LookupOrInit(k K, v V) *V { return mapLookupOrInit(m.ref(), &k, &v) }

// table is the methods of maps that are iterated over in programs as well.
type table[K comparable, V any] struct{ entries[K, V] }

// All returns an iterator over the entries of the map, in no particular order:
//
//	for k, v := range m.All() {
//
// An entry that is there all the while is passed once. One that is made or
// removed meanwhile may be passed or not. The loop may change the map, the entry
// it is at included.
//
// In programs Linux 5.13 (bpf_for_each_map_elem); the loop's body then is a
// function of its own, and loops in it count for the verifier once. On the host
// entries are read in batches, Linux 5.6.
func (m *table[K, V]) All() func(yield func(K, V) bool) {
	return func(yield func(K, V) bool) {
		mapEach(m.ref(), func(k *K, v *V) bool { return yield(*k, *v) })
	}
}

// Keys is [table.All] without values.
func (m *table[K, V]) Keys() func(yield func(K) bool) {
	return func(yield func(K) bool) {
		mapEach(m.ref(), func(k *K, _ *V) bool { return yield(*k) })
	}
}

// Values is [table.All] without keys.
func (m *table[K, V]) Values() func(yield func(V) bool) {
	return func(yield func(V) bool) {
		mapEach(m.ref(), func(_ *K, v *V) bool { return yield(*v) })
	}
}
