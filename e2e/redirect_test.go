package e2e

import (
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// This file tests maps of places that packets and data are sent to.

var (
	devices     = ebpf.NewDevMap(4)
	deviceHash  = ebpf.NewDevMapHash(4)
	cpus        = ebpf.NewCPUMap(4)
	xdpSockets  = ebpf.NewXSKMap(4)
	destination = ebpf.NewVar[uint32](0)
	sockets     = ebpf.NewSockMap(4)
	socketHash  = ebpf.NewSockHash[uint64](4)
	portSharers = ebpf.NewReuseportSockArray(4)
)

func toDevice(*ebpf.XDP) ebpf.XDPAction {
	return devices.Redirect(destination.Load(), uint64(ebpf.XDPPass))
}

func toHashedDevice(*ebpf.XDP) ebpf.XDPAction {
	return deviceHash.Redirect(destination.Load(), uint64(ebpf.XDPPass))
}

func toCPU(*ebpf.XDP) ebpf.XDPAction { return cpus.Redirect(destination.Load(), uint64(ebpf.XDPPass)) }

func toSocket(*ebpf.XDP) ebpf.XDPAction {
	return xdpSockets.Redirect(destination.Load(), uint64(ebpf.XDPPass))
}

// TestRedirect asks programs where a packet would go.
func TestRedirect(t *testing.T) {
	for _, tt := range []struct {
		name string
		prog func(*ebpf.XDP) ebpf.XDPAction
		set  func() error
		del  func() error
		keys func() []uint32
	}{
		{"devices", toDevice, func() error { return devices.Set(3, 1) }, func() error { return devices.Delete(3) },
			func() []uint32 { return slices.Collect(devices.Keys()) }},
		{"hash of devices", toHashedDevice, func() error { return deviceHash.Set(3, 1) }, func() error { return deviceHash.Delete(3) },
			func() []uint32 { return slices.Collect(deviceHash.Keys()) }},
		{"CPUs", toCPU, func() error { return cpus.Set(0, 64) }, func() error { return cpus.Delete(0) },
			func() []uint32 { return slices.Collect(cpus.Keys()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			redirects.test(t)
			p := redirects.compile(t, tt.prog)
			at := uint32(3)
			if tt.name == "CPUs" {
				at = 0
			}
			check := func(when string, i uint32, want ebpf.XDPAction) {
				t.Helper()
				destination.Store(i)
				ret, _, err := p.BPF().Test(make([]byte, 64))
				if err != nil {
					t.Fatal(err)
				}
				if got := ebpf.XDPAction(ret); got != want {
					t.Errorf("%s, to %d: %d, want %d", when, i, got, want)
				}
			}
			check("empty", at, ebpf.XDPPass)
			redirects.require(t, tt.set())
			check("set", at, ebpf.XDPRedirect)
			check("set", 2, ebpf.XDPPass)
			check("set", 100, ebpf.XDPPass)
			if got := tt.keys(); !slices.Equal(got, []uint32{at}) {
				t.Errorf("keys %v, want %d", got, at)
			}
			if err := tt.del(); err != nil {
				t.Error(err)
			}
			check("deleted", at, ebpf.XDPPass)
		})
	}
}

// TestRedirectToSocket sends packets to an AF_XDP socket, as far as the kernel is built with them.
func TestRedirectToSocket(t *testing.T) {
	xdpSocketMaps.test(t)
	p := xdpSocketMaps.compile(t, toSocket)
	destination.Store(0)
	ret, _, err := p.BPF().Test(make([]byte, 64))
	if err != nil || ebpf.XDPAction(ret) != ebpf.XDPPass {
		t.Errorf("to an entry that is empty: %d, %v", ret, err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := xdpSockets.Set(0, fd); err == nil {
		t.Error("a socket of another kind is accepted")
	}
}

//ebpf:section sk_skb/stream_verdict
func forward(skb ebpf.Context) int { return sockets.RedirectSKB(skb, destination.Load(), 0) }

//ebpf:section sk_skb/stream_verdict
func forwardByKey(skb ebpf.Context) int { return socketHash.RedirectSKB(skb, 77, 0) }

//ebpf:section sk_msg
func forwardMessage(msg ebpf.Context) int {
	return sockets.RedirectMsg(msg, destination.Load(), ebpf.FlagIngress)
}

// connection returns both ends of a TCP connection over loopback, and the descriptor of the
// second.
func connection(t *testing.T) (near, far *net.TCPConn, farFD int) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	near, far = dialed.(*net.TCPConn), accepted.(*net.TCPConn)
	t.Cleanup(func() { near.Close(); far.Close() })
	for _, c := range []net.Conn{near, far} {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return near, far, descriptor(t, far)
}

// descriptor returns the descriptor of a socket, which stays the socket's.
func descriptor(t *testing.T, c syscall.Conn) (fd int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(f uintptr) { fd = int(f) }); err != nil {
		t.Fatal(err)
	}
	return fd
}

// TestSockMaps has what is sent on one connection come out of another.
func TestSockMaps(t *testing.T) {
	const text = "the same text"
	t.Run("array", func(t *testing.T) {
		socketMaps.test(t)
		p := socketMaps.compile(t, forward)
		attachSockets(t, p, sockets)
		nearA, _, farA := connection(t)
		nearB, _, farB := connection(t)
		for i, fd := range []int{farA, farB} {
			socketMaps.require(t, sockets.Set(uint32(i), fd))
		}
		destination.Store(1)
		if _, err := nearA.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		wantReceived(t, nearB, text) // farB has sent what farA has received
		if err := sockets.Delete(0); err != nil {
			t.Error(err)
		}
		if err := sockets.Delete(0); err == nil {
			t.Error("deleted twice")
		}
	})
	t.Run("hash", func(t *testing.T) {
		socketMaps.test(t)
		p := socketMaps.compile(t, forwardByKey)
		attachSockets(t, p, socketHash)
		nearA, _, farA := connection(t)
		nearB, _, farB := connection(t)
		socketMaps.require(t, socketHash.Set(1, farA))
		socketMaps.require(t, socketHash.Set(77, farB))
		if _, err := nearA.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		wantReceived(t, nearB, text)
	})
	t.Run("messages", func(t *testing.T) {
		socketMaps.test(t)
		p := socketMaps.compile(t, forwardMessage)
		attachSockets(t, p, sockets)
		_, sender, senderFD := connection(t)
		_, receiver, receiverFD := connection(t)
		socketMaps.require(t, sockets.Set(2, senderFD))
		socketMaps.require(t, sockets.Set(3, receiverFD))
		destination.Store(3)
		if _, err := sender.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		wantReceived(t, receiver, text) // and not the other end of sender's connection
	})
}

//ebpf:section sk_reuseport
func choose(ctx ebpf.Context) int {
	if portSharers.Select(ctx, destination.Load()) != nil {
		return 0 // SK_DROP
	}
	return 1 // SK_PASS
}

// TestReuseport lets a program choose which of the sockets that share a port gets a packet.
func TestReuseport(t *testing.T) {
	portMaps.test(t)
	p := portMaps.compile(t, choose)
	reuse := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		controlErr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		if controlErr != nil {
			return controlErr
		}
		return err
	}}
	var servers []net.PacketConn
	addr := "127.0.0.1:0"
	for i := range 2 {
		s, err := reuse.ListenPacket(t.Context(), "udp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		addr = s.LocalAddr().String()
		servers = append(servers, s)
		portMaps.require(t, portSharers.Set(uint32(i), descriptor(t, s.(*net.UDPConn))))
	}
	if err := unix.SetsockoptInt(descriptor(t, servers[0].(*net.UDPConn)), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_EBPF, p.FD()); err != nil {
		portMaps.require(t, err)
	}
	client, err := net.Dial("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range uint32(6) {
		destination.Store(i % 2)
		if _, err := client.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2)
		if err := servers[i%2].SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if n, _, err := servers[i%2].ReadFrom(buf); err != nil || n != 1 || buf[0] != byte(i) {
			t.Errorf("server %d: %v, %d, %v, want %d", i%2, buf, n, err, i)
		}
	}
}
