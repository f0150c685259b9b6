package e2e

import (
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file runs the same functions on maps in memory, natively, and in the kernel. Each returns
// what came of every operation, so that the results of both must be equal.

// A compound is a key and a value with padding and arrays.
type compound struct {
	A uint8
	B uint32
	C [3]struct {
		X uint8
		Y uint16
	}
}

var (
	hashKind    = ebpf.NewHash[compound, uint64](3)
	lruKind     = ebpf.NewLRUHash[uint32, compound](1024)
	perCPUKind  = ebpf.NewPerCPUHash[uint32, uint64](3)
	lruCPUKind  = ebpf.NewLRUPerCPUHash[uint32, uint64](256)
	arrayKind   = ebpf.NewArray[compound](4)
	countsKind  = ebpf.NewArray[uint32](4)
	cpuArray    = ebpf.NewPerCPUArray[uint64](4)
	varKind     = ebpf.NewVar[int64](0)
	trieKind    = ebpf.NewLPMTrie[[4]byte, uint32](3)
	queueKind   = ebpf.NewQueue[compound](2)
	stackKind   = ebpf.NewStack[uint64](2)
	bloomKind   = ebpf.NewBloom[uint64](100)
	hashOfMaps  = ebpf.NewHashOfMaps[uint32](4, ebpf.NewHash[uint32, uint64](4))
	arrayOfMaps = ebpf.NewArrayOfMaps(4, ebpf.NewArray[uint64](4))
	eachKind    = ebpf.NewHash[uint32, uint64](16)
	eachIndex   = ebpf.NewArray[uint32](4)
)

// A trail is what came of operations, one after the other.
type trail [24]int64

// code returns the number of an error, 0 for none.
func code(err error) int64 {
	if errno, ok := err.(syscall.Errno); ok {
		return int64(errno)
	}
	return 0
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func hashOps(n uint32) (r trail) {
	k, l, m, o := compound{A: 1, B: n}, compound{B: n}, compound{A: 1, B: n + 1}, compound{A: 7}
	k.C[2].X = 9
	v, ok := hashKind.Get(k)
	r[0], r[1] = int64(v), truth(ok)
	r[2], r[3] = code(hashKind.Delete(k)), code(hashKind.SetIfPresent(k, 1))
	r[4], r[5], r[6] = code(hashKind.Set(k, 5)), code(hashKind.SetIfAbsent(k, 6)), code(hashKind.SetIfPresent(k, 7))
	if p := hashKind.Lookup(k); p != nil {
		*p += uint64(n)
		r[7] = int64(*p)
	}
	r[8], r[9] = code(hashKind.Add(k, 1<<40)), code(hashKind.Add(l, 3))
	if p := hashKind.LookupOrInit(m, 11); p != nil {
		*p++
	}
	if p := hashKind.LookupOrInit(m, 100); p != nil {
		r[10] = int64(*p)
	}
	r[11], r[12] = code(hashKind.Set(o, 1)), code(hashKind.Add(o, 1)) // full
	r[13] = truth(hashKind.LookupOrInit(o, 1) == nil)
	v, _ = hashKind.Get(k)
	w, _ := hashKind.Get(l)
	r[14], r[15] = int64(v), int64(w)
	r[16], r[17] = code(hashKind.Delete(l)), code(hashKind.Delete(l))
	r[18] = code(hashKind.Set(o, 1))
	r[19] = truth(hashKind.Lookup(l) == nil)
	return r
}

func lruOps(n uint32) (r trail) {
	for i := range uint32(16) {
		r[0] += code(lruKind.Set(n+i, compound{A: uint8(i), B: i}))
	}
	r[1], r[2] = code(lruKind.SetIfAbsent(n, compound{})), code(lruKind.SetIfPresent(n+100, compound{}))
	for i := range uint32(16) {
		v, ok := lruKind.Get(n + i)
		r[3] += truth(ok && v.B == i && v.A == uint8(i))
	}
	if p := lruKind.Lookup(n + 3); p != nil {
		p.C[1].Y = 77
	}
	v, _ := lruKind.Get(n + 3)
	r[4], r[5], r[6] = int64(v.C[1].Y), code(lruKind.Delete(n+3)), code(lruKind.Delete(n+3))
	return r
}

func perCPUOps(n uint32) (r trail) {
	v, ok := perCPUKind.Get(n)
	r[0], r[1] = int64(v), truth(ok)
	r[2], r[3], r[4] = code(perCPUKind.Add(n, 2)), code(perCPUKind.Add(n, 3)), code(perCPUKind.SetIfAbsent(n, 1))
	v, ok = perCPUKind.Get(n)
	r[5], r[6] = int64(v), truth(ok)
	if p := perCPUKind.Lookup(n); p != nil {
		*p = 40
	}
	r[7], r[8] = code(perCPUKind.Set(n+1, 1)), code(perCPUKind.Set(n+2, 2))
	r[9], r[10] = code(perCPUKind.Set(n+3, 2)), code(perCPUKind.Set(n, 41))
	v, _ = perCPUKind.Get(n)
	r[11], r[12], r[13] = int64(v), code(perCPUKind.Delete(n)), code(perCPUKind.Delete(n))
	return r
}

func lruCPUOps(n uint32) (r trail) {
	r[0], r[1], r[2] = code(lruCPUKind.Add(n, 2)), code(lruCPUKind.Add(n, 3)), code(lruCPUKind.SetIfAbsent(n, 9))
	v, ok := lruCPUKind.Get(n)
	r[3], r[4] = int64(v), truth(ok)
	if p := lruCPUKind.LookupOrInit(n+1, 6); p != nil {
		*p *= 7
	}
	v, ok = lruCPUKind.Get(n + 1)
	r[5], r[6] = int64(v), truth(ok)
	r[7], r[8], r[9] = code(lruCPUKind.Set(n, 1)), code(lruCPUKind.Delete(n)), code(lruCPUKind.Delete(n))
	return r
}

func arrayOps(n uint32) (r trail) {
	i := n % 4
	r[0], r[1] = code(arrayKind.Set(i, compound{A: 3, B: n})), code(arrayKind.Set(4, compound{}))
	if p := arrayKind.Lookup(i); p != nil {
		p.C[n%3].Y = 5
	}
	v, ok := arrayKind.Get(i)
	r[2], r[3], r[4], r[5] = int64(v.A), int64(v.B), int64(v.C[n%3].Y), truth(ok)
	r[6] = truth(arrayKind.Lookup(4) == nil)
	r[7], r[8] = code(countsKind.Add(i, 5)), code(countsKind.Add(4, 5))
	countsKind.Add(i, 1<<32-7)
	c, _ := countsKind.Get(i)
	r[9] = int64(c)
	r[10], r[11] = code(cpuArray.Add(i, 8)), code(cpuArray.Set(4, 1))
	if p := cpuArray.Lookup(i); p != nil {
		*p *= 3
	}
	d, ok := cpuArray.Get(i)
	r[12], r[13] = int64(d), truth(ok)
	return r
}

func varOps(n uint32) (r trail) {
	r[0] = varKind.Load()
	varKind.Add(int64(n))
	r[1] = varKind.Load()
	varKind.Store(-1 << 60)
	*varKind.Pointer() += 2
	r[2] = varKind.Load()
	return r
}

func trieOps(n uint32) (r trail) {
	a := [4]byte{10, byte(n), byte(n >> 8), 1}
	wide, narrow := ebpf.Prefix[[4]byte]{Bits: 8, Addr: a}, ebpf.Prefix[[4]byte]{Bits: 16, Addr: a}
	r[0], r[1] = code(trieKind.Set(wide, 8)), code(trieKind.Set(narrow, 16))
	v, ok := trieKind.Get(a)
	w, _ := trieKind.Get([4]byte{10, byte(n) + 1, 2, 3})
	_, none := trieKind.Get([4]byte{11})
	r[2], r[3], r[4], r[5] = int64(v), truth(ok), int64(w), truth(none)
	if p := trieKind.Lookup(a); p != nil {
		*p += 100
	}
	v, _ = trieKind.GetPrefix(narrow)
	r[6], r[7], r[8] = int64(v), code(trieKind.Delete(narrow)), code(trieKind.Delete(narrow))
	v, _ = trieKind.Get(a)
	r[9] = int64(v)
	r[10] = code(trieKind.Set(ebpf.Prefix[[4]byte]{Bits: 33, Addr: a}, 1))
	return r
}

func queueOps(n uint32) (r trail) {
	_, ok := queueKind.Pop()
	r[0] = truth(ok)
	r[1], r[2] = code(queueKind.Push(compound{B: n})), code(queueKind.Push(compound{A: 1, B: n + 1}))
	r[3], r[4] = code(queueKind.Push(compound{})), code(queueKind.PushOver(compound{B: n + 2}))
	v, ok := queueKind.Peek()
	r[5], r[6] = int64(v.B), truth(ok)
	v, _ = queueKind.Pop()
	w, _ := queueKind.Pop()
	r[7], r[8] = int64(v.B), int64(w.B)
	_, ok = stackKind.Peek()
	r[9] = truth(ok)
	r[10], r[11], r[12] = code(stackKind.Push(1)), code(stackKind.Push(2)), code(stackKind.Push(3))
	x, ok := stackKind.Pop()
	y, _ := stackKind.Peek()
	z, _ := stackKind.Pop()
	r[13], r[14], r[15], r[16] = int64(x), int64(y), int64(z), truth(ok)
	return r
}

func bloomOps(n uint32) (r trail) {
	r[0] = truth(bloomKind.Contains(uint64(n)))
	r[1] = code(bloomKind.Add(uint64(n)))
	r[2] = truth(bloomKind.Contains(uint64(n)))
	return r
}

func hashOfMapsOps(n uint32) (r trail) {
	r[0] = truth(hashOfMaps.Lookup(n) == nil)
	if m := hashOfMaps.Lookup(1); m != nil {
		r[1], r[2] = code(m.Add(n, 4)), code(m.SetIfAbsent(n, 1))
		v, ok := m.Get(n)
		r[3], r[4] = int64(v), truth(ok)
		if p := m.Lookup(n); p != nil {
			*p = 9
		}
		v, _ = m.Get(n)
		r[5], r[6] = int64(v), code(m.Delete(n+1))
	}
	return r
}

func arrayOfMapsOps(n uint32) (r trail) {
	r[0], r[1] = truth(arrayOfMaps.Lookup(0) == nil), truth(arrayOfMaps.Lookup(4) == nil)
	if m := arrayOfMaps.Lookup(1); m != nil {
		r[2], r[3] = code(m.Set(2, uint64(n))), code(m.Add(2, 4))
		v, ok := m.Get(2)
		r[4], r[5], r[6] = int64(v), truth(ok), code(m.Set(4, 1))
	}
	return r
}

func eachOps(n uint32) (r trail) {
	for i := range uint32(5) {
		eachKind.Set(n+i, uint64(10*i))
	}
	for k, v := range eachKind.All() {
		r[0]++
		r[1] += int64(k) * int64(v)
	}
	for k, v := range eachKind.All() {
		if v == 20 {
			r[2] = int64(k)
			break
		}
	}
	for k := range eachKind.Keys() {
		if k == n+2 {
			eachKind.Delete(k)
		}
	}
	for v := range eachKind.Values() {
		r[3] += int64(v)
	}
	for i, v := range eachIndex.All() {
		r[4] += int64(i) + int64(v)
	}
	return r
}

func TestMapKinds(t *testing.T) {
	for _, tt := range []struct {
		name    string
		feature *feature
		ops     func(uint32) trail
		maps    []bind.Holder
		fill    func() error // puts in what programs cannot
	}{
		{"hash", tables, hashOps, []bind.Holder{hashKind}, nil},
		{"lru hash", tables, lruOps, []bind.Holder{lruKind}, nil},
		{"per-CPU hash", tables, perCPUOps, []bind.Holder{perCPUKind}, nil},
		{"LRU per-CPU hash", tables, lruCPUOps, []bind.Holder{lruCPUKind}, nil},
		{"arrays", tables, arrayOps, []bind.Holder{arrayKind, countsKind, cpuArray}, nil},
		{"variable", tables, varOps, []bind.Holder{varKind}, func() error { varKind.Store(-5); return nil }},
		{"trie", tables, trieOps, []bind.Holder{trieKind}, nil},
		{"queue and stack", tables, queueOps, []bind.Holder{queueKind, stackKind}, nil},
		{"bloom", blooms, bloomOps, []bind.Holder{bloomKind}, nil},
		{"hash of maps", tables, hashOfMapsOps, []bind.Holder{hashOfMaps}, func() error { return hashOfMaps.Set(1, ebpf.NewHash[uint32, uint64](4)) }},
		{"array of maps", tables, arrayOfMapsOps, []bind.Holder{arrayOfMaps}, func() error { return arrayOfMaps.Set(1, ebpf.NewArray[uint64](4)) }},
		{"each entry", loopsOverMaps, eachOps, []bind.Holder{eachKind, eachIndex}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.feature.test(t)
			fill := func() {
				t.Helper()
				if tt.fill == nil {
					return
				}
				if err := tt.fill(); err != nil {
					t.Fatal(err)
				}
			}
			// Later runs find what earlier ones have left.
			inputs := []uint32{0, 3, 1 << 20}
			var want []trail
			stayOnCPU(t)
			fill()
			for _, n := range inputs {
				want = append(want, tt.ops(n))
			}
			closeAll(t, tt.maps)
			inKernel, err := jit.Func(tt.ops)
			tt.feature.require(t, err)
			defer closeAll(t, tt.maps)
			fill()
			for i, n := range inputs {
				if got := inKernel(n); got != want[i] {
					t.Errorf("of %d: in the kernel %v, natively %v", n, got, want[i])
				}
			}
		})
	}
}

// stayOnCPU keeps the rest of the test, and the programs that it runs, on one CPU.
func stayOnCPU(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	for cpu := range 1024 {
		if before.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.SchedSetaffinity(0, &before) })
}

func closeAll(t *testing.T, maps []bind.Holder) {
	t.Helper()
	for _, m := range maps {
		if err := m.Binding().Close(); err != nil {
			t.Fatal(err)
		}
	}
}
