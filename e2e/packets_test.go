package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

var cgroupTests = &feature{kerneltest.CgroupTests}

// packetPanicked is what the programs of packet tests return when they panic.
const packetPanicked = 0x70616e63

// packetSource returns the source of the functions of packets of the corpus, with the import of ebpf.
func packetSource(t *testing.T) string {
	t.Helper()
	text, err := fs.ReadFile(corpus.Source(), "packet.go")
	if err != nil {
		t.Fatal(err)
	}
	_, funcs, _ := strings.Cut(string(text), "func be16(")
	return "package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\nfunc be16(" + funcs
}

// packetPrograms returns the functions of packets of the corpus as programs of the given
// context and section.
func packetPrograms(t *testing.T, context, section string) *jit.Collection {
	t.Helper()
	var src strings.Builder
	src.WriteString(packetSource(t))
	for _, name := range slices.Sorted(maps.Keys(corpus.PacketFuncs)) {
		fmt.Fprintf(&src, "\n//ebpf:section %s\nfunc p_%s(ctx *ebpf.%s) uint32 { return %s(ctx.Data()) }\n", section, name, context, name)
	}
	c, err := jit.CompileSource("packet.go", src.String(), jit.OnPanic(packetPanicked))
	packets.require(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// maxPacket is the length of the longest packet of the tests.
const maxPacket = 1600

// testPackets returns packets of all lengths that a test run takes, half of them with headers that make
// sense but for some bytes, and short ones of small numbers besides, which make sense as lengths. In guests,
// which are slow, there are fewer long ones.
func testPackets() [][]byte {
	r := rand.New(rand.NewPCG(3, 4))
	var list [][]byte
	step := 1
	for n := 14; n <= maxPacket; n += step {
		if n%2 == 0 {
			list = append(list, fuzzedPacket(r, n))
		} else {
			list = append(list, noise(r, n, 0xff))
		}
		if n < 100 {
			list = append(list, noise(r, n, 15), fuzzedPacket(r, n))
		} else if guest != "" {
			step = 1 + r.IntN(100)
		}
	}
	return list
}

// noise returns n random bytes under a mask, now and then behind an Ethernet header for IPv4.
func noise(r *rand.Rand, n int, mask byte) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32()) & mask
	}
	if n > 16 && r.IntN(2) == 0 {
		p[12], p[13], p[14] = 8, 0, 0x45
	}
	return p
}

// fuzzedPacket returns a packet of n bytes that begins with the headers of a TCP or UDP packet, with VLAN tags, options
// and extension headers as it comes, of which some bytes may be wrong.
func fuzzedPacket(r *rand.Rand, n int) []byte {
	var h []byte
	h = append(h, noise(r, 12, 0xff)...)
	for range r.IntN(3) {
		h = append(h, 0x81, 0, byte(r.Uint32()), byte(r.Uint32()))
	}
	protocol := []byte{ebpf.ProtocolTCP, ebpf.ProtocolUDP, ebpf.ProtocolICMP, 4}[r.IntN(4)]
	if r.IntN(3) > 0 {
		options := r.IntN(11)
		h = append(h, 8, 0, byte(0x45+options), 0, byte(n>>8), byte(n), 0, 0, 0, 0, byte(r.Uint32()), protocol)
		h = append(h, noise(r, 10+4*options, 0xff)...)
	} else {
		next := []byte{ebpf.ProtocolHopByHop, ebpf.ProtocolRouting, ebpf.ProtocolFragment, ebpf.ProtocolAH, ebpf.ProtocolDestOpts, protocol}
		kind := next[r.IntN(6)]
		h = append(h, 0x86, 0xdd, 0x60, 0, 0, 0, byte(n>>8), byte(n), kind, 64)
		h = append(h, noise(r, 32, 0xff)...)
		for kind != protocol && len(h) < 300 {
			kind = next[r.IntN(6)]
			h = append(h, kind, 1, 0, 0)
			h = append(h, noise(r, 12, 0xff)...)
		}
	}
	h = append(h, noise(r, 12, 0xff)...)
	h = append(h, byte(5+r.IntN(11))<<4, byte(r.Uint32()))
	p := noise(r, n, 0xff)
	copy(p, h)
	for range r.IntN(4) {
		p[r.IntN(min(n, 80))] = byte(r.Uint32())
	}
	return p
}

// runPacket runs p on a packet, and returns its result and what the packet has become.
func runPacket(t *testing.T, p *jit.Program, packet []byte) (uint32, []byte) {
	t.Helper()
	o := cebpf.RunOptions{Data: packet, DataOut: make([]byte, len(packet)+256)}
	r, err := p.BPF().Run(&o)
	if err != nil {
		t.Fatalf("run with a packet of %d bytes %x: %v", len(packet), packet, err)
	}
	return r, o.DataOut
}

// nativePacket runs f on a packet.
func nativePacket(f func([]byte) uint32, packet []byte) (r uint32, out []byte) {
	r, out = packetPanicked, slices.Clip(slices.Clone(packet))
	defer func() { _ = recover() }()
	return f(out), out
}

// tooShort reports whether newer kernels refuse to run TC programs on packet: for want of content, or of
// the header that its EtherType promises.
func tooShort(packet []byte) bool {
	switch string(packet[12:14]) {
	case "\x08\x00":
		return len(packet) < 14+20
	case "\x86\xdd":
		return len(packet) < 14+40
	}
	return len(packet) == 14
}

// TestPackets runs the functions of packets natively, as XDP programs and as TC programs.
func TestPackets(t *testing.T) {
	packets.test(t)
	list := testPackets()
	for _, kind := range []struct{ context, section string }{{"XDP", "xdp"}, {"SKB", "tc"}} {
		c := packetPrograms(t, kind.context, kind.section)
		for _, name := range slices.Sorted(maps.Keys(corpus.PacketFuncs)) {
			t.Run(kind.section+"/"+name, func(t *testing.T) {
				for _, packet := range list {
					if kind.section == "tc" && tooShort(packet) {
						continue
					}
					want, wantPacket := nativePacket(corpus.PacketFuncs[name], packet)
					got, gotPacket := runPacket(t, c.Programs["p_"+name], packet)
					if got != want || !bytes.Equal(gotPacket, wantPacket) {
						t.Fatalf("packet %x: %#x, packet %x in the kernel; %#x, packet %x natively", packet, got, gotPacket, want, wantPacket)
					}
				}
			})
		}
	}
}

// writers is the functions of packets that write to them.
var writers = []string{"pktSwap", "pktCopyIn", "pktOverlap", "pktTTL", "pktFill"}

// nextLength returns the length of a packet to try after n: the next one, or in guests, which are slow, one
// further on where packets are not shorter than few.
func nextLength(r *rand.Rand, n, few int) int {
	if guest != "" && n >= few {
		return n + 1 + r.IntN(100)
	}
	return n + 1
}

// runContent runs p, which sees packets from behind the Ethernet header on, on a packet with that
// content. It is not ok if the kernel takes no packet without content, as newer ones do not.
func runContent(t *testing.T, p *jit.Program, content []byte) (result uint32, ok bool) {
	t.Helper()
	// Of an EtherType for experiments, of which the kernel has no opinion.
	head := append(make([]byte, 12), 0x88, 0xb5)
	result, err := p.BPF().Run(&cebpf.RunOptions{Data: append(head, content...)})
	if len(content) == 0 && errors.Is(err, unix.EINVAL) {
		return 0, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return result, true
}

// mixLoaded mixes the bytes of a packet that is loaded in parts.
func mixLoaded(ctx *ebpf.SKB) int {
	var b [48]byte
	n, sum := int(ctx.Len), uint32(7)
	for off := 0; off < n && off < 40*len(b); off += len(b) {
		part := b[:min(len(b), n-off)]
		if ctx.Load(off, part) != nil {
			return -1
		}
		for _, c := range part {
			sum = sum*31 + uint32(c)
		}
	}
	return int(sum)
}

// TestSocketPackets runs a socket filter, which has no packet data but by Load, on packets of all lengths.
func TestSocketPackets(t *testing.T) {
	packets.test(t)
	p := packets.compile(t, mixLoaded, jit.As("socket"))
	r := rand.New(rand.NewPCG(13, 14))
	for n := 0; n <= maxPacket; n = nextLength(r, n, 100) {
		packet := noise(r, n, 0xff)
		if got, ok := runContent(t, p, packet); ok && got != uint32(mixLoaded(ebpf.NewSKB(packet))) {
			t.Errorf("packet %x: %#x in the kernel, %#x natively", packet, got, uint32(mixLoaded(ebpf.NewSKB(packet))))
		}
	}
}

// TestShortPackets runs the functions of packets on packets of all lengths, down to what is too short for an
// Ethernet header, and so for any XDP program: a program of a control group sees what is behind it.
func TestShortPackets(t *testing.T) {
	cgroupTests.test(t)
	src := packetSource(t) + "\nvar result uint32\n"
	var names []string
	for _, name := range slices.Sorted(maps.Keys(corpus.PacketFuncs)) {
		if !slices.Contains(writers, name) {
			names = append(names, name)
			src += fmt.Sprintf("//ebpf:section cgroup_skb/egress\nfunc p_%s(ctx *ebpf.SKB) ebpf.CgroupVerdict { result = %[1]s(ctx.Data()); return 1 }\n", name)
		}
	}
	c, err := jit.CompileSource("packet.go", src, jit.OnPanic(0))
	packets.require(t, err)
	defer c.Close()
	_, err = c.Programs["p_"+names[0]].Test(make([]byte, 64))
	cgroupTests.require(t, err)
	r := rand.New(rand.NewPCG(11, 12))
	for _, name := range names {
		p := c.Programs["p_"+name]
		result, err := jit.Var[uint32](p, "result")
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n <= maxPacket; n = nextLength(r, n, 40) {
			packet := noise(r, n, []byte{0xff, 15}[n%2])
			verdict, ok := runContent(t, p, packet)
			if !ok {
				continue
			}
			got := uint32(packetPanicked)
			if verdict == 1 {
				got = result.Load()
			}
			if want, _ := nativePacket(corpus.PacketFuncs[name], packet); got != want {
				t.Errorf("%s: packet %x: %#x in the kernel, %#x natively", name, packet, got, want)
			}
		}
	}
}

// Slices of a packet that may have been moved, and fields of contexts, are refused.
func TestPacketErrors(t *testing.T) {
	const head = "package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\n"
	for _, test := range []struct{ section, src, want string }{
		{"xdp", "func f(ctx *ebpf.XDP) int { p := ctx.Data(); if ctx.AdjustHead(-4) != nil { return 0 }; return int(p[0]) }",
			"use of packet data after the call of bpf_xdp_adjust_head in line 4, which may move it; call Data again after it"},
		{"xdp", "func f(ctx *ebpf.XDP) int { m := ctx.Meta(); if ctx.AdjustMeta(-4) != nil { return 0 }; return int(m[0]) }",
			"use of packet data after the call of bpf_xdp_adjust_meta in line 4"},
		{"tc", "func f(ctx *ebpf.SKB) int { p := ctx.Data(); if ctx.Store(3, []byte{1}) != nil { return 0 }; return int(p[0]) }",
			"use of packet data after the call of bpf_skb_store_bytes in line 4"},
		{"xdp", "func f(ctx *ebpf.XDP) int { p := ctx.Data(); if len(p) > 60 { p = ctx.Meta() }; if len(p) > 3 { return int(p[2]) }; return 0 }",
			"a slice that is of the packet or of its metadata; use a variable for each"},
		{"cgroup_skb/egress", "func f(ctx *ebpf.SKB) int { return len(ctx.Meta()) }", "programs of type cgroup_skb cannot access the metadata of a packet"},
		{"xdp", "func f(ctx *ebpf.XDP) int { ctx.IngressIfindex = 1; return 0 }", "programs cannot write field IngressIfindex of XDP"},
		{"tc", "func f(ctx *ebpf.SKB) int { return int(ctx.Family) }", "programs of type sched_cls cannot read field Family of SKB; only programs of type cgroup_skb, sk_skb can"},
		{"tc", "func f(ctx *ebpf.SKB) int { if ctx.Load(0, a[ctx.Mark&8191:ctx.Priority&8191]) != nil { return 1 }; return 0 }; var a [8192]byte",
			"part of a map's value or of a large variable, of which the verifier can follow either end but not both, for helper bpf_skb_load_bytes; copy the bytes"},
		{"socket", "func f(ctx *ebpf.SKB) int { ctx.Mark = 1; return 0 }", "programs of type socket_filter cannot write field Mark of SKB"},
		{"socket", "func f(ctx *ebpf.SKB) int { return len(ctx.Data()) }", "cannot access packet data; copy what is needed with Load"},
		{"xdp", "func f(ctx *ebpf.XDP) int { p := ctx.Data(); var q *byte; if p[0] == 1 { q = &p[3] }; if q == &p[int(p[1]&3)] { return 1 }; return 0 }",
			"comparison of pointers into a packet that may be nil; compare offsets, or what they point to"},
	} {
		_, err := jit.CompileSource("a.go", head+"//ebpf:section "+test.section+"\n"+test.src)
		wantError(t, err, test.want)
	}
}
