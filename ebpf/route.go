package ebpf

// This file has the structs of linux/bpf.h by which helpers are asked about routes and tunnels.
// Addresses are 16 bytes; an IPv4 address is the first 4.

// A FibLookupParams is a packet to be routed and where it goes: struct bpf_fib_lookup.
type FibLookupParams struct {
	Family     uint8  // AF_INET (2) or AF_INET6 (10)
	L4Protocol uint8  // protocol of the ports, or 0
	Sport      Be16   // source port, or 0
	Dport      Be16   // destination port, or 0
	TotLen     uint16 // length from the IP header on, or 0; afterwards the interface's MTU
	Ifindex    uint32 // interface it came in on; afterwards the one it goes out on
	TOS        uint32 // TOS in the first byte, or IPv6's flow label; afterwards the metric
	Src        [16]byte
	Dst        [16]byte // afterwards the next hop
	VLANProto  Be16     // with [FIBLookupTBID] VLANProto and VLANTCI are a routing table's number
	VLANTCI    Be16
	SrcMAC     [6]byte // afterwards; before, its first 4 bytes are the mark with [FIBLookupMark]
	DstMAC     [6]byte // afterwards
}

// A RedirNeigh is a neighbour: struct bpf_redir_neigh.
type RedirNeigh struct {
	Family  uint32 // AF_INET (2) or AF_INET6 (10)
	NextHop [16]byte
}

// A TunnelKey is the outside of a packet in a tunnel: struct bpf_tunnel_key. All is in host byte
// order but IPv6 addresses.
type TunnelKey struct {
	ID     uint32    // of the tunnel, such as the VNI
	Remote [4]uint32 // address of the other end; an IPv4 address is the first
	TOS    uint8
	TTL    uint8
	Flags  Be16 // afterwards, with [FlagTuninfoFlags]
	Label  uint32
	Local  [4]uint32 // address of this end; Linux 6.0
}

// An XfrmState is a transformation of IPsec: struct bpf_xfrm_state.
type XfrmState struct {
	ReqID  uint32
	SPI    Be32
	Family uint16
	_      uint16
	Remote [16]byte
}
