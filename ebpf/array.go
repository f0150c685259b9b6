package ebpf

// An Array is a map of the indices from 0 to a length: BPF_MAP_TYPE_ARRAY, Linux
// 3.19. All entries exist from the start, with zero values, and cannot be
// removed. A value is changed in place.
//
// Set and Add of an index beyond the end return syscall.E2BIG.
//
// On the host, values can be used through pointers and without system calls
// if the array has the flag [FlagMmapable], Linux 5.5.
//
//ebpf:map array key=4 value=V
type Array[V any] struct{ values[uint32, V] }

// NewArray returns an array of length entries. It panics if the type or the length
// cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewArray[V any](length int, opts ...MapOption) *Array[V] {
	m := new(Array[V])
	m.p = newMap[uint32, V]("array", length, opts)
	return m
}

// All returns an iterator over indices and values, in order. In programs Linux
// 5.13.
func (m *Array[V]) All() func(yield func(uint32, V) bool) {
	return func(yield func(uint32, V) bool) {
		mapEach(m.ref(), func(k *uint32, v *V) bool { return yield(*k, *v) })
	}
}

// Values is [Array.All] without indices.
func (m *Array[V]) Values() func(yield func(V) bool) {
	return func(yield func(V) bool) {
		mapEach(m.ref(), func(_ *uint32, v *V) bool { return yield(*v) })
	}
}

// A PerCPUArray is an array in which each entry has a value for every CPU:
// BPF_MAP_TYPE_PERCPU_ARRAY, Linux 4.6.
//
//ebpf:map percpu_array key=4 value=V
type PerCPUArray[V any] struct{ values[uint32, V] }

// NewPerCPUArray returns a per-CPU array of length entries. It panics if the
// type or the length cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewPerCPUArray[V any](length int, opts ...MapOption) *PerCPUArray[V] {
	m := new(PerCPUArray[V])
	m.p = newMap[uint32, V]("percpu_array", length, opts)
	return m
}

// LookupCPU is Lookup for the value of another CPU, or nil if there is no such CPU. In programs Linux 5.19.
func (m *PerCPUArray[V]) LookupCPU(i, cpu uint32) *V {
	return mapLookupCPU[uint32, V](m.ref(), &i, cpu)
}
