package ebpf

import "unsafe"

// Overlay returns the beginning of p as a T, which must have no pointers: what is
// written to it is written to p. It panics if p is too short. T should be made of bytes
// and of types of this package such as [Be16], which lie anywhere; [Ethernet], [IPv4] and the
// other headers are.
//
//	ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
//	ip.TTL--
//
//ebpf:intrinsic overlay
func Overlay[T any](p []byte) *T {
	var t T
	return (*T)(unsafe.Pointer(unsafe.SliceData(p[:unsafe.Sizeof(t)])))
}

// A Be16 is 16 bits in network byte order. Two of them are equal if their values are.
type Be16 [2]byte

// ToBe16 returns v in network byte order.
func ToBe16(v uint16) Be16 { return Be16{byte(v >> 8), byte(v)} }

// Uint16 returns the value of b.
func (b Be16) Uint16() uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

// Set sets b to v.
func (b *Be16) Set(v uint16) { b[0], b[1] = byte(v>>8), byte(v) }

// A Be32 is 32 bits in network byte order. Two of them are equal if their values are.
type Be32 [4]byte

// ToBe32 returns v in network byte order.
func ToBe32(v uint32) Be32 { return Be32{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }

// Uint32 returns the value of b.
func (b Be32) Uint32() uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// Set sets b to v.
func (b *Be32) Set(v uint32) {
	b[0], b[1], b[2], b[3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
}
