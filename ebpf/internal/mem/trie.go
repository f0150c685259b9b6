package mem

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// A trie is a longest prefix match map. A key is struct bpf_lpm_trie_key: a prefix
// length in bits, 4 bytes, and data of which that many bits count, most
// significant bits first.
//
// It is a hash map of prefixes with unused bits cleared, and the number of prefixes of
// each length, which says where a lookup has to look; for the sizes of tests
// that is as good as a tree.
type trie struct {
	common
	mu      sync.RWMutex
	maxBits uint32
	count   []int // of prefixes, by length
	entries map[string][]uint64
	order   []string
}

func newTrie(spec *bind.Spec) *trie {
	maxBits := 8 * (spec.KeySize - 4)
	return &trie{
		common:  common{spec},
		maxBits: maxBits,
		count:   make([]int, maxBits+1),
		entries: make(map[string][]uint64),
	}
}

// prefix returns the first n bits of key's data, as the key of entries.
func prefix(key []byte, n uint32) string {
	p := make([]byte, len(key))
	binary.NativeEndian.PutUint32(p, n)
	copy(p[4:], key[4:4+n/8])
	if n%8 != 0 {
		p[4+n/8] = key[4+n/8] & (0xff << (8 - n%8))
	}
	return string(p)
}

// find returns the value of the longest prefix that matches key and is no longer than
// its length, or nil.
func (t *trie) find(key []byte) []uint64 {
	n := binary.NativeEndian.Uint32(key)
	if n > t.maxBits {
		return nil
	}
	for i := int(n); i >= 0; i-- {
		if t.count[i] > 0 {
			if e := t.entries[prefix(key, uint32(i))]; e != nil {
				return e
			}
		}
	}
	return nil
}

func (t *trie) Lookup(key, value []byte) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.find(key)
	if e == nil {
		return syscall.ENOENT
	}
	load(value, e)
	return nil
}

func (t *trie) Pointer(key []byte, _ int) (unsafe.Pointer, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.find(key)
	if e == nil {
		return nil, syscall.ENOENT
	}
	return unsafe.Pointer(&e[0]), nil
}

// Update sets the value of exactly the prefix that key is. A full map is
// ENOSPC, unlike in other maps (kernel/bpf/lpm_trie.c).
func (t *trie) Update(key, value []byte, flags uint64) error {
	n := binary.NativeEndian.Uint32(key)
	if n > t.maxBits || bits.OnesCount64(flags) > 1 {
		return syscall.EINVAL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := prefix(key, n)
	_, exists := t.entries[p]
	if err := checkExist(flags, exists); err != nil {
		return err
	}
	if !exists {
		if len(t.entries) >= int(t.spec.MaxEntries) {
			return syscall.ENOSPC
		}
		t.count[n]++
		t.order = append(t.order, p)
	}
	words := newWords(len(value))
	store(words, value)
	t.entries[p] = words
	return nil
}

func (t *trie) Delete(key []byte) error {
	n := binary.NativeEndian.Uint32(key)
	if n > t.maxBits {
		return syscall.EINVAL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := prefix(key, n)
	if _, ok := t.entries[p]; !ok {
		return syscall.ENOENT
	}
	delete(t.entries, p)
	t.count[n]--
	for i, k := range t.order {
		if k == p {
			t.order = append(t.order[:i:i], t.order[i+1:]...)
			break
		}
	}
	return nil
}

func (t *trie) Iterate(yield func(key, value []byte) bool) error {
	t.mu.RLock()
	keys := t.order[:len(t.order):len(t.order)]
	t.mu.RUnlock()
	value := make([]byte, t.spec.ValueBytes())
	for _, k := range keys {
		t.mu.RLock()
		e := t.entries[k]
		t.mu.RUnlock()
		if e == nil {
			continue
		}
		load(value, e)
		if !yield([]byte(k), value) {
			break
		}
	}
	return nil
}
