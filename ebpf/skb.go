package ebpf

import "unsafe"

// SKB is the context of programs that see a packet as the network stack does: struct
// __sk_buff of linux/bpf.h. These are TC and TCX programs (sections tc/ingress,
// tcx/egress and so on), programs of control groups (cgroup_skb/ingress,
// cgroup_skb/egress), socket filters (socket), and programs of the sockets in a [SockMap]
// (sk_skb/stream_verdict and so on), which the section must say.
//
// What of it a program may read or write depends on its type; the tag of a field tells
// which types may. Without one all may read it and none write it. The compiler refuses
// the rest.
//
// Linux 4.1.
//
//ebpf:context sched_cls,sched_act,cgroup_skb,socket_filter,sk_skb
type SKB struct {
	Len            uint32    // bytes of the packet
	PacketType     uint32    // PACKET_HOST and so on of linux/if_packet.h
	Mark           uint32    `ebpf:"read=sched_cls,sched_act,cgroup_skb,socket_filter write=sched_cls,sched_act,cgroup_skb"` // the packet's mark
	QueueMapping   uint32    `ebpf:"write=sched_cls,sched_act"`                                                              // transmit queue
	Protocol       uint32    // EtherType, in network byte order
	VLANPresent    uint32    // whether there is a VLAN tag beside the packet
	VLANTCI        uint32    // that tag
	VLANProto      uint32    // its EtherType, in network byte order
	Priority       uint32    `ebpf:"write=sched_cls,sched_act,cgroup_skb,sk_skb"` // queueing priority
	IngressIfindex uint32    // interface the packet came in on, 0 for one of this host
	Ifindex        uint32    // interface the packet is at
	TCIndex        uint32    `ebpf:"write=sched_cls,sched_act,sk_skb"`
	CB             [5]uint32 `ebpf:"write=sched_cls,sched_act,cgroup_skb,socket_filter"` // for the programs that see the packet
	Hash           uint32    // of the flow, as far as it has been computed
	TCClassID      uint32    `ebpf:"read=sched_cls,sched_act write=sched_cls,sched_act"`

	// The packet's data and data_end. They are pointers that the kernel shows as
	// 32-bit numbers, so they are no fields to be read here.
	_ [2]uint32

	NAPIID     uint32    // receive queue, as SO_INCOMING_NAPI_ID tells
	Family     uint32    `ebpf:"read=cgroup_skb,sk_skb"` // AF_INET or AF_INET6, of the socket, as are the addresses
	RemoteIP4  uint32    `ebpf:"read=cgroup_skb,sk_skb"` // in network byte order
	LocalIP4   uint32    `ebpf:"read=cgroup_skb,sk_skb"` // in network byte order
	RemoteIP6  [4]uint32 `ebpf:"read=cgroup_skb,sk_skb"` // in network byte order
	LocalIP6   [4]uint32 `ebpf:"read=cgroup_skb,sk_skb"` // in network byte order
	RemotePort uint32    `ebpf:"read=cgroup_skb,sk_skb"` // in network byte order
	LocalPort  uint32    `ebpf:"read=cgroup_skb,sk_skb"` // in host byte order

	_ uint32    // data_meta, a pointer like data
	_ [2]uint32 // flow_keys, of flow dissectors

	Tstamp  uint64 `ebpf:"read=sched_cls,sched_act,cgroup_skb write=sched_cls,sched_act,cgroup_skb"` // when it is to be sent or was received, in nanoseconds; Linux 5.0
	WireLen uint32 `ebpf:"read=sched_cls,sched_act"`                                                 // bytes on the wire, with the headers of all segments; Linux 5.0
	GSOSegs uint32 // segments of a large packet, or 0; Linux 5.1

	_ [2]uint32 // sk, a pointer

	GSOSize uint32 // bytes of a segment, or 0; Linux 5.7

	packet, meta []byte // natively
}

// NewSKB returns the context of a program that runs natively with the given packet.
// Host only.
func NewSKB(packet []byte) *SKB {
	return &SKB{Len: uint32(len(packet)), packet: packet[:len(packet):len(packet)]}
}

// Data returns the beginning of the packet, as far as it lies in one piece: from the
// Ethernet header on for TC programs, from the IP header on for those of control
// groups, and for sk_skb programs what the socket has received. Of the rest [SKB.PullData] makes more available, and [SKB.Load] a copy.
// Socket filters have it not, but Load.
//
// It is a slice like that of [XDP.Data]. Programs of control groups must not write to it.
//
//ebpf:intrinsic packet.skb
func (s *SKB) Data() []byte { return s.packet }

// Meta returns the metadata that an XDP program has put before the packet with
// [XDP.AdjustMeta], empty if none has. It is a slice like that of Data. For TC programs at ingress.
//
// Linux 4.15.
//
//ebpf:intrinsic packet.skb.meta
func (s *SKB) Meta() []byte { return s.meta }

// Context returns s for helpers.
func (s *SKB) Context() Context { return Context{unsafe.Pointer(s)} }

// Ports returns the ports of the packet's socket, of this end and of the other, in host byte order.
// For programs that may read LocalPort and RemotePort.
func (s *SKB) Ports() (local, remote uint16) { return hostPorts(s.LocalPort, s.RemotePort) }

// hostPorts returns ports as numbers, of what contexts have of them: the local one in host byte
// order, the other in 32 bits in network byte order, so in the upper half on the little-endian
// machines that there are.
func hostPorts(local, remote uint32) (uint16, uint16) {
	return uint16(local), uint16(remote>>24) | uint16(remote>>16)<<8
}

// TCAction is the result of a TC or TCX program: what becomes of the packet.
type TCAction int32

// What becomes of a packet after a TC program: TC_ACT_* in linux/pkt_cls.h. TCX programs
// have TCXNext and so on.
const (
	TCUnspec     TCAction = -1 // as the classifier is configured
	TCOK         TCAction = 0  // goes on its way
	TCReclassify TCAction = 1  // is classified again from the start
	TCShot       TCAction = 2  // is dropped
	TCPipe       TCAction = 3  // is what the next action decides
	TCStolen     TCAction = 4  // is dropped, and nobody told so
	TCRedirect   TCAction = 7  // goes where bpf_redirect said
)

// CgroupVerdict is the result of a program of a control group: whether what is asked for
// may happen.
type CgroupVerdict int32

// The verdicts.
const (
	CgroupDeny  CgroupVerdict = 0
	CgroupAllow CgroupVerdict = 1
)
