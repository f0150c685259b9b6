package ebpf

// This file has the headers of packets, to be laid over their bytes with [Overlay].

// EtherTypes: what follows an Ethernet header or a VLAN tag (ETH_P_* in
// linux/if_ether.h).
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeVLAN = 0x8100
	EtherTypeIPv6 = 0x86dd
	EtherTypeQinQ = 0x88a8 // the outer of two VLAN tags
)

// Protocols: what follows an IP header (IPPROTO_* in linux/in.h and linux/in6.h). The last are
// extension headers of IPv6.
const (
	ProtocolICMP     = 1
	ProtocolTCP      = 6
	ProtocolUDP      = 17
	ProtocolICMPv6   = 58
	ProtocolHopByHop = 0
	ProtocolRouting  = 43
	ProtocolFragment = 44
	ProtocolAH       = 51
	ProtocolNoNext   = 59
	ProtocolDestOpts = 60
)

// Ethernet is the header of a frame, 14 bytes.
type Ethernet struct {
	Dst, Src [6]byte
	Type     Be16 // EtherTypeIPv4 and so on
}

// VLAN is an 802.1Q tag, 4 bytes that stand in place of Ethernet.Type and before it.
type VLAN struct {
	TCI  Be16 // priority and identifier
	Type Be16 // of what follows
}

// ID returns the identifier of the VLAN.
func (v *VLAN) ID() uint16 { return v.TCI.Uint16() & 0xfff }

// ARP is an ARP packet for IPv4 on Ethernet, 28 bytes.
type ARP struct {
	HardwareType, ProtocolType Be16
	HardwareLen, ProtocolLen   uint8
	Operation                  Be16 // 1 asks, 2 answers
	SenderMAC                  [6]byte
	SenderIP                   [4]byte
	TargetMAC                  [6]byte
	TargetIP                   [4]byte
}

// IPv4 is an IPv4 header without options, 20 bytes.
type IPv4 struct {
	VersionIHL uint8
	TOS        uint8
	Length     Be16 // of header and content
	ID         Be16
	Fragment   Be16 // flags, and the offset in units of 8 bytes
	TTL        uint8
	Protocol   uint8 // ProtocolTCP and so on
	Checksum   Be16
	Src, Dst   [4]byte
}

// HeaderLen returns the length of the header with its options, from 0 to 60; of less than
// 20 it is not a valid header.
func (h *IPv4) HeaderLen() int { return int(h.VersionIHL&15) * 4 }

// IsFragment reports whether h is of a fragment other than the first, which has no
// header of TCP or the like.
func (h *IPv4) IsFragment() bool { return h.Fragment.Uint16()&0x1fff != 0 }

// DecrementTTL decrements the TTL and corrects the checksum, as a router does.
func (h *IPv4) DecrementTTL() {
	old := ToBe16(uint16(h.TTL)<<8 | uint16(h.Protocol))
	h.TTL--
	h.Checksum = ChecksumReplace16(h.Checksum, old, ToBe16(uint16(h.TTL)<<8|uint16(h.Protocol)))
}

// IPv6 is an IPv6 header, 40 bytes.
type IPv6 struct {
	VersionClassFlow Be32
	Length           Be16  // of what follows
	NextHeader       uint8 // ProtocolTCP and so on
	HopLimit         uint8
	Src, Dst         [16]byte
}

// maxExtensions is how many extension headers are looked at.
const maxExtensions = 8

// SkipExtensions skips the extension headers of IPv6 at the beginning of p, which are
// of type next, up to 8 of them, and returns the type of what follows and that. It is not
// ok if p ends before, or at a fragment other than the first, which has no more headers.
func SkipExtensions(next uint8, p []byte) (proto uint8, rest []byte, ok bool) {
	for range maxExtensions {
		n := 8
		switch next {
		case ProtocolHopByHop, ProtocolRouting, ProtocolDestOpts:
			if len(p) < 8 {
				return next, p, false
			}
			n = 8 + int(p[1])*8
		case ProtocolAH:
			if len(p) < 8 {
				return next, p, false
			}
			n = 8 + int(p[1])*4
		case ProtocolFragment:
			if len(p) < 8 || p[2] != 0 || p[3]&0xf8 != 0 {
				return next, p, false
			}
		default:
			return next, p, true
		}
		if len(p) < n {
			return next, p, false
		}
		next, p = p[0], p[n:]
	}
	return next, p, false
}

// TCP is a TCP header without options, 20 bytes.
type TCP struct {
	SrcPort, DstPort Be16
	Seq, Ack         Be32
	Offset           uint8 // length in words of 4 bytes, in the upper half
	Flags            uint8 // TCPFlagFIN and so on
	Window           Be16
	Checksum         Be16
	Urgent           Be16
}

// Flags of TCP.
const (
	TCPFlagFIN = 1 << iota
	TCPFlagSYN
	TCPFlagRST
	TCPFlagPSH
	TCPFlagACK
	TCPFlagURG
)

// HeaderLen returns the length of the header with its options, from 0 to 60.
func (h *TCP) HeaderLen() int { return int(h.Offset>>4) * 4 }

// UDP is a UDP header, 8 bytes.
type UDP struct {
	SrcPort, DstPort Be16
	Length           Be16 // of header and content
	Checksum         Be16 // 0 if there is none, over IPv4
}

// ICMP is the header of ICMP and of ICMPv6, 8 bytes.
type ICMP struct {
	Type, Code uint8
	Checksum   Be16
	Rest       Be32 // by type; identifier and sequence number of an echo
}
