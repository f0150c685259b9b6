package ebpf

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// referenceSum is the checksum of p by its definition, without tricks: the complement of the sum of the
// words in ones' complement arithmetic, which is that modulo 65535.
func referenceSum(p []byte) uint16 {
	if len(p)%2 == 1 {
		p = append(slices.Clone(p), 0)
	}
	n := new(big.Int)
	for i := 0; i < len(p); i += 2 {
		n.Add(n, big.NewInt(int64(binary.BigEndian.Uint16(p[i:]))))
	}
	positive := n.Sign() > 0
	sum := uint16(n.Mod(n, big.NewInt(0xffff)).Uint64())
	if sum == 0 && positive {
		sum = 0xffff // the other zero: no sum of words that are not all 0 is the first one
	}
	return ^sum
}

func randomBytes(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	fill := r.IntN(4)
	for i := range p {
		switch fill {
		case 0:
			p[i] = 0xff
		case 1: // zeros
		default:
			p[i] = byte(r.Uint32())
		}
	}
	return p
}

func TestChecksum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 0; n <= MaxChecksum; n++ {
		p := randomBytes(r, n)
		if got, want := Checksum(p).Uint16(), referenceSum(p); got != want {
			t.Fatalf("%d bytes: %#04x, want %#04x", n, got, want)
		}
	}
	// The example of RFC 1071, section 3: the sum is ddf2.
	if got := Checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}); got.Uint16() != 0xffff-0xddf2 {
		t.Errorf("RFC 1071: %#x", got)
	}
}

// TestPseudoHeader compares sums of TCP and UDP with those of pseudo headers written out.
func TestPseudoHeader(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := 0; n < 200; n++ {
		p, addrs, protocol := randomBytes(r, n), randomBytes(r, 32), byte(r.Uint32())
		var whole []byte
		whole = append(whole, addrs[:8]...)
		whole = append(whole, 0, protocol)
		whole = binary.BigEndian.AppendUint16(whole, uint16(n))
		sum := PseudoHeader4([4]byte(addrs), [4]byte(addrs[4:]), protocol, n)
		if got, want := ChecksumFold(ChecksumAdd(sum, p)).Uint16(), referenceSum(append(whole, p...)); got != want {
			t.Errorf("IPv4, %d bytes: %#04x, want %#04x", n, got, want)
		}
		whole = slices.Clone(addrs)
		whole = binary.BigEndian.AppendUint32(whole, uint32(n))
		whole = append(whole, 0, 0, 0, protocol)
		sum = PseudoHeader6([16]byte(addrs), [16]byte(addrs[16:]), protocol, n)
		if got, want := ChecksumFold(ChecksumAdd(sum, p)).Uint16(), referenceSum(append(whole, p...)); got != want {
			t.Errorf("IPv6, %d bytes: %#04x, want %#04x", n, got, want)
		}
	}
}

// TestChecksumReplace changes a part of what has a checksum, at each place.
func TestChecksumReplace(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		p := randomBytes(r, 20)
		p[0] = 0x45 // as in all headers, so that no sum is the zero that only zeros have
		old := Checksum(p)
		i := 2 + 2*r.IntN(8)
		from16, from32 := Be16(p[i:]), Be32(p[i:])
		copy(p[i:], randomBytes(r, 2))
		if got, want := ChecksumReplace16(old, from16, Be16(p[i:])).Uint16(), referenceSum(p); got != want {
			t.Fatalf("%x with %x for %x: %#04x, want %#04x", p, p[i:i+2], from16, got, want)
		}
		copy(p[i:], randomBytes(r, 4))
		if got, want := ChecksumReplace32(old, from32, Be32(p[i:])).Uint16(), referenceSum(p); got != want {
			t.Fatalf("%x with %x for %x: %#04x, want %#04x", p, p[i:i+4], from32, got, want)
		}
	}
}
