package e2e

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file attaches programs to traffic control, and sends them packets.

var (
	tcHook     = &feature{kerneltest.TC}
	actionHook = &feature{kerneltest.Actions}
)

// onLoopback returns a function that expects that a packet through the loopback interface
// of this namespace is received, or not.
func onLoopback(t *testing.T) (expect func(what string, want bool)) {
	t.Helper()
	if err := interfaceUp("lo"); err != nil {
		t.Fatal(err)
	}
	send, received := loopback(t)
	expect = func(what string, want bool) {
		t.Helper()
		if send(); received(want) != want {
			t.Errorf("%s: packet received: %v, want %v", what, !want, want)
		}
	}
	expect("no program", true)
	return expect
}

func TestTC(t *testing.T) {
	tcHook.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	expect := onLoopback(t)
	drop := tcHook.compile(t, dropDatagram, jit.As("tc"))
	pass := tcHook.compile(t, passAll, jit.As("tc"))
	at := func(p *jit.Program, ifname string, dir attach.Direction, opts ...attach.TCOptions) *attach.Link {
		t.Helper()
		l, err := attach.TC(p, ifname, dir, opts...)
		tcHook.require(t, err)
		t.Cleanup(func() { l.Close() })
		return l
	}
	l := at(drop, "lo", attach.Ingress, attach.TCOptions{Priority: 10})
	expect("drop", false)
	after := at(pass, "1", attach.Ingress)
	expect("drop, pass", false)
	before := at(pass, "lo", attach.Ingress, attach.TCOptions{Priority: 5})
	expect("pass, drop, pass", true)
	_, err := attach.TC(drop, "lo", attach.Ingress, attach.TCOptions{Priority: 11})
	if wantError(t, err, "attach dropDatagram to tc/ingress on lo", "priority 11 is taken"); !errors.Is(err, unix.EEXIST) {
		t.Errorf("%v does not wrap EEXIST", err)
	}
	for _, l := range []*attach.Link{after, before} {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	expect("drop alone", false)
	if err := l.Replace(pass); err != nil {
		t.Fatal(err)
	}
	expect("replaced", true)
	behind := at(drop, "lo", attach.Ingress)
	expect("replaced, drop", true)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	expect("drop alone, once more", false)
	if err := behind.Close(); err != nil {
		t.Fatal(err)
	}
	expect("none", true)
	at(drop, "lo", attach.Egress)
	expect("dropped on the way out", false)
	if err := behind.Pin("/sys/fs/bpf/tc"); !errors.Is(err, link.ErrNotSupported) {
		t.Errorf("pin: %v", err)
	}
	_, err = attach.TC(tcHook.compile(t, dropAll), "lo", attach.Ingress)
	wantError(t, err, "program type is XDP, want SchedCLS")
	_, err = attach.Auto(drop)
	wantError(t, err, `section "tc" does not say where`, "attach.TC(p, ifname, dir)")
}

// TestTCAuto attaches by the section, which leaves open in which of the two ways.
func TestTCAuto(t *testing.T) {
	tcHook.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	expect := onLoopback(t)
	for _, section := range []string{"tc/ingress/lo", "tc/egress/1"} {
		l, err := attach.Auto(tcHook.compile(t, dropDatagram, jit.As(section)))
		tcHook.require(t, err)
		kernel, err := kerneltest.RunningRelease()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := l.Raw() != nil, kernel.AtLeast(kerneltest.TCX.Min); got != want {
			t.Errorf("%s: attached by TCX: %v, want %v", section, got, want)
		}
		expect(section, false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		expect("after Close", true)
	}
}

// shootDatagram is dropDatagram as an action, after which there is nothing next.
func shootDatagram(ctx *ebpf.SKB) ebpf.TCAction {
	if dropDatagram(ctx) == ebpf.TCXDrop {
		return ebpf.TCShot
	}
	return ebpf.TCOK
}

func acceptAll(ctx *ebpf.SKB) ebpf.TCAction { return ebpf.TCOK }

func TestTCAction(t *testing.T) {
	actionHook.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	expect := onLoopback(t)
	shoot := actionHook.compile(t, shootDatagram, jit.As("action"))
	accept := actionHook.compile(t, acceptAll, jit.As("action"))
	for _, dir := range []attach.Direction{attach.Ingress, attach.Egress} {
		l, err := attach.TC(shoot, "lo", dir)
		actionHook.require(t, err)
		expect("action at "+dir.String(), false)
		if err := l.Replace(accept); err != nil {
			t.Fatal(err)
		}
		expect("another action", true)
		if err := l.Replace(shoot); err != nil {
			t.Fatal(err)
		}
		expect("the first action", false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		expect("after Close", true)
	}
}
