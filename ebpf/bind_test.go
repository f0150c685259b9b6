package ebpf_test

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/ebpf/internal/mem"
)

// Maps made in the ways in which programs do.
var (
	line        = here()
	single      = ebpf.NewHash[uint32, uint64](1)
	left, right = ebpf.NewHash[uint32, uint8](1), ebpf.NewArray[uint16](1)
	multi       = ebpf.NewHash[
		uint32,
		uint64,
	](
		1,
	)
	table = struct{ m *ebpf.RingBuf[uint32] }{
		m: ebpf.NewRingBuf[uint32](4096),
	}
	variable = ebpf.NewVar(7)
)

func here() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

func TestCallSites(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	for _, c := range []struct {
		at   int
		want []bind.Holder
	}{
		{line + 1, []bind.Holder{single}},
		{line + 2, []bind.Holder{left, right}},
		{line + 6, []bind.Holder{multi}}, // where the arguments begin
		{line + 10, []bind.Holder{table.m}},
		{line + 12, []bind.Holder{variable}},
	} {
		var want []*bind.Map
		for _, h := range c.want {
			want = append(want, h.Binding())
		}
		if got := bind.At(file, c.at); !slices.Equal(got, want) {
			t.Errorf("line %d: maps %v, want %v", c.at, got, want)
		}
	}
	m, ok := bind.Of(single)
	if !ok || m != single.Binding() || bind.FromPointer(unsafe.Pointer(single)) != m || bind.ByID(m.ID()) != m {
		t.Error("a map is not found by value, pointer and number")
	}
	if _, ok := bind.Of(3); ok {
		t.Error("3 is taken for a map")
	}
	if lost := table.m.Binding().Child("lost"); lost == nil || lost.Site() != (bind.Site{}) || lost.Spec().ValueSize != 8 {
		t.Errorf("counter of lost records: %v", lost)
	}
	if s := table.m.Binding().Spec(); s.Kind != bind.RingBuf || s.MaxEntries != 4096 || s.KeySize != 0 || s.ValueSize != 0 {
		t.Errorf("spec of ring buffer: %+v", s)
	}
}

func TestCollected(t *testing.T) {
	site := func() bind.Site {
		m := ebpf.NewHash[uint32, uint64](1)
		return m.Binding().Site()
	}()
	for range 10 {
		runtime.GC()
		if len(bind.At(site.File, site.Line)) == 0 {
			return
		}
	}
	t.Error("a map that nothing refers to is kept")
}

// A fakeKernel is a backend that is counted.
type fakeKernel struct {
	bind.Backend
	open *atomic.Int32
}

func (k *fakeKernel) Close() error {
	k.open.Add(-1)
	return k.Backend.Close()
}

// Pointer fails, as it does of most maps in the kernel.
func (k *fakeKernel) Pointer([]byte, int) (unsafe.Pointer, error) {
	return nil, syscall.EOPNOTSUPP
}

func opener(open *atomic.Int32) func(*bind.Spec) (bind.Backend, bool, error) {
	return func(s *bind.Spec) (bind.Backend, bool, error) {
		open.Add(1)
		return &fakeKernel{mem.New(s), open}, false, nil
	}
}

func TestBind(t *testing.T) {
	var open atomic.Int32
	m := ebpf.NewHash[uint32, uint64](4)
	m.Set(1, 10)
	first, err := m.Binding().Bind(opener(&open))
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.Binding().Bind(opener(&open))
	if err != nil || open.Load() != 1 {
		t.Fatalf("second program: %v, %d kernel maps", err, open.Load())
	}
	if v, _ := m.Get(1); v != 10 {
		t.Errorf("entry from memory is %d in the kernel", v)
	}
	m.Set(2, 20)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Lookup of a map in the kernel does not panic")
			}
		}()
		m.Lookup(1)
	}()
	if err := m.Resize(8); err == nil {
		t.Error("Resize in the kernel succeeds")
	}
	second.Keep()
	if err := first.Undo(); err != nil || open.Load() != 1 {
		t.Errorf("one program of two failed: %v, %d kernel maps", err, open.Load())
	}
	if got := maps.Collect(m.All()); len(got) != 2 || got[2] != 20 {
		t.Errorf("entries: %v", got)
	}
	if err := m.Close(); err != nil || open.Load() != 0 {
		t.Errorf("Close: %v, %d kernel maps", err, open.Load())
	}
	if err := m.Set(1, 1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Set after Close: %v", err)
	}
	third, err := m.Binding().Bind(opener(&open))
	if err != nil {
		t.Fatal(err)
	}
	if m.Len() != 0 || m.Set(1, 1) != nil {
		t.Error("after Close a program does not bring an empty map")
	}
	if err := third.Undo(); err != nil || open.Load() != 0 || m.Binding().State() != bind.Closed {
		t.Errorf("Undo after Close: %v, %d kernel maps, state %d", err, open.Load(), m.Binding().State())
	}
}

func TestBindUndone(t *testing.T) {
	var open atomic.Int32
	m := ebpf.NewHash[uint32, uint64](4)
	m.Set(1, 10)
	b, err := m.Binding().Bind(opener(&open))
	if err != nil {
		t.Fatal(err)
	}
	m.Set(2, 20)
	if err := errors.Join(b.Undo(), b.Undo()); err != nil || open.Load() != 0 {
		t.Errorf("Undo: %v, %d kernel maps", err, open.Load())
	}
	if got := maps.Collect(m.All()); len(got) != 1 || *m.Lookup(1) != 10 {
		t.Errorf("after Undo: %v", got)
	}
	failure := errors.New("no permission")
	_, err = m.Binding().Bind(func(*bind.Spec) (bind.Backend, bool, error) { return nil, false, failure })
	if err != failure || m.Len() != 1 {
		t.Errorf("Bind that fails: %v, %d entries", err, m.Len())
	}
	// Too small for what is in memory.
	m.Set(2, 2)
	_, err = m.Binding().Bind(func(s *bind.Spec) (bind.Backend, bool, error) {
		small := *s
		small.MaxEntries = 1
		return opener(&open)(&small)
	})
	if !errors.Is(err, syscall.E2BIG) || open.Load() != 0 || m.Len() != 2 {
		t.Errorf("Bind to a small map: %v, %d kernel maps, %d entries", err, open.Load(), m.Len())
	}
	// Of a map that others have filled, the entries count.
	b, err = m.Binding().Bind(func(s *bind.Spec) (bind.Backend, bool, error) {
		k, _, err := opener(&open)(s)
		return k, true, err
	})
	if err != nil || m.Len() != 0 {
		t.Errorf("adopted map: %v, %d entries", err, m.Len())
	}
	b.Keep()
}

// A reader that waits in memory goes on in the kernel.
func TestBindMovesReaders(t *testing.T) {
	var open atomic.Int32
	m := ebpf.NewRingBuf[uint32](4096)
	m.Output(1)
	var kernel bind.Backend
	for v, err := range m.Read(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch v {
		case 1:
			b, err := m.Binding().Bind(func(s *bind.Spec) (bind.Backend, bool, error) {
				kernel = mem.New(s)
				open.Add(1)
				return kernel, false, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			m.Output(2)
			b.Keep()
		case 2:
			m.Close()
		}
	}
	if open.Load() != 1 {
		t.Error("not moved")
	}
}

func TestVarMoves(t *testing.T) {
	v := ebpf.NewVar(uint64(5))
	b, err := v.Binding().Bind(func(s *bind.Spec) (bind.Backend, bool, error) { return mem.New(s), false, nil })
	if err != nil {
		t.Fatal(err)
	}
	b.Keep()
	v.Add(1)
	v.Close()
	if v.Load() != 6 {
		t.Errorf("after Close the variable is %d, want 6", v.Load())
	}
}

func TestKernelFields(t *testing.T) {
	type value struct {
		N     uint32
		Lock  ebpf.SpinLock
		Inner [2]struct{ T ebpf.Timer }
	}
	want := []bind.Field{{Name: "bpf_spin_lock", Offset: 4, Size: 4}, {Name: "bpf_timer", Offset: 8, Size: 16}, {Name: "bpf_timer", Offset: 24, Size: 16}}
	if got := bind.KernelFields(reflect.TypeFor[value]()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Of an array only what is not zero is copied into the kernel, and an array that has
// not been used costs nothing.
func TestBindArray(t *testing.T) {
	for _, c := range []struct {
		set  []uint32
		want int32
	}{{nil, 0}, {[]uint32{5}, 1}, {[]uint32{0, 1 << 20}, 2}} {
		m := ebpf.NewArray[uint64](1<<20 + 1)
		for _, i := range c.set {
			m.Set(i, uint64(i)+1)
		}
		var k *updates
		u, err := m.Binding().Bind(func(s *bind.Spec) (bind.Backend, bool, error) {
			k = &updates{Backend: mem.New(s)}
			return k, false, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		u.Keep()
		if k.n.Load() != c.want {
			t.Errorf("%d entries set: %d updates", len(c.set), k.n.Load())
		}
		for _, i := range c.set {
			if v, _ := m.Get(i); v != uint64(i)+1 {
				t.Errorf("entry %d is %d", i, v)
			}
		}
		m.Close()
	}
}

// An updates counts the updates of a backend.
type updates struct {
	bind.Backend
	n atomic.Int32
}

func (u *updates) Update(key, value []byte, flags uint64) error {
	u.n.Add(1)
	return u.Backend.Update(key, value, flags)
}
