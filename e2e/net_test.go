package e2e

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file attaches programs to interfaces, control groups and sockets, and sends
// them packets.

var (
	tcxHook    = &feature{kerneltest.TCX}
	cgroupHook = &feature{kerneltest.Cgroup}
	socketHook = &feature{kerneltest.Socket}
	firewall   = &feature{kerneltest.Firewall}
)

// dropDatagram drops the datagrams of the test, which begin with a p.
func dropDatagram(ctx *ebpf.SKB) ebpf.TCAction {
	pkt := ctx.Data()
	if len(pkt) < 43 || ebpf.Overlay[ebpf.Ethernet](pkt).Type.Uint16() != ebpf.EtherTypeIPv4 {
		return ebpf.TCXNext
	}
	ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
	if ip.Protocol != ebpf.ProtocolUDP || ip.HeaderLen() != 20 || pkt[42] != 'p' {
		return ebpf.TCXNext
	}
	return ebpf.TCXDrop
}

// passAll ends the chain of programs of an interface.
func passAll(ctx *ebpf.SKB) ebpf.TCAction { return ebpf.TCXPass }

func TestTCX(t *testing.T) {
	tcxHook.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	if err := interfaceUp("lo"); err != nil {
		t.Fatal(err)
	}
	send, received := loopback(t)
	expect := func(what string, want bool) {
		t.Helper()
		if send(); received(want) != want {
			t.Errorf("%s: packet received: %v, want %v", what, !want, want)
		}
	}
	expect("no program", true)
	drop := tcxHook.compile(t, dropDatagram, jit.As("tcx/ingress/lo"))
	pass := tcxHook.compile(t, passAll, jit.As("tcx/ingress"))
	l, err := attach.Auto(drop)
	tcxHook.require(t, err)
	defer l.Close()
	expect("drop", false)
	after, err := attach.TCX(tcxHook.compile(t, passAll, jit.As("tc")), "1", attach.Ingress, attach.TCXOptions{After: l})
	tcxHook.require(t, err)
	expect("drop, pass", false)
	before, err := attach.TCX(pass, "lo", attach.Ingress, attach.TCXOptions{Before: l})
	tcxHook.require(t, err)
	expect("pass, drop, pass", true)
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
	out, err := attach.TCX(drop, "lo", attach.Egress, attach.TCXOptions{First: true})
	tcxHook.require(t, err)
	defer out.Close()
	expect("dropped on the way out", false)
}

// cgroupDir returns the directory of a new control group that this process is in.
func cgroupDir(t *testing.T) string {
	t.Helper()
	mounts, err := os.Open("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	defer mounts.Close()
	root := ""
	for s := bufio.NewScanner(mounts); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 2 && f[2] == "cgroup2" {
			root = f[1]
		}
	}
	if root == "" {
		t.Skip("no cgroup2 file system is mounted")
	}
	dir, err := os.MkdirTemp(root, "undergo-test-*")
	if err != nil {
		t.Fatal(err)
	}
	join := func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
	}
	t.Cleanup(func() {
		if err := join(root); err != nil {
			t.Error(err)
		}
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	if err := join(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// denyDatagram keeps the datagrams of the test from getting in or out.
func denyDatagram(ctx *ebpf.SKB) ebpf.CgroupVerdict {
	pkt := ctx.Data()
	if len(pkt) < 29 || pkt[9] != ebpf.ProtocolUDP || pkt[28] != 'p' {
		return ebpf.CgroupAllow
	}
	return ebpf.CgroupDeny
}

func TestCgroup(t *testing.T) {
	cgroupHook.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	if err := interfaceUp("lo"); err != nil {
		t.Fatal(err)
	}
	dir := cgroupDir(t)
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := net.Dial("udp4", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	p := cgroupHook.compile(t, denyDatagram, jit.As("cgroup_skb/egress"))
	l, err := attach.Cgroup(p, dir)
	cgroupHook.require(t, err)
	if _, err := client.Write([]byte("packet")); err == nil {
		t.Error("the program let the packet out")
	}
	if _, err := client.Write([]byte("other")); err != nil {
		t.Errorf("the program did not let the other packet out: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("packet")); err != nil {
		t.Errorf("after Close: %v", err)
	}
	incoming, err := attach.Cgroup(cgroupHook.compile(t, denyDatagram, jit.As("cgroup_skb/ingress")), dir)
	cgroupHook.require(t, err)
	defer incoming.Close()
	for _, text := range []string{"packet", "other"} { // the sender is not told
		if _, err := client.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"other", "packet", "other"} { // let out, after Close, let in
		b := make([]byte, 16)
		n, _, err := server.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(b[:n]); got != want {
			t.Errorf("%q is received, want %q", got, want)
		}
	}
	_, err = attach.Auto(p)
	wantError(t, err, "does not say to which control group")
	_, err = attach.Cgroup(tcxHook.compile(t, passAll, jit.As("tc")), dir)
	wantError(t, err, "its section is none of a control group")
}

// keepOthers shows a socket all datagrams but those of the test. The data of a socket
// filter begins with the UDP header.
func keepOthers(ctx *ebpf.SKB) int {
	var b [1]byte
	if ctx.Load(8, b[:]) != nil || b[0] == 'p' {
		return 0
	}
	return int(ctx.Len)
}

func TestSocketFilter(t *testing.T) {
	socketHook.test(t)
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := net.Dial("udp4", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	p := socketHook.compile(t, keepOthers, jit.As("socket"))
	l, err := attach.Socket(p, server)
	socketHook.require(t, err)
	next := func(texts ...string) string {
		for _, text := range texts {
			if _, err := client.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		b := make([]byte, 16)
		n, _, err := server.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := next("packet", "other"); got != "other" {
		t.Errorf("with the filter %q is received first", got)
	}
	if err := l.Replace(socketHook.compile(t, keepOthers, jit.As("socket"))); err != nil {
		t.Fatal(err)
	}
	if got := next("packet", "other"); got != "other" {
		t.Errorf("with another filter %q is received first", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := next("packet"); got != "packet" {
		t.Errorf("without the filter %q is received", got)
	}
}
