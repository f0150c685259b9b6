package ebpf

import "unsafe"

// SKMsg is the context of a program that sees what a process sends on a socket which is in a
// [SockMap] or [SockHash]: struct sk_msg_md of linux/bpf.h. It returns [SKPass] to have
// it sent, [SKDrop] to have it dropped, upon which the process gets EACCES, or what [SockMap.RedirectMsg]
// returned. Fields cannot be written.
//
// Linux 4.17. A program is attached to the map, with attach.SockMap.
//
//ebpf:context sk_msg
type SKMsg struct {
	_ [2]uint64 // data and data_end, pointers

	Family     uint32    // AF_INET or AF_INET6; Linux 4.18, as are the addresses
	RemoteIP4  uint32    // in network byte order
	LocalIP4   uint32    // in network byte order
	RemoteIP6  [4]uint32 // in network byte order
	LocalIP6   [4]uint32 // in network byte order
	RemotePort uint32    // in network byte order
	LocalPort  uint32    // in host byte order
	Size       uint32    // bytes of all of the message; Linux 4.19

	data []byte // natively
}

// NewSKMsg returns the context of a program that runs natively on a message. Host only.
func NewSKMsg(data []byte) *SKMsg {
	return &SKMsg{Size: uint32(len(data)), data: data[:len(data):len(data)]}
}

// Data returns the beginning of the message, as far as it lies in one piece that the program may
// change: nothing of what sendfile(2) sends. [MsgPullData] makes more available, after which slices of Data may
// not be used any more. It is a slice like that of [XDP.Data].
//
//ebpf:intrinsic packet.msg
func (m *SKMsg) Data() []byte { return m.data }

// Context returns m for helpers.
func (m *SKMsg) Context() Context { return Context{unsafe.Pointer(m)} }

// Ports returns the ports of this end of the connection and of the other, in host byte order.
func (m *SKMsg) Ports() (local, remote uint16) { return hostPorts(m.LocalPort, m.RemotePort) }
