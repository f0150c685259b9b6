package jit_test

import (
	"sync"
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/jit"
)

// scramble has a variable that the stack is too small for.
func scramble(seed uint32) (sum uint32) {
	var a [500]uint32
	for i := range a {
		a[i] = seed
		seed = seed*1664525 + 1013904223
	}
	for i := range a {
		sum = sum*31 + a[499-i]
	}
	return sum
}

// TestScratchConcurrently has runs on the same CPU compete for the memory of a
// variable.
func TestScratchConcurrently(t *testing.T) {
	k := inKernel(t, scramble)
	var wg sync.WaitGroup
	for g := range uint32(8) {
		wg.Go(func() {
			for i := range uint32(200) {
				if got, want := k(g*1000+i), scramble(g*1000+i); got != want {
					t.Errorf("scramble(%d) is %d in the kernel, want %d", g*1000+i, got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestScratchCallback has a function that a helper calls use a variable of its
// caller and one of its own, both larger than the stack.
func TestScratchCallback(t *testing.T) {
	const src = `package p

import (
	"github.com/undergo-ebpf/undergo/ebpf"
)

//ebpf:section xdp
func sums(ctx *ebpf.XDP) int {
	var a [300]uint32
	calls, sum, x := 0, uint32(0), ctx.RxQueueIndex+7
	ebpf.Loop(200, func(i uint32) bool {
		var b [200]uint32
		a[i] = i * x
		b[i] = a[i]
		sum += b[i&^1]
		calls++
		return true
	})
	return int(a[ctx.RxQueueIndex+199]+sum) + calls
}
`
	kerneltest.Callbacks.Test(t)
	c, err := jit.CompileSource("p.go", src)
	needPrivilege(t, err)
	defer c.Close()
	p := c.Programs["sums"]
	if got := p.Unit().Scratch; got != (300+200)*4 {
		t.Errorf("%d bytes of scratch memory", got)
	}
	for range 2 { // the second run finds what the first left behind
		ret, err := p.BPF().Run(&cebpf.RunOptions{Data: make([]byte, 64)})
		if want := uint32(7*199 + 7*99*100 + 200); err != nil || ret != want {
			t.Errorf("got %d, %v; want %d", ret, err, want)
		}
	}
}
