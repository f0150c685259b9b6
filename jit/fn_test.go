package jit_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
)

type point struct {
	x int8
	y int64
	z [3]uint16
	_ uint16
	w bool
}

func add(a, b int) int { return a + b }

func divMod(a, b int32) (int32, int32) { return a / b, a % b }

func swap(p point, n uint8) (point, [2]uint8, bool) {
	p.x, p.y = int8(p.y), int64(p.x)
	p.z[0], p.z[2] = p.z[2], p.z[0]
	p.w = !p.w
	return p, [2]uint8{n, n + 1}, p.z[1] > 5
}

func at(a [5]uint16, i int) uint16 { return a[i] }

func fib(n uint32) uint64 {
	a, b := uint64(0), uint64(1)
	for range n % 64 {
		a, b = b, a+b
	}
	return a
}

func explicit(n int) int {
	if n > 3 {
		panic("too large")
	}
	return n
}

func nothing() {}

// inKernel returns fn as a function that runs in the kernel.
func inKernel[F any](t testing.TB, fn F, opts ...jit.Option) F {
	t.Helper()
	k, err := jit.Func(fn, opts...)
	needPrivilege(t, err)
	return k
}

func TestFunc(t *testing.T) { testFunc(t) }

// TestFuncPacket runs the functions as they are run before Linux 5.14.
func TestFuncPacket(t *testing.T) { testFunc(t, jit.ViaPacket()) }

func testFunc(t *testing.T, opts ...jit.Option) {
	t.Run("integers", func(t *testing.T) {
		f := inKernel(t, add, opts...)
		for _, x := range [][2]int{{1, 2}, {-1, 1}, {math.MaxInt, 1}, {math.MinInt, -1}} {
			if got, want := f(x[0], x[1]), add(x[0], x[1]); got != want {
				t.Errorf("add(%d, %d) = %d, want %d", x[0], x[1], got, want)
			}
		}
	})
	t.Run("two results", func(t *testing.T) {
		f := inKernel(t, divMod, opts...)
		for _, x := range [][2]int32{{7, 2}, {-7, 2}, {7, -2}, {math.MinInt32, -1}} {
			d, m := f(x[0], x[1])
			if wd, wm := divMod(x[0], x[1]); d != wd || m != wm {
				t.Errorf("divMod(%d, %d) = %d, %d, want %d, %d", x[0], x[1], d, m, wd, wm)
			}
		}
	})
	t.Run("structs and arrays", func(t *testing.T) {
		f := inKernel(t, swap, opts...)
		p := point{x: -3, y: 1 << 40, z: [3]uint16{1, 6, 0xffff}, w: true}
		gp, ga, gb := f(p, 255)
		if wp, wa, wb := swap(p, 255); gp != wp || ga != wa || gb != wb {
			t.Errorf("swap = %v, %v, %v, want %v, %v, %v", gp, ga, gb, wp, wa, wb)
		}
	})
	t.Run("loop", func(t *testing.T) {
		f := inKernel(t, fib, opts...)
		for _, n := range []uint32{0, 1, 10, 63} {
			if got, want := f(n), fib(n); got != want {
				t.Errorf("fib(%d) = %d, want %d", n, got, want)
			}
		}
	})
	t.Run("closure", func(t *testing.T) {
		factor := point{x: 3}
		f := inKernel(t, func(n int) int { return n * int(factor.x) }, opts...)
		if got := f(14); got != 42 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("generic instance", func(t *testing.T) {
		if got := inKernel(t, generic[uint8], opts...)(200); got != generic[uint8](200) {
			t.Errorf("got %d", got)
		}
	})
	t.Run("method value", func(t *testing.T) {
		r := rule{low: 10, high: 20, allow: true}
		f := inKernel(t, r.matches, opts...)
		if !f(15) || f(25) {
			t.Error("wrong result")
		}
	})
	t.Run("method expression", func(t *testing.T) {
		f := inKernel(t, rule.matches, opts...)
		if !f(rule{low: 1, high: 2, allow: true}, 2) || f(rule{low: 1, high: 2}, 2) {
			t.Error("wrong result")
		}
	})
	t.Run("no parameters and results", func(t *testing.T) { inKernel(t, nothing, opts...)() })
}

// TestFuncPanics compares panics in the kernel with those on the host.
func TestFuncPanics(t *testing.T) {
	kdiv, kat, kexplicit := inKernel(t, divMod), inKernel(t, at), inKernel(t, explicit)
	tests := []struct {
		name         string
		kernel, host func()
		kind, line   string
	}{
		{"division", func() { kdiv(1, 0) }, func() { _, _ = divMod(1, 0) }, "divide", "fn_test.go:24:"},
		{"index", func() { kat([5]uint16{}, 5) }, func() { at([5]uint16{}, 5) }, "index", "fn_test.go:33:"},
		{"negative index", func() { kat([5]uint16{}, -1) }, func() { at([5]uint16{}, -1) }, "index", "fn_test.go:33:"},
		{"explicit", func() { kexplicit(4) }, func() { explicit(4) }, "explicit", "fn_test.go:45:"},
		{"none", func() { kexplicit(3) }, func() { explicit(3) }, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want, got := panicOf(test.host), panicOf(test.kernel)
			if want == nil && got == nil {
				return
			}
			err, ok := got.(*jit.PanicError)
			if !ok {
				t.Fatalf("got %v, want a panic like %v", got, want)
			}
			if err.Kind != test.kind || !strings.Contains(err.Error(), test.line) {
				t.Errorf("got %s %v", err.Kind, err)
			}
			if host, ok := want.(runtime.Error); ok {
				text := strings.TrimPrefix(host.Error(), "runtime error: ")
				text, _, _ = strings.Cut(text, " [") // the values are not known
				if !strings.Contains(err.Message, text) {
					t.Errorf("message %q, on the host %q", err.Message, host)
				}
			}
			var re runtime.Error
			if !errors.As(err, &re) {
				t.Error("not a runtime.Error")
			}
		})
	}
}

func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func TestFuncConcurrently(t *testing.T) {
	f := inKernel(t, divMod)
	var wg sync.WaitGroup
	for g := range int32(8) {
		wg.Go(func() {
			for i := range int32(200) {
				b := i % 5
				if v := panicOf(func() {
					if d, m := f(g*1000+i, b); d != (g*1000+i)/b || m != (g*1000+i)%b {
						t.Errorf("%d, %d", d, m)
					}
				}); (v != nil) != (b == 0) {
					t.Errorf("divisor %d: panic %v", b, v)
				}
			}
		})
	}
	wg.Wait()
}

func TestFuncRefuses(t *testing.T) {
	if _, err := jit.Func(5); err == nil || !strings.Contains(err.Error(), "int is not a function") {
		t.Error(err)
	}
	if _, err := jit.Func(func(a ...int) int { return 0 }); err == nil || !strings.Contains(err.Error(), "fixed number of parameters") {
		t.Error(err)
	}
	for _, test := range []struct {
		f    func() error
		want string
	}{
		{func() error { _, err := jit.Func(func(s string) int { return len(s) }); return err }, "s cannot be passed to the kernel and back: it is of type string"},
		{func() error { _, err := jit.Func(func(p *int) int { return *p }); return err }, "it is of type *int"},
		{func() error { _, err := jit.Func(func() float64 { return 1 }); return err }, "float64"},
		{func() error { _, err := jit.Func(func() struct{ a []int } { panic(0) }); return err }, "field a"},
	} {
		if err := test.f(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}
