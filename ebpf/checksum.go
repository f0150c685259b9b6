package ebpf

// This file computes the Internet checksum: the complement of the sum of 16-bit words in
// ones' complement arithmetic (RFC 1071), and its incremental changes (RFC 1624).
//
// A sum under way is an uint32 with carries that have not been added yet, as the kernel's __wsum
// is. Its words are in network byte order.

// MaxChecksum is the number of bytes that [ChecksumAdd] adds at most: any header, and what
// can be in a frame of Ethernet.
const MaxChecksum = 1536

// ChecksumAdd returns sum plus the words of p, the last of which is filled up with a zero.
// What is beyond MaxChecksum bytes is left out, since a loop must have an end.
func ChecksumAdd(sum uint32, p []byte) uint32 {
	for i := 0; i < MaxChecksum/2; i++ {
		if len(p) < 2 {
			break
		}
		sum += uint32(p[0])<<8 | uint32(p[1])
		p = p[2:]
	}
	if len(p) == 1 {
		sum += uint32(p[0]) << 8
	}
	return sum
}

// ChecksumFold adds the carries of sum and returns its complement, the checksum.
func ChecksumFold(sum uint32) Be16 {
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	return ToBe16(^uint16(sum))
}

// Checksum returns the checksum of p, of at most MaxChecksum bytes. Of what contains its
// own checksum and is intact that is 0.
func Checksum(p []byte) Be16 { return ChecksumFold(ChecksumAdd(0, p)) }

// PseudoHeader4 returns the sum of the pseudo header of TCP or UDP over IPv4; n is the
// length of their header and content.
func PseudoHeader4(src, dst [4]byte, protocol uint8, n int) uint32 {
	return ChecksumAdd(ChecksumAdd(uint32(protocol)+uint32(n), src[:]), dst[:])
}

// PseudoHeader6 returns the sum of the pseudo header of TCP, UDP or ICMPv6 over IPv6; n is
// the length of their header and content.
func PseudoHeader6(src, dst [16]byte, protocol uint8, n int) uint32 {
	return ChecksumAdd(ChecksumAdd(uint32(protocol)+uint32(n), src[:]), dst[:])
}

// ChecksumReplace16 returns the checksum of what has the checksum sum when from in it is
// replaced by to.
func ChecksumReplace16(sum, from, to Be16) Be16 {
	return ChecksumFold(uint32(^sum.Uint16()) + uint32(^from.Uint16()) + uint32(to.Uint16()))
}

// ChecksumReplace32 is ChecksumReplace16 for 32 bits, such as an IPv4 address.
func ChecksumReplace32(sum Be16, from, to Be32) Be16 {
	f, t := from.Uint32(), to.Uint32()
	return ChecksumFold(uint32(^sum.Uint16()) + ^f>>16 + ^f&0xffff + t>>16 + t&0xffff)
}
