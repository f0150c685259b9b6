package ebpf

// A Map is a map of any type: what a map of maps has as values.
type Map interface{ ref() MapRef }

// A HashOfMaps is a hash map whose values are maps of type M, all alike:
// BPF_MAP_TYPE_HASH_OF_MAPS, Linux 4.12. Programs only look up.
//
//	var perTenant = ebpf.NewHashOfMaps[uint32](100, ebpf.NewHash[uint32, uint64](1000))
//
//ebpf:map hash_of_maps key=K value=4 inner=M
type HashOfMaps[K comparable, M Map] struct{ mapsByKey[K, M] }

// NewHashOfMaps returns a hash map of maps that are like inner, with room for
// maxEntries of them. Inner is an example only, and not an entry.
//
//ebpf:intrinsic newmap
//go:noinline
func NewHashOfMaps[K comparable, M Map](maxEntries int, inner M, opts ...MapOption) *HashOfMaps[K, M] {
	m := new(HashOfMaps[K, M])
	m.p = newNested[K]("hash_of_maps", maxEntries, inner.ref(), opts)
	return m
}

// An ArrayOfMaps is an array whose values are maps of type M, all alike:
// BPF_MAP_TYPE_ARRAY_OF_MAPS, Linux 4.12. An entry may be empty. Programs only look
// up.
//
//ebpf:map array_of_maps key=4 value=4 inner=M
type ArrayOfMaps[M Map] struct{ mapsByKey[uint32, M] }

// NewArrayOfMaps returns an array of length maps that are like inner, empty at
// first. Inner is an example only, and not an entry.
//
//ebpf:intrinsic newmap
//go:noinline
func NewArrayOfMaps[M Map](length int, inner M, opts ...MapOption) *ArrayOfMaps[M] {
	m := new(ArrayOfMaps[M])
	m.p = newNested[uint32]("array_of_maps", length, inner.ref(), opts)
	return m
}

// mapsByKey is the methods of maps of maps.
type mapsByKey[K comparable, M Map] struct{ handle }

// Lookup returns the map with key k, or nil.
func (m *mapsByKey[K, M]) Lookup(k K) M { return nestedLookup[K, M](m.ref(), &k) }
