package jit_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// Syscalls_SysEnterWrite is the hello world of the package documentation.
func Syscalls_SysEnterWrite(ctx ebpf.Context) int {
	pid := ebpf.GetCurrentPidTgid() >> 32
	if pid != 0 {
		ebpf.Printk("BPF triggered sys_enter_write from PID %d.\n", pid)
	}
	return 0
}

// TestMain prints in a guest what the tests have found of the kernel.
func TestMain(m *testing.M) { os.Exit(kerneltest.Main(m)) }

// needPrivilege ends the test unless err is nil, as package kerneltest decides.
func needPrivilege(t testing.TB, err error) {
	t.Helper()
	kerneltest.Require(t, err)
}

func TestHello(t *testing.T) {
	p, err := jit.Compile(Syscalls_SysEnterWrite, jit.WithDumps())
	needPrivilege(t, err)
	defer p.Close()
	if p.Name() != "Syscalls_SysEnterWrite" || p.Section() != "tracepoint/syscalls/sys_enter_write" || p.BPF() == nil {
		t.Errorf("program %s of section %s", p.Name(), p.Section())
	}
	for _, stage := range p.Stages() {
		if text, err := p.Dump(stage); err != nil || strings.TrimSpace(text) == "" {
			t.Errorf("dump %s: %q, %v", stage, text, err)
		}
	}
	rodata, err := p.Maps()[lower.RodataSection].Info()
	if err != nil || !rodata.Frozen() {
		t.Errorf("constants are not frozen: %v, %v", rodata, err)
	}
	s := p.Stats()
	if s.Insns == 0 || s.Total() == 0 {
		t.Errorf("stats: %+v", s)
	}
	t.Run("verified", func(t *testing.T) {
		kerneltest.VerifiedCount.Test(t)
		if s.Verified == 0 {
			needPrivilege(t, fmt.Errorf("number of verified instructions: %w", cebpf.ErrNotSupported))
		}
	})
}

// xdpLookup panics for interfaces with a number above 2.
func xdpLookup(ctx *ebpf.XDP) ebpf.XDPAction {
	actions := [3]ebpf.XDPAction{ebpf.XDPDrop, ebpf.XDPPass, ebpf.XDPTX}
	i := ctx.RxQueueIndex + offset
	return actions[i]
}

var offset uint32 = 1

func TestPanics(t *testing.T) {
	p, err := jit.Compile(xdpLookup, jit.OnPanic(3), jit.WithConst("offset", uint32(7)))
	needPrivilege(t, err)
	defer p.Close()
	if panics, err := p.Panics(); err != nil || len(panics) != 0 {
		t.Errorf("before the first: %v, %v", panics, err)
	}
	for range 5 {
		ret, err := p.BPF().Run(&cebpf.RunOptions{Data: make([]byte, 64)})
		if err != nil || ret != 3 {
			t.Errorf("got %d, %v", ret, err)
		}
	}
	panics, err := p.Panics()
	if err != nil || len(panics) != 1 || panics[0].Count != 5 || panics[0].Kind != "index" {
		t.Fatalf("got %v, %v", panics, err)
	}
	if got := panics[0].String(); !strings.Contains(got, "load_test.go:69:") || !strings.Contains(got, "index out of range") {
		t.Errorf("got %s", got)
	}
}

func TestCollection(t *testing.T) {
	src := `package p

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:section xdp
func pass(ctx *ebpf.XDP) ebpf.XDPAction { return ebpf.XDPPass }

//ebpf:section raw_tp/sys_enter
func count(ctx *ebpf.RawTracepoint) int { return int(ctx.Args[1]) }
`
	var log bytes.Buffer
	c, err := jit.CompileSource("p.go", src, jit.WithLog(&log))
	needPrivilege(t, err)
	var names []string
	for _, p := range c.All() {
		names = append(names, p.Name()+" "+p.BPF().Type().String())
		if c.Programs[p.Name()] != p {
			t.Errorf("%s is not in Programs", p.Name())
		}
	}
	if got := strings.Join(names, ", "); got != "pass XDP, count RawTracepoint" {
		t.Errorf("programs %s", got)
	}
	t.Run("log", func(t *testing.T) {
		kerneltest.LogPositions.Test(t)
		if !strings.Contains(log.String(), "p.go:6") {
			needPrivilege(t, fmt.Errorf("positions in the verifier's log: %w:\n%s", cebpf.ErrNotSupported, log.String()))
		}
	})
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestConcurrentCompile compiles in parallel, for the race detector.
func TestConcurrentCompile(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			n := uint32(i)
			p, err := jit.Compile(func(ctx ebpf.Context) int {
				ebpf.Printk("%d %d", n, ebpf.GetPrandomU32())
				return int(n)
			}, jit.As("tracepoint"), jit.WithTarget(linux618))
			if err != nil {
				t.Error(err)
				return
			}
			if asm, _ := p.Dump("asm"); !strings.Contains(asm, fmt.Sprintf("imm: %d\n", n)) {
				t.Errorf("constant %d is not in the program:\n%s", n, asm)
			}
		})
	}
	wg.Wait()
}
