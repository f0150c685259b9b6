package ebpf

// A Hash is a hash map: BPF_MAP_TYPE_HASH, Linux 3.19.
//
// Kernel memory for all entries is taken when the map is made, unless it has
// [FlagNoPrealloc]. See the package comment for what keys and values can be.
//
// After Set replaced a value, or Delete removed it, a pointer from
// Lookup points to the former value, whose memory soon is another entry's.
//
//ebpf:map hash key=K value=V
type Hash[K comparable, V any] struct{ table[K, V] }

// NewHash returns a hash map with room for maxEntries entries. It panics if the
// types or the number cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewHash[K comparable, V any](maxEntries int, opts ...MapOption) *Hash[K, V] {
	m := new(Hash[K, V])
	m.p = newMap[K, V]("hash", maxEntries, opts)
	return m
}

// An LRUHash is a hash map that makes room when it is full, by removing
// entries that have not been used for long: BPF_MAP_TYPE_LRU_HASH, Linux 4.10.
// Which, the kernel decides roughly, and it may do so before the map is quite
// full; in memory it is exactly the entry whose last use is longest ago.
//
//ebpf:map lru_hash key=K value=V
type LRUHash[K comparable, V any] struct{ table[K, V] }

// NewLRUHash returns an LRU hash map for maxEntries entries. It panics if the
// types or the number cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewLRUHash[K comparable, V any](maxEntries int, opts ...MapOption) *LRUHash[K, V] {
	m := new(LRUHash[K, V])
	m.p = newMap[K, V]("lru_hash", maxEntries, opts)
	return m
}

// A PerCPUHash is a hash map in which each entry has a value for every CPU, so
// that programs change values without waiting for each other:
// BPF_MAP_TYPE_PERCPU_HASH, Linux 4.6.
//
//ebpf:map percpu_hash key=K value=V
type PerCPUHash[K comparable, V any] struct{ perCPU[K, V] }

// NewPerCPUHash returns a per-CPU hash map with room for maxEntries entries. It
// panics if the types or the number cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewPerCPUHash[K comparable, V any](maxEntries int, opts ...MapOption) *PerCPUHash[K, V] {
	m := new(PerCPUHash[K, V])
	m.p = newMap[K, V]("percpu_hash", maxEntries, opts)
	return m
}

// An LRUPerCPUHash is a [PerCPUHash] that makes room as an [LRUHash] does:
// BPF_MAP_TYPE_LRU_PERCPU_HASH, Linux 4.10.
//
//ebpf:map lru_percpu_hash key=K value=V
type LRUPerCPUHash[K comparable, V any] struct{ perCPU[K, V] }

// NewLRUPerCPUHash returns an LRU per-CPU hash map for maxEntries entries. It
// panics if the types or the number cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewLRUPerCPUHash[K comparable, V any](maxEntries int, opts ...MapOption) *LRUPerCPUHash[K, V] {
	m := new(LRUPerCPUHash[K, V])
	m.p = newMap[K, V]("lru_percpu_hash", maxEntries, opts)
	return m
}

// perCPU is the methods of hash maps with values per CPU.
type perCPU[K comparable, V any] struct{ entries[K, V] }

// LookupCPU is Lookup for the value of another CPU, or nil if there is no such CPU. In programs Linux 5.19.
func (m *perCPU[K, V]) LookupCPU(k K, cpu uint32) *V { return mapLookupCPU[K, V](m.ref(), &k, cpu) }
