package ebpf

// A Prefix is the key of an [LPMTrie]: the first Bits bits of Addr, counted from
// the most significant bit of its first byte. Addr is an array of bytes, or a type
// whose integers are in network byte order.
type Prefix[A comparable] struct {
	Bits uint32
	Addr A
}

// An LPMTrie is a map from prefixes, such as those of networks, in which a
// lookup finds the longest prefix of what is looked up: BPF_MAP_TYPE_LPM_TRIE,
// Linux 4.11.
//
//	routes.Set(ebpf.Prefix[[4]byte]{Bits: 8, Addr: [4]byte{10}}, 1)
//	v, ok := routes.Get([4]byte{10, 1, 2, 3})
//
// The kernel keeps a value right behind its address. Where the size of A is no multiple of
// 8, no atomic operation on 64 bits of a value may run on arm64, which faults: use a
// longer A, or count in another map.
//
//ebpf:map lpm_trie key=4+A value=V flags=0x1
type LPMTrie[A comparable, V any] struct{ handle }

// NewLPMTrie returns a map with room for maxEntries prefixes. It panics if
// the types or the number cannot be those of a map. An address has at most 256
// bytes, and no part of it is aligned to more than 4.
//
//ebpf:intrinsic newmap
//go:noinline
func NewLPMTrie[A comparable, V any](maxEntries int, opts ...MapOption) *LPMTrie[A, V] {
	m := new(LPMTrie[A, V])
	m.p = newTrie[A, V]("lpm_trie", maxEntries, opts)
	return m
}

// whole returns the prefix that is all of an address.
func whole[A comparable](addr A) Prefix[A] { return Prefix[A]{8 * uint32(sizeOf[A]()), addr} }

// Lookup returns a pointer to the value of the longest prefix of addr in the
// map, or nil if there is none. On the host it is for maps in memory, see
// [Hash.Lookup].
func (m *LPMTrie[A, V]) Lookup(addr A) *V { return m.LookupPrefix(whole(addr)) }

// LookupPrefix returns a pointer to the value of the longest prefix of p in the
// map, or nil if there is none.
func (m *LPMTrie[A, V]) LookupPrefix(p Prefix[A]) *V { return mapLookup[Prefix[A], V](m.ref(), &p) }

// Get returns a copy of the value of the longest prefix of addr in the map, and
// whether there is one.
func (m *LPMTrie[A, V]) Get(addr A) (V, bool) { return m.GetPrefix(whole(addr)) }

// GetPrefix returns a copy of the value of the longest prefix of p in the map, and
// whether there is one.
func (m *LPMTrie[A, V]) GetPrefix(p Prefix[A]) (V, bool) { return mapGet[Prefix[A], V](m.ref(), &p) }

// Set sets the value of exactly p. The error is syscall.ENOSPC if the map is full and
// EINVAL if p has more bits than an address.
func (m *LPMTrie[A, V]) Set(p Prefix[A], v V) error { return mapUpdate(m.ref(), &p, &v, UpdateAny) }

// Delete removes exactly p. The error is syscall.ENOENT if it is not in the map.
func (m *LPMTrie[A, V]) Delete(p Prefix[A]) error { return mapDelete(m.ref(), &p) }
