package e2e

import (
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// The programs of this file count what this process does.

var (
	self uint64 // the process, given by jit.WithConst
	hits uint64
)

func countGetppid(ctx ebpf.Context) int {
	if ebpf.GetCurrentPidTgid()>>32 == self {
		hits++
	}
	return 0
}

// Syscalls_SysEnterGetppid is named after its tracepoint.
func Syscalls_SysEnterGetppid(ctx ebpf.Context) int { return countGetppid(ctx) }

// getppidNumber is the system call's number, which a raw tracepoint sees.
var getppidNumber uint64

func countRaw(ctx *ebpf.RawTracepoint) int {
	if ctx.Arg(1) == getppidNumber && ebpf.GetCurrentPidTgid()>>32 == self {
		hits++
	}
	return 0
}

func thisProcess() jit.Option { return jit.WithConst("self", uint64(os.Getpid())) }

// wantHits checks that a program runs n times more while do runs, and not
// any more once l is closed.
func wantHits(t *testing.T, p *jit.Program, l *attach.Link, n uint64, do func()) {
	t.Helper()
	before := words(t, p)[0]
	do()
	if got := words(t, p)[0] - before; got != n {
		t.Errorf("%s: ran %d times, want %d", l, got, n)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before = words(t, p)[0]
	do()
	if got := words(t, p)[0]; got != before {
		t.Errorf("%s: still runs after Close", l)
	}
}

// getppid makes the system call five times.
func getppid() {
	for range 5 {
		unix.Getppid()
	}
}

func TestTracepoint(t *testing.T) {
	tracepoints.test(t)
	p := tracepoints.compile(t, countGetppid, jit.As("tracepoint/syscalls/sys_enter_getppid"), thisProcess())
	l, err := attach.Tracepoint(p, "syscalls", "sys_enter_getppid")
	tracepoints.require(t, err)
	wantHits(t, p, l, 5, getppid)
}

func TestRawTracepoint(t *testing.T) {
	rawTracepoints.test(t)
	p := rawTracepoints.compile(t, countRaw, jit.WithConst("getppidNumber", uint64(unix.SYS_GETPPID)), thisProcess())
	l, err := attach.RawTracepoint(p, "sys_enter")
	rawTracepoints.require(t, err)
	wantHits(t, p, l, 5, getppid)
}

// TestAuto attaches by all ways to name a hook.
func TestAuto(t *testing.T) {
	tracepoints.test(t)
	number := jit.WithConst("getppidNumber", uint64(unix.SYS_GETPPID))
	for _, tt := range []struct {
		name string
		prog *jit.Program
		hook string
	}{
		{"name", tracepoints.compile(t, Syscalls_SysEnterGetppid, thisProcess()), "tracepoint/syscalls/sys_enter_getppid"},
		{"option tp", tracepoints.compile(t, countGetppid, thisProcess(), jit.As("tp/syscalls/sys_enter_getppid")), "tracepoint/syscalls/sys_enter_getppid"},
		{"option raw_tracepoint", tracepoints.compile(t, countRaw, thisProcess(), number, jit.As("raw_tracepoint/sys_enter")), "raw_tracepoint/sys_enter"},
		{"option over name", tracepoints.compile(t, Syscalls_SysEnterGetppid, thisProcess(), jit.As("tracepoint/syscalls/sys_exit_getppid")), "tracepoint/syscalls/sys_exit_getppid"},
		{"directive", tracepoints.compileSource(t, `
			var self, number, hits uint64
			//ebpf:section raw_tp/sys_enter
			func onEnter(ctx *ebpf.RawTracepoint) int {
				if ctx.Arg(1) == number && ebpf.GetCurrentPidTgid()>>32 == self {
					hits++
				}
				return 0
			}`, thisProcess(), jit.WithConst("number", uint64(unix.SYS_GETPPID))), "raw_tracepoint/sys_enter"},
		{"directive over name", tracepoints.compileSource(t, `
			var self, hits uint64
			//ebpf:section tp/syscalls/sys_enter_getppid
			func Sched_SchedSwitch(ctx ebpf.Context) int {
				if ebpf.GetCurrentPidTgid()>>32 == self {
					hits++
				}
				return 0
			}`, thisProcess()), "tracepoint/syscalls/sys_enter_getppid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := attach.Auto(tt.prog)
			tracepoints.require(t, err)
			if l.String() != tt.hook {
				t.Errorf("attached to %s, want %s", l, tt.hook)
			}
			wantHits(t, tt.prog, l, 5, getppid)
		})
	}
}

func TestAttachErrors(t *testing.T) {
	tracepoints.test(t)
	tp := tracepoints.compile(t, Syscalls_SysEnterGetppid, thisProcess())
	raw := tracepoints.compile(t, countRaw, jit.WithConst("getppidNumber", uint64(unix.SYS_GETPPID)), thisProcess())
	packet := tracepoints.compile(t, dropAll)
	check := func(l *attach.Link, err error) func(want ...string) {
		return func(want ...string) {
			t.Helper()
			if err == nil {
				l.Close()
				t.Errorf("attached, want an error with %q", want)
				return
			}
			wantError(t, err, want...)
		}
	}
	check(attach.Tracepoint(tp, "syscalls", "sys_enter_getpid_"))(
		"attach Syscalls_SysEnterGetppid to tracepoint/syscalls/sys_enter_getpid_", `no trace event in syscalls is called "sys_enter_getpid_"`, "did you mean", "sys_enter_getpid")
	check(attach.Tracepoint(tp, "syscall", "sys_enter_getpid"))(`no group of trace events is called "syscall"`, "did you mean syscalls")
	check(attach.Tracepoint(tp, "syscalls", "zzzzzzzzzzzz"))(`no trace event in syscalls is called "zzzzzzzzzzzz"`)
	check(attach.Tracepoint(tp, "..", "sys_enter_getpid"))("no name of a trace event")
	check(attach.RawTracepoint(raw, "sys_entre"))(`no tracepoint is called "sys_entre"`, "did you mean sys_enter")
	check(attach.XDP(packet, "eth77"))("attach dropAll to xdp on eth77", "the interfaces are", `"lo"`)

	check(attach.Tracepoint(packet, "syscalls", "sys_enter_getpid"))("program type is XDP, want TracePoint")
	check(attach.RawTracepoint(tp, "sys_enter"))("program type is TracePoint, want RawTracepoint")
	check(attach.XDP(tp, "lo"))("program type is TracePoint, want XDP")
	check(attach.Auto(packet))(`section "xdp" does not say where`, "attach.XDP(p, ifname)")
	check(attach.Auto(raw))(`section "raw_tracepoint" does not say where`)

	if _, err := attach.Tracepoint(tp, "syscalls", "nothing_at_all"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not wrap os.ErrNotExist", err)
	}
}

// TestNoPrivilege attaches and loads on a thread without capabilities.
func TestNoPrivilege(t *testing.T) {
	tracepoints.test(t)
	p := tracepoints.compile(t, Syscalls_SysEnterGetppid, thisProcess())
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&hdr, &none[0]); err != nil {
			t.Error(err)
			return
		}
		const advice = "run as root or with CAP_BPF and CAP_PERFMON"
		_, err := jit.Compile(Syscalls_SysEnterGetppid, thisProcess())
		wantError(t, err, "Syscalls_SysEnterGetppid", "operation not permitted", advice)
		_, err = attach.Auto(p)
		wantError(t, err, "tracepoint/syscalls/sys_enter_getppid", advice)
	}()
	<-done
}

func dropAll(ctx *ebpf.XDP) ebpf.XDPAction { return ebpf.XDPDrop }

var passing uint64

// countPackets drops the packets of the loopback interface unless passing.
func countPackets(ctx *ebpf.XDP) ebpf.XDPAction {
	hits++
	if ctx.IngressIfindex == 1 && passing == 0 {
		return ebpf.XDPDrop
	}
	return ebpf.XDPPass
}

func TestXDP(t *testing.T) {
	xdp.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	if err := interfaceUp("lo"); err != nil {
		t.Fatal(err)
	}
	send, received := loopback(t)
	if send(); !received(true) {
		t.Fatal("the loopback interface passes no packets, even without a program")
	}
	for _, tt := range []struct {
		name    string
		passing uint64
	}{{"drop", 0}, {"pass", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			p := xdp.compile(t, countPackets, jit.WithConst("passing", tt.passing))
			l, err := attach.XDP(p, "lo", attach.XDPOptions{Mode: attach.XDPGeneric})
			xdp.require(t, err)
			defer l.Close()
			send()
			if want := tt.passing == 1; received(want) != want {
				t.Errorf("packet received: %v, want %v", !want, want)
			}
			if n := words(t, p)[0]; n == 0 {
				t.Error("the program did not run")
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if send(); !received(true) {
				t.Error("no packets after Close")
			}
		})
	}
	t.Run("auto", func(t *testing.T) {
		l, err := attach.Auto(xdp.compile(t, dropAll, jit.As("xdp/lo")))
		xdp.require(t, err)
		defer l.Close()
		if send(); received(false) {
			t.Error("the program did not drop the packet")
		}
	})
	t.Run("driver", func(t *testing.T) {
		if err := addVeth("left", "right"); err != nil {
			t.Fatal(err)
		}
		p := xdp.compile(t, dropAll)
		l, err := attach.XDP(p, "left", attach.XDPOptions{Mode: attach.XDPDriver})
		xdp.require(t, err)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := attach.XDP(p, "lo", attach.XDPOptions{Mode: attach.XDPDriver}); err == nil {
			t.Error("the loopback interface has no driver that runs XDP, and yet it attached")
		}
	})
}

// loopback returns a function that sends a packet to this process through the
// loopback interface, and one that waits for it and reports whether it came: a short time
// for one that is not wanted.
func loopback(t *testing.T) (send func(), received func(want bool) bool) {
	t.Helper()
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	client, err := net.Dial("udp4", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	send = func() {
		if _, err := client.Write([]byte("packet")); err != nil {
			t.Error(err)
		}
	}
	received = func(want bool) bool {
		wait := patience
		if !want {
			// Delivery over loopback is done before Write returns, but for a softirq.
			wait = 300 * time.Millisecond
		}
		if err := server.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		_, _, err := server.ReadFrom(make([]byte, 16))
		return err == nil
	}
	return send, received
}
