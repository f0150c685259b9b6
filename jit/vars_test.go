package jit_test

import (
	"os"
	"sync"
	"testing"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

var (
	calls  uint64 = 100
	last   lastCall
	onExit uint64
)

type lastCall struct {
	PID  uint32
	Args [3]uint16
}

//ebpf:section raw_tracepoint/sys_enter
func enterGetppid(ctx *ebpf.RawTracepoint) int {
	if ctx.Arg(1) == getppidNumber {
		calls++
		last.PID = uint32(ebpf.GetCurrentPidTgid() >> 32)
		last.Args[2] = 7
	}
	return 0
}

//ebpf:section raw_tracepoint/sys_enter
func enterGetpid(ctx *ebpf.RawTracepoint) int {
	if ctx.Arg(1) == unix.SYS_GETPGID {
		onExit = calls
		calls += 1000
	}
	return 0
}

func attachRaw(t *testing.T, p *jit.Program) {
	t.Helper()
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sys_enter", Program: p.BPF()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

func variable[T any](t *testing.T, p *jit.Program, name string) *jit.Variable[T] {
	t.Helper()
	v, err := jit.Var[T](p, name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Programs that are made of functions which use the same variable share it.
func TestVariables(t *testing.T) {
	p, err := jit.Compile(enterGetppid)
	needPrivilege(t, err)
	defer p.Close()
	q, err := jit.Compile(enterGetpid)
	needPrivilege(t, err)
	defer q.Close()
	attachRaw(t, p)
	attachRaw(t, q)
	for range 5 {
		unix.Getppid()
	}
	n, m := variable[uint64](t, p, "calls"), variable[uint64](t, q, "calls")
	if n.Pointer() != m.Pointer() {
		t.Errorf("two places")
	}
	if n.Load() != 105 {
		t.Errorf("%d calls, want 105", n.Load())
	}
	if got := variable[lastCall](t, p, "last").Load(); got != (lastCall{uint32(os.Getpid()), [3]uint16{0, 0, 7}}) {
		t.Errorf("last = %v", got)
	}
	n.Store(1)
	m.Add(1)
	_, _ = unix.Getpgid(0)
	if got := variable[uint64](t, q, "onExit").Load(); got != 2 || n.Load() != 1002 {
		t.Errorf("after Getpgid: onExit %d, calls %d, want 2 and 1002", got, n.Load())
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if n.Load() != 1002 { // still there to be read
		t.Errorf("calls = %d after Close", n.Load())
	}
	again, err := jit.Compile(enterGetppid)
	needPrivilege(t, err)
	defer again.Close()
	if got := variable[uint64](t, again, "calls").Load(); got != 100 {
		t.Errorf("calls = %d in a new program, want its initial value, 100", got)
	}
}

func TestVarErrors(t *testing.T) {
	p, err := jit.Compile(enterGetppid)
	needPrivilege(t, err)
	defer p.Close()
	if _, err := jit.Var[uint32](p, "calls"); err == nil || err.Error() != "variable calls of enterGetppid: is of type uint64, not uint32" {
		t.Error(err)
	}
	if _, err := jit.Var[uint64](p, "nothing"); err == nil {
		t.Error("no error for a variable that does not exist")
	}
}

// Additions by programs and by the host are not lost.
func TestVariableConcurrent(t *testing.T) {
	p, err := jit.Compile(enterGetppid)
	needPrivilege(t, err)
	defer p.Close()
	n := variable[uint64](t, p, "calls")
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 100 {
				n.Add(1)
				n.Load()
			}
		})
	}
	wg.Wait()
	if n.Load() != 100+6400 {
		t.Errorf("%d, want 6500", n.Load())
	}
}

// openFiles returns the number of file descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

const leakSource = `package p
import "github.com/undergo-ebpf/undergo/ebpf"
var (
	counts = ebpf.NewHash[uint32, uint64](16)
	events = ebpf.NewRingBuf[uint64](4096)
	total uint64
)
//ebpf:section raw_tracepoint/sys_enter
func good(ctx *ebpf.RawTracepoint) int {
	counts.Add(1, 1)
	total++
	events.Output(total)
	return 0
}
`

// badSources cannot be loaded: one has a map that is too large, the other is for a hook that does not exist.
var badSources = []string{`
var zhuge = ebpf.NewHash[uint32, uint64](1 << 31)
//ebpf:section raw_tracepoint/sys_enter
func bad(ctx *ebpf.RawTracepoint) int {
	counts.Add(2, total)
	total++
	zhuge.Add(1, 1)
	return 0
}
`, `
//ebpf:section lsm/no_such_hook
func bad(ctx ebpf.Context) int {
	counts.Add(2, total)
	total++
	return 0
}
`}

// What is loaded is closed, and nothing stays open when loading fails half-way.
func TestNoLeaks(t *testing.T) {
	c, err := jit.CompileSource("good.go", leakSource)
	needPrivilege(t, err)
	if c.Maps["p.counts"] == nil || c.Maps["p.events"] == nil || c.Maps["p.events.lost"] == nil {
		t.Errorf("maps %v", c.Maps)
	}
	attachRaw(t, c.Programs["good"])
	unix.Getppid()
	var n uint64
	if err := c.Maps["p.counts"].Lookup(uint32(1), &n); err != nil || n == 0 {
		t.Errorf("counts[1] = %d, %v", n, err)
	}
	if v := variable[uint64](t, c.Programs["good"], "total"); v.Load() == 0 {
		t.Error("total is 0")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	before := openFiles(t)
	for range 3 {
		c, err := jit.CompileSource("good.go", leakSource)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		for _, bad := range badSources {
			if c, err := jit.CompileSource("bad.go", leakSource+bad); err == nil {
				t.Errorf("bad is accepted: %v", c.Close())
			}
		}
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d files open, %d before", after, before)
	}
}
