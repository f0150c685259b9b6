package ebpf

import (
	"fmt"
	"iter"
	"reflect"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file has the host's methods of per-CPU maps, which see the values of all CPUs.

// perCPUValues returns the values of all CPUs that b holds.
func perCPUValues[V any](m *object, b []byte) []V {
	values := make([]V, bind.PossibleCPUs())
	for i := range values {
		values[i] = getValue[V](m, b[i*m.Spec().ValueStride():])
	}
	return values
}

func perCPUGet[K, V any](ref MapRef, k *K) ([]V, bool) {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	if m.Backend().Lookup(setKey(m, b, k), b.value) != nil {
		return nil, false
	}
	return perCPUValues[V](m, b.value), true
}

func perCPUSet[K, V any](ref MapRef, k *K, values []V) error {
	m := ref.native()
	if len(values) != bind.PossibleCPUs() {
		return fmt.Errorf("%d values for %d CPUs", len(values), bind.PossibleCPUs())
	}
	b := m.buffer()
	defer m.buffers.Put(b)
	clear(b.value)
	for i := range values {
		at := b.value[i*m.Spec().ValueStride():]
		copy(at, bytesOf(&values[i]))
		for _, s := range m.valuePadding {
			clear(at[s.from:s.to])
		}
	}
	return m.Backend().Update(setKey(m, b, k), b.value, UpdateAny)
}

func perCPUEach[K, V any](ref MapRef, yield func(K, []V) bool) {
	m := ref.native()
	// A map that is closed meanwhile ends here.
	_ = m.Backend().Iterate(func(key, value []byte) bool {
		return yield(getKey[K](key), perCPUValues[V](m, value))
	})
}

// sum adds up integers of any size and wraps around.
func sum[V any](values []V) (s V) {
	switch t := reflect.TypeFor[V](); t.Kind() {
	case reflect.Int8, reflect.Uint8:
		return sumAs[uint8](values)
	case reflect.Int16, reflect.Uint16:
		return sumAs[uint16](values)
	case reflect.Int32, reflect.Uint32:
		return sumAs[uint32](values)
	case reflect.Int, reflect.Uint, reflect.Int64, reflect.Uint64, reflect.Uintptr:
		return sumAs[uint64](values)
	default:
		panic(fmt.Sprintf("ebpf: Sum of %s: only integers have one; add up what CPUValues returns", t))
	}
}

func sumAs[I uint8 | uint16 | uint32 | uint64, V any](values []V) V {
	var s I
	for _, x := range unsafe.Slice((*I)(unsafe.Pointer(unsafe.SliceData(values))), len(values)) {
		s += x
	}
	return *(*V)(unsafe.Pointer(&s))
}

// CPUValues returns the values of key k on all CPUs, by number, and whether the entry exists.
//
// Host only.
func (m *perCPU[K, V]) CPUValues(k K) ([]V, bool) { return perCPUGet[K, V](m.ref(), &k) }

// SetCPUValues sets the values of key k on all CPUs. There must be as many as
// CPUValues returns.
//
// Host only.
func (m *perCPU[K, V]) SetCPUValues(k K, values []V) error { return perCPUSet(m.ref(), &k, values) }

// Sum returns the sum of the values of key k on all CPUs, and whether the entry exists.
// It panics if V is no integer type.
//
// Host only.
func (m *perCPU[K, V]) Sum(k K) (V, bool) {
	values, ok := m.CPUValues(k)
	return sum(values), ok
}

// All returns an iterator over keys and their values on all CPUs, in no particular
// order. It treats changes as that of [Hash] does.
//
// Host only.
func (m *perCPU[K, V]) All() iter.Seq2[K, []V] {
	return func(yield func(K, []V) bool) { perCPUEach(m.ref(), yield) }
}

// Sums is All with the sum of the values.
//
// Host only.
func (m *perCPU[K, V]) Sums() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		perCPUEach(m.ref(), func(k K, values []V) bool { return yield(k, sum(values)) })
	}
}

// Keys is All without values.
//
// Host only.
func (m *perCPU[K, V]) Keys() iter.Seq[K] {
	return func(yield func(K) bool) {
		perCPUEach(m.ref(), func(k K, _ []V) bool { return yield(k) })
	}
}

// Len returns the number of entries, which are counted; a closed map has none.
//
// Host only.
func (m *perCPU[K, V]) Len() int { return m.ref().native().length() }

// Clear removes all entries that there are when it is called.
//
// Host only.
func (m *perCPU[K, V]) Clear() error { return clearMap(m.ref().native()) }

// CPUValues returns the values of entry i on all CPUs, by number, and whether there is
// such an entry.
//
// Host only.
func (m *PerCPUArray[V]) CPUValues(i uint32) ([]V, bool) { return perCPUGet[uint32, V](m.ref(), &i) }

// SetCPUValues sets the values of entry i on all CPUs. There must be as many as
// CPUValues returns.
//
// Host only.
func (m *PerCPUArray[V]) SetCPUValues(i uint32, values []V) error {
	return perCPUSet(m.ref(), &i, values)
}

// Sum returns the sum of the values of entry i on all CPUs, and whether there is
// such an entry. It panics if V is no integer type.
//
// Host only.
func (m *PerCPUArray[V]) Sum(i uint32) (V, bool) {
	values, ok := m.CPUValues(i)
	return sum(values), ok
}

// All returns an iterator over indices and the values on all CPUs, in order.
//
// Host only.
func (m *PerCPUArray[V]) All() iter.Seq2[uint32, []V] {
	return func(yield func(uint32, []V) bool) { perCPUEach(m.ref(), yield) }
}

// Sums is All with the sum of the values.
//
// Host only.
func (m *PerCPUArray[V]) Sums() iter.Seq2[uint32, V] {
	return func(yield func(uint32, V) bool) {
		perCPUEach(m.ref(), func(i uint32, values []V) bool { return yield(i, sum(values)) })
	}
}

// Len returns the number of entries, all of which exist.
//
// Host only.
func (m *PerCPUArray[V]) Len() int { return int(m.ref().native().Spec().MaxEntries) }
