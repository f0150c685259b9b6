package ebpf

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// This file has the host's side of maps of maps.

// nested is the maps that are the values of a map of maps, by key: a backend knows
// only their numbers.
type nested struct {
	sync.Mutex
	maps map[string]Map
}

func nestedLookup[K comparable, M Map](ref MapRef, k *K) (inner M) {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	m.nested.Lock()
	defer m.nested.Unlock()
	if m.Backend().Lookup(setKey(m, b, k), b.value) != nil {
		return inner
	}
	// It is not there if it was put in by another process.
	inner, _ = m.nested.maps[string(b.key)].(M)
	return inner
}

// Get returns the map with key k, and whether there is one that this process has set.
//
// Host only.
func (m *mapsByKey[K, M]) Get(k K) (inner M, ok bool) {
	inner = nestedLookup[K, M](m.ref(), &k)
	return inner, Map(inner) != Map(*new(M))
}

// Set makes inner the map with key k. It must be like the example that the constructor
// was given, but for the number of entries, Linux 5.10.
//
// Host only.
func (m *mapsByKey[K, M]) Set(k K, inner M) error {
	o := m.ref().native()
	i := inner.ref().native()
	want := *o.Spec().Inner
	want.MaxEntries = 0
	if err := want.Compatible(i.Spec()); err != nil {
		return fmt.Errorf("set inner map: %w", err)
	}
	b := o.buffer()
	defer o.buffers.Put(b)
	o.nested.Lock()
	defer o.nested.Unlock()
	setKey(o, b, &k)
	binary.NativeEndian.PutUint32(b.value, i.ID())
	if err := o.Backend().Update(b.key, b.value, UpdateAny); err != nil {
		return err
	}
	if o.nested.maps == nil {
		o.nested.maps = make(map[string]Map)
	}
	o.nested.maps[string(b.key)] = inner
	return nil
}

// Delete removes the map with key k. The error is syscall.ENOENT if there is none.
//
// Host only.
func (m *mapsByKey[K, M]) Delete(k K) error {
	o := m.ref().native()
	b := o.buffer()
	defer o.buffers.Put(b)
	o.nested.Lock()
	defer o.nested.Unlock()
	if err := o.Backend().Delete(setKey(o, b, &k)); err != nil {
		return err
	}
	delete(o.nested.maps, string(b.key))
	return nil
}

// Keys returns an iterator over the keys that have a map.
//
// Host only.
func (m *mapsByKey[K, M]) Keys() func(yield func(K) bool) {
	return func(yield func(K) bool) {
		_ = m.ref().native().Backend().Iterate(func(key, _ []byte) bool { return yield(getKey[K](key)) })
	}
}
