package jit_test

import (
	"context"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file has the rows of the table of what the host does with maps (TestBackends) for types whose
// entries stand for something else, and with buffers.
//
// What is not in the table, since it means nothing in memory or cannot be equal there:
//
//   - storages by file descriptor: in memory there is no way from a descriptor to the object that a
//     program has a pointer to; they return EOPNOTSUPP, and e2e tests them in the kernel;
//   - entries of an XSKMap: the kernel takes AF_XDP sockets only that are set up, of which e2e has one,
//     and does not tell which entries have one;
//   - what a stack is: of the goroutine in memory, of the kernel or the process in the kernel;
//   - Lost of perf events, and Unread: the kernel's buffers are of pages, those in memory of records;
//   - what happens to a packet, a connection or a tail call by an entry: that takes a kernel.

// arrayScript exercises the methods of arrays of things that set and set again put at an index.
func arrayScript(set func(i uint32) error, del func(i uint32) error, keys func() []uint32) func() []any {
	return func() []any {
		k := func() []any {
			if keys == nil {
				return nil
			}
			return list(keys())
		}
		return list(k(), set(1), set(1), k(), set(9), k(), del(1), k(), del(1), del(9), set(0), k(), del(0))
	}
}

// tcpSocket returns the descriptor of one end of a connection.
func tcpSocket(t *testing.T) int {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return descriptorOf(t, c.(*net.TCPConn))
}

// sharedSocket returns the descriptor of a socket whose port others may share.
func sharedSocket(t *testing.T) int {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }); e != nil {
			return e
		}
		return err
	}}
	s, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return descriptorOf(t, s.(*net.UDPConn))
}

func descriptorOf(t *testing.T, c syscall.Conn) (fd int) {
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(f uintptr) { fd = int(f) }); err != nil {
		t.Fatal(err)
	}
	return fd
}

// cgroupFD returns the descriptor of the root of the control groups of version 2.
func cgroupFD(t *testing.T) int {
	for _, dir := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		f, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return int(f.Fd())
	}
	t.Skip("no cgroup2 file system is mounted")
	return -1
}

// dropAll is a program for entries that are programs.
//
//ebpf:section xdp
func dropAll(*ebpf.XDP) ebpf.XDPAction { return ebpf.XDPDrop }

func TestReferences(t *testing.T) {
	for _, s := range []struct {
		name string
		need *kerneltest.Feature
		make func(t *testing.T) (bind.Holder, func() []any)
	}{
		{"ProgArray", kerneltest.TailCalls, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewProgArray[*ebpf.XDP](2)
			p, err := jit.Compile(dropAll)
			needPrivilege(t, err)
			t.Cleanup(func() { p.Close() })
			return m, arrayScript(func(i uint32) error { return m.Set(i, p) }, m.Delete, func() []uint32 { return slices.Collect(m.Keys()) })
		}},
		{"CgroupArray", kerneltest.CgroupArrays, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewCgroupArray(2)
			fd := cgroupFD(t)
			return m, arrayScript(func(i uint32) error { return m.Set(i, fd) }, m.Delete, nil)
		}},
		{"DevMap", kerneltest.Redirects, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewDevMap(2)
			return m, arrayScript(func(i uint32) error { return m.Set(i, 1) }, m.Delete, func() []uint32 { return slices.Collect(m.Keys()) })
		}},
		{"DevMapHash", kerneltest.Redirects, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewDevMapHash(2)
			return m, arrayScript(func(i uint32) error { return m.Set(i, 1) }, m.Delete, func() []uint32 { return slices.Sorted(m.Keys()) })
		}},
		{"CPUMap", kerneltest.Redirects, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewCPUMap(2)
			return m, arrayScript(func(i uint32) error { return m.Set(i, 64) }, m.Delete, func() []uint32 { return slices.Collect(m.Keys()) })
		}},
		{"XSKMap", kerneltest.XdpSocketMaps, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewXSKMap(2)
			return m, func() []any { return list(m.Delete(1), m.Delete(9)) }
		}},
		{"SockMap", kerneltest.SocketMaps, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewSockMap(2)
			fd := tcpSocket(t)
			return m, arrayScript(func(i uint32) error { return m.Set(i, fd) }, m.Delete, nil)
		}},
		{"SockHash", kerneltest.SocketMaps, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewSockHash[pair](1)
			fd := tcpSocket(t)
			return m, func() []any {
				return list(m.Set(pair{A: 1}, fd), m.Set(pair{A: 1}, fd), m.Set(pair{B: 1}, fd), m.Delete(pair{A: 1}), m.Delete(pair{A: 1}))
			}
		}},
		{"ReuseportSockArray", kerneltest.PortMaps, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewReuseportSockArray(2)
			fd := sharedSocket(t)
			return m, func() []any { return list(m.Set(1, fd), m.Set(9, fd), m.Delete(1), m.Delete(1), m.Delete(9)) }
		}},
		{"StackTrace", kerneltest.StackTraces, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewStackTrace(4)
			return m, func() []any {
				_, ok := m.Get(3)
				return list(ok, slices.Collect(m.Keys()), m.Delete(3))
			}
		}},
		{"UserRingBuf", kerneltest.UserRings, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewUserRingBuf[[1000]byte](4096)
			return m, func() []any {
				var sent []any
				for range 6 {
					sent = append(sent, m.Send([1000]byte{1}))
				}
				return append(sent, m.Reserve() == nil)
			}
		}},
		{"RingBuf without records", kerneltest.RingBuffers, func(t *testing.T) (bind.Holder, func() []any) {
			m := ebpf.NewRingBuf[uint64](4096)
			return m, func() []any {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				n := 0
				for range m.Read(ctx) {
					n++
				}
				return list(n, m.Lost())
			}
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			s.need.Test(t)
			_, run := s.make(t)
			want := run()
			m, run := s.make(t)
			s.need.Require(t, jit.LoadMaps(m))
			wantSteps(t, run(), want)
			if err := m.Binding().Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
