package e2e

import (
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file tests values of maps of unusual types.

// A purse has a lock, which programs cannot read or write, between its fields.
type purse struct {
	Owner uint32
	Lock  ebpf.SpinLock
	Coins [2]uint64
	Last  uint8
}

var (
	purses = ebpf.NewArray[purse](3)
	noted  = ebpf.NewHash[[3]uint8, struct{}](8)
)

// pass moves coins between the halves of purse k by way of copies of the whole value.
func pass(k uint32, n uint64) (uint64, uint64, uint32) {
	p := purses.Lookup(k)
	if p == nil {
		return 0, 0, 0
	}
	before, _ := purses.Get(k)
	p.Lock.Lock()
	p.Coins[0] -= n
	p.Coins[1] += n
	p.Lock.Unlock()
	coins := valueAt(p).Coins
	coins[1] += before.Coins[0]
	if purses.Set(k, purse{Owner: valueAt(p).Owner ^ before.Owner<<8, Coins: coins}) != nil {
		return 0, 0, 0
	}
	return p.Coins[0], p.Coins[1], p.Owner
}

// valueAt returns a copy.
func valueAt[T any](p *T) T { return *p }

func TestLockedValues(t *testing.T) {
	tables.test(t)
	start := func() purse { return purse{Owner: 3, Coins: [2]uint64{100, 3}, Last: 9} }
	if err := purses.Set(2, start()); err != nil {
		t.Fatal(err)
	}
	want := [4][3]uint64{}
	for i, n := range []uint64{1, 50, 7, 1000} {
		a, b, c := pass(2, n)
		want[i] = [3]uint64{a, b, uint64(c)}
	}
	if err := purses.Set(2, start()); err != nil {
		t.Fatal(err)
	}
	inKernel, err := jit.Func(pass)
	tables.require(t, err)
	for i, n := range []uint64{1, 50, 7, 1000} {
		a, b, c := inKernel(2, n)
		if got := [3]uint64{a, b, uint64(c)}; got != want[i] || got == [3]uint64{} {
			t.Errorf("call %d: %v in the kernel, %v natively", i, got, want[i])
		}
	}
	if v, ok := purses.Get(2); !ok || v.Coins != [2]uint64{want[3][0], want[3][1]} || v.Owner != uint32(want[3][2]) {
		t.Errorf("the host sees %v of %d, %t", v.Coins, v.Owner, ok)
	}
}

// note adds k to a set and tells what it had, counts and forgets.
func note(k [3]uint8) (had, has, again, gone bool, n uint32) {
	_, had = noted.Get(k)
	if noted.SetIfAbsent(k, struct{}{}) == nil {
		k[1]++
		_ = noted.Set(k, struct{}{})
		k[1]--
	}
	has = noted.Lookup(k) != nil
	again = noted.SetIfAbsent(k, struct{}{}) == nil
	for range noted.Keys() {
		n++
	}
	gone = noted.Delete(k) == nil && noted.Delete(k) != nil
	return had, has, again, gone, n
}

func TestSets(t *testing.T) {
	loopsOverMaps.test(t)
	type result struct {
		had, has, again, gone bool
		n                     uint32
	}
	keys := [][3]uint8{{1, 2, 3}, {1, 3, 3}, {1, 3, 3}, {1, 2, 3}}
	var want []result
	for _, k := range keys {
		had, has, again, gone, n := note(k)
		want = append(want, result{had, has, again, gone, n})
	}
	for k := range noted.Keys() {
		if err := noted.Delete(k); err != nil {
			t.Fatal(err)
		}
	}
	inKernel, err := jit.Func(note)
	loopsOverMaps.require(t, err)
	for i, k := range keys {
		had, has, again, gone, n := inKernel(k)
		if got := (result{had, has, again, gone, n}); got != want[i] {
			t.Errorf("call %d: %+v in the kernel, %+v natively", i, got, want[i])
		}
	}
}

// Maps of maps that are declared in a source text have the inner maps that it says.
func TestSourceMapsOfMaps(t *testing.T) {
	tables.test(t)
	p := tables.compileSource(t, `var rows = ebpf.NewArrayOfMaps(3, ebpf.NewArray[uint64](5))

//ebpf:section xdp
func sum(ctx *ebpf.XDP) ebpf.XDPAction {
	n := uint64(0)
	for i := range uint32(3) {
		if row := rows.Lookup(i); row != nil {
			for k := range uint32(6) {
				if p := row.Lookup(k); p != nil {
					n = n*10 + *p
				}
			}
		}
	}
	return ebpf.XDPAction(n)
}
`)
	row, err := cebpf.NewMap(&cebpf.MapSpec{Type: cebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer row.Close()
	for i := range uint32(5) {
		if err := row.Put(i, uint64(i)+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Maps()["p.rows"].Put(uint32(1), row); err != nil {
		t.Fatal(err)
	}
	r, err := p.Test(make([]byte, 14))
	if err != nil || r.Result != 12345 {
		t.Errorf("%d, %v; want the digits of the inner map", r.Result, err)
	}
}
