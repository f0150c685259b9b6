package ebpf

import (
	"encoding/binary"
	"syscall"

	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
)

// This file has the native behaviour of the helpers that compute checksums. Their words are in the
// byte order of the machine, which makes no difference for a sum in ones' complement that is stored
// in it again.

var _ = host.Define("CsumDiff", nativeCsumDiff) &&
	host.Define("L3CsumReplace", nativeL3Replace) &&
	host.Define("L4CsumReplace", nativeL4Replace)

// maxDiff is MAX_BPF_STACK, of bpf_csum_diff in net/core/filter.c.
const maxDiff = 512

func nativeCsumDiff(from, to []byte, seed uint32) (uint32, error) {
	if len(from)%4 != 0 || len(to)%4 != 0 || len(from)+len(to) > maxDiff {
		return 0, syscall.EINVAL
	}
	sum := uint64(seed)
	for ; len(from) > 0; from = from[4:] {
		sum += uint64(^binary.NativeEndian.Uint32(from))
	}
	for ; len(to) > 0; to = to[4:] {
		sum += uint64(binary.NativeEndian.Uint32(to))
	}
	return uint32(foldWords(sum)), nil
}

// foldWords adds the carries of sum.
func foldWords(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// replaceWords replaces from by to, both of size bytes, in what has the checksum at p; with size 0, to is their difference.
func replaceWords(p []byte, from, to, size uint64) error {
	sum := uint64(^binary.NativeEndian.Uint16(p))
	switch size {
	case 0:
		if from != 0 {
			return syscall.EINVAL
		}
		sum += uint64(uint32(to))
	case 2:
		sum += uint64(^uint16(from)) + uint64(uint16(to))
	case 4:
		sum += uint64(^uint32(from)) + uint64(uint32(to))
	default:
		return syscall.EINVAL
	}
	binary.NativeEndian.PutUint16(p, ^foldWords(sum))
	return nil
}

// checksumAt returns the 16 bits at an even offset of the packet.
func checksumAt(ctx Contexter, off uint32) ([]byte, error) {
	packet := (*SKB)(ctx.Context().ptr).packet
	if off%2 != 0 || uint64(off)+2 > uint64(len(packet)) {
		return nil, syscall.EFAULT
	}
	return packet[off : off+2], nil
}

func nativeL3Replace(ctx Contexter, off uint32, from, to, size uint64) error {
	if size&^FlagHdrFieldMask != 0 {
		return syscall.EINVAL
	}
	p, err := checksumAt(ctx, off)
	if err != nil {
		return err
	}
	return replaceWords(p, from, to, size)
}

func nativeL4Replace(ctx Contexter, off uint32, from, to, flags uint64) error {
	const known = FlagHdrFieldMask | FlagPseudoHdr | FlagMarkMangled0 | FlagMarkEnforce | FlagIPv6
	if flags&^known != 0 {
		return syscall.EINVAL
	}
	p, err := checksumAt(ctx, off)
	if err != nil {
		return err
	}
	optional := flags&FlagMarkMangled0 != 0 // as that of UDP over IPv4, of which 0 says that there is none
	if optional && flags&FlagMarkEnforce == 0 && p[0]|p[1] == 0 {
		return nil
	}
	if err := replaceWords(p, from, to, flags&FlagHdrFieldMask); err != nil {
		return err
	}
	if optional && p[0]|p[1] == 0 {
		p[0], p[1] = 0xff, 0xff
	}
	return nil
}
