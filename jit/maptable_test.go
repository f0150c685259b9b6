package jit_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit"
)

// A script does things with a map on the host and tells what came of each.
type script struct {
	name string
	make func() (m bind.Holder, run func() []any)
}

func list(results ...any) []any { return results }

// tableScript exercises the methods of hash maps.
func tableScript[M interface {
	bind.Holder
	Set(pair, uint64) error
	SetIfAbsent(pair, uint64) error
	SetIfPresent(pair, uint64) error
	Get(pair) (uint64, bool)
	Delete(pair) error
	Add(pair, uint64) error
	Len() int
	Clear() error
	Close() error
}](make func() M, all func(M) map[pair]uint64) func() (bind.Holder, func() []any) {
	return func() (bind.Holder, func() []any) {
		m := make()
		a, b, c := pair{A: 1, B: 2}, pair{A: 1, C: [2]uint16{1, 2}}, pair{}
		get := func(k pair) []any { v, ok := m.Get(k); return list(v, ok) }
		return m, func() []any {
			return list(
				get(a), m.Set(a, 1), m.Set(a, 2), get(a), m.SetIfAbsent(a, 3), m.SetIfAbsent(b, 4), m.SetIfPresent(c, 5),
				get(b), m.Add(b, 1<<63), m.Add(b, 1<<63), get(b), m.Add(c, 7), get(c), m.Len(), all(m),
				m.Delete(b), m.Delete(b), m.Len(), m.Clear(), m.Len(), get(a),
				m.Close(), get(a), m.Set(a, 1), m.Add(a, 1), m.Delete(a), m.Len(),
			)
		}
	}
}

var scripts = []script{
	{"Hash", tableScript(func() *ebpf.Hash[pair, uint64] { return ebpf.NewHash[pair, uint64](3) },
		func(m *ebpf.Hash[pair, uint64]) map[pair]uint64 { return maps.Collect(m.All()) })},
	{"LRUHash", tableScript(func() *ebpf.LRUHash[pair, uint64] { return ebpf.NewLRUHash[pair, uint64](1024) },
		func(m *ebpf.LRUHash[pair, uint64]) map[pair]uint64 { return maps.Collect(m.All()) })},
	{"PerCPUHash", tableScript(func() *ebpf.PerCPUHash[pair, uint64] { return ebpf.NewPerCPUHash[pair, uint64](64) },
		func(m *ebpf.PerCPUHash[pair, uint64]) map[pair]uint64 { return maps.Collect(m.Sums()) })},
	{"full", func() (bind.Holder, func() []any) {
		m := ebpf.NewHash[uint32, pair](2)
		return m, func() []any {
			return list(m.Set(1, pair{}), m.Set(2, pair{B: 2}), m.Set(3, pair{}), m.Set(1, pair{A: 5}), m.SetIfAbsent(3, pair{}),
				maps.Collect(m.All()), slices.Sorted(m.Keys()))
		}
	}},
	{"Array", func() (bind.Holder, func() []any) {
		m := ebpf.NewArray[uint64](4)
		return m, func() []any {
			v, ok := m.Get(3)
			w, beyond := m.Get(4)
			return list(v, ok, w, beyond, m.Set(1, 5), m.Add(1, 6), m.Add(3, 1), m.Set(4, 1), m.Add(4, 1), m.Len(), maps.Collect(m.All()))
		}
	}},
	{"mmapable Array", func() (bind.Holder, func() []any) {
		m := ebpf.NewArray[uint32](4, ebpf.MapFlags(ebpf.FlagMmapable))
		return m, func() []any {
			*m.Lookup(2) = 7
			return list(m.Set(1, 5), m.Add(1, 6), m.Add(2, 1), m.Set(4, 1), m.Add(4, 1), m.Lookup(4) == nil, maps.Collect(m.All()))
		}
	}},
	{"PerCPUArray", func() (bind.Holder, func() []any) {
		m := ebpf.NewPerCPUArray[uint64](2)
		return m, func() []any {
			values := make([]uint64, bind.PossibleCPUs())
			for i := range values {
				values[i] = uint64(i + 1)
			}
			got := func(i uint32) []any { v, ok := m.CPUValues(i); return list(v, ok) }
			return list(m.SetCPUValues(1, values), got(1), got(0), got(2), maps.Collect(m.Sums()))
		}
	}},
	{"LPMTrie", func() (bind.Holder, func() []any) {
		type prefix = ebpf.Prefix[[4]byte]
		m := ebpf.NewLPMTrie[[4]byte, uint32](2)
		return m, func() []any {
			get := func(a [4]byte) []any { v, ok := m.Get(a); return list(v, ok) }
			return list(m.Set(prefix{Bits: 8, Addr: [4]byte{10}}, 8), m.Set(prefix{Bits: 16, Addr: [4]byte{10, 1}}, 16), m.Set(prefix{Bits: 24, Addr: [4]byte{10, 1, 1}}, 24),
				get([4]byte{10, 1, 5}), get([4]byte{10, 2}), get([4]byte{11}), m.Delete(prefix{Bits: 16, Addr: [4]byte{10, 1}}), m.Delete(prefix{Bits: 9, Addr: [4]byte{10}}), get([4]byte{10, 1, 5}))
		}
	}},
	{"Queue", func() (bind.Holder, func() []any) {
		m := ebpf.NewQueue[pair](2)
		return m, func() []any {
			peek := func() []any { v, ok := m.Peek(); return list(v, ok) }
			pop := func() []any { v, ok := m.Pop(); return list(v, ok) }
			return list(peek(), m.Push(pair{B: 1}), m.Push(pair{B: 2}), m.Push(pair{B: 3}), m.PushOver(pair{B: 4}), peek(), pop(), pop(), pop())
		}
	}},
	{"Stack", func() (bind.Holder, func() []any) {
		m := ebpf.NewStack[uint64](2)
		return m, func() []any {
			peek := func() []any { v, ok := m.Peek(); return list(v, ok) }
			pop := func() []any { v, ok := m.Pop(); return list(v, ok) }
			return list(pop(), m.Push(1), m.Push(2), m.Push(3), m.PushOver(4), peek(), pop(), pop(), pop())
		}
	}},
	{"Bloom", func() (bind.Holder, func() []any) {
		m := ebpf.NewBloom[uint64](1000)
		return m, func() []any { return list(m.Contains(1), m.Add(1), m.Contains(1)) }
	}},
	{"Var", func() (bind.Holder, func() []any) {
		m := ebpf.NewVar[uint32](5)
		return m, func() []any {
			before := m.Load()
			m.Add(3)
			after := m.Load()
			m.Store(1)
			err := m.Close()
			return list(before, after, m.Load(), err)
		}
	}},
	{"HashOfMaps", func() (bind.Holder, func() []any) {
		inner := ebpf.NewArray[uint64](2)
		m := ebpf.NewHashOfMaps[uint32](2, inner)
		return m, func() []any {
			_, none := m.Get(1)
			err := m.Set(1, inner)
			got, ok := m.Get(1)
			keys := slices.Collect(m.Keys())
			return list(none, err, got == inner, ok, keys, m.Delete(1), m.Delete(1), m.Lookup(1) == nil)
		}
	}},
}

// wantSteps compares the outcomes of a script in the kernel with those in memory.
func wantSteps(t *testing.T, got, want []any) {
	t.Helper()
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("step %d is %v in the kernel and %v in memory", i, got[i], want[i])
		}
	}
}

// What the host does with a map has the same results in memory and in the kernel.
func TestBackends(t *testing.T) {
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			if s.name == "Bloom" {
				kerneltest.Blooms.Test(t)
			}
			_, run := s.make()
			want := run()
			m, run := s.make()
			needPrivilege(t, jit.LoadMaps(m))
			if m.Binding().State() != bind.InKernel {
				t.Fatal("not in the kernel")
			}
			wantSteps(t, run(), want)
			if err := m.Binding().Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Entries that a map has in memory go with it into the kernel.
func TestLoadMapsKeepsEntries(t *testing.T) {
	m := ebpf.NewHash[uint32, uint64](1000)
	want := make(map[uint32]uint64)
	for i := range uint32(1000) {
		want[i] = uint64(i) * 3
		if err := m.Set(i, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	needPrivilege(t, jit.LoadMaps(m))
	defer m.Close()
	if got := maps.Collect(m.All()); !maps.Equal(got, want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
}

// 64 goroutines use a map of the kernel at once, and it is closed at the end of it all.
func TestMapConcurrent(t *testing.T) {
	m := ebpf.NewHash[uint32, uint64](128)
	needPrivilege(t, jit.LoadMaps(m))
	var wg sync.WaitGroup
	for g := range uint32(64) {
		wg.Go(func() {
			for i := range uint64(50) {
				if err := m.Add(0, 1); err != nil {
					t.Error(err)
				}
				m.Set(g+1, i)
				m.Get(g)
				if g%8 == 0 {
					m.Len()
				}
			}
		})
	}
	wg.Wait()
	if n, _ := m.Get(0); n != 64*50 {
		t.Errorf("%d additions, want %d", n, 64*50)
	}
	for range 8 {
		wg.Go(func() {
			for {
				if err := m.Set(1, 1); errors.Is(err, os.ErrClosed) {
					return
				}
			}
		})
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// A map is pinned and found again, with its entries.
func TestMapPin(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("bpf", dir, "bpf", 0, ""); err != nil {
		needPrivilege(t, err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	path := filepath.Join(dir, "counts")
	m := ebpf.NewHash[uint32, uint64](16, ebpf.MapPin(path))
	needPrivilege(t, jit.LoadMaps(m))
	m.Set(1, 11)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	again := ebpf.NewHash[uint32, uint64](16, ebpf.MapPin(path))
	again.Set(1, 5)
	needPrivilege(t, jit.LoadMaps(again))
	if n, ok := again.Get(1); n != 11 || !ok {
		t.Errorf("Get = %d, %t, want 11", n, ok)
	}
	other := ebpf.NewHash[uint32, uint32](16, ebpf.MapPin(path))
	if err := jit.LoadMaps(other); err == nil {
		t.Error("a map of other sizes is accepted")
	}
	pinned, err := cebpf.LoadPinnedMap(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pinned.Close()
	replaced := ebpf.NewHash[uint32, uint64](16)
	if err := jit.ReplaceMap(replaced, pinned); err != nil {
		t.Fatal(err)
	}
	if n, _ := replaced.Get(1); n != 11 {
		t.Errorf("replaced map has %d, want 11", n)
	}
	if err := errors.Join(again.Unpin(), again.Close(), replaced.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still pinned: %v", err)
	}
}

// Reading ends with its context, and when the map is closed.
func TestRingEnds(t *testing.T) {
	r, p := ebpf.NewRingBuf[uint64](4096), ebpf.NewPerfEvents[uint64](4096)
	needPrivilege(t, jit.LoadMaps(r, p))
	for name, read := range map[string]func(context.Context) func(func(uint64, error) bool){
		"ring": func(ctx context.Context) func(func(uint64, error) bool) { return r.Read(ctx) },
		"perf": func(ctx context.Context) func(func(uint64, error) bool) { return p.Read(ctx) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan string)
		go func() {
			for v, err := range read(ctx) {
				done <- fmt.Sprint(v, err)
			}
			close(done)
		}()
		runtime.Gosched() // so that the reader may wait already
		cancel()
		if got, ok := <-done; ok {
			t.Errorf("%s: %s", name, got)
		}
		closed := make(chan string)
		go func() {
			for v, err := range read(t.Context()) {
				closed <- fmt.Sprint(v, err)
			}
			close(closed)
		}()
		if err := errors.Join(r.Close(), p.Close()); err != nil {
			t.Error(err)
		}
		if got, ok := <-closed; ok {
			t.Errorf("%s: %s", name, got)
		}
		needPrivilege(t, jit.LoadMaps(r, p))
	}
	if err := errors.Join(r.Close(), p.Close()); err != nil {
		t.Error(err)
	}
}
