package e2e

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// The programs of this file count events under the number of the program that sees them.

const (
	replacements = 20
	maxEvents    = 1 << 20
)

var (
	seenBy     = ebpf.NewArray[uint64](replacements + 1) // events by program
	seen       = ebpf.NewArray[uint32](maxEvents)        // how often by event
	generation uint32                                    // of the program, given by jit.WithConst
	everSeen   uint64
)

// firstFD is the file descriptor whose close is event 0. None is so large.
const firstFD = 1 << 30

func countClose(ctx *ebpf.SysEnter) int {
	if i := uint32(ctx.Args[0]); i >= firstFD && i < firstFD+maxEvents && ebpf.CurrentPID() == uint32(self) {
		seen.Add(i-firstFD, 1)
		seenBy.Add(generation, 1)
		everSeen++
	}
	return 0
}

func countGeneration(ctx *ebpf.XDP) ebpf.XDPAction {
	seenBy.Add(generation, 1)
	return ebpf.XDPPass
}

// forget makes the programs of a test begin with empty maps.
func forget(t *testing.T) {
	t.Cleanup(func() {
		if err := errors.Join(seen.Close(), seenBy.Close()); err != nil {
			t.Error(err)
		}
	})
}

// replaceAll exchanges the program of l many times while event makes events, one at a time, and
// returns how many there were, and how often the kernel kept one from a program.
func replaceAll(t *testing.T, f *feature, p *jit.Program, l *attach.Link, event func(i int)) (n int, missed uint64) {
	t.Helper()
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; !stop.Load() && n < maxEvents; n++ {
			event(n)
			if n%64 == 0 {
				time.Sleep(time.Millisecond) // so that there are enough for all
			}
		}
	}()
	defer func() { stop.Store(true); <-done }()
	for i := range uint32(replacements) {
		waitSeen(t, i, done)
		next, err := l.Recompile(jit.WithConst("generation", i+1))
		f.require(t, err)
		if l.Program() != next {
			t.Error("the link does not know its program")
		}
		missed += p.Stats().Missed
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		p = next
		t.Cleanup(func() { next.Close() })
	}
	waitSeen(t, replacements, done)
	stop.Store(true)
	<-done
	return n, missed + p.Stats().Missed
}

// waitSeen waits until a program has seen an event.
func waitSeen(t *testing.T, generation uint32, done <-chan struct{}) {
	t.Helper()
	for {
		if n, _ := seenBy.Get(generation); n > 0 {
			return
		}
		select {
		case <-done:
			t.Fatalf("program %d sees nothing", generation)
		case <-time.After(time.Millisecond):
		}
	}
}

// TestReplaceTracepoint exchanges programs where the kernel has no way to: all events are seen,
// and those between attaching the one and detaching the other twice. The kernel itself keeps an
// event from all programs where bpf(2) is at work on a map; that such a thread is preempted is
// rare, but not in kernels that preempt threads in the kernel, as 7.3 does.
func TestReplaceTracepoint(t *testing.T) {
	tracepoints.test(t)
	p := tracepoints.compile(t, countClose, thisProcess(), jit.As("tracepoint/syscalls/sys_enter_close"), jit.WithConst("generation", uint32(0)))
	forget(t)
	l, err := attach.Auto(p)
	tracepoints.require(t, err)
	defer l.Close()
	n, missed := replaceAll(t, tracepoints, p, l, func(i int) { unix.Close(firstFD + i) })
	twice, never := 0, uint64(0)
	for i, times := range seen.All() {
		if int(i) == n {
			break
		}
		switch {
		case times == 0:
			if never++; never > missed {
				t.Fatalf("event %d of %d was missed: of %d, the kernel itself has kept %d", i, n, never, missed)
			}
		case times > 2:
			t.Fatalf("event %d was seen %d times", i, times)
		case times == 2:
			twice++
		}
	}
	sum := uint64(0)
	for by := range seenBy.Values() {
		sum += by
	}
	if sum != uint64(n+twice)-never {
		t.Errorf("%d events seen by all programs, want %d but for %d and %d twice", sum, n, never, twice)
	}
	ever, err := jit.Var[uint64](l.Program(), "everSeen")
	if err != nil {
		t.Fatal(err)
	}
	if got := ever.Load(); got == 0 || got > sum {
		t.Errorf("the variable that all share is %d, want up to %d", got, sum)
	}
}

// TestReplaceXDP exchanges programs where the kernel can: every packet is seen once.
func TestReplaceXDP(t *testing.T) {
	xdp.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	if err := interfaceUp("lo"); err != nil {
		t.Fatal(err)
	}
	p := xdp.compile(t, countGeneration, jit.WithConst("generation", uint32(0)))
	forget(t)
	l, err := attach.XDP(p, "lo", attach.XDPOptions{Mode: attach.XDPGeneric})
	xdp.require(t, err)
	defer l.Close()
	send, received := loopback(t)
	raw := l.Raw()
	n, _ := replaceAll(t, xdp, p, l, func(int) {
		if send(); !received(true) {
			t.Error("a packet is lost")
		}
	})
	sum := uint64(0)
	for by := range seenBy.Values() {
		sum += by
	}
	if sum != uint64(n) {
		t.Errorf("%d packets seen of %d", sum, n)
	}
	if l.Raw() != raw {
		t.Error("it is another link")
	}
}

func TestReplaceErrors(t *testing.T) {
	tracepoints.test(t)
	p := tracepoints.compile(t, Syscalls_SysEnterGetppid, thisProcess())
	l, err := attach.Auto(p)
	tracepoints.require(t, err)
	wantError(t, l.Replace(tracepoints.compile(t, dropAll)), "program type is XDP, want TracePoint")
	_, err = l.Recompile(jit.WithConst("sefl", 1))
	wantError(t, err, "no variable sefl")
	if l.Program() != p {
		t.Error("a failure has changed the program")
	}
	wantHits(t, p, l, 5, getppid) // and closes l
	if err := l.Replace(p); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	source := tracepoints.compileSource(t, "func Syscalls_SysEnterGetppid(ebpf.Context) int { return 0 }")
	_, err = source.Recompile()
	wantError(t, err, "was not compiled from a func value")
}
