package e2e

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// The functions of headers and checksums, as programs.

// walkIPv6 returns the protocol behind the extension headers and how long they are.
func walkIPv6(ctx *ebpf.XDP) int {
	pkt := ctx.Data()
	if len(pkt) < 54 {
		return -1
	}
	proto, rest, ok := ebpf.SkipExtensions(ebpf.Overlay[ebpf.IPv6](pkt[14:]).NextHeader, pkt[54:])
	if !ok {
		return -2
	}
	return int(proto)<<16 | len(pkt) - len(rest)
}

// sumUDP writes the checksum of a UDP datagram.
func sumUDP(ctx *ebpf.XDP) int {
	pkt := ctx.Data()
	if len(pkt) < 42 {
		return -1
	}
	ip, udp := ebpf.Overlay[ebpf.IPv4](pkt[14:]), ebpf.Overlay[ebpf.UDP](pkt[34:])
	udp.Checksum = ebpf.Be16{}
	sum := ebpf.PseudoHeader4(ip.Src, ip.Dst, ebpf.ProtocolUDP, len(pkt)-34)
	udp.Checksum = ebpf.ChecksumFold(ebpf.ChecksumAdd(sum, pkt[34:]))
	return int(udp.Checksum.Uint16())
}

// rewrite changes an address and corrects the checksum of the IP header in two ways.
func rewrite(ctx *ebpf.XDP) int {
	pkt := ctx.Data()
	if len(pkt) < 34 {
		return -1
	}
	ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
	ip.Checksum = ebpf.Be16{}
	ip.Checksum = ebpf.Checksum(pkt[14:34])
	old := ebpf.Be32(ip.Dst)
	ip.Dst = [4]byte{192, 0, 2, 1}
	ip.Checksum = ebpf.ChecksumReplace32(ip.Checksum, old, ebpf.Be32(ip.Dst))
	ip.DecrementTTL()
	return int(ebpf.Checksum(pkt[14:34]).Uint16())
}

// encapsulate puts an IPv4 header in front of the packet, or takes one away.
func encapsulate(ctx *ebpf.XDP) int {
	pkt := ctx.Data()
	if len(pkt) < 34 {
		return -1
	}
	eth := *ebpf.Overlay[ebpf.Ethernet](pkt)
	if pkt[23] == 4 {
		if ctx.AdjustHead(20) != nil {
			return -2
		}
		pkt = ctx.Data()
		if len(pkt) < 14 {
			return -3
		}
		*ebpf.Overlay[ebpf.Ethernet](pkt) = eth
		return 1
	}
	n := len(pkt) - 14
	if ctx.AdjustHead(-20) != nil {
		return -2
	}
	pkt = ctx.Data()
	if len(pkt) < 34 {
		return -3
	}
	*ebpf.Overlay[ebpf.Ethernet](pkt) = eth
	ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
	*ip = ebpf.IPv4{VersionIHL: 0x45, Length: ebpf.ToBe16(uint16(n + 20)), TTL: 64, Protocol: 4, Src: [4]byte{10, 1}, Dst: [4]byte{10, 2}}
	ip.Checksum = ebpf.Checksum(pkt[14:34])
	return 2
}

// shorten cuts the packet to 60 bytes.
func shorten(ctx *ebpf.XDP) int {
	if n := len(ctx.Data()); n > 60 && ctx.AdjustTail(60-n) != nil {
		return -1
	}
	return len(ctx.Data())
}

// translate changes the destination of a UDP datagram, and corrects the checksums by helpers.
func translate(ctx *ebpf.SKB) ebpf.TCAction {
	var addr [4]byte
	var port [2]byte
	if ctx.Load(30, addr[:]) != nil || ctx.Load(36, port[:]) != nil {
		return ebpf.TCShot
	}
	toAddr, toPort := [4]byte{192, 0, 2, 1}, [2]byte{0x1f, 0x90}
	diff, err := ebpf.CsumDiff(addr[:], toAddr[:], 0)
	if err != nil {
		return ebpf.TCShot
	}
	if ebpf.L3CsumReplace(ctx, 24, 0, uint64(diff), 0) != nil ||
		ebpf.L4CsumReplace(ctx, 40, 0, uint64(diff), ebpf.FlagPseudoHdr|ebpf.FlagMarkMangled0) != nil ||
		ebpf.L4CsumReplace(ctx, 40, uint64(binary.NativeEndian.Uint16(port[:])), uint64(binary.NativeEndian.Uint16(toPort[:])), 2|ebpf.FlagMarkMangled0) != nil ||
		ctx.Store(30, toAddr[:]) != nil || ctx.Store(36, toPort[:]) != nil {
		return ebpf.TCShot
	}
	return ebpf.TCOK
}

// datagram returns a packet of n bytes with correct checksums: of UDP over IPv4, and the latter maybe none.
func datagram(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	ebpf.Overlay[ebpf.Ethernet](p).Type.Set(ebpf.EtherTypeIPv4)
	ip, udp := ebpf.Overlay[ebpf.IPv4](p[14:]), ebpf.Overlay[ebpf.UDP](p[34:])
	ip.VersionIHL, ip.Protocol, ip.Checksum = 0x45, ebpf.ProtocolUDP, ebpf.Be16{}
	ip.Length.Set(uint16(n - 14))
	ip.Checksum = ebpf.Checksum(p[14:34])
	udp.Length.Set(uint16(n - 34))
	udp.Checksum = ebpf.Be16{}
	if r.IntN(4) > 0 {
		udp.Checksum = sumOfUDP(p)
	}
	return p
}

// sumOfUDP returns the checksum of what goes with the checksum that is in p, which is 0 if that is right.
func sumOfUDP(p []byte) ebpf.Be16 {
	ip := ebpf.Overlay[ebpf.IPv4](p[14:])
	return ebpf.ChecksumFold(ebpf.ChecksumAdd(ebpf.PseudoHeader4(ip.Src, ip.Dst, ebpf.ProtocolUDP, len(p)-34), p[34:]))
}

// TestChecksumHelpers compares what the helpers make of checksums with what they do natively, and
// with the sums of the whole.
func TestChecksumHelpers(t *testing.T) {
	packets.test(t)
	p := packets.compile(t, translate, jit.As("tc"))
	r := rand.New(rand.NewPCG(9, 10))
	for n := 42; n < 600; n += 1 + n/100 {
		packet := datagram(r, n)
		ctx := ebpf.NewSKB(slices.Clone(packet))
		want := translate(ctx)
		run, err := p.Test(packet)
		if err != nil {
			t.Fatal(err)
		}
		out := run.Packet
		if run.Panic != nil || ebpf.TCAction(run.Result) != want || want != ebpf.TCOK || !bytes.Equal(out, ctx.Data()) {
			t.Fatalf("packet %x: %d, packet %x, panic %v in the kernel; %d, packet %x natively", packet, run.Result, out, run.Panic, want, ctx.Data())
		}
		none := ebpf.Overlay[ebpf.UDP](packet[34:]).Checksum == ebpf.Be16{}
		if ebpf.Checksum(out[14:34]) != (ebpf.Be16{}) || none != (ebpf.Overlay[ebpf.UDP](out[34:]).Checksum == ebpf.Be16{}) || !none && sumOfUDP(out) != (ebpf.Be16{}) {
			t.Fatalf("packet %x: the checksums of %x are wrong", packet, out)
		}
	}
}

func TestHeaders(t *testing.T) {
	packets.test(t)
	r := rand.New(rand.NewPCG(5, 6))
	for _, f := range []func(*ebpf.XDP) int{walkIPv6, sumUDP, rewrite, encapsulate, shorten} {
		p := packets.compile(t, f)
		for n := 14; n < 180; n += 1 + n/60 {
			packet := make([]byte, n)
			for i := range packet {
				packet[i] = byte(r.Uint32())
			}
			if n > 70 { // extension headers of which some end in the packet
				packet[20] = []byte{0, 43, 44, 51, 60, 6}[r.IntN(6)]
				for i := 54; i+8 <= n; i += 8 {
					packet[i], packet[i+1], packet[i+2], packet[i+3] = []byte{0, 43, 44, 51, 60, 17}[r.IntN(6)], byte(r.IntN(2)), 0, byte(r.IntN(2)*8)
				}
			}
			if n%5 == 0 && n > 34 {
				packet[23] = 4
			}
			ctx := ebpf.NewXDP(slices.Clone(packet))
			want := f(ctx)
			run, err := p.Test(packet)
			if err != nil {
				t.Fatal(err)
			}
			if run.Panic != nil || int(run.Result) != want || !bytes.Equal(run.Packet, ctx.Packet()) {
				t.Fatalf("packet %x: %d, packet %x, panic %v in the kernel; %d, packet %x natively", packet, run.Result, run.Packet, run.Panic, want, ctx.Packet())
			}
		}
	}
}
