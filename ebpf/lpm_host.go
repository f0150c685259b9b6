package ebpf

import "iter"

// All returns an iterator over the prefixes in the map and their values.
//
// Host only.
func (m *LPMTrie[A, V]) All() iter.Seq2[Prefix[A], V] {
	return func(yield func(Prefix[A], V) bool) {
		mapEach(m.ref(), func(p *Prefix[A], v *V) bool { return yield(*p, *v) })
	}
}

// Len returns the number of prefixes in the map, which are counted; a closed map
// has none.
//
// Host only.
func (m *LPMTrie[A, V]) Len() int { return m.ref().native().length() }
