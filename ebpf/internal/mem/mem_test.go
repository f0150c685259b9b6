package mem

import (
	"encoding/binary"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

func u32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// What updates with each flag return for an entry that exists and one that does not, and
// what other operations return that the kind does not have: a column for each kind.
func TestErrors(t *testing.T) {
	const enotsup = syscall.EOPNOTSUPP
	kinds := []bind.Kind{bind.Hash, bind.LRUHash, bind.Array, bind.DevMap, bind.LPMTrie, bind.TaskStorage}
	for _, c := range []struct {
		what string
		op   func(b bind.Backend, exists, missing, value []byte) error
		want []error
	}{
		{"update any, exists", func(b bind.Backend, e, m, v []byte) error { return b.Update(e, v, flagAny) },
			[]error{nil, nil, nil, nil, nil, nil}},
		{"update any, missing", func(b bind.Backend, e, m, v []byte) error { return b.Update(m, v, flagAny) },
			[]error{nil, nil, syscall.E2BIG, syscall.E2BIG, nil, nil}},
		{"update noexist, exists", func(b bind.Backend, e, m, v []byte) error { return b.Update(e, v, flagNoExist) },
			[]error{syscall.EEXIST, syscall.EEXIST, syscall.EEXIST, syscall.EEXIST, syscall.EEXIST, syscall.EEXIST}},
		{"update exist, missing", func(b bind.Backend, e, m, v []byte) error { return b.Update(m, v, flagExist) },
			[]error{syscall.ENOENT, syscall.ENOENT, syscall.E2BIG, syscall.E2BIG, syscall.ENOENT, syscall.ENOENT}},
		{"update both", func(b bind.Backend, e, m, v []byte) error { return b.Update(e, v, flagExist|flagNoExist) },
			[]error{syscall.EINVAL, syscall.EINVAL, syscall.EINVAL, syscall.EINVAL, syscall.EINVAL, syscall.EINVAL}},
		{"lookup, missing", func(b bind.Backend, e, m, v []byte) error { return b.Lookup(m, v) },
			[]error{syscall.ENOENT, syscall.ENOENT, syscall.ENOENT, syscall.ENOENT, syscall.ENOENT, syscall.ENOENT}},
		{"delete, exists", func(b bind.Backend, e, m, v []byte) error { return b.Delete(e) },
			[]error{nil, nil, syscall.EINVAL, nil, nil, nil}},
		{"delete, missing", func(b bind.Backend, e, m, v []byte) error { return b.Delete(m) },
			[]error{syscall.ENOENT, syscall.ENOENT, syscall.EINVAL, syscall.EINVAL, syscall.ENOENT, syscall.ENOENT}},
		{"lookup and delete, exists", func(b bind.Backend, e, m, v []byte) error { return b.LookupAndDelete(e, v) },
			[]error{nil, nil, enotsup, enotsup, enotsup, nil}},
		{"lookup and delete, missing", func(b bind.Backend, e, m, v []byte) error { return b.LookupAndDelete(m, v) },
			[]error{syscall.ENOENT, syscall.ENOENT, enotsup, enotsup, enotsup, syscall.ENOENT}},
		{"add, missing", func(b bind.Backend, e, m, v []byte) error { return b.Add(m, 0, 1) },
			[]error{nil, nil, syscall.E2BIG, enotsup, enotsup, nil}},
		{"pin", func(b bind.Backend, e, m, v []byte) error { return b.Pin("/sys/fs/bpf/x") },
			[]error{enotsup, enotsup, enotsup, enotsup, enotsup, enotsup}},
	} {
		for i, kind := range kinds {
			spec := &bind.Spec{Kind: kind, KeySize: 4, ValueSize: 4, MaxEntries: 2}
			exists, missing := u32(1), u32(2)
			if kind == bind.LPMTrie {
				spec.KeySize = 8
				exists, missing = append(u32(8), 10, 0, 0, 0), append(u32(8), 11, 0, 0, 0)
			}
			b := New(spec)
			if err := b.Update(exists, u32(7), flagAny); err != nil {
				t.Fatal(err)
			}
			if err := c.op(b, exists, missing, make([]byte, 4)); err != c.want[i] {
				t.Errorf("%s: %s: %v, want %v", kind, c.what, err, c.want[i])
			}
		}
	}
}

func TestPushFlags(t *testing.T) {
	for _, c := range []struct {
		kind  bind.Kind
		flags uint64
		want  error
	}{
		{bind.Queue, flagNoExist, syscall.EINVAL},
		{bind.Stack, flagExist | flagNoExist, syscall.EINVAL},
		{bind.Stack, flagExist, nil},
		{bind.BloomFilter, flagExist, syscall.EINVAL},
	} {
		b := New(&bind.Spec{Kind: c.kind, ValueSize: 4, MaxEntries: 1})
		if err := b.Update(nil, u32(1), c.flags); err != c.want {
			t.Errorf("%s: push with flags %d: %v, want %v", c.kind, c.flags, err, c.want)
		}
	}
}

// A Bloom filter has the size of the kernel's: for 1000 values and 5 functions 7000
// bits, rounded up to 8192.
func TestBloomSize(t *testing.T) {
	b := newBloom(&bind.Spec{Kind: bind.BloomFilter, ValueSize: 4, MaxEntries: 1000})
	if len(b.seeds) != 5 || len(b.set) != 8192/64 {
		t.Errorf("%d functions, %d words", len(b.seeds), len(b.set))
	}
}

func TestPopClears(t *testing.T) {
	b := New(&bind.Spec{Kind: bind.Queue, ValueSize: 4, MaxEntries: 1})
	v := u32(0xffffffff)
	if err := b.LookupAndDelete(nil, v); err != syscall.ENOENT || !slices.Equal(v, make([]byte, 4)) {
		t.Errorf("pop of nothing: %v, %x", err, v)
	}
}

func TestWords(t *testing.T) {
	for size := range 20 {
		from := make([]byte, size)
		for i := range from {
			from[i] = byte(i + 1)
		}
		words := newWords(size)
		if size > 0 {
			words[len(words)-1] = 1<<64 - 1 // store zeroes the end
		}
		store(words, from)
		to := make([]byte, size)
		load(to, words)
		if !slices.Equal(from, to) {
			t.Errorf("size %d: %x, want %x", size, to, from)
		}
		all := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
		for _, b := range all[size:] {
			if b != 0 {
				t.Errorf("size %d: memory is %x", size, all)
			}
		}
	}
}

func TestAddWraps(t *testing.T) {
	for _, c := range []struct {
		size  uint32
		start uint64
		delta uint64
		want  uint64
	}{
		{4, 0xffffffff, 2, 1}, // and no carry
		{4, 5<<32 | 3, 1<<40 | 4, 5<<32 | 7},
		{8, 1<<64 - 1, 2, 1},
	} {
		w := []uint64{c.start}
		if add(w, c.size, c.delta); w[0] != c.want {
			t.Errorf("%d bytes: %x + %x = %x, want %x", c.size, c.start, c.delta, w[0], c.want)
		}
	}
}

func TestOwner(t *testing.T) {
	type owner interface {
		bind.Backend
		Owner(unsafe.Pointer) ([]byte, unsafe.Pointer, bool)
	}
	for _, kind := range []bind.Kind{bind.Hash, bind.Array} {
		b := New(&bind.Spec{Kind: kind, KeySize: 4, ValueSize: 20, MaxEntries: 3}).(owner)
		for i := range uint32(3) {
			b.Update(u32(i), make([]byte, 20), flagAny)
		}
		for i := range uint32(3) {
			p, err := b.Pointer(u32(i), 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, off := range []int{0, 19} {
				key, value, ok := b.Owner(unsafe.Add(p, off))
				if !ok || !slices.Equal(key, u32(i)) || value != p {
					t.Errorf("%s: owner of byte %d of entry %d is %x", kind, off, i, key)
				}
			}
		}
		if _, _, ok := b.Owner(unsafe.Pointer(new(int))); ok {
			t.Errorf("%s: has what it has not", kind)
		}
	}
}

func Example() {
	b := New(&bind.Spec{Kind: bind.LRUHash, KeySize: 4, ValueSize: 4, MaxEntries: 2})
	for i := range uint32(3) {
		b.Update(u32(i), u32(10*i), flagAny)
	}
	b.Iterate(func(key, value []byte) bool {
		fmt.Println(binary.NativeEndian.Uint32(key), binary.NativeEndian.Uint32(value))
		return true
	})
	// Output:
	// 1 10
	// 2 20
}
