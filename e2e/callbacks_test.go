package e2e

import (
	"reflect"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// fillUp stores beyond the end of an array if n is large, by an index that callbacks
// count up. The verifiers before Linux 6.7 follow a callback only once, and take the
// index for 0 if nothing is done about it.
func fillUp(n uint64) (sum uint64) {
	var a [8]uint64
	i := 0
	ebpf.Loop(uint32(n), func(uint32) bool {
		a[i] = n + 1
		i++
		return true
	})
	for _, x := range a {
		sum = sum*31 + x
	}
	return sum + uint64(i)
}

// lastOf depends on what callbacks before the last one have stored.
func lastOf(n uint64) uint64 {
	x := struct {
		small [3]uint8
		last  uint64
	}{last: 7}
	ebpf.Loop(uint32(n), func(i uint32) bool {
		if x.last == 7 {
			x.small[i%3]++
			x.last = uint64(i)
		} else {
			x.last = 7
		}
		return true
	})
	return x.last<<24 | uint64(x.small[0])<<16 | uint64(x.small[1])<<8 | uint64(x.small[2])
}

// stoppedBy recovers from panics of callbacks.
func stoppedBy(n uint64) (r uint64) {
	var a [4]uint64
	defer func() {
		switch v := recover().(type) {
		case uint32:
			r = uint64(v) + 1000
		case int16:
			r = uint64(v) + 2000
		case error:
			r = 5000
		}
		r = r*10 + a[1]
	}()
	ebpf.Loop(uint32(n), func(i uint32) bool {
		switch {
		case n == 3 && i == 2:
			panic(i)
		case n == 5 && i == 1:
			panic(int16(n))
		}
		a[i]++
		return true
	})
	return a[0]
}

// eitherCounter counts in one of two variables, by a pointer that callbacks capture.
func eitherCounter(n uint64) (r uint64) {
	var first, second uint64
	p := &first
	if n&1 != 0 {
		p = &second
	}
	ebpf.Loop(uint32(n), func(i uint32) bool {
		if *p != 0 {
			r += uint64(i)
		}
		*p++
		return true
	})
	return r<<32 | first<<16 | second
}

// countIn counts in the variable of its caller.
//
//go:noinline
func countIn(p *uint64, n, step uint64) (r uint64) {
	ebpf.Loop(uint32(n), func(i uint32) bool {
		if *p >= step {
			r += uint64(i)
		}
		*p += step
		return true
	})
	return r
}

// passedCounter has its variables counted in by a function.
func passedCounter(n uint64) uint64 {
	var first, second uint64
	r := countIn(&first, n, 1)
	r += countIn(&second, n+1, 2)
	return r<<32 | first<<16 | second
}

// countersFound is what lateValue counts in.
var countersFound = ebpf.NewArray[uint64](1)

// lateValue has a pointer that is nil until a callback finds a value for it.
func lateValue(n uint64) uint64 {
	countersFound.Set(0, 0)
	var p *uint64
	ebpf.Loop(uint32(n), func(i uint32) bool {
		if p != nil {
			*p += uint64(i)
		} else {
			p = countersFound.Lookup(0)
		}
		return true
	})
	if p == nil {
		return 1 << 40
	}
	return *p
}

// TestCallbacks runs functions with callbacks that change captured variables.
func TestCallbacks(t *testing.T) {
	callbacks.test(t)
	for _, fn := range []func(uint64) uint64{fillUp, lastOf, stoppedBy, eitherCounter, passedCounter} {
		inKernel, err := jit.Func(fn)
		callbacks.require(t, err)
		for n := range uint64(12) {
			compareCalls(t, reflect.ValueOf(fn), reflect.ValueOf(inKernel), []reflect.Value{reflect.ValueOf(n)})
		}
	}
}

// TestCallbackFinds runs a function whose callbacks change a pointer. Natively maps that are
// in the kernel have none.
func TestCallbackFinds(t *testing.T) {
	callbacks.test(t)
	find, err := jit.Func(lateValue)
	if (kerneltest.Limit{Kernel: lower.CallbackRounds.MinKernel(), Code: lower.FeatureMissing}).Excludes(t, err) {
		return
	}
	callbacks.require(t, err)
	for n := range uint64(12) {
		want := n * (n - 1) / 2
		if n == 0 {
			want = 1 << 40
		}
		if got := find(n); got != want {
			t.Errorf("%d callbacks: %d, not %d", n, got, want)
		}
	}
}
