package ebpf_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/sim"
)

type ipv4 = [4]byte

func TestLPMTrie(t *testing.T) {
	m := ebpf.NewLPMTrie[ipv4, string32](4)
	for _, c := range []struct {
		bits uint32
		addr ipv4
		want error
	}{
		{0, ipv4{9, 9, 9, 9}, nil}, // bits beyond the prefix do not count
		{8, ipv4{10}, nil},
		{20, ipv4{10, 1, 0xf7}, nil}, // 10.1.240.0
		{32, ipv4{10, 1, 0xf7, 1}, nil},
		{20, ipv4{10, 1, 0xff}, nil}, // the same
		{33, ipv4{}, syscall.EINVAL},
		{9, ipv4{10}, syscall.ENOSPC},
	} {
		p := ebpf.Prefix[ipv4]{Bits: c.bits, Addr: c.addr}
		if err := m.Set(p, str(fmt.Sprint(c.bits))); err != c.want {
			t.Errorf("Set(%v): %v, want %v", p, err, c.want)
		}
	}
	for _, c := range []struct {
		addr ipv4
		bits uint32
		want string
	}{
		{ipv4{10, 1, 0xf7, 1}, 32, "32"},
		{ipv4{10, 1, 0xf7, 2}, 32, "20"},
		{ipv4{10, 1, 0xef, 2}, 32, "8"},
		{ipv4{10, 1, 0xf7, 1}, 31, "20"},
		{ipv4{10, 1, 0xf7, 1}, 8, "8"},
		{ipv4{10, 1, 0xf7, 1}, 7, "0"},
		{ipv4{11}, 32, "0"},
	} {
		p := ebpf.Prefix[ipv4]{Bits: c.bits, Addr: c.addr}
		v, ok := m.GetPrefix(p)
		if !ok || v != str(c.want) || *m.LookupPrefix(p) != v {
			t.Errorf("%v: %v, %t, want %s", p, v, ok, c.want)
		}
		if c.bits == 32 {
			if v, _ := m.Get(c.addr); v != str(c.want) || *m.Lookup(c.addr) != v {
				t.Errorf("%v: %v, want %s", c.addr, v, c.want)
			}
		}
	}
	if n := len(maps.Collect(m.All())); n != 4 || m.Len() != 4 {
		t.Errorf("%d and %d entries, want 4", n, m.Len())
	}
	if err := m.Delete(ebpf.Prefix[ipv4]{}); err != nil {
		t.Error(err)
	}
	if err := m.Delete(ebpf.Prefix[ipv4]{}); err != syscall.ENOENT {
		t.Error(err)
	}
	if _, ok := m.Get(ipv4{11}); ok || m.Lookup(ipv4{11}) != nil {
		t.Error("there is no prefix of 11.0.0.0")
	}
	if s := ebpf.NewLPMTrie[[6]byte, uint8](1).Binding().Spec(); s.KeySize != 10 || s.Flags&ebpf.FlagNoPrealloc == 0 {
		t.Errorf("spec for addresses of 6 bytes: %+v", s)
	}
}

// A string32 is what stands for a string in a map.
type string32 [32]byte

func str(s string) (b string32) {
	copy(b[:], s)
	return b
}

func TestQueueAndStack(t *testing.T) {
	type sequence interface {
		Push(padded) error
		PushOver(padded) error
		Pop() (padded, bool)
		Peek() (padded, bool)
	}
	for _, c := range []struct {
		name string
		m    sequence
		want []uint32 // after 1, 2, 3 and, in the place of 1, 4
	}{
		{"queue", ebpf.NewQueue[padded](3), []uint32{2, 3, 4}},
		{"stack", ebpf.NewStack[padded](3), []uint32{4, 3, 2}},
	} {
		if _, ok := c.m.Pop(); ok {
			t.Errorf("%s: Pop of nothing", c.name)
		}
		for i := range uint32(4) {
			err := c.m.Push(padded{B: i + 1})
			if want := i == 3; (err == syscall.E2BIG) != want {
				t.Errorf("%s: Push(%d): %v", c.name, i+1, err)
			}
		}
		if err := c.m.PushOver(padded{B: 4}); err != nil {
			t.Errorf("%s: PushOver: %v", c.name, err)
		}
		for _, want := range c.want {
			v, ok1 := c.m.Peek()
			w, ok2 := c.m.Pop()
			if !ok1 || !ok2 || v != w || v.B != want {
				t.Errorf("%s: %v, %t, then %v, %t, want %d", c.name, v, ok1, w, ok2, want)
			}
		}
		if _, ok := c.m.Peek(); ok {
			t.Errorf("%s: Peek of nothing", c.name)
		}
	}
}

func TestBloom(t *testing.T) {
	m := ebpf.NewBloom[uint64](1000, ebpf.BloomHashes(4))
	for i := range uint64(1000) {
		if err := m.Add(i); err != nil {
			t.Fatal(err)
		}
	}
	wrong := 0
	for i := range uint64(2000) {
		switch found := m.Contains(i); {
		case i < 1000 && !found:
			t.Fatalf("%d has been added and is not found", i)
		case i >= 1000 && found:
			wrong++
		}
	}
	// Four functions and 8192 bits for 1000 values find 2.4 % of others.
	if wrong > 150 {
		t.Errorf("finds %d of 1000 values that have not been added", wrong)
	}
}

func TestUserRingBuf(t *testing.T) {
	m := ebpf.NewUserRingBuf[event](4096)
	for i := range uint32(3) {
		if err := m.Send(event{N: i + 1}); err != nil {
			t.Fatal(err)
		}
	}
	rec := m.Reserve()
	rec.N = 4
	m.Submit(rec)
	m.Discard(m.Reserve())
	m.Send(event{N: 5})
	var got []uint32
	n, err := m.Drain(func(rec *event) bool {
		if _, err := m.Drain(func(*event) bool { return true }); err != syscall.EBUSY {
			t.Errorf("drained within: %v", err)
		}
		got = append(got, rec.N)
		return rec.N != 4
	})
	if n != 4 || err != nil || !slices.Equal(got, []uint32{1, 2, 3, 4}) {
		t.Errorf("%d, %v: %v", n, err, got)
	}
	if n, err := m.Drain(func(rec *event) bool { return rec.N == 5 }); n != 1 || err != nil {
		t.Errorf("the rest: %d, %v", n, err)
	}
	for m.Send(event{}) == nil {
	}
	if err := m.Send(event{}); err != syscall.EAGAIN || m.Reserve() != nil {
		t.Errorf("full: %v", err)
	}
	m.Close()
	if err := m.Send(event{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestPerfEvents(t *testing.T) {
	m := ebpf.NewPerfEvents[[120]byte](4096)
	var ctx ebpf.Context
	put, lost := 0, 0
	for range 40 {
		switch err := m.Output(ctx, [120]byte{}); err {
		case nil:
			put++
		case syscall.ENOSPC:
			lost++
		default:
			t.Fatal(err)
		}
	}
	for _, err := range m.Read(t.Context()) {
		var e *ebpf.LostError
		switch {
		case errors.As(err, &e):
			lost -= int(e.Count)
		case err == nil:
			put--
		default:
			t.Fatal(err)
		}
		if put == 0 {
			break
		}
	}
	if lost != 0 {
		t.Errorf("%d losses are not reported", lost)
	}
	m.OutputBytes(ctx, []byte("text"))
	for b, err := range m.ReadBytes(t.Context()) {
		if string(b) != "text" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		break
	}
}

func TestMapsOfMaps(t *testing.T) {
	inner := ebpf.NewHash[uint32, uint64](4)
	m := ebpf.NewHashOfMaps[string32](2, inner)
	a, b := ebpf.NewHash[uint32, uint64](4), ebpf.NewHash[uint32, uint64](100)
	if m.Lookup(str("a")) != nil {
		t.Error("an entry that is not there")
	}
	for _, c := range []struct {
		key  string
		m    *ebpf.Hash[uint32, uint64]
		want error
	}{{"a", a, nil}, {"b", b, nil}, {"c", a, syscall.E2BIG}, {"b", a, nil}, {"b", b, nil}} {
		if err := m.Set(str(c.key), c.m); err != c.want {
			t.Errorf("Set %s: %v, want %v", c.key, err, c.want)
		}
	}
	m.Lookup(str("b")).Add(1, 2)
	if v, _ := b.Get(1); v != 2 {
		t.Errorf("addition to an inner map: %d", v)
	}
	if got, ok := m.Get(str("a")); got != a || !ok {
		t.Errorf("Get a = %p, %t, want %p", got, ok, a)
	}
	if err := m.Delete(str("a")); err != nil {
		t.Error(err)
	}
	if got, ok := m.Get(str("a")); got != nil || ok {
		t.Error("a deleted entry is there")
	}
	if got := slices.Collect(m.Keys()); !slices.Equal(got, []string32{str("b")}) {
		t.Errorf("Keys = %v", got)
	}
	flagged := ebpf.NewHash[uint32, uint64](4, ebpf.MapFlags(ebpf.FlagNoPrealloc))
	if err := m.Set(str("d"), flagged); err == nil || !strings.Contains(err.Error(), "flags 1, want 0") {
		t.Errorf("Set of another map: %v", err)
	}
	arrays := ebpf.NewArrayOfMaps(2, ebpf.NewArray[uint8](1))
	if err := arrays.Set(2, ebpf.NewArray[uint8](1)); err != syscall.E2BIG {
		t.Errorf("Set beyond the end: %v", err)
	}
	if err := arrays.Set(1, ebpf.NewArray[uint8](1)); err != nil || arrays.Lookup(1) == nil || arrays.Lookup(0) != nil {
		t.Errorf("Set: %v", err)
	}
}

func TestStackTrace(t *testing.T) {
	m := ebpf.NewStackTrace(1 << 16)
	var ids []uint32
	for range 2 {
		id, err := m.ID(ebpf.Context{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if ids[0] != ids[1] {
		t.Error("one stack has two numbers")
	}
	stack, ok := m.Get(ids[0])
	if !ok || len(stack) == 0 {
		t.Fatal("no stack")
	}
	f, _ := runtime.CallersFrames([]uintptr{uintptr(stack[0])}).Next()
	if !strings.HasSuffix(f.Function, ".TestStackTrace") {
		t.Errorf("innermost function is %s", f.Function)
	}
	if got := slices.Collect(m.Keys()); !slices.Equal(got, ids[:1]) {
		t.Errorf("Keys = %v, want %v", got, ids[:1])
	}
	if err := m.Delete(ids[0]); err != nil {
		t.Error(err)
	}
	if _, ok := m.Get(ids[0]); ok {
		t.Error("a deleted stack is there")
	}
}

func TestStorages(t *testing.T) {
	testStorage(t, ebpf.NewTaskStorage[int64](), new(ebpf.Task), ebpf.CurrentTask())
	testStorage(t, ebpf.NewInodeStorage[int64](), new(ebpf.Inode), new(ebpf.Inode))
	testStorage(t, ebpf.NewSockStorage[int64](), new(ebpf.Sock), new(ebpf.Sock))
	testStorage(t, ebpf.NewCgroupStorage[int64](), new(ebpf.Cgroup), new(ebpf.Cgroup))
}

// testStorage tests a storage in memory with two owners.
func testStorage[O any](t *testing.T, m interface {
	Get(*O) *int64
	GetOrCreate(*O) *int64
	Delete(*O) error
	SetFD(int, int64) error
	GetFD(int) (int64, bool)
}, a, b *O) {
	t.Helper()
	if m.Get(a) != nil {
		t.Errorf("%T: has a value at the beginning", m)
	}
	p := m.GetOrCreate(a)
	*p = 7
	if m.GetOrCreate(a) != p || m.Get(a) != p || m.Get(b) != nil || m.GetOrCreate(nil) != nil {
		t.Errorf("%T: values of owners are mixed up", m)
	}
	if err := m.Delete(a); err != nil {
		t.Errorf("%T: %v", m, err)
	}
	if err := m.Delete(a); err != syscall.ENOENT {
		t.Errorf("%T: %v", m, err)
	}
	if err := m.SetFD(0, 1); err != syscall.EOPNOTSUPP {
		t.Errorf("%T: SetFD in memory: %v", m, err)
	}
	if _, ok := m.GetFD(0); ok {
		t.Errorf("%T: GetFD in memory", m)
	}
}

// A thread is the same task each time, and different ones are different tasks.
func TestCurrentThread(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mine := ebpf.CurrentTask()
	if mine == nil || ebpf.CurrentTask() != mine {
		t.Errorf("the thread is %p and %p", mine, ebpf.CurrentTask())
	}
	other := make(chan *ebpf.Task)
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread ends
		other <- ebpf.CurrentTask()
	}()
	if task := <-other; task == nil || task == mine {
		t.Errorf("another thread is %p, this one %p", task, mine)
	}
}

type fakeProgram int

func (p fakeProgram) FD() int { return int(p) }

func TestReferences(t *testing.T) {
	dev, hash, cpu, xsk := ebpf.NewDevMap(4), ebpf.NewDevMapHash(4), ebpf.NewCPUMap(4), ebpf.NewXSKMap(4)
	for name, c := range map[string]struct {
		set error
		m   interface {
			Redirect(uint32, uint64) ebpf.XDPAction
			Delete(uint32) error
		}
	}{
		"devmap":      {dev.Set(1, 3), dev},
		"devmap hash": {hash.SetProgram(1, 3, fakeProgram(9)), hash},
		"cpumap":      {cpu.Set(1, 192), cpu},
		"xskmap":      {xsk.Set(1, 5), xsk},
	} {
		if c.set != nil {
			t.Errorf("%s: %v", name, c.set)
		}
		if got := c.m.Redirect(1, 0); got != ebpf.XDPRedirect {
			t.Errorf("%s: Redirect(1) = %d", name, got)
		}
		if got := c.m.Redirect(2, uint64(ebpf.XDPPass)); got != ebpf.XDPPass {
			t.Errorf("%s: Redirect(2) = %d", name, got)
		}
		if err := c.m.Delete(1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.m.Redirect(1, 0); got != ebpf.XDPAborted {
			t.Errorf("%s: after Delete, Redirect(1) = %d", name, got)
		}
	}
	if err := dev.Set(4, 1); err != syscall.E2BIG {
		t.Errorf("Set beyond the end: %v", err)
	}
	socks := ebpf.NewSockHash[padded](1)
	if err := socks.Set(padded{A: 1}, 4); err != nil {
		t.Error(err)
	}
	if err := socks.Set(padded{A: 2}, 4); err != syscall.E2BIG {
		t.Error(err)
	}
}

func TestTailCall(t *testing.T) {
	m := ebpf.NewProgArray[*ebpf.XDP](2)
	m.TailCall(new(ebpf.XDP), 1) // there is none
	if err := m.Set(1, fakeProgram(7)); err != nil {
		t.Fatal(err)
	}
	var called uint32
	restore := sim.Replace(ebpf.TailCall, func(_ ebpf.Context, _ ebpf.MapRef, i uint32) { called = i })
	m.TailCall(new(ebpf.XDP), 1)
	restore()
	if called != 1 {
		t.Error("sim has not been called")
	}
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "sim.Replace(ebpf.TailCall, ...)") {
			t.Errorf("panic %q", got)
		}
	}()
	m.TailCall(new(ebpf.XDP), 1)
}

type account struct {
	id    uint32
	lock  ebpf.SpinLock
	in    uint64
	timer ebpf.Timer
}

func TestSpinLock(t *testing.T) {
	m := ebpf.NewArray[account](2)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			a := m.Lookup(1)
			for range 100 {
				a.lock.Lock()
				a.in++
				a.lock.Unlock()
			}
		})
	}
	wg.Wait()
	a := m.Lookup(1)
	a.lock.Lock()
	if err := m.Set(1, account{in: 9, id: 8}); err != nil {
		t.Fatal(err)
	}
	if v, _ := m.Get(1); v != (account{in: 9, id: 8}) {
		t.Errorf("copy of a locked value: %+v", &v)
	}
	a.lock.Unlock() // panics if Set has unlocked it
	defer func() {
		if recover() == nil {
			t.Error("Unlock of what is not locked")
		}
	}()
	a.lock.Unlock()
}

func TestTimer(t *testing.T) {
	m := ebpf.NewHash[uint32, account](2)
	m.Set(5, account{id: 1})
	v := m.Lookup(5)
	fired := make(chan uint32)
	fire := func(k *uint32, v *account) { fired <- *k + v.id }
	if err := m.After(&v.timer, 1, fire); err != nil {
		t.Fatal(err)
	}
	if got := <-fired; got != 6 {
		t.Errorf("called with %d", got)
	}
	if v.timer.Stop() {
		t.Error("a timer that has fired is running")
	}
	hour := uint64(time.Hour)
	if err := m.After(&v.timer, hour, fire); err != nil || !v.timer.Stop() || v.timer.Stop() {
		t.Errorf("Stop: %v", err)
	}
	if err := m.After(&v.timer, hour, fire); err != nil {
		t.Error(err)
	}
	if err := m.After(&v.timer, 1, fire); err != nil {
		t.Error(err)
	}
	<-fired
	if err := m.After(new(ebpf.Timer), 1, fire); err != syscall.EINVAL {
		t.Errorf("a timer of no entry: %v", err)
	}
	a := ebpf.NewArray[account](3)
	if err := a.After(&a.Lookup(2).timer, 1, func(i *uint32, _ *account) { fired <- *i }); err != nil {
		t.Error(err)
	}
	if got := <-fired; got != 2 {
		t.Errorf("index %d", got)
	}
}

func TestMoveToKernel(t *testing.T) {
	q, bl, l := ebpf.NewQueue[uint32](4), ebpf.NewBloom[uint32](4), ebpf.NewLPMTrie[ipv4, uint8](4)
	for i := range uint32(3) {
		q.Push(i)
		bl.Add(i)
		l.Set(ebpf.Prefix[ipv4]{Bits: i, Addr: ipv4{0xff}}, uint8(i))
	}
	for _, r := range []interface{ Resize(int) error }{q, bl, l} {
		if err := r.Resize(8); err != nil {
			t.Error(err)
		}
	}
	for i := range uint32(3) {
		if v, _ := q.Pop(); v != i || !bl.Contains(i) {
			t.Errorf("%d: queue has %d, filter %t", i, v, bl.Contains(i))
		}
	}
	if v, _ := l.Get(ipv4{0xff}); v != 2 {
		t.Errorf("trie has %d", v)
	}
}
