package ebpf_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/sim"
)

// onWrite is a program as users write it.
func onWrite(ctx ebpf.Context) int {
	pid := ebpf.GetCurrentPidTgid() >> 32
	if pid != 0 {
		ebpf.Printk("BPF triggered sys_enter_write from PID %d.\n", pid)
	}
	return 0
}

func TestProgramRunsNatively(t *testing.T) {
	var out bytes.Buffer
	defer sim.SetOutput(&out)()
	if got := onWrite(ebpf.Context{}); got != 0 {
		t.Errorf("onWrite = %d, want 0", got)
	}
	want := fmt.Sprintf("BPF triggered sys_enter_write from PID %d.\n", os.Getpid())
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestPrintkEndsLine(t *testing.T) {
	var out bytes.Buffer
	defer sim.SetOutput(&out)()
	ebpf.Printk("%s %x %v", "a", uint8(255), int64(-1))
	if got, want := out.String(), "a ff -1\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// onPacket lets only packets of interface 1 pass.
func onPacket(x *ebpf.XDP) ebpf.XDPAction {
	if x.IngressIfindex == 1 {
		return ebpf.XDPPass
	}
	return ebpf.XDPDrop
}

func TestXDP(t *testing.T) {
	for ifindex, want := range map[uint32]ebpf.XDPAction{1: ebpf.XDPPass, 2: ebpf.XDPDrop} {
		if got := onPacket(&ebpf.XDP{IngressIfindex: ifindex}); got != want {
			t.Errorf("interface %d: action %d, want %d", ifindex, got, want)
		}
	}
	// The kernel's struct xdp_md.
	var x ebpf.XDP
	if unsafe.Sizeof(x) < 24 || unsafe.Offsetof(x.IngressIfindex) != 12 ||
		unsafe.Offsetof(x.RxQueueIndex) != 16 || unsafe.Offsetof(x.EgressIfindex) != 20 {
		t.Error("XDP is not laid out as struct xdp_md")
	}
	if x.Context().Pointer() != unsafe.Pointer(&x) {
		t.Error("the context of an XDP does not point to it")
	}
}

func TestSKB(t *testing.T) {
	// The kernel's struct __sk_buff.
	var s ebpf.SKB
	for name, offsets := range map[string][2]uintptr{
		"Len": {unsafe.Offsetof(s.Len), 0}, "Mark": {unsafe.Offsetof(s.Mark), 8}, "CB": {unsafe.Offsetof(s.CB), 48}, "TCClassID": {unsafe.Offsetof(s.TCClassID), 72},
		"NAPIID": {unsafe.Offsetof(s.NAPIID), 84}, "LocalPort": {unsafe.Offsetof(s.LocalPort), 136}, "Tstamp": {unsafe.Offsetof(s.Tstamp), 152},
		"GSOSegs": {unsafe.Offsetof(s.GSOSegs), 164}, "GSOSize": {unsafe.Offsetof(s.GSOSize), 176},
	} {
		if offsets[0] != offsets[1] {
			t.Errorf("%s is at %d, want %d", name, offsets[0], offsets[1])
		}
	}
}

func TestSocketContexts(t *testing.T) {
	// The kernel's struct bpf_sock_ops and struct sk_msg_md.
	var o ebpf.SockOps
	var m ebpf.SKMsg
	for name, offsets := range map[string][2]uintptr{
		"Args": {unsafe.Offsetof(o.Args), 4}, "RemoteIP6": {unsafe.Offsetof(o.RemoteIP6), 32}, "IsFullSock": {unsafe.Offsetof(o.IsFullSock), 72},
		"State": {unsafe.Offsetof(o.State), 88}, "TotalRetrans": {unsafe.Offsetof(o.TotalRetrans), 136}, "TxHash": {unsafe.Offsetof(o.TxHash), 164},
		"BytesAcked": {unsafe.Offsetof(o.BytesAcked), 176}, "SKBLen": {unsafe.Offsetof(o.SKBLen), 208}, "SKBTCPFlags": {unsafe.Offsetof(o.SKBTCPFlags), 212},
		"Family": {unsafe.Offsetof(m.Family), 16}, "RemotePort": {unsafe.Offsetof(m.RemotePort), 60}, "Size": {unsafe.Offsetof(m.Size), 68},
	} {
		if offsets[0] != offsets[1] {
			t.Errorf("%s is at %d, want %d", name, offsets[0], offsets[1])
		}
	}
	o.LocalPort, o.RemotePort = 8080, 0x3412_0000
	if local, remote := o.Ports(); local != 8080 || remote != 0x1234 {
		t.Errorf("ports %d and %#x, want 8080 and 0x1234", local, remote)
	}
	if o.SetReply(7); o.Args[0] != 7 {
		t.Errorf("Args[0] is %d after SetReply(7)", o.Args[0])
	}
	if data := ebpf.NewSKMsg([]byte("text")).Data(); string(data) != "text" {
		t.Errorf("the data of a message is %q", data)
	}
}

// What helpers do with a packet natively is what they do in the kernel.
func TestNativePackets(t *testing.T) {
	x := ebpf.NewXDP([]byte("0123456789abcdefghij"))
	if err := x.AdjustHead(4); err != nil || string(x.Data()) != "456789abcdefghij" {
		t.Errorf("AdjustHead(4) leaves %q: %v", x.Data(), err)
	}
	if err := x.AdjustHead(3); err != syscall.EINVAL {
		t.Errorf("AdjustHead(3): %v, want EINVAL", err)
	}
	if err := x.AdjustTail(-2); err != nil || string(x.Packet()) != "456789abcdefgh" {
		t.Errorf("AdjustTail(-2) leaves %q: %v", x.Packet(), err)
	}
	s := ebpf.NewSKB([]byte("0123456789"))
	var part [4]byte
	if err := s.Load(3, part[:]); err != nil || string(part[:]) != "3456" {
		t.Errorf("Load(3) returns %q: %v", part, err)
	}
	if err := s.Load(7, part[:]); err != syscall.EFAULT || part != [4]byte{} {
		t.Errorf("Load(7) returns %q: %v, want EFAULT and zeros", part, err)
	}
	if err := s.PullData(11); err != syscall.EINVAL {
		t.Errorf("PullData(11): %v, want EINVAL", err)
	}
}

func TestRawTracepoint(t *testing.T) {
	r := ebpf.RawTracepoint{Args: [12]uint64{7, 8, 9}}
	if got := r.Arg(2); got != 9 {
		t.Errorf("Arg(2) = %d, want 9", got)
	}
	if r.Context().Pointer() != unsafe.Pointer(&r) {
		t.Error("the context of a RawTracepoint does not point to it")
	}
}

func TestCurrentTask(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if got, want := ebpf.GetCurrentPidTgid(), uint64(os.Getpid())<<32|uint64(syscall.Gettid()); got != want {
		t.Errorf("GetCurrentPidTgid = %#x, want %#x", got, want)
	}
	if got, want := ebpf.GetCurrentUidGid(), uint64(os.Getgid())<<32|uint64(os.Getuid()); got != want {
		t.Errorf("GetCurrentUidGid = %#x, want %#x", got, want)
	}
	comm, err := os.ReadFile("/proc/thread-self/comm")
	if err != nil {
		t.Fatal(err)
	}
	buf := [16]byte{15: 'x'}
	if err := ebpf.GetCurrentComm(buf[:]); err != nil {
		t.Fatalf("GetCurrentComm: %v", err)
	}
	if got, want := string(bytes.TrimRight(buf[:], "\x00")), strings.TrimSpace(string(comm)); got != want {
		t.Errorf("GetCurrentComm wrote %q, want %q", got, want)
	}
	if cpu := ebpf.GetSmpProcessorId(); int(cpu) >= 1<<16 {
		t.Errorf("GetSmpProcessorId = %d", cpu)
	}
}

func TestClocks(t *testing.T) {
	for _, c := range []struct {
		name string
		read func() uint64
	}{
		{"KtimeGetNs", ebpf.KtimeGetNs},
		{"KtimeGetBootNs", ebpf.KtimeGetBootNs},
		{"KtimeGetCoarseNs", ebpf.KtimeGetCoarseNs},
		{"KtimeGetTaiNs", ebpf.KtimeGetTaiNs},
	} {
		if first, second := c.read(), c.read(); first == 0 || second < first {
			t.Errorf("%s went from %d to %d", c.name, first, second)
		}
	}
	if mono, boot := ebpf.KtimeGetNs(), ebpf.KtimeGetBootNs(); boot < mono {
		t.Errorf("time since boot %d is less than the monotonic clock %d", boot, mono)
	}
}

// probed is a variable of the package since those do not move.
var probed = [8]byte{'h', 'e', 'l', 'l', 'o', 0, 'x', 'y'}

func TestProbeRead(t *testing.T) {
	addr := uintptr(unsafe.Pointer(&probed))
	memory := func(read func(dst []byte, addr uintptr) error) func([]byte, uintptr) (int, error) {
		return func(dst []byte, addr uintptr) (int, error) { return 0, read(dst, addr) }
	}
	for _, c := range []struct {
		name string
		call func(dst []byte, addr uintptr) (int, error)
		addr uintptr
		size int
		want string
		n    int
		err  error
	}{
		{"whole", memory(ebpf.ProbeReadKernel), addr, 8, "hello\x00xy", 0, nil},
		{"part", memory(ebpf.ProbeReadUser), addr, 2, "he------", 0, nil},
		{"nil", memory(ebpf.ProbeReadKernel), 0, 4, "\x00\x00\x00\x00----", 0, syscall.EFAULT},
		{"string", ebpf.ProbeReadKernelStr, addr, 8, "hello\x00--", 6, nil},
		{"cut string", ebpf.ProbeReadUserStr, addr, 3, "he\x00-----", 3, nil},
		{"no string", ebpf.ProbeReadUserStr, addr, 0, "--------", 0, nil},
		{"nil string", ebpf.ProbeReadUserStr, 0, 2, "\x00\x00------", 0, syscall.EFAULT},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := [8]byte([]byte("--------"))
			n, err := c.call(to[:c.size], c.addr)
			if n != c.n || err != c.err || string(to[:]) != c.want {
				t.Errorf("returned %d, %v with %q, want %d, %v with %q", n, err, to, c.n, c.err, c.want)
			}
		})
	}
}

func TestStrncmp(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int64
	}{
		{"abc", "abc", 0},
		{"abc", "abd", -1},
		{"abd", "abc", 1},
		{"ab", "abc", 0},
		{"ab\x00x", "ab", 0},
		{"ab\x00x", "abc", -1},
		{"abc", "ab", 1},
	} {
		if got := ebpf.Strncmp([]byte(c.a), c.b); got != c.want {
			t.Errorf("Strncmp(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestLoop(t *testing.T) {
	for _, c := range []struct {
		n, stop uint32
		calls   int
		sum     uint32
		err     error
	}{
		{n: 5, stop: 100, calls: 5, sum: 10},
		{n: 5, stop: 2, calls: 3, sum: 3},
		{n: 1<<23 + 1, err: syscall.E2BIG},
	} {
		var total uint32
		calls, err := ebpf.Loop(c.n, func(i uint32) bool { total += i; return i != c.stop })
		if calls != c.calls || err != c.err || total != c.sum {
			t.Errorf("Loop(%d) stopping at %d = %d, %v with sum %d, want %d, %v with %d", c.n, c.stop, calls, err, total, c.calls, c.err, c.sum)
		}
	}
}
