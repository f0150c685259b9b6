package jit_test

import (
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
)

type pair struct {
	A uint8
	B uint32
	C [2]uint16
}

var (
	hash      = ebpf.NewHash[pair, uint64](64)
	array     = ebpf.NewArray[pair](8)
	lru       = ebpf.NewLRUHash[uint32, pair](64)
	perCPU    = ebpf.NewPerCPUHash[uint32, uint64](64)
	perArray  = ebpf.NewPerCPUArray[uint64](4)
	queue     = ebpf.NewQueue[uint64](4)
	stack     = ebpf.NewStack[uint64](4)
	bloom     = ebpf.NewBloom[uint64](64)
	limit     = ebpf.NewVar[uint64](5)
	nestedMap = ebpf.NewHashOfMaps[uint32](4, ebpf.NewHash[uint32, uint64](16))
	ring      = ebpf.NewRingBuf[pair](4096)
)

func errno(err error) int64 {
	if err != nil {
		return 1
	}
	return 0
}

func hashOps(a uint8, b uint32) (found bool, n uint64, e1, e2, e3 int64) {
	k := pair{A: a, B: b}
	e1 = errno(hash.SetIfAbsent(k, 5))
	hash.Add(k, 3)
	if p := hash.Lookup(k); p != nil {
		*p += 10
	}
	n, found = hash.Get(k)
	e2 = errno(hash.Delete(pair{B: 1 << 30}))
	e3 = errno(hash.SetIfPresent(pair{B: 1 << 30}, 1))
	return
}

func hashSum() (n, sum uint64) {
	for k, v := range hash.All() {
		if k.B == 99 {
			continue
		}
		n++
		sum += v
	}
	return
}

func arrayOps(i uint32) (p pair, e int64) {
	array.Set(i, pair{1, 2, [2]uint16{3, 4}})
	if q := array.Lookup(i); q != nil {
		q.C[1]++
	}
	p, _ = array.Get(i)
	e = errno(array.Set(100, pair{}))
	return
}

func lookupNil(i uint32) uint32 { return array.Lookup(i).B }

func perCPUOps(k uint32) (uint64, uint64) {
	perCPU.Add(k, 2)
	perCPU.Add(k, 3)
	perArray.Add(1, 7)
	a, _ := perCPU.Get(k)
	b, _ := perArray.Get(1)
	return a, b
}

func queueOps(x uint64) (a, b, c uint64, ok bool) {
	queue.Push(x)
	queue.Push(x + 1)
	a, _ = queue.Pop()
	stack.Push(x)
	stack.Push(x + 1)
	b, _ = stack.Peek()
	c, ok = stack.Pop()
	return
}

func bloomOps(x uint64) (bool, bool) {
	bloom.Add(x)
	return bloom.Contains(x), bloom.Contains(x + 1)
}

func varOps(x uint64) uint64 {
	limit.Add(x)
	return limit.Load()
}

func nestedOps(k, i uint32) (uint64, bool) {
	m := nestedMap.Lookup(k)
	if m == nil {
		return 0, false
	}
	m.Add(i, 4)
	return m.Get(i)
}

func ringOps(b uint32) bool {
	ring.Output(pair{B: b})
	if r := ring.Reserve(); r != nil {
		r.B = b + 1
		ring.Submit(r)
	}
	if r := ring.Reserve(); r != nil {
		r.B = b + 2
		ring.Discard(r)
	}
	return true
}

func lruOps(b uint32) (uint32, bool) {
	lru.Set(b, pair{B: b})
	p, ok := lru.Get(b)
	return p.B, ok
}

// closeMaps closes maps at the end of a test, so that the next one begins with empty ones.
func closeMaps(t *testing.T, maps ...interface{ Close() error }) {
	t.Cleanup(func() {
		for _, m := range maps {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestMapKinds(t *testing.T) {
	closeMaps(t, hash, array, lru, perCPU, perArray, queue, stack, bloom, limit, nestedMap, ring)
	t.Run("hash", func(t *testing.T) {
		kerneltest.LoopsOverMaps.Test(t)
		f := inKernel(t, hashOps)
		if found, n, e1, e2, e3 := f(1, 2); !found || n != 18 || e1 != 0 || e2 != 1 || e3 != 1 {
			t.Error(found, n, e1, e2, e3)
		}
		if n, ok := hash.Get(pair{A: 1, B: 2}); !ok || n != 18 {
			t.Error(n, ok)
		}
		hash.Set(pair{B: 99}, 1000)
		hash.Set(pair{B: 3}, 100)
		if n, sum := inKernel(t, hashSum)(); n != 2 || sum != 118 {
			t.Error(n, sum)
		}
	})
	t.Run("array", func(t *testing.T) {
		if p, e := inKernel(t, arrayOps)(3); p != (pair{1, 2, [2]uint16{3, 5}}) || e != 1 {
			t.Error(p, e)
		}
		if p, ok := array.Get(3); p != (pair{1, 2, [2]uint16{3, 5}}) || !ok {
			t.Error(p)
		}
	})
	t.Run("nil", func(t *testing.T) {
		f := inKernel(t, lookupNil)
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		f(100)
	})
	t.Run("lru", func(t *testing.T) {
		if b, ok := inKernel(t, lruOps)(5); b != 5 || !ok {
			t.Error(b, ok)
		}
	})
	t.Run("perCPU", func(t *testing.T) {
		if a, b := inKernel(t, perCPUOps)(5); a != 5 || b != 7 {
			t.Error(a, b)
		}
		if n, ok := perCPU.Sum(5); n != 5 || !ok {
			t.Error(n, ok)
		}
		if err := perCPU.Set(6, 8); err != nil {
			t.Error(err)
		}
		if err := perCPU.Add(6, 8); err != nil {
			t.Error(err)
		}
		if n, ok := perCPU.Sum(6); n != 16 {
			t.Error(n, ok)
		}
	})
	t.Run("queue", func(t *testing.T) {
		if a, b, c, ok := inKernel(t, queueOps)(5); a != 5 || b != 6 || c != 6 || !ok {
			t.Error(a, b, c, ok)
		}
		if x, ok := queue.Pop(); x != 6 || !ok {
			t.Error(x, ok)
		}
	})
	t.Run("bloom", func(t *testing.T) {
		kerneltest.Blooms.Test(t)
		if a, _ := inKernel(t, bloomOps)(5); !a {
			t.Error(a)
		}
		if !bloom.Contains(5) {
			t.Error("not there")
		}
	})
	t.Run("var", func(t *testing.T) {
		f := inKernel(t, varOps)
		limit.Store(5)
		if n := f(5); n != 10 {
			t.Error(n)
		}
		limit.Add(1)
		if n := limit.Load(); n != 11 {
			t.Error(n)
		}
	})
	t.Run("nested", func(t *testing.T) {
		f := inKernel(t, nestedOps)
		if _, ok := f(1, 2); ok {
			t.Error("empty")
		}
		inner := ebpf.NewHash[uint32, uint64](16)
		defer inner.Close()
		if err := nestedMap.Set(1, inner); err != nil {
			t.Fatal(err)
		}
		if n, ok := f(1, 2); !ok || n != 4 {
			t.Error(n, ok)
		}
		if n, ok := inner.Get(2); !ok || n != 4 {
			t.Error(n, ok)
		}
	})
	t.Run("ring", func(t *testing.T) {
		kerneltest.RingBuffers.Test(t)
		inKernel(t, ringOps)(5)
		want := uint32(5)
		for ev, err := range ring.Read(t.Context()) {
			if err != nil || ev.B != want {
				t.Error(ev, err)
			}
			if want++; want == 7 {
				break
			}
		}
	})
}

var (
	trie    = ebpf.NewLPMTrie[[4]byte, uint32](16)
	account = ebpf.NewHash[uint32, locked](16)
	timers  = ebpf.NewArray[timed](2)
	fired   = ebpf.NewVar[uint64](0)
	users   = ebpf.NewUserRingBuf[pair](4096)
	tasks   = ebpf.NewTaskStorage[uint64]()
)

type locked struct {
	In, Out uint64
	Lock    ebpf.SpinLock
	Tag     uint8
}

type timed struct {
	N uint32
	T ebpf.Timer
}

func trieOps(a [4]byte) (uint32, bool) {
	trie.Set(ebpf.Prefix[[4]byte]{Bits: 8, Addr: [4]byte{10}}, 1)
	trie.Set(ebpf.Prefix[[4]byte]{Bits: 16, Addr: [4]byte{10, 1}}, 2)
	return trie.Get(a)
}

func lockOps(k uint32) (in, out uint64, tag uint8) {
	account.Set(k, locked{In: 1, Out: 2, Tag: 3})
	if a := account.Lookup(k); a != nil {
		a.Lock.Lock()
		a.In, a.Out = a.Out, a.In
		a.Lock.Unlock()
	}
	v, _ := account.Get(k)
	return v.In, v.Out, v.Tag
}

func timerOps(i uint32) int64 {
	v := timers.Lookup(i)
	if v == nil {
		return -1
	}
	v.N = 5
	return errno(timers.After(&v.T, 1000, func(i *uint32, v *timed) { fired.Add(uint64(v.N)) }))
}

func drainOps() (n int, sum uint32) {
	n, _ = users.Drain(func(rec *pair) bool {
		sum += rec.B
		return true
	})
	return
}

func taskOps() uint64 {
	task := ebpf.CurrentTask()
	tasks.Delete(task)
	if p := tasks.GetOrCreate(task); p != nil {
		*p += 5
	}
	if p := tasks.Get(task); p != nil {
		return *p
	}
	return 0
}

func loopOps(n uint32) (sum uint64) {
	ebpf.Loop(n, func(i uint32) bool {
		sum += uint64(i)
		return true
	})
	return
}

func loopPanic(n uint32) (sum uint64) {
	var a [4]uint64
	ebpf.Loop(n, func(i uint32) bool {
		a[i] = 1
		sum++
		return true
	})
	return
}

func findFirst(b uint32) (v uint64) {
	for k, n := range hash.All() {
		if k.B == b {
			return n
		}
	}
	return 0
}

func TestMapKindsMore(t *testing.T) {
	closeMaps(t, trie, account, timers, fired, users, tasks, hash)
	t.Run("trie", func(t *testing.T) {
		if n, ok := inKernel(t, trieOps)([4]byte{10, 1, 2, 3}); n != 2 || !ok {
			t.Error(n, ok)
		}
		if n, ok := trie.Get([4]byte{10, 2}); n != 1 || !ok {
			t.Error(n, ok)
		}
	})
	t.Run("lock", func(t *testing.T) {
		if in, out, tag := inKernel(t, lockOps)(1); in != 2 || out != 1 || tag != 3 {
			t.Error(in, out, tag)
		}
		if v, ok := account.Get(1); v.In != 2 || !ok {
			t.Error(v.In, ok)
		}
	})
	t.Run("timer", func(t *testing.T) {
		kerneltest.Timers.Test(t)
		f := inKernel(t, timerOps)
		fired.Store(0)
		if e := f(1); e != 0 {
			t.Error(e)
		}
		for fired.Load() == 0 {
		}
		if n := fired.Load(); n != 5 {
			t.Error(n)
		}
	})
	t.Run("user ring", func(t *testing.T) {
		kerneltest.UserRings.Test(t)
		f := inKernel(t, drainOps)
		users.Send(pair{B: 5})
		users.Send(pair{B: 6})
		if n, sum := f(); n != 2 || sum != 11 {
			t.Error(n, sum)
		}
	})
	t.Run("task", func(t *testing.T) {
		kerneltest.TaskStorages.Test(t)
		if n := inKernel(t, taskOps)(); n != 5 {
			t.Error(n)
		}
	})
	t.Run("loop", func(t *testing.T) {
		kerneltest.Callbacks.Test(t)
		if n := inKernel(t, loopOps)(10); n != 45 {
			t.Error(n)
		}
	})
	t.Run("loop panic", func(t *testing.T) {
		kerneltest.Callbacks.Test(t)
		f := inKernel(t, loopPanic)
		if n := f(4); n != 4 {
			t.Error(n)
		}
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		f(5)
	})
	t.Run("find", func(t *testing.T) {
		kerneltest.LoopsOverMaps.Test(t)
		f := inKernel(t, findFirst)
		hash.Set(pair{B: 77}, 5)
		if n := f(77); n != 5 {
			t.Error(n)
		}
	})
}
