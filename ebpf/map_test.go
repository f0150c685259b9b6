package ebpf_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/ebpf/sim"
)

// A padded key and value: 3 bytes after A, and a field that Go does not compare.
type padded struct {
	A uint8
	_ uint16
	B uint32
	C [2]struct {
		X uint16
		Y uint8
	}
}

// onCPU makes the test run on a CPU, as far as maps are concerned.
func onCPU(t *testing.T, cpu int) {
	t.Helper()
	t.Cleanup(sim.Replace(ebpf.GetSmpProcessorId, func() uint32 { return uint32(cpu) }))
}

// hashMap is what all hash maps have.
type hashMap[K comparable, V any] interface {
	Lookup(K) *V
	Get(K) (V, bool)
	Set(K, V) error
	SetIfAbsent(K, V) error
	SetIfPresent(K, V) error
	Delete(K) error
	Add(K, V) error
	LookupOrInit(K, V) *V
	Len() int
	Clear() error
	Close() error
}

func hashMaps(size int) map[string]hashMap[uint32, uint64] {
	return map[string]hashMap[uint32, uint64]{
		"hash":            ebpf.NewHash[uint32, uint64](size),
		"lru_hash":        ebpf.NewLRUHash[uint32, uint64](size),
		"percpu_hash":     ebpf.NewPerCPUHash[uint32, uint64](size),
		"lru_percpu_hash": ebpf.NewLRUPerCPUHash[uint32, uint64](size),
	}
}

func TestHash(t *testing.T) {
	onCPU(t, 0)
	type step struct {
		op   string
		k    uint32
		v    uint64
		want error
		got  uint64 // value of k afterwards, 0 for none
	}
	steps := []step{
		{"delete", 1, 0, syscall.ENOENT, 0},
		{"present", 1, 5, syscall.ENOENT, 0},
		{"set", 1, 10, nil, 10},
		{"set", 1, 11, nil, 11},
		{"absent", 1, 12, syscall.EEXIST, 11},
		{"present", 1, 13, nil, 13},
		{"add", 1, 4, nil, 17},
		{"add", 1, 1<<64 - 10, nil, 7},
		{"add", 2, 3, nil, 3},
		{"absent", 3, 9, nil, 9},
		{"init", 3, 1, nil, 9},
		{"delete", 3, 0, nil, 0},
		{"init", 3, 1, nil, 1},
		{"delete", 2, 0, nil, 0},
	}
	for name, m := range hashMaps(3) {
		t.Run(name, func(t *testing.T) {
			for i, s := range steps {
				var err error
				switch s.op {
				case "delete":
					err = m.Delete(s.k)
				case "set":
					err = m.Set(s.k, s.v)
				case "absent":
					err = m.SetIfAbsent(s.k, s.v)
				case "present":
					err = m.SetIfPresent(s.k, s.v)
				case "add":
					err = m.Add(s.k, s.v)
				case "init":
					if p := m.LookupOrInit(s.k, s.v); p == nil || *p != s.got {
						t.Errorf("step %d: LookupOrInit(%d) = %v", i, s.k, p)
					}
				}
				if err != s.want {
					t.Errorf("step %d: %s(%d, %d): %v, want %v", i, s.op, s.k, s.v, err, s.want)
				}
				if v, ok := m.Get(s.k); v != s.got || ok != (s.got != 0) {
					t.Errorf("step %d: after %s, Get(%d) = %d, %t, want %d", i, s.op, s.k, v, ok, s.got)
				}
				if p := m.Lookup(s.k); (p != nil) != (s.got != 0) || p != nil && *p != s.got {
					t.Errorf("step %d: after %s, Lookup(%d) = %v, want %d", i, s.op, s.k, p, s.got)
				}
			}
			if m.Len() != 2 {
				t.Errorf("%d entries, want 2", m.Len())
			}
			if err := m.Clear(); err != nil || m.Len() != 0 {
				t.Errorf("Clear: %v, %d entries left", err, m.Len())
			}
		})
	}
}

func TestHashFull(t *testing.T) {
	onCPU(t, 0)
	for name, m := range hashMaps(2) {
		t.Run(name, func(t *testing.T) {
			lru := strings.HasPrefix(name, "lru")
			m.Set(1, 1)
			m.Set(2, 2)
			m.Get(1) // so that 2 is the one to go
			want := error(syscall.E2BIG)
			if lru {
				want = nil
			}
			if err := m.Set(3, 3); err != want {
				t.Errorf("Set: %v, want %v", err, want)
			}
			if _, ok := m.Get(2); ok == lru {
				t.Errorf("entry 2 exists: %t", ok)
			}
			if _, ok := m.Get(1); !ok {
				t.Error("entry 1 is gone")
			}
			if lru {
				return
			}
			if err := m.Add(3, 1); err != want {
				t.Errorf("Add: %v, want %v", err, want)
			}
			if p := m.LookupOrInit(3, 1); p != nil {
				t.Errorf("LookupOrInit: %v, want nil", p)
			}
			if err := m.Set(1, 7); err != nil {
				t.Errorf("Set of an entry that exists: %v", err)
			}
		})
	}
}

func TestHashPointers(t *testing.T) {
	m := ebpf.NewHash[uint32, uint64](4)
	m.Set(1, 10)
	p := m.Lookup(1)
	*p++
	if v, _ := m.Get(1); v != 11 {
		t.Errorf("after a store through a pointer: %d", v)
	}
	m.Set(1, 20)
	if *p != 11 {
		t.Errorf("pointer to a value that was replaced: %d, want the former value 11", *p)
	}
	m.Delete(1)
	if *p != 11 {
		t.Errorf("pointer to a deleted value: %d, want 11", *p)
	}
}

func TestHashAll(t *testing.T) {
	m := ebpf.NewHash[uint32, uint64](8)
	for i := range uint32(5) {
		m.Set(i, uint64(10*i))
	}
	if got := maps.Collect(m.All()); !maps.Equal(got, map[uint32]uint64{0: 0, 1: 10, 2: 20, 3: 30, 4: 40}) {
		t.Errorf("All: %v", got)
	}
	if got := slices.Sorted(m.Keys()); !slices.Equal(got, []uint32{0, 1, 2, 3, 4}) {
		t.Errorf("Keys: %v", got)
	}
	if got := slices.Sorted(m.Values()); !slices.Equal(got, []uint64{0, 10, 20, 30, 40}) {
		t.Errorf("Values: %v", got)
	}
	seen := 0
	for k := range m.All() {
		seen++
		for other := range uint32(5) {
			if other != k {
				m.Delete(other)
			}
		}
	}
	if seen != 1 || m.Len() != 1 {
		t.Errorf("entries that vanish: %d seen, %d left", seen, m.Len())
	}
	for range m.All() {
		break
	}
}

func TestPadding(t *testing.T) {
	m := ebpf.NewHash[padded, padded](4)
	k := padded{A: 1, B: 2}
	dirty := k
	// Fill what is no field, as memory that was in use may be.
	b := bytesOf(&dirty)
	for _, i := range []int{1, 2, 3, 11, 15} {
		b[i] = 0xff
	}
	if err := m.Set(dirty, dirty); err != nil {
		t.Fatal(err)
	}
	v, ok := m.Get(k)
	if !ok {
		t.Fatal("keys that are equal are not found")
	}
	if string(bytesOf(&v)) != string(bytesOf(&k)) {
		t.Errorf("value is %x, want %x", bytesOf(&v), bytesOf(&k))
	}
}

func TestSets(t *testing.T) {
	m := ebpf.NewHash[uint64, struct{}](2)
	m.Set(1, struct{}{})
	_, ok1 := m.Get(1)
	_, ok2 := m.Get(2)
	if !ok1 || ok2 || m.Lookup(1) == nil || m.Lookup(2) != nil {
		t.Errorf("set {1}: 1 %t, 2 %t", ok1, ok2)
	}
	if s := m.Binding().Spec().ValueSize; s != 1 {
		t.Errorf("value size is %d, want 1, the least that the kernel takes", s)
	}
}

func TestArray(t *testing.T) {
	m := ebpf.NewArray[int32](3)
	if m.Len() != 3 {
		t.Errorf("Len = %d", m.Len())
	}
	for _, c := range []struct {
		what string
		got  error
		want error
	}{
		{"Set 2", m.Set(2, -5), nil},
		{"Set 3", m.Set(3, 1), syscall.E2BIG},
		{"Add 2", m.Add(2, -1), nil},
		{"Add 3", m.Add(3, 1), syscall.E2BIG},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	p := m.Lookup(2)
	m.Set(2, 8)
	if *p != 8 {
		t.Errorf("pointer sees %d after Set in place, want 8", *p)
	}
	if v, ok := m.Get(1); v != 0 || !ok {
		t.Errorf("Get(1) = %d, %t, want 0, true", v, ok)
	}
	if _, ok := m.Get(3); ok || m.Lookup(3) != nil {
		t.Error("entry 3 of 3 exists")
	}
	if got := slices.Collect(m.Values()); !slices.Equal(got, []int32{0, 0, 8}) {
		t.Errorf("Values: %v", got)
	}
	i := uint32(0)
	for k, v := range m.All() {
		if k != i || v != []int32{0, 0, 8}[i] {
			t.Errorf("All: %d, %d", k, v)
		}
		i++
	}
}

func TestPerCPU(t *testing.T) {
	n := bind.PossibleCPUs()
	h := ebpf.NewPerCPUHash[uint32, int16](4)
	a := ebpf.NewPerCPUArray[uint64](2)
	for cpu := range n {
		func() {
			defer sim.Replace(ebpf.GetSmpProcessorId, func() uint32 { return uint32(cpu) })()
			if cpu == 0 {
				h.Set(7, -1)
			} else {
				*h.Lookup(7) = int16(cpu)
			}
			a.Add(1, uint64(cpu+1))
			if v, _ := a.Get(1); v != uint64(cpu+1) {
				t.Errorf("CPU %d has %d", cpu, v)
			}
		}()
	}
	want := make([]int16, n)
	want[0] = -1
	total := uint64(0)
	for cpu := range n {
		if cpu > 0 {
			want[cpu] = int16(cpu)
		}
		total += uint64(cpu + 1)
	}
	if got, ok := h.CPUValues(7); !ok || !slices.Equal(got, want) {
		t.Errorf("CPUValues = %v, %t, want %v", got, ok, want)
	}
	for k, got := range h.All() {
		if k != 7 || !slices.Equal(got, want) {
			t.Errorf("All: %d, %v", k, got)
		}
	}
	if _, ok := h.CPUValues(8); ok {
		t.Error("CPUValues of no entry")
	}
	if s, ok := a.Sum(1); s != total || !ok {
		t.Errorf("Sum = %d, %t, want %d", s, ok, total)
	}
	if err := h.SetCPUValues(9, make([]int16, n+1)); err == nil {
		t.Error("SetCPUValues takes any number of values")
	}
	if err := h.SetCPUValues(9, want); err != nil {
		t.Error(err)
	}
	sums := maps.Collect(h.Sums())
	var s int16
	for _, v := range want {
		s += v
	}
	if len(sums) != 2 || sums[7] != s || sums[9] != s {
		t.Errorf("Sums = %v, want %d twice", sums, s)
	}
}

func TestBadTypes(t *testing.T) {
	for _, c := range []struct {
		make func()
		want string
	}{
		{func() { ebpf.NewHash[*int, int](1) }, "key: *int is a pointer"},
		{func() { ebpf.NewHash[string, int](1) }, "use an array, such as [16]byte"},
		{func() { ebpf.NewHash[int, []int](1) }, "value: []int is a slice, whose elements are elsewhere: use an array, such as [16]int"},
		{func() { ebpf.NewHash[int, struct{ A struct{ B string } }](1) }, "value: field A: field B: string is a string"},
		{func() { ebpf.NewHash[float64, int](1) }, "float64 in a key"},
		{func() { ebpf.NewHash[any, int](1) }, "is an interface"},
		{func() { ebpf.NewArray[map[int]int](1) }, "map of the language"},
		{func() { ebpf.NewArray[func()](1) }, "no meaning in the kernel"},
		{func() { ebpf.NewHash[struct{}, int](1) }, "struct {} has no size"},
		{func() { ebpf.NewHash[[513]byte, int](1) }, "513 bytes, and the kernel takes no more than 512"},
		{func() { ebpf.NewHash[int, int](0) }, "no entries"},
		{func() { ebpf.NewHash[int, int](-1) }, "-1 entries"},
		{func() { ebpf.NewHash[int, int](1 << 32) }, "4294967296 entries"},
		{func() { ebpf.NewHash[account, int](1) }, "belongs to the kernel"},
		{func() { ebpf.NewLPMTrie[uint64, int](1) }, "uint64 is aligned to 8 bytes"},
		{func() { ebpf.NewLPMTrie[[257]byte, int](1) }, "257 bytes, and prefixes have 1 to 256"},
		{func() { ebpf.NewQueue[chan int](1) }, "value: chan int has no meaning"},
		{func() { ebpf.NewArrayOfMaps(1, ebpf.NewArrayOfMaps(1, ebpf.NewArray[int](1))) }, "cannot be in another"},
		{func() { ebpf.NewRingBuf[int](5000) }, "power of 2"},
		{func() { ebpf.NewRingBuf[string](4096) }, "record: string"},
		{func() { ebpf.NewArray[int16](1).Add(0, 1) }, "Add of int16"},
		{func() { ebpf.NewPerCPUArray[[2]int](1).Sum(0) }, "Sum of [2]int"},
		{func() { new(ebpf.Hash[int, int]).Get(1) }, "not been made by its constructor"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) {
					t.Errorf("panic %q, want one with %q", got, c.want)
				}
			}()
			c.make()
		}()
	}
	ebpf.NewArray[float64](1) // bytes that only the host can make sense of
}

func TestClosed(t *testing.T) {
	for name, m := range hashMaps(2) {
		m.Set(1, 1)
		for range 2 {
			if err := m.Close(); err != nil {
				t.Errorf("%s: Close: %v", name, err)
			}
		}
		if err := m.Set(1, 1); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: Set: %v", name, err)
		}
		if err := m.Add(1, 1); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: Add: %v", name, err)
		}
		if _, ok := m.Get(1); ok || m.Lookup(1) != nil || m.Len() != 0 {
			t.Errorf("%s: closed map has entries", name)
		}
	}
}

func TestResize(t *testing.T) {
	m := ebpf.NewHash[uint32, uint32](2, ebpf.MapName("resized"), ebpf.MapFlags(ebpf.FlagNoPrealloc), ebpf.MapNUMANode(1))
	m.Set(1, 1)
	m.Set(2, 2)
	if err := m.Resize(1); !errors.Is(err, syscall.E2BIG) || m.Len() != 2 {
		t.Errorf("Resize to less than there is: %v, %d entries", err, m.Len())
	}
	if err := m.Resize(3); err != nil {
		t.Fatal(err)
	}
	if err := m.Set(3, 3); err != nil || m.Len() != 3 {
		t.Errorf("after Resize: %v, %d entries", err, m.Len())
	}
	info, err := m.Info()
	want := ebpf.MapInfo{Type: "hash", Name: "resized", KeySize: 4, ValueSize: 4, MaxEntries: 3,
		Flags: ebpf.FlagNoPrealloc | ebpf.FlagNUMANode, FD: -1}
	if err != nil || info != want {
		t.Errorf("Info: %+v, %v", info, err)
	}
}

// The race detector looks on.
func TestConcurrent(t *testing.T) {
	const goroutines, rounds = 64, 200
	for name, m := range hashMaps(16) {
		t.Run(name, func(t *testing.T) {
			onCPU(t, 0)
			var wg sync.WaitGroup
			for g := range uint32(goroutines) {
				wg.Go(func() {
					for i := range uint32(rounds) {
						m.Add(0, 1)
						if p := m.Lookup(0); p != nil {
							atomic.LoadUint64(p)
						}
						m.Get(0)
						m.Set(1+(g+i)%8, uint64(i))
						m.Delete(1 + (g+2*i)%8)
						if i%64 == 0 {
							m.Len()
						}
					}
				})
			}
			wg.Wait()
			if v, _ := m.Get(0); v != goroutines*rounds {
				t.Errorf("%d additions counted, want %d", v, goroutines*rounds)
			}
		})
	}
}

// Operations that a Close overtakes fail and do nothing else.
func TestConcurrentClose(t *testing.T) {
	h, a, v := ebpf.NewHash[uint32, uint64](64), ebpf.NewPerCPUArray[uint32](4), ebpf.NewVar[uint64](0)
	r, q := ebpf.NewRingBuf[event](4096), ebpf.NewQueue[uint32](8)
	var wg sync.WaitGroup
	for g := range uint32(64) {
		wg.Go(func() {
			for i := range uint32(50) {
				if err := h.Set(i, 1); err != nil && !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				h.Lookup(i)
				for range h.All() {
					break
				}
				a.Add(1, 1)
				a.Sum(1)
				v.Add(1)
				if rec := r.Reserve(); rec != nil {
					r.Submit(rec)
				}
				q.Push(i)
				q.Pop()
				if g == 7 && i == 25 {
					for _, c := range []interface{ Close() error }{h, a, v, r, q} {
						if err := c.Close(); err != nil {
							t.Error(err)
						}
					}
				}
			}
		})
	}
	wg.Wait()
	if err := q.Push(1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Push after Close: %v", err)
	}
}

func TestFixedSize(t *testing.T) {
	for _, m := range []interface{ Resize(int) error }{
		ebpf.NewVar[uint64](0), ebpf.NewPerfEvents[event](4096), ebpf.NewTaskStorage[event](),
	} {
		if err := m.Resize(2); err == nil || !strings.Contains(err.Error(), "size is fixed") {
			t.Errorf("%T: %v", m, err)
		}
	}
	if err := ebpf.NewRingBuf[event](4096).Resize(5000); err == nil || !strings.Contains(err.Error(), "power of 2") {
		t.Errorf("ring buffer: %v", err)
	}
}

func TestVar(t *testing.T) {
	v := ebpf.NewVar(int32(-3))
	if v.Load() != -3 {
		t.Errorf("initial value %d", v.Load())
	}
	v.Add(5)
	if v.Load() != 2 {
		t.Errorf("-3 + 5 = %d", v.Load())
	}
	v.Store(9)
	if *v.Pointer() != 9 {
		t.Errorf("stored 9, is %d", *v.Pointer())
	}
	type big struct {
		A [3]uint64
		B uint8
	}
	w := ebpf.NewVar(big{[3]uint64{1, 2, 3}, 4})
	if w.Load() != (big{[3]uint64{1, 2, 3}, 4}) {
		t.Errorf("struct: %v", w.Load())
	}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 100 {
				v.Add(1)
				w.Load()
			}
		})
	}
	wg.Wait()
	if v.Load() != 6409 {
		t.Errorf("%d additions counted, want 6400", v.Load()-9)
	}
}
