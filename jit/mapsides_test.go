package jit_test

import (
	"reflect"
	"syscall"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file calls each method that programs have of each type of map twice: natively, on a map in
// memory, and in the kernel. The table of what the host does is in maptable_test.go.

// nestedKey and nestedValue have padding, and arrays in structs in arrays.
type (
	nestedKey struct {
		Kind uint8
		At   [2]struct {
			Port uint16
			On   bool
			Net  uint32
		}
		_    uint16
		Wide int64
	}
	nestedValue struct {
		N    uint64
		Rows [2][3]struct {
			A uint8
			B uint16
		}
		Last bool
	}
)

// results is what a run has to tell.
type results [16]uint64

// codeOf is the number of an error.
func codeOf(err error) uint64 {
	switch err {
	case nil:
		return 0
	case syscall.ENOENT:
		return 2
	case syscall.EAGAIN:
		return 11
	case syscall.E2BIG:
		return 7
	case syscall.EEXIST:
		return 17
	case syscall.EINVAL:
		return 22
	case syscall.ENOSPC:
		return 28
	}
	return 999
}

func bitOf(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// makeKey makes a key in memory that has been something else.
func makeKey(n uint64) nestedKey {
	k := nestedKey{Kind: 0xff, Wide: -1}
	k.At[0].Net, k.At[1].Port = 0xffffffff, 0xffff
	k = nestedKey{Kind: uint8(n), Wide: int64(n) << 40}
	k.At[n&1].Port, k.At[1].On = uint16(n), n > 1
	return k
}

func makeValue(n uint64) nestedValue {
	v := nestedValue{N: n, Last: n&1 == 1}
	v.Rows[n&1][n%3].A, v.Rows[1][2].B = uint8(n), uint16(n)<<4
	return v
}

func sumValue(v nestedValue) uint64 {
	sum := v.N + bitOf(v.Last)<<60
	for i := range v.Rows {
		for j := range v.Rows[i] {
			sum = sum*3 + uint64(v.Rows[i][j].A) + uint64(v.Rows[i][j].B)<<20
		}
	}
	return sum
}

// An entryMap is what a program can do with a map of entries.
type entryMap interface {
	Lookup(nestedKey) *nestedValue
	LookupOrInit(nestedKey, nestedValue) *nestedValue
	Get(nestedKey) (nestedValue, bool)
	Set(nestedKey, nestedValue) error
	SetIfAbsent(nestedKey, nestedValue) error
	SetIfPresent(nestedKey, nestedValue) error
	Delete(nestedKey) error
}

func entryOps(m entryMap) (r results) {
	a, b, c := makeKey(1), makeKey(2), makeKey(3)
	r[0] = codeOf(m.Set(a, makeValue(1)))
	r[1] = codeOf(m.SetIfAbsent(a, makeValue(9)))
	r[2] = codeOf(m.SetIfAbsent(b, makeValue(2)))
	r[3] = codeOf(m.SetIfPresent(c, makeValue(3)))
	r[4] = codeOf(m.SetIfPresent(b, makeValue(4)))
	if p := m.Lookup(a); p != nil {
		p.N += 10
		p.Rows[1][1].B++
		r[5] = sumValue(*p)
	}
	if p := m.LookupOrInit(c, makeValue(5)); p != nil {
		p.Rows[0][0].A += 7
	}
	if p := m.LookupOrInit(c, makeValue(6)); p != nil {
		p.N++
	}
	v, ok := m.Get(a)
	r[6], r[7] = sumValue(v), bitOf(ok)
	v, ok = m.Get(c)
	r[8], r[9] = sumValue(v), bitOf(ok)
	r[10], r[11] = codeOf(m.Delete(b)), codeOf(m.Delete(b))
	_, ok = m.Get(b)
	r[12], r[13] = bitOf(ok), bitOf(m.Lookup(makeKey(7)) == nil)
	return r
}

func TestMapSides(t *testing.T) {
	for _, c := range []struct {
		name string
		need func(testing.TB)
		make func() (func() results, []bind.Holder)
	}{
		{"Hash", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewHash[nestedKey, nestedValue](3)
			return func() results { return entryOps(m) }, []bind.Holder{m}
		}},
		{"full Hash", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewHash[nestedKey, nestedValue](2)
			return func() (r results) {
				for i := range uint64(4) {
					r[i] = codeOf(m.Set(makeKey(i), makeValue(1)))
				}
				r[4] = codeOf(m.Set(makeKey(1), makeValue(2)))
				return r
			}, []bind.Holder{m}
		}},
		{"LRUHash", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewLRUHash[nestedKey, nestedValue](1024)
			return func() results { return entryOps(m) }, []bind.Holder{m}
		}},
		{"PerCPUHash", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewPerCPUHash[nestedKey, nestedValue](64)
			return func() results { return entryOps(m) }, []bind.Holder{m}
		}},
		{"LRUPerCPUHash", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewLRUPerCPUHash[nestedKey, nestedValue](1024)
			return func() results { return entryOps(m) }, []bind.Holder{m}
		}},
		{"Add", nil, func() (func() results, []bind.Holder) {
			h, l := ebpf.NewHash[nestedKey, uint64](2), ebpf.NewLRUHash[uint8, int32](100)
			p, a := ebpf.NewPerCPUHash[nestedKey, uint64](2), ebpf.NewArray[int64](2)
			return func() (r results) {
				for i := range uint64(3) {
					r[i] = codeOf(h.Add(makeKey(i), 1<<63)) + 100*codeOf(h.Add(makeKey(i), 1<<63+i))
				}
				r[3] = codeOf(l.Add(5, -7)) + codeOf(l.Add(5, 3))
				r[4] = codeOf(p.Add(makeKey(1), 5)) + codeOf(p.Add(makeKey(1), 6))
				r[5] = codeOf(a.Add(1, -5)) + 100*codeOf(a.Add(2, 1))
				r[6], _ = h.Get(makeKey(1))
				n, _ := l.Get(5)
				r[7] = uint64(n)
				r[8], _ = p.Get(makeKey(1))
				i, _ := a.Get(1)
				r[9] = uint64(i)
				return r
			}, []bind.Holder{h, l, p, a}
		}},
		{"All", kerneltest.LoopsOverMaps.Test, func() (func() results, []bind.Holder) {
			h, l := ebpf.NewHash[nestedKey, nestedValue](8), ebpf.NewLRUHash[uint32, uint64](8)
			a := ebpf.NewArray[nestedValue](4)
			return func() (r results) {
				for i := range uint64(4) {
					h.Set(makeKey(i), makeValue(i))
					l.Set(uint32(i), 7*i)
					a.Set(uint32(i), makeValue(i+1))
				}
				for k, v := range h.All() {
					r[0] += uint64(k.Wide)>>40*3 + sumValue(v)
				}
				for k := range h.Keys() {
					r[1] += uint64(k.At[1].Port) + uint64(k.Kind)<<8
				}
				for v := range l.Values() {
					r[2] += v
				}
				for i, v := range a.All() {
					r[3] += uint64(i) * v.N
				}
				return r
			}, []bind.Holder{h, l, a}
		}},
		{"Array", nil, func() (func() results, []bind.Holder) {
			a, p := ebpf.NewArray[nestedValue](3), ebpf.NewPerCPUArray[nestedValue](3)
			return func() (r results) {
				r[0], r[1] = codeOf(a.Set(2, makeValue(4))), codeOf(a.Set(3, makeValue(4)))
				r[2], r[3] = codeOf(p.Set(2, makeValue(5))), codeOf(p.Set(3, makeValue(5)))
				if v := a.Lookup(2); v != nil {
					v.Rows[0][1].A = 9
				}
				if v := p.Lookup(2); v != nil {
					v.Rows[0][1].B = 9
				}
				v, ok := a.Get(2)
				r[4], r[5] = sumValue(v), bitOf(ok)
				v, ok = p.Get(2)
				r[6], r[7] = sumValue(v), bitOf(ok)
				_, ok = a.Get(3)
				r[8], r[9] = bitOf(ok), bitOf(p.Lookup(3) == nil)
				v, ok = a.Get(0)
				r[10], r[11] = sumValue(v), bitOf(ok)
				return r
			}, []bind.Holder{a, p}
		}},
		{"Var", nil, func() (func() results, []bind.Holder) {
			n, s := ebpf.NewVar[uint32](7), ebpf.NewVar(makeValue(3))
			return func() (r results) {
				n.Add(5)
				r[0] = uint64(n.Load())
				n.Store(1)
				*n.Pointer() += 2
				r[1] = uint64(n.Load())
				r[2] = sumValue(s.Load())
				s.Store(makeValue(4))
				s.Pointer().Rows[1][0].B = 5
				r[3] = sumValue(s.Load())
				return r
			}, []bind.Holder{n, s}
		}},
		{"LPMTrie", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewLPMTrie[[4]byte, nestedValue](2)
			return func() (r results) {
				r[0] = codeOf(m.Set(ebpf.Prefix[[4]byte]{Bits: 8, Addr: [4]byte{10}}, makeValue(8)))
				r[1] = codeOf(m.Set(ebpf.Prefix[[4]byte]{Bits: 16, Addr: [4]byte{10, 1}}, makeValue(16)))
				r[2] = codeOf(m.Set(ebpf.Prefix[[4]byte]{Bits: 24, Addr: [4]byte{10, 1, 1}}, makeValue(24)))
				v, ok := m.Get([4]byte{10, 1, 2, 3})
				r[3], r[4] = sumValue(v), bitOf(ok)
				if p := m.Lookup([4]byte{10, 2}); p != nil {
					p.N++
					r[5] = sumValue(*p)
				}
				_, ok = m.Get([4]byte{11})
				r[6] = bitOf(ok)
				r[7] = codeOf(m.Delete(ebpf.Prefix[[4]byte]{Bits: 16, Addr: [4]byte{10, 1}}))
				r[8] = codeOf(m.Delete(ebpf.Prefix[[4]byte]{Bits: 9, Addr: [4]byte{10}}))
				v, _ = m.Get([4]byte{10, 1, 2, 3})
				r[9] = sumValue(v)
				return r
			}, []bind.Holder{m}
		}},
		{"Queue", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewQueue[nestedValue](2)
			return func() (r results) {
				for i := range uint64(3) {
					r[i] = codeOf(m.Push(makeValue(i)))
				}
				r[3] = codeOf(m.PushOver(makeValue(8)))
				v, ok := m.Peek()
				r[4], r[5] = sumValue(v), bitOf(ok)
				for i := range 3 {
					v, ok = m.Pop()
					r[6+2*i], r[7+2*i] = sumValue(v), bitOf(ok)
				}
				return r
			}, []bind.Holder{m}
		}},
		{"Stack", nil, func() (func() results, []bind.Holder) {
			m := ebpf.NewStack[nestedValue](2)
			return func() (r results) {
				for i := range uint64(3) {
					r[i] = codeOf(m.Push(makeValue(i)))
				}
				r[3] = codeOf(m.PushOver(makeValue(8)))
				v, ok := m.Peek()
				r[4], r[5] = sumValue(v), bitOf(ok)
				for i := range 3 {
					v, ok = m.Pop()
					r[6+2*i], r[7+2*i] = sumValue(v), bitOf(ok)
				}
				return r
			}, []bind.Holder{m}
		}},
		{"Bloom", kerneltest.Blooms.Test, func() (func() results, []bind.Holder) {
			m := ebpf.NewBloom[nestedKey](1000)
			return func() (r results) {
				r[0], r[1], r[2] = bitOf(m.Contains(makeKey(1))), codeOf(m.Add(makeKey(1))), bitOf(m.Contains(makeKey(1)))
				return r
			}, []bind.Holder{m}
		}},
		{"maps of maps", nil, func() (func() results, []bind.Holder) {
			inner, other := ebpf.NewHash[nestedKey, nestedValue](8), ebpf.NewHash[nestedKey, nestedValue](8)
			h, a := ebpf.NewHashOfMaps[nestedKey](4, inner), ebpf.NewArrayOfMaps(2, inner)
			if err := h.Set(makeKey(1), inner); err != nil {
				t.Fatal(err)
			}
			if err := a.Set(1, other); err != nil {
				t.Fatal(err)
			}
			return func() (r results) {
				if m := h.Lookup(makeKey(1)); m != nil {
					r[0] = codeOf(m.Set(makeKey(3), makeValue(3)))
					v, _ := m.Get(makeKey(3))
					r[1] = sumValue(v)
				}
				if m := a.Lookup(1); m != nil {
					_, ok := m.Get(makeKey(3))
					r[2] = bitOf(ok)
					r[3] = codeOf(m.Delete(makeKey(3)))
				}
				r[4], r[5] = bitOf(h.Lookup(makeKey(2)) == nil), bitOf(a.Lookup(0) == nil)
				return r
			}, []bind.Holder{h, a, inner, other}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.need != nil {
				c.need(t)
			}
			native, _ := c.make()
			want := native()
			fn, maps := c.make()
			defer func() {
				for _, m := range maps {
					m.Binding().Close()
				}
			}()
			f, err := jit.Func(fn)
			needPrivilege(t, err)
			if got := f(); !reflect.DeepEqual(got, want) {
				t.Errorf("%d\nin memory %d", got, want)
			}
		})
	}
}
