package mem

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// A bloom is a Bloom filter with the size that the kernel's has
// (kernel/bpf/bloom_filter.c, bloom_map_alloc), and other hash functions.
type bloom struct {
	common
	seeds []maphash.Seed
	mask  uint64
	set   []atomic.Uint64 // bits
	// values is what has been added, for a filter of other hash functions.
	values sync.Map // string to nil
}

// defaultHashes is the number of hash functions if map_extra is 0.
const defaultHashes = 5

func newBloom(spec *bind.Spec) *bloom {
	hashes := spec.Extra & 0xf
	if hashes == 0 {
		hashes = defaultHashes
	}
	b := &bloom{common: common{spec}, seeds: make([]maphash.Seed, hashes)}
	for i := range b.seeds {
		b.seeds[i] = maphash.MakeSeed()
	}
	// n/ln 2 bits for each hash function, with 7/5 for 1/ln 2, and a power of 2.
	n := uint64(spec.MaxEntries) * hashes * 7 / 5
	n = max(64, uint64(1)<<bits.Len64(n-1))
	b.mask = n - 1
	b.set = make([]atomic.Uint64, n/64)
	return b
}

// bit returns the place of hash function i of value.
func (b *bloom) bit(i int, value []byte) (word *atomic.Uint64, bit uint64) {
	h := maphash.Bytes(b.seeds[i], value) & b.mask
	return &b.set[h/64], 1 << (h % 64)
}

// Update adds value.
func (b *bloom) Update(_, value []byte, flags uint64) error {
	if flags != flagAny {
		return syscall.EINVAL
	}
	for i := range b.seeds {
		w, bit := b.bit(i, value)
		w.Or(bit)
	}
	b.values.Store(string(value), nil)
	return nil
}

// Lookup tells whether value may have been added.
func (b *bloom) Lookup(_, value []byte) error {
	for i := range b.seeds {
		w, bit := b.bit(i, value)
		if w.Load()&bit == 0 {
			return syscall.ENOENT
		}
	}
	return nil
}

// Iterate passes the values. The kernel has no such operation; it is for
// moving them there.
func (b *bloom) Iterate(yield func(key, value []byte) bool) error {
	b.values.Range(func(v, _ any) bool { return yield(nil, []byte(v.(string))) })
	return nil
}
