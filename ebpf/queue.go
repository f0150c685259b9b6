package ebpf

import "unsafe"

// A Queue is a queue of values, first in, first out: BPF_MAP_TYPE_QUEUE, Linux
// 4.20.
//
//ebpf:map queue value=V
type Queue[V any] struct{ sequence[V] }

// NewQueue returns a queue with room for maxEntries values. It panics if the type
// or the number cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewQueue[V any](maxEntries int, opts ...MapOption) *Queue[V] {
	m := new(Queue[V])
	m.p = newKeyless[V]("queue", maxEntries, opts)
	return m
}

// A Stack is a stack of values, last in, first out: BPF_MAP_TYPE_STACK, Linux 4.20.
//
//ebpf:map stack value=V
type Stack[V any] struct{ sequence[V] }

// NewStack returns a stack with room for maxEntries values. It panics if the type
// or the number cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewStack[V any](maxEntries int, opts ...MapOption) *Stack[V] {
	m := new(Stack[V])
	m.p = newKeyless[V]("stack", maxEntries, opts)
	return m
}

// sequence is the methods of queues and stacks.
type sequence[V any] struct{ handle }

// Push adds a value. The error is syscall.E2BIG if there is no room.
func (m *sequence[V]) Push(v V) error {
	zeroPadding(&v)
	return errnoError(MapPushElem(m.ref(), unsafe.Pointer(&v), UpdateAny))
}

// PushOver adds a value. If there is no room it drops the value that has been there
// for longest.
func (m *sequence[V]) PushOver(v V) error {
	zeroPadding(&v)
	return errnoError(MapPushElem(m.ref(), unsafe.Pointer(&v), UpdateExist))
}

// Pop removes and returns the next value, and whether there is one.
func (m *sequence[V]) Pop() (v V, ok bool) {
	ok = MapPopElem(m.ref(), unsafe.Pointer(&v)) == 0
	return v, ok
}

// Peek returns the next value, and whether there is one.
func (m *sequence[V]) Peek() (v V, ok bool) {
	ok = MapPeekElem(m.ref(), unsafe.Pointer(&v)) == 0
	return v, ok
}

// A Bloom is a Bloom filter: a set of values that takes little memory, because it
// may find a value in it that it does not have. The other way round it never
// errs. BPF_MAP_TYPE_BLOOM_FILTER, Linux 5.16.
//
//ebpf:map bloom_filter value=V
type Bloom[V any] struct{ handle }

// NewBloom returns a Bloom filter for about maxEntries values. It panics if the type or
// the number cannot be those of a map.
//
//ebpf:intrinsic newmap
//go:noinline
func NewBloom[V any](maxEntries int, opts ...MapOption) *Bloom[V] {
	m := new(Bloom[V])
	m.p = newKeyless[V]("bloom_filter", maxEntries, opts)
	return m
}

// BloomHashes sets the number of hash functions of a [Bloom], from 1 to 15. It is 5
// without this option.
func BloomHashes(n int) MapOption { return func(o *mapOptions) { o.hashes = n } }

// Add adds a value. There is room for any number, but the more values there
// are, the more others are found too.
func (m *Bloom[V]) Add(v V) error {
	zeroPadding(&v)
	return errnoError(MapPushElem(m.ref(), unsafe.Pointer(&v), UpdateAny))
}

// Contains reports whether v may have been added. If it says no, it has not.
func (m *Bloom[V]) Contains(v V) bool {
	zeroPadding(&v)
	return MapPeekElem(m.ref(), unsafe.Pointer(&v)) == 0
}
