package jit_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// route is what a router does with a packet.
func route(ctx *ebpf.XDP) ebpf.XDPAction {
	pkt := ctx.Data()
	eth := ebpf.Overlay[ebpf.Ethernet](pkt)
	if eth.Type.Uint16() != ebpf.EtherTypeIPv4 {
		return ebpf.XDPPass
	}
	ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
	if ip.TTL <= 1 {
		return ebpf.XDPDrop
	}
	ip.DecrementTTL()
	eth.Src, eth.Dst = eth.Dst, eth.Src
	return ebpf.XDPTX
}

// ipPacket returns a packet of an IP header and n more bytes.
func ipPacket(ttl uint8, n int) []byte {
	p := make([]byte, 34+n)
	eth, ip := ebpf.Overlay[ebpf.Ethernet](p), ebpf.Overlay[ebpf.IPv4](p[14:])
	eth.Dst, eth.Src = [6]byte{1, 2, 3, 4, 5, 6}, [6]byte{7, 8, 9, 10, 11, 12}
	eth.Type.Set(ebpf.EtherTypeIPv4)
	*ip = ebpf.IPv4{VersionIHL: 0x45, Length: ebpf.ToBe16(uint16(20 + n)), TTL: ttl, Protocol: ebpf.ProtocolUDP, Src: [4]byte{10, 0, 0, 1}, Dst: [4]byte{10, 0, 0, 2}}
	ip.Checksum = ebpf.Checksum(p[14:34])
	for i := range n {
		p[34+i] = byte(i * 11)
	}
	return p
}

func TestProgramTest(t *testing.T) {
	prog, err := jit.Compile(route)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	arp := ipPacket(64, 0)
	arp[13] = 6
	for _, packet := range [][]byte{ipPacket(64, 8), ipPacket(2, 100), ipPacket(1, 0), arp, arp[:14], ipPacket(64, 0)[:30]} {
		run, err := prog.Test(packet)
		if err != nil {
			t.Fatal(err)
		}
		ctx := ebpf.NewXDP(slices.Clone(packet))
		want, panicked := ebpf.XDPAborted, false
		func() {
			defer func() { panicked = recover() != nil }()
			want = route(ctx)
		}()
		if ebpf.XDPAction(run.Result) != want || !bytes.Equal(run.Packet, ctx.Packet()) || (run.Panic != nil) != panicked {
			t.Errorf("packet %x: in the kernel %d, packet %x, panic %v; natively %d, packet %x, panic %v",
				packet, run.Result, run.Packet, run.Panic, want, ctx.Packet(), panicked)
		}
		if want == ebpf.XDPTX && ebpf.Checksum(run.Packet[14:34]) != (ebpf.Be16{}) {
			t.Errorf("packet %x: the checksum is wrong", run.Packet)
		}
	}
}

// marks writes to its context.
func marks(ctx *ebpf.SKB) ebpf.TCAction {
	ctx.Mark += ctx.Len
	ctx.CB[2] = ctx.Priority
	return ebpf.TCOK
}

func TestProgramTestContext(t *testing.T) {
	prog, err := jit.Compile(marks, jit.As("tc"))
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	ctx, native := &ebpf.SKB{Mark: 5, Priority: 7}, ebpf.NewSKB(make([]byte, 60))
	native.Mark, native.Priority = 5, 7
	run, err := prog.TestContext(ctx, make([]byte, 60))
	if err != nil {
		t.Fatal(err)
	}
	want := marks(native)
	if ebpf.TCAction(run.Result) != want || ctx.Mark != native.Mark || ctx.CB != native.CB {
		t.Errorf("mark %d, cb %d, want %d and %d", ctx.Mark, ctx.CB, native.Mark, native.CB)
	}
	if _, err := prog.TestContext(7, nil); err == nil {
		t.Error("a context that is no struct is accepted")
	}
}

// A request is the context of a syscall program.
type request struct{ a, b, sum uint64 }

func addUp(r *request) int { r.sum = r.a + r.b; return 3 }

func TestSyscallContext(t *testing.T) {
	kerneltest.Syscalls.Test(t)
	prog, err := jit.Compile(addUp, jit.As("syscall"))
	kerneltest.Require(t, err)
	defer prog.Close()
	r := &request{a: 40, b: 2}
	run, err := prog.TestContext(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.Result != 3 || r.sum != 42 {
		t.Errorf("result %d, sum %d", run.Result, r.sum)
	}
}

func arguments(ctx *ebpf.RawTracepoint) int { return int(ctx.Arg(0) + 2*ctx.Arg(1)) }

func TestRawTracepointContext(t *testing.T) {
	prog, err := jit.Compile(arguments, jit.As("raw_tp/sys_enter"))
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	run, err := prog.TestContext(&ebpf.RawTracepoint{Args: [12]uint64{4, 5}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.Result != 14 {
		t.Errorf("result %d, want 14", run.Result)
	}
}

// frags looks at and changes a packet in several buffers.
func frags(ctx *ebpf.XDP) int {
	n := ctx.BufLen()
	var b [8]byte
	if ctx.Load(n-8, b[:]) != nil {
		return -1
	}
	b[0], b[7] = b[7], b[0]
	if ctx.Store(n-11, b[:]) != nil {
		return -2
	}
	if err := ctx.Load(n-7, b[:]); err == nil {
		return -3
	}
	return n
}

func TestFrags(t *testing.T) {
	kerneltest.Frags.Test(t)
	prog, err := jit.Compile(frags, jit.As("xdp.frags"))
	kerneltest.Require(t, err)
	defer prog.Close()
	for _, n := range []int{64, 1500, 5000, 9000} {
		packet := ipPacket(64, n-34)
		run, err := prog.Test(packet)
		if err != nil {
			t.Fatal(err)
		}
		ctx := ebpf.NewXDP(slices.Clone(packet))
		if want := frags(ctx); int(run.Result) != want || want != n || !bytes.Equal(run.Packet, ctx.Packet()) {
			t.Errorf("packet of %d bytes: %d in the kernel, %d natively; the packets are equal: %v", n, run.Result, want, bytes.Equal(run.Packet, ctx.Packet()))
		}
	}
}

func TestFragsTooOld(t *testing.T) {
	_, err := jit.Compile(frags, jit.As("xdp.frags"), jit.WithTarget(lower.TargetFor(lower.Version{Major: 5, Minor: 15}, "amd64")))
	if err == nil || !strings.Contains(err.Error(), "section xdp.frags needs Linux 5.18, and the program is compiled for 5.15") {
		t.Error(err)
	}
}

// A note is what marksMeta puts before packets.
type note struct{ length, first ebpf.Be32 }

// marksMeta puts a note before a packet that it shortens, and looks at it after.
func marksMeta(ctx *ebpf.XDP) int {
	n := len(ctx.Data())
	if ctx.AdjustMeta(-12) != nil || ctx.AdjustMeta(4) != nil {
		return -1
	}
	pkt, meta := ctx.Data(), ctx.Meta()
	if len(meta) < 8 || len(pkt) < 16 {
		return -2
	}
	*ebpf.Overlay[note](meta) = note{ebpf.ToBe32(uint32(n)), ebpf.Be32(pkt[:4])}
	if ctx.AdjustHead(2) != nil || ctx.AdjustMeta(-1) == nil || ctx.AdjustMeta(12) == nil {
		return -3
	}
	meta = ctx.Meta()
	sum := len(meta)
	for i := 0; i < 8 && i < len(meta); i++ {
		sum += int(meta[i])
	}
	return sum + int(meta[7])<<16 + int(meta[len(meta)-2])<<8
}

func TestMeta(t *testing.T) {
	kerneltest.Meta.Test(t)
	prog, err := jit.Compile(marksMeta)
	kerneltest.Require(t, err)
	defer prog.Close()
	for _, n := range []int{16, 64, 300, 1500} {
		packet := ipPacket(64, 1500)[:n]
		packet[12] = 9
		run, err := prog.Test(packet)
		kerneltest.Require(t, err)
		ctx := ebpf.NewXDP(slices.Clone(packet))
		want := marksMeta(ctx)
		if int(run.Result) != want || !bytes.Equal(run.Packet, ctx.Packet()) || !bytes.Equal(run.Meta, ctx.Meta()) || len(run.Meta) != 8 || run.Panic != nil {
			t.Errorf("%d, metadata %x, packet %x, %v in the kernel; %d, %x, %x natively", run.Result, run.Meta, run.Packet, run.Panic, want, ctx.Meta(), ctx.Packet())
		}
		// And once more with a context, which the first run has left its metadata in.
		var md ebpf.XDP
		for range 2 {
			again, err := prog.TestContext(&md, packet)
			if err != nil {
				t.Fatal(err)
			}
			if again.Result != run.Result || !bytes.Equal(again.Meta, run.Meta) || !bytes.Equal(again.Packet, run.Packet) {
				t.Errorf("with a context: %+v, without %+v", again, run)
			}
		}
	}
}
