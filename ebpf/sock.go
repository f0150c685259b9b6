package ebpf

import "unsafe"

// This file has the sockets that programs ask the kernel about.

// A Sock is a socket as programs of the network see it: struct bpf_sock of linux/bpf.h. Its fields
// are read, never written. A lookup that returns one gives it to the program until [Sock.Release].
//
// In tracing and LSM programs a *Sock is the kernel's own struct sock, for helpers alone: its fields
// cannot be read there.
type Sock struct {
	BoundDevIf     uint32  // interface that it is bound to, or 0
	Family         uint32  // AF_INET or AF_INET6
	Type           uint32  // SOCK_STREAM and so on; of a full socket
	Protocol       uint32  // IPPROTO_TCP and so on; of a full socket
	Mark           uint32  // of a full socket
	Priority       uint32  // of a full socket
	SrcIP4         Be32    // address of this end
	SrcIP6         [4]Be32 //
	SrcPort        uint32  // port of this end, in host byte order
	DstPort        Be16    // port of the other end
	_              [2]byte //
	DstIP4         Be32    // address of the other end
	DstIP6         [4]Be32 //
	State          uint32  // BPF_TCP_ESTABLISHED and so on of linux/bpf.h; Linux 5.1
	RxQueueMapping int32   // receive queue of its packets, or -1; of a full socket, Linux 5.8
}

// Release gives back a socket that a lookup has returned.
func (s *Sock) Release() { _ = SkRelease(s) }

// A TCPSock is what TCP knows of a socket: struct bpf_tcp_sock of linux/bpf.h. Its fields are read,
// never written. It belongs to the socket that [TcpSock] was called with.
type TCPSock struct {
	SndCwnd         uint32 // packets that may be under way
	SRTTus          uint32 // round trip time, smoothed, in eighths of a microsecond
	RTTMin          uint32 // least round trip time lately, in microseconds
	SndSsthresh     uint32 // packets up to which slow start goes
	RcvNxt          uint32 // next sequence number that is expected
	SndNxt          uint32 // next that is sent
	SndUna          uint32 // first that is not acknowledged
	MSSCache        uint32 // bytes of a segment
	ECNFlags        uint32
	RateDelivered   uint32 // packets delivered in RateIntervalus
	RateIntervalus  uint32 // microseconds
	PacketsOut      uint32 // packets under way
	RetransOut      uint32 // of these sent again
	TotalRetrans    uint32 // packets sent again, ever
	SegsIn          uint32 // segments received
	DataSegsIn      uint32 // of these with data
	SegsOut         uint32 // segments sent
	DataSegsOut     uint32 // of these with data
	LostOut         uint32 // packets under way that are taken for lost
	SackedOut       uint32 // packets acknowledged out of order
	BytesReceived   uint64
	BytesAcked      uint64
	DsackDups       uint32 // packets that the other end got twice
	Delivered       uint32 // packets delivered
	DeliveredCE     uint32 // of these that met congestion
	IcskRetransmits uint32 // timeouts in a row
}

// A SockTuple4 is the addresses of an IPv4 packet between two sockets: union bpf_sock_tuple of linux/bpf.h.
type SockTuple4 struct {
	Saddr, Daddr Be32
	Sport, Dport Be16
}

// Bytes returns t for the lookups.
func (t *SockTuple4) Bytes() []byte { return (*[12]byte)(unsafe.Pointer(t))[:] }

// A SockTuple6 is the addresses of an IPv6 packet between two sockets.
type SockTuple6 struct {
	Saddr, Daddr [16]byte
	Sport, Dport Be16
}

// Bytes returns t for the lookups.
func (t *SockTuple6) Bytes() []byte { return (*[36]byte)(unsafe.Pointer(t))[:] }
