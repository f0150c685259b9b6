package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
)

// This file redirects frames to an AF_XDP socket. What an XSKMap refuses is in redirect_test.go.

const (
	experimental = 0x88b5 // an EtherType for experiments: IEEE Std 802
	xskFrames    = 8      // frames in the memory of a socket, and entries of its rings
	xskFrameSize = 2048
)

// An xsk is an AF_XDP socket that receives: memory for frames, a ring in which it tells the kernel
// which of them are free, and one of those that the kernel has filled. See
// Documentation/networking/af_xdp.rst.
type xsk struct {
	fd       int
	frames   []byte
	producer *uint32 // of the ring of received frames, written by the kernel
	consumer *uint32
	descs    []unix.XDPDesc
}

// newXSK returns an AF_XDP socket for queue 0 of an interface.
func newXSK(t *testing.T, ifname string) *xsk {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW, 0)
	must(err)
	t.Cleanup(func() { unix.Close(fd) })
	mapped := func(fd int, offset int64, size int) []byte {
		flags := unix.MAP_SHARED | unix.MAP_POPULATE
		if fd < 0 {
			flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
		}
		b, err := unix.Mmap(fd, offset, size, unix.PROT_READ|unix.PROT_WRITE, flags)
		must(err)
		t.Cleanup(func() { unix.Munmap(b) })
		return b
	}
	s := &xsk{fd: fd, frames: mapped(-1, 0, xskFrames*xskFrameSize)}
	reg := unix.XDPUmemReg{Addr: uint64(uintptr(unsafe.Pointer(&s.frames[0]))), Len: uint64(len(s.frames)), Size: xskFrameSize}
	must(unix.SetsockoptString(fd, unix.SOL_XDP, unix.XDP_UMEM_REG, string(unsafe.Slice((*byte)(unsafe.Pointer(&reg)), unsafe.Sizeof(reg)))))
	for _, ring := range []int{unix.XDP_UMEM_FILL_RING, unix.XDP_UMEM_COMPLETION_RING, unix.XDP_RX_RING} {
		must(unix.SetsockoptInt(fd, unix.SOL_XDP, ring, xskFrames))
	}
	var at unix.XDPMmapOffsets
	size := uint32(unsafe.Sizeof(at))
	if _, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_XDP, unix.XDP_MMAP_OFFSETS,
		uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&size)), 0); errno != 0 {
		t.Fatal(errno)
	}
	fill := mapped(fd, unix.XDP_UMEM_PGOFF_FILL_RING, int(at.Fr.Desc)+8*xskFrames)
	for i := range uint64(xskFrames) {
		binary.NativeEndian.PutUint64(fill[at.Fr.Desc+8*i:], i*xskFrameSize)
	}
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&fill[at.Fr.Producer])), xskFrames)
	rx := mapped(fd, unix.XDP_PGOFF_RX_RING, int(at.Rx.Desc)+int(unsafe.Sizeof(unix.XDPDesc{}))*xskFrames)
	s.producer, s.consumer = (*uint32)(unsafe.Pointer(&rx[at.Rx.Producer])), (*uint32)(unsafe.Pointer(&rx[at.Rx.Consumer]))
	s.descs = unsafe.Slice((*unix.XDPDesc)(unsafe.Pointer(&rx[at.Rx.Desc])), xskFrames)
	iface, err := net.InterfaceByName(ifname)
	must(err)
	must(unix.Bind(fd, &unix.SockaddrXDP{Flags: unix.XDP_COPY, Ifindex: uint32(iface.Index)}))
	return s
}

// next returns a copy of the next frame that the socket receives.
func (s *xsk) next(t *testing.T) []byte {
	t.Helper()
	for deadline := time.Now().Add(patience); atomic.LoadUint32(s.producer) == *s.consumer; {
		ms := int(time.Until(deadline).Milliseconds())
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, max(ms, 0)); n == 0 || err != nil && !errors.Is(err, unix.EINTR) {
			t.Fatalf("nothing received: %d, %v", n, err)
		}
	}
	d := s.descs[*s.consumer%xskFrames]
	frame := slices.Clone(s.frames[d.Addr:][:d.Len])
	atomic.AddUint32(s.consumer, 1)
	return frame
}

// toXSK sends the frames of the test to a socket.
func toXSK(ctx *ebpf.XDP) ebpf.XDPAction {
	pkt := ctx.Data()
	if len(pkt) < 16 || ebpf.Overlay[ebpf.Ethernet](pkt).Type.Uint16() != experimental {
		return ebpf.XDPPass
	}
	pkt[15] ^= 0xff // the socket gets the frame as the program leaves it
	return xdpSockets.Redirect(uint32(pkt[14]), uint64(ebpf.XDPDrop))
}

// TestAFXDP has a program redirect frames that come in on an interface to an AF_XDP socket.
func TestAFXDP(t *testing.T) {
	xdpSocketMaps.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	if err := addVeth("left", "right"); err != nil {
		t.Fatal(err)
	}
	p := xdpSocketMaps.compile(t, toXSK)
	l, err := attach.XDP(p, "right", attach.XDPOptions{Mode: attach.XDPGeneric})
	xdpSocketMaps.require(t, err)
	defer l.Close()
	s := newXSK(t, "right")
	xdpSocketMaps.require(t, xdpSockets.Set(3, s.fd))
	left, err := net.InterfaceByName("left")
	if err != nil {
		t.Fatal(err)
	}
	out, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(out)
	send := func(entry, mark byte) []byte {
		t.Helper()
		frame := make([]byte, 60)
		for i := range 12 {
			frame[i] = 2 // locally administered
		}
		binary.BigEndian.PutUint16(frame[12:], experimental)
		frame[14], frame[15] = entry, mark
		if err := unix.Sendto(out, frame, 0, &unix.SockaddrLinklayer{Ifindex: left.Index}); err != nil {
			t.Fatal(err)
		}
		frame[15] ^= 0xff
		return frame
	}
	for i := range byte(xskFrames) {
		if i%3 == 2 {
			send(2, i) // there is no such entry
			continue
		}
		want := send(3, i)
		if got := s.next(t); !bytes.Equal(got, want) {
			t.Errorf("frame %d is received as %x, want %x", i, got, want)
		}
	}
	if err := xdpSockets.Delete(3); err != nil {
		t.Error(err)
	}
	send(3, 99)
	if n := atomic.LoadUint32(s.producer) - *s.consumer; n != 0 {
		t.Errorf("%d frames are received that nobody redirected", n)
	}
}
