package main

import (
	"sync/atomic"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// A count is how much a rule has dropped.
type count struct{ Packets, Bytes uint64 }

func (c *count) add(bytes int) {
	atomic.AddUint64(&c.Packets, 1)
	atomic.AddUint64(&c.Bytes, uint64(bytes))
}

// The rules. Host and kernel share them: the host sets and removes them while the
// program runs, the program counts.
var (
	networks = ebpf.NewLPMTrie[[16]byte, count](4096) // sources, IPv4-mapped
	ports    = ebpf.NewHash[uint16, count](4096)      // destinations, of TCP and UDP
)

// mappedBits is the length of the prefix that makes an IPv4 address one of IPv6.
const mappedBits = 96

// mapped returns an IPv4 address as IPv6 has it. A trie keeps a value right behind its
// address; with one of 4 bytes the counters would not be aligned, as arm64 wants them
// for atomic operations.
func mapped(addr [4]byte) (a [16]byte) {
	a[10], a[11] = 0xff, 0xff
	copy(a[12:], addr[:])
	return a
}

// passed counts what no rule has dropped.
var passed = ebpf.NewArray[count](1)

// maxTags is how many VLAN tags are looked behind.
const maxTags = 2

// firewall drops the IPv4 packets that come from one of the networks or go to one of
// the ports.
func firewall(ctx *ebpf.XDP) ebpf.XDPAction {
	pkt := ctx.Data()
	if isDropped(pkt) {
		return ebpf.XDPDrop
	}
	if c := passed.Lookup(0); c != nil {
		c.add(len(pkt))
	}
	return ebpf.XDPPass
}

// isDropped reports whether a rule drops pkt, and counts it if so. Packets that it
// cannot make sense of are for others to judge.
func isDropped(pkt []byte) bool {
	p, ok := ipv4(pkt)
	if !ok {
		return false
	}
	ip := ebpf.Overlay[ebpf.IPv4](p)
	if c := networks.Lookup(mapped(ip.Src)); c != nil {
		c.add(len(pkt))
		return true
	}
	n := ip.HeaderLen()
	if ip.IsFragment() || ip.Protocol != ebpf.ProtocolTCP && ip.Protocol != ebpf.ProtocolUDP || n < 20 || len(p) < n+8 {
		return false
	}
	// Both begin with the ports.
	if c := ports.Lookup(ebpf.Overlay[ebpf.UDP](p[n:]).DstPort.Uint16()); c != nil {
		c.add(len(pkt))
		return true
	}
	return false
}

// ipv4 returns what of a frame begins with its IPv4 header.
func ipv4(pkt []byte) (p []byte, ok bool) {
	if len(pkt) < 14 {
		return nil, false
	}
	kind := ebpf.Overlay[ebpf.Ethernet](pkt).Type.Uint16()
	p = pkt[14:]
	for range maxTags {
		if kind != ebpf.EtherTypeVLAN && kind != ebpf.EtherTypeQinQ {
			break
		}
		if len(p) < 4 {
			return nil, false
		}
		kind = ebpf.Overlay[ebpf.VLAN](p).Type.Uint16()
		p = p[4:]
	}
	return p, kind == ebpf.EtherTypeIPv4 && len(p) >= 20
}
