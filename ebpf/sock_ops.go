package ebpf

import "unsafe"

// SockOps is the context of a program that TCP calls when something happens to a connection:
// struct bpf_sock_ops of linux/bpf.h. Op says what: one of SockOpsTCPConnectCB and so on. Most
// are for programs only that have asked for them with [SockOpsCbFlagsSet]. The fields are of the
// socket and cannot be written; from SndCwnd on they are 0 unless IsFullSock is 1.
//
// Linux 4.13. A program is attached to a control group, with attach.Cgroup.
//
//ebpf:context sock_ops
type SockOps struct {
	Op         uint32    // what has happened: SockOps...
	Args       [4]uint32 // what Op says of it; the index must be a constant. See SetReply
	Family     uint32    // AF_INET or AF_INET6
	RemoteIP4  uint32    // in network byte order
	LocalIP4   uint32    // in network byte order
	RemoteIP6  [4]uint32 // in network byte order
	LocalIP6   [4]uint32 // in network byte order
	RemotePort uint32    // in network byte order
	LocalPort  uint32    // in host byte order
	IsFullSock uint32    // 0 for a request for a connection, of which the fields below are 0

	SndCwnd        uint32 // packets that may be under way
	SRTTus         uint32 // round trip time, smoothed, in eighths of a microsecond
	CBFlags        uint32 // what the program is called for: SockOps...CBFlag
	State          uint32 // TCP's state before Op: TCPEstablished and so on
	RTTMin         uint32 // least round trip time lately, in microseconds
	SndSsthresh    uint32 // packets up to which slow start goes
	RcvNxt         uint32 // next sequence number that is expected
	SndNxt         uint32 // next that is sent
	SndUna         uint32 // first that is not acknowledged
	MSSCache       uint32 // bytes of a segment
	ECNFlags       uint32
	RateDelivered  uint32 // packets delivered in RateIntervalus
	RateIntervalus uint32 // microseconds
	PacketsOut     uint32 // packets under way
	RetransOut     uint32 // of these sent again
	TotalRetrans   uint32 // packets sent again, ever
	SegsIn         uint32 // segments received
	DataSegsIn     uint32 // of these with data
	SegsOut        uint32 // segments sent
	DataSegsOut    uint32 // of these with data
	LostOut        uint32 // packets under way that are taken for lost
	SackedOut      uint32 // packets acknowledged out of order
	TxHash         uint32 `ebpf:"write=sock_ops"` // hash of the flow, which chooses its way
	BytesReceived  uint64
	BytesAcked     uint64

	_ [3]uint64 // sk, skb_data and skb_data_end, pointers

	SKBLen      uint32 // bytes of the packet that Op is about, with its headers; Linux 5.10
	SKBTCPFlags uint32 // flags of its TCP header; Linux 5.10
}

// SetReply gives the operation its answer, for those that ask for one, such as
// [SockOpsTimeoutInit]. It takes the place of Args[0].
func (s *SockOps) SetReply(answer uint32) { (*sockOpsReply)(unsafe.Pointer(s)).Reply = answer }

// A sockOpsReply is the part of a SockOps that programs write the answer to.
type sockOpsReply struct {
	Op    uint32
	Reply uint32 `ebpf:"write=sock_ops"`
}

// Context returns s for helpers.
func (s *SockOps) Context() Context { return Context{unsafe.Pointer(s)} }

// Ports returns the ports of this end of the connection and of the other, in host byte order.
func (s *SockOps) Ports() (local, remote uint16) { return hostPorts(s.LocalPort, s.RemotePort) }
