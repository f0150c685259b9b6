package build_test

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
)

// TestAtomic compares the functions at the end of this file.
func TestAtomic(t *testing.T) {
	text, err := os.ReadFile("atomic_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, funcs, _ := strings.Cut(string(text), "\n// The functions of TestAtomic.\n")
	l := newLoader(t)
	pkg := l.loadText(t, "p.go", "package main\nimport \"sync/atomic\"\n"+funcs)
	compareAll(t, l, pkg, []any{atomicAdd, atomics32, atomics64, atomicNil})

	// Without operations that fetch there is only an addition without result.
	if ds := l.diagnose(t, pkg.Func("atomics32"), build.ShimCtx, oldest); len(ds) != 5 || !strings.Contains(ds[0].Message, "needs Linux 5.12") {
		t.Errorf("Linux 5.10: %v", ds)
	}
	if ds := l.diagnose(t, pkg.Func("atomicAdd"), build.ShimCtx, oldest); len(ds) != 0 {
		t.Errorf("Linux 5.10: %v", ds)
	}
}

// The functions of TestAtomic.

func atomicAdd(a int32) int32 {
	atomic.AddInt32(&a, 3)
	return a
}

func atomics32(a, b, c int32) (int32, int32, bool, int32, int32) {
	x := a
	y := atomic.AddInt32(&x, b)
	old := atomic.AndInt32(&x, c)
	ok := atomic.CompareAndSwapInt32(&x, a&c, b)
	z := atomic.LoadInt32(&x)
	atomic.StoreInt32(&x, c)
	atomic.AddInt32(&x, 1)
	return y, old, ok, z, x
}

type counted struct {
	n atomic.Uint64
}

func atomics64(a, b uint64) (uint64, uint64, uint64, uint64) {
	var c counted
	c.n.Add(a)
	x := c.n.Add(b)
	y := c.n.Swap(a)
	z := c.n.Or(b)
	return x, y, z, c.n.Load()
}

func atomicNil(a uint8) int32 {
	x := int32(a)
	p := &x
	if a > 5 {
		p = nil
	}
	return atomic.AddInt32(p, 2)
}
