package jit_test

import (
	"errors"
	"sync"
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
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

// TestScratchShared refuses variables that a program would share with itself: where it sleeps and
// nothing keeps another run of it off the CPU.
func TestScratchShared(t *testing.T) {
	const body = `
func big(ctx ebpf.Context) int {
	var a [300]uint32
	for i := range a {
		a[i] = ebpf.GetPrandomU32()
	}
	return int(a[ebpf.GetPrandomU32()%300])
}
`
	for _, tt := range []struct {
		section string
		refused bool
	}{
		{"uprobe.s", true}, {"uretprobe.s", true}, {"lsm.s/file_open", true},
		{"uprobe", false}, {"lsm/file_open", false}, {"fentry.s/do_unlinkat", false}, {"syscall", false}, {"xdp", false},
	} {
		c, err := jit.CompileSource("p.go", "package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\n//ebpf:section "+tt.section+body,
			jit.WithTarget(lower.TargetFor(lower.Version{Major: 6, Minor: 12}, "amd64")))
		var d *lower.Diagnostic
		switch {
		case tt.refused && (!errors.As(err, &d) || d.Code != lower.SharedScratch || d.Pos.Line != 5):
			t.Errorf("%s: %v, want %v in line 5", tt.section, err, lower.SharedScratch)
		case !tt.refused && err != nil:
			t.Errorf("%s: %v", tt.section, err)
		case !tt.refused && c.All()[0].Unit().Scratch != 1200:
			t.Errorf("%s: %d bytes of scratch memory", tt.section, c.All()[0].Unit().Scratch)
		}
	}
}

// roll is what TestScratchSyscall passes to a program.
type roll struct{ Seed, Sum uint32 }

func scrambleRoll(ctx *roll) int {
	ctx.Sum = scramble(ctx.Seed)
	return 0
}

// TestScratchSyscall has many run a program at once that has such a variable.
func TestScratchSyscall(t *testing.T) {
	kerneltest.Syscalls.Test(t)
	p, err := jit.Compile(scrambleRoll, jit.As("syscall"))
	kerneltest.Syscalls.Require(t, err)
	defer p.Close()
	if p.Unit().Scratch == 0 {
		t.Fatal("no scratch memory")
	}
	var wg sync.WaitGroup
	for g := range uint32(8) {
		wg.Go(func() {
			for i := range uint32(100) {
				ctx := roll{Seed: g*1000 + i}
				if _, err := p.TestContext(&ctx, nil); err != nil || ctx.Sum != scramble(ctx.Seed) {
					t.Errorf("scramble(%d) is %d in the kernel, %v; want %d", ctx.Seed, ctx.Sum, err, scramble(ctx.Seed))
					return
				}
			}
		})
	}
	wg.Wait()
}
