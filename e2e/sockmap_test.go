package e2e

import (
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file moves data between connections that programs have put into maps of sockets: a proxy of
// which no process sees a byte.

// An end is one end of a connection, by the ports of both.
type end struct{ Local, Remote uint16 }

var (
	ends      = ebpf.NewSockHash[end](16)
	routes    = ebpf.NewHash[end, end](16)
	senders   = ebpf.NewSockHash[end](16)
	indexed   = ebpf.NewSockMap(2)
	lastIndex = ebpf.NewVar[uint32](0)
	updates   = ebpf.NewArray[int64](4)
	watched   = ebpf.NewVar[uint16](0)
	sent      = ebpf.NewVar[uint64](0)
)

// established reports whether ctx tells of a connection that has come about, in either direction.
func established(ctx *ebpf.SockOps) bool {
	return ctx.Op == ebpf.SockOpsActiveEstablishedCB || ctx.Op == ebpf.SockOpsPassiveEstablishedCB
}

// endOf returns the end of the connection that ctx tells of, if it is of the watched port.
func endOf(ctx *ebpf.SockOps) (e end, ok bool) {
	e.Local, e.Remote = ctx.Ports()
	return e, established(ctx) && ctx.Family == unix.AF_INET && (e.Local == watched.Load() || e.Remote == watched.Load())
}

func registerEnd(ctx *ebpf.SockOps) int {
	if e, ok := endOf(ctx); ok {
		updates.Set(0, code(ends.Update(ctx, e, ebpf.UpdateNoExist)))
	}
	return 1
}

func registerSender(ctx *ebpf.SockOps) int {
	if e, ok := endOf(ctx); ok {
		senders.Update(ctx, e, ebpf.UpdateAny)
	}
	return 1
}

func registerByIndex(ctx *ebpf.SockOps) int {
	if _, ok := endOf(ctx); ok {
		updates.Set(0, code(indexed.Update(ctx, lastIndex.Load(), ebpf.UpdateNoExist)))
		lastIndex.Add(1)
		updates.Set(1, code(indexed.Update(ctx, 0, ebpf.UpdateNoExist)))
		updates.Set(2, code(indexed.Update(ctx, 7, ebpf.UpdateAny)))
	}
	return 1
}

// proxy sends what one end has received out of another.
//
//ebpf:section sk_skb/stream_verdict
func proxy(ctx *ebpf.SKB) int {
	var from end
	from.Local, from.Remote = ctx.Ports()
	to, ok := routes.Get(from)
	if !ok {
		return ebpf.SKPass
	}
	return ends.RedirectSKB(ctx, to, 0)
}

// proxyUpper is proxy, but makes the first letter a capital one.
//
//ebpf:section sk_skb/stream_verdict
func proxyUpper(ctx *ebpf.SKB) int {
	var from end
	from.Local, from.Remote = ctx.Ports()
	to, ok := routes.Get(from)
	if !ok {
		return ebpf.SKPass
	}
	if ctx.PullData(1) == nil {
		if data := ctx.Data(); len(data) > 0 && data[0] >= 'a' && data[0] <= 'z' {
			data[0] -= 'a' - 'A'
		}
	}
	return ends.RedirectSKB(ctx, to, 0)
}

// shortcut has the other end of a connection receive what this one sends, without TCP; it drops what
// begins with a !.
func shortcut(ctx *ebpf.SKMsg) int {
	sent.Add(uint64(ctx.Size))
	if data := ctx.Data(); len(data) > 0 {
		switch data[0] {
		case '!':
			return ebpf.SKDrop
		case '?':
			data[0] = '.'
		}
	}
	var to end
	to.Remote, to.Local = ctx.Ports()
	return senders.RedirectMsg(ctx, to, ebpf.FlagIngress)
}

// A pipe is a proxy's two connections, and their ends with the others.
type pipe struct {
	client, server *net.TCPConn // what the proxy stands between
	in, out        *net.TCPConn // the proxy's own
}

// ports returns the ports of the end of a connection.
func ports(c *net.TCPConn) end {
	return end{uint16(c.LocalAddr().(*net.TCPAddr).Port), uint16(c.RemoteAddr().(*net.TCPAddr).Port)}
}

// newPipe connects a client to a server through a proxy that listens at the port that programs watch.
func newPipe(t *testing.T) (p pipe) {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	watched.Store(uint16(l.Addr().(*net.TCPAddr).Port))
	connect := func() (dialed, accepted *net.TCPConn) {
		if dialed, err = net.DialTCP("tcp4", nil, l.Addr().(*net.TCPAddr)); err != nil {
			t.Fatal(err)
		}
		if accepted, err = l.AcceptTCP(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dialed.Close(); accepted.Close() })
		return dialed, accepted
	}
	p.client, p.in = connect()
	p.out, p.server = connect()
	for _, c := range []net.Conn{p.client, p.server, p.in, p.out} {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// wantReceived checks that text comes out of c.
func wantReceived(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Errorf("received %q, %v, want %q", got[:n], err, text)
	}
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// attachSockets attaches p to the sockets of m.
func attachSockets(t *testing.T, p *jit.Program, m bind.Holder) *attach.Link {
	t.Helper()
	l, err := attach.SockMap(p, m)
	socketMaps.require(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// TestSockOps has programs put sockets into maps, and data go between them.
func TestSockOps(t *testing.T) {
	socketMaps.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	if err := interfaceUp("lo"); err != nil {
		t.Fatal(err)
	}
	dir := cgroupDir(t)
	watch := func(t *testing.T, fn func(*ebpf.SockOps) int) {
		t.Helper()
		p := socketMaps.compile(t, fn)
		if p.Section() != "sockops" {
			t.Errorf("section %q", p.Section())
		}
		l, err := attach.Cgroup(p, dir)
		socketMaps.require(t, err)
		t.Cleanup(func() { l.Close() })
	}
	wantUpdates := func(t *testing.T, want ...int64) {
		t.Helper()
		if got := slices.Collect(updates.Values())[:len(want)]; !slices.Equal(got, want) {
			t.Errorf("updates return %d, want %d", got, want)
		}
	}
	t.Run("proxy", func(t *testing.T) {
		watch(t, registerEnd)
		l := attachSockets(t, socketMaps.compile(t, proxy), ends)
		p := newPipe(t)
		wantUpdates(t, 0)
		in, out := ports(p.in), ports(p.out)
		if routes.Set(in, out) != nil || routes.Set(out, in) != nil {
			t.Fatal("no route")
		}
		for range 3 {
			write(t, p.client, "a question")
			wantReceived(t, p.server, "a question")
			write(t, p.server, "its answer")
			wantReceived(t, p.client, "its answer")
		}
		if routes.Delete(out) != nil {
			t.Fatal("the route was not there")
		}
		write(t, p.server, "to the proxy")
		wantReceived(t, p.out, "to the proxy")
		if err := l.Replace(socketMaps.compile(t, proxyUpper)); err != nil {
			t.Fatal(err)
		}
		q := newPipe(t) // under the new program
		if err := routes.Set(ports(q.in), ports(q.out)); err != nil {
			t.Fatal(err)
		}
		write(t, q.client, "a question")
		wantReceived(t, q.server, "A question")
		write(t, p.client, "a question")
		wantReceived(t, p.server, "a question")
	})
	t.Run("messages", func(t *testing.T) {
		watch(t, registerSender)
		l := attachSockets(t, socketMaps.compile(t, shortcut), senders)
		p := newPipe(t)
		sent.Store(0)
		write(t, p.client, "?question")
		wantReceived(t, p.in, ".question")
		write(t, p.in, "yes")
		wantReceived(t, p.client, "yes")
		if _, err := p.client.Write([]byte("!no")); !errors.Is(err, unix.EACCES) {
			t.Errorf("sending what the program drops: %v, want EACCES", err)
		}
		if n := sent.Load(); n != 9+3+3 {
			t.Errorf("the program has seen %d bytes, want 15", n)
		}
		if _, err := attach.Auto(l.Program()); err == nil {
			t.Error("attached to no map")
		}
	})
	t.Run("array", func(t *testing.T) {
		lastIndex.Store(0)
		socketMaps.require(t, jit.LoadMaps(indexed))
		watch(t, registerByIndex)
		newPipe(t) // four ends for two entries
		wantUpdates(t, int64(unix.E2BIG), int64(unix.EEXIST), int64(unix.E2BIG))
		if indexed.Delete(0) != nil || indexed.Delete(1) != nil || indexed.Delete(1) != syscall.EINVAL {
			t.Error("the entries are not there, or more than once")
		}
	})
	t.Run("refused", func(t *testing.T) {
		p := socketMaps.compile(t, shortcut)
		_, err := attach.SockMap(p, routes)
		wantError(t, err, "the map is a hash, want an ebpf.SockMap or ebpf.SockHash")
		_, err = attach.SockMap(socketMaps.compile(t, registerEnd), ends)
		wantError(t, err, "program type is SockOps, want SkSKB")
	})
}

// The kernel lets programs access whole fields of these contexts only; what programs do with parts of
// them does not matter.
func TestSocketContexts(t *testing.T) {
	for _, tt := range []struct{ name, src string }{
		{"SockOps", `
//ebpf:section sockops
func watch(ctx *ebpf.SockOps) int {
	sum := uint64(ctx.Args[0]) + uint64(ctx.Args[3]) + uint64(uint8(ctx.Family)) + uint64(ctx.RemoteIP4>>24) + uint64(ctx.LocalIP6[3]) +
		uint64(ctx.IsFullSock) + uint64(ctx.SndCwnd) + uint64(ctx.SRTTus) + uint64(ctx.CBFlags) + uint64(ctx.State) + uint64(ctx.RTTMin) +
		uint64(ctx.SndSsthresh) + uint64(ctx.RcvNxt) + uint64(ctx.SndNxt) + uint64(ctx.SndUna) + uint64(ctx.MSSCache) + uint64(ctx.ECNFlags) +
		uint64(ctx.RateDelivered) + uint64(ctx.RateIntervalus) + uint64(ctx.PacketsOut) + uint64(ctx.RetransOut) + uint64(ctx.TotalRetrans) +
		uint64(ctx.SegsIn) + uint64(ctx.DataSegsIn) + uint64(ctx.SegsOut) + uint64(ctx.DataSegsOut) + uint64(ctx.LostOut) + uint64(ctx.SackedOut) +
		ctx.BytesReceived + uint64(uint32(ctx.BytesAcked)) + uint64(uint16(ctx.SKBLen)) + uint64(uint8(ctx.SKBTCPFlags))
	local, remote := ctx.Ports()
	switch byte(ctx.Op) {
	case ebpf.SockOpsTimeoutInit:
		ctx.SetReply(uint32(local) + uint32(sum))
	case ebpf.SockOpsRwndInit:
		ctx.TxHash += uint32(remote)
	}
	return 1
}`},
		{"SKMsg", `
//ebpf:section sk_msg
func watch(ctx *ebpf.SKMsg) int {
	local, remote := ctx.Ports()
	sum := uint64(byte(ctx.Family)) + uint64(ctx.RemoteIP4>>24) + uint64(ctx.LocalIP4) + uint64(ctx.RemoteIP6[0]) + uint64(ctx.LocalIP6[3]) +
		uint64(local) + uint64(remote) + uint64(byte(ctx.Size))
	if ebpf.MsgPullData(ctx, 0, 8, 0) != nil {
		return ebpf.SKDrop
	}
	data := ctx.Data()
	if len(data) < 8 {
		return ebpf.SKPass
	}
	data[7] = byte(sum) + data[sum&7]
	return ebpf.SKPass
}`},
		{"SKB", `
//ebpf:section sk_skb/verdict
func watch(ctx *ebpf.SKB) int {
	local, remote := ctx.Ports()
	ctx.Priority, ctx.TCIndex = uint32(local), uint32(remote)
	sum := uint64(ctx.Len) + uint64(ctx.PacketType) + uint64(ctx.Protocol) + uint64(ctx.IngressIfindex) + uint64(ctx.Hash) + uint64(byte(ctx.Family)) +
		uint64(ctx.RemoteIP4) + uint64(ctx.LocalIP4) + uint64(ctx.RemoteIP6[1]) + uint64(ctx.LocalIP6[2]) + uint64(ctx.CB[4])
	if data := ctx.Data(); len(data) > 0 {
		data[0] = byte(sum)
	}
	return ebpf.SKPass
}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			socketMaps.test(t)
			socketMaps.compileSource(t, tt.src)
		})
	}
}
