package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/jit"
)

// packetPanicked is what the programs of packet tests return when they panic.
const packetPanicked = 0x70616e63

// packetPrograms returns the functions of packets of the corpus as programs of the given
// context and section.
func packetPrograms(t *testing.T, context, section string) *jit.Collection {
	t.Helper()
	text, err := fs.ReadFile(corpus.Source(), "packet.go")
	if err != nil {
		t.Fatal(err)
	}
	_, funcs, _ := strings.Cut(string(text), "func be16(")
	var src strings.Builder
	fmt.Fprintf(&src, "package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\nfunc be16(%s", funcs)
	for _, name := range slices.Sorted(maps.Keys(corpus.PacketFuncs)) {
		fmt.Fprintf(&src, "\n//ebpf:section %s\nfunc p_%s(ctx *ebpf.%s) uint32 { return %s(ctx.Data()) }\n", section, name, context, name)
	}
	c, err := jit.CompileSource("packet.go", src.String(), jit.OnPanic(packetPanicked))
	packets.require(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// testPackets returns packets of the lengths that a test run takes, some of small
// numbers, which make sense as lengths.
func testPackets() [][]byte {
	r := rand.New(rand.NewPCG(3, 4))
	var list [][]byte
	add := func(n int, mask byte) {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(r.Uint32()) & mask
		}
		if n > 16 && r.IntN(2) == 0 {
			p[12], p[13], p[14] = 8, 0, 0x45
		}
		list = append(list, p)
	}
	for n := 14; n < 100; n++ {
		add(n, 0xff)
		add(n, 15)
	}
	for n := 100; n <= 1600; n += 1 + r.IntN(100) {
		add(n, 0xff)
	}
	return list
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

// TestPackets runs the functions of packets natively, as XDP programs and as TC programs.
func TestPackets(t *testing.T) {
	packets.test(t)
	for _, kind := range []struct{ context, section string }{{"XDP", "xdp"}, {"SKB", "tc"}} {
		c := packetPrograms(t, kind.context, kind.section)
		for _, name := range slices.Sorted(maps.Keys(corpus.PacketFuncs)) {
			t.Run(kind.section+"/"+name, func(t *testing.T) {
				for _, packet := range testPackets() {
					if ip := len(packet) < 34 && string(packet[12:14]) == "\x08\x00"; kind.section == "tc" && (ip || len(packet) == 14) {
						continue // newer kernels refuse packets without content, and IP packets without header
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
		{"tc", "func f(ctx *ebpf.SKB) int { return int(ctx.Family) }", "programs of type sched_cls cannot read field Family of SKB; only programs of type cgroup_skb can"},
		{"socket", "func f(ctx *ebpf.SKB) int { ctx.Mark = 1; return 0 }", "programs of type socket_filter cannot write field Mark of SKB"},
		{"socket", "func f(ctx *ebpf.SKB) int { return len(ctx.Data()) }", "cannot access packet data; copy what is needed with Load"},
		{"xdp", "func f(ctx *ebpf.XDP) int { p := ctx.Data(); if p[0] == 1 { p = nil }; if p == nil { return 1 }; return 0 }", "comparison of packet data with nil"},
	} {
		_, err := jit.CompileSource("a.go", head+"//ebpf:section "+test.section+"\n"+test.src)
		wantError(t, err, test.want)
	}
}
