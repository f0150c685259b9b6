package e2e

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file sends packets that carry metadata from one hook to the next, and packets that take
// several buffers.

var xdpFrags = &feature{kerneltest.Frags}

// A verdict is what judge, in XDP, tells execute, in TC.
type verdict struct{ drop, length ebpf.Be32 }

// judge finds the datagrams of the test, which begin with a p.
func judge(ctx *ebpf.XDP) ebpf.XDPAction {
	pkt := ctx.Data()
	n := len(pkt)
	if n < 43 || pkt[23] != ebpf.ProtocolUDP || pkt[42] != 'p' {
		return ebpf.XDPPass
	}
	if ctx.AdjustMeta(-8) != nil {
		return ebpf.XDPAborted
	}
	meta := ctx.Meta()
	if len(meta) < 8 {
		return ebpf.XDPAborted
	}
	*ebpf.Overlay[verdict](meta) = verdict{drop: ebpf.ToBe32(1), length: ebpf.ToBe32(uint32(n))}
	return ebpf.XDPPass
}

// execute drops what judge has marked.
func execute(ctx *ebpf.SKB) ebpf.TCAction {
	meta := ctx.Meta()
	if len(meta) < 8 {
		return ebpf.TCOK
	}
	v := ebpf.Overlay[verdict](meta)
	if v.drop.Uint32() == 1 && v.length.Uint32() == ctx.Len {
		return ebpf.TCShot
	}
	return ebpf.TCOK
}

func TestMetadata(t *testing.T) {
	xdp.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	expect := onLoopback(t)
	second, err := attach.TC(xdp.compile(t, execute, jit.As("tc")), "lo", attach.Ingress)
	xdp.require(t, err)
	defer second.Close()
	expect("nothing is marked", true)
	first, err := attach.XDP(xdp.compile(t, judge), "lo", attach.XDPOptions{Mode: attach.XDPGeneric})
	xdp.require(t, err)
	expect("marked", false)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	expect("not any more", true)
}

const (
	jumbo   = 9000 // MTU
	farAway = 6000 // in another buffer than the beginning of the packet
)

var firstBuffer, allBuffers uint64

// farSighted changes a byte of large packets, and drops those that have an x there.
func farSighted(ctx *ebpf.XDP) ebpf.XDPAction {
	n := ctx.BufLen()
	if n < farAway+1 {
		return ebpf.XDPPass
	}
	firstBuffer, allBuffers = uint64(len(ctx.Data())), uint64(n)
	var b [1]byte
	if ctx.Load(farAway, b[:]) != nil {
		return ebpf.XDPAborted
	}
	if b[0] == 'x' {
		return ebpf.XDPDrop
	}
	b[0]++
	if ctx.Store(farAway, b[:]) != nil {
		return ebpf.XDPAborted
	}
	return ebpf.XDPPass
}

func TestXDPFrags(t *testing.T) {
	xdpFrags.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	server, client := net.IPv4(10, 78, 0, 1), net.IPv4(10, 78, 0, 2)
	ns, there := otherNamespace(t)
	for _, err := range []error{addVeth("left", "right"), setMTU("left", jumbo), setMTU("right", jumbo), addAddress("left", server), moveInterface("right", ns)} {
		xdpFrags.require(t, err)
	}
	listener, err := net.ListenUDP("udp4", &net.UDPAddr{IP: server, Port: 7778})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var conn net.Conn
	there(func() (err error) {
		if err := addAddress("right", client); err != nil {
			return err
		}
		conn, err = net.Dial("udp4", "10.78.0.1:7778")
		return err
	})
	defer conn.Close()

	p := xdpFrags.compile(t, farSighted, jit.As("xdp.frags/left"))
	l, err := attach.Auto(p)
	xdpFrags.require(t, err)
	defer l.Close()
	const headers = 14 + 20 + 8
	received := func(fill byte) []byte {
		t.Helper()
		there(func() error { _, err := conn.Write(bytes.Repeat([]byte{fill}, 8000)); return err })
		wait := patience
		if fill == 'x' {
			wait = 300 * time.Millisecond
		}
		if err := listener.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, jumbo)
		n, _, err := listener.ReadFrom(b)
		if err != nil {
			return nil
		}
		return b[:n]
	}
	want := bytes.Repeat([]byte{'a'}, 8000)
	want[farAway-headers]++
	if got := received('a'); !bytes.Equal(got, want) {
		t.Errorf("%d bytes are received, and not those that were sent but for one", len(got))
	}
	if got := received('x'); got != nil {
		t.Errorf("%d bytes are received, which should be dropped", len(got))
	}
	if seen := words(t, p); !(seen[0] > 0 && seen[0] < seen[1] && seen[1] == 8000+headers) {
		t.Errorf("the program has seen buffers of %d bytes in all, the first of %d", seen[1], seen[0])
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := attach.XDP(xdpFrags.compile(t, dropAll), "left", attach.XDPOptions{Mode: attach.XDPDriver}); !errors.Is(err, unix.ERANGE) {
		t.Errorf("a program for one buffer on an interface of this MTU: %v, want ERANGE", err)
	}
}

// setMTU sets the largest packet of an interface.
func setMTU(name string, mtu int) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetMTU(l, mtu)
}
