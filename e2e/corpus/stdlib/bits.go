package stdlib

import "math/bits"

func bitsLen(x uint64) [10]int {
	return [...]int{
		bits.Len(uint(x)), bits.Len8(uint8(x)), bits.Len16(uint16(x)), bits.Len32(uint32(x)), bits.Len64(x),
		bits.LeadingZeros(uint(x)), bits.LeadingZeros8(uint8(x)), bits.LeadingZeros16(uint16(x)), bits.LeadingZeros32(uint32(x)), bits.LeadingZeros64(x),
	}
}

func bitsCount(x uint64) [5]int {
	return [...]int{bits.OnesCount(uint(x)), bits.OnesCount8(uint8(x)), bits.OnesCount16(uint16(x)), bits.OnesCount32(uint32(x)), bits.OnesCount64(x)}
}

func bitsTrailing(x uint64) [5]int {
	return [...]int{bits.TrailingZeros(uint(x)), bits.TrailingZeros8(uint8(x)), bits.TrailingZeros16(uint16(x)), bits.TrailingZeros32(uint32(x)), bits.TrailingZeros64(x)}
}

func bitsRotate(x uint64, k int8) (uint, uint8, uint16, uint32, uint64) {
	n := int(k)
	return bits.RotateLeft(uint(x), n), bits.RotateLeft8(uint8(x), n), bits.RotateLeft16(uint16(x), n), bits.RotateLeft32(uint32(x), n), bits.RotateLeft64(x, n)
}

func bitsReverse(x uint64) (uint8, uint16, uint32, uint64, uint16, uint32, uint64) {
	return bits.Reverse8(uint8(x)), bits.Reverse16(uint16(x)), bits.Reverse32(uint32(x)), bits.Reverse64(x),
		bits.ReverseBytes16(uint16(x)), bits.ReverseBytes32(uint32(x)), bits.ReverseBytes64(x)
}

func bitsAdd(x, y uint64, carry bool) (r [8]uint64) {
	c := uint64(0)
	if carry {
		c = 1
	}
	r[0], r[1] = bits.Add64(x, y, c)
	r[2], r[3] = bits.Sub64(x, y, c)
	s, co := bits.Add32(uint32(x), uint32(y), uint32(c))
	r[4], r[5] = uint64(s), uint64(co)
	s, co = bits.Sub32(uint32(x), uint32(y), uint32(c))
	r[6], r[7] = uint64(s), uint64(co)
	return r
}

func bitsMul(x, y uint64) (hi, lo uint64, hi32, lo32 uint32) {
	hi, lo = bits.Mul64(x, y)
	hi32, lo32 = bits.Mul32(uint32(x), uint32(y))
	return hi, lo, hi32, lo32
}

func bitsDiv(hi, lo, y uint64) (quo, rem, rem2 uint64) {
	if y != 0 {
		rem2 = bits.Rem64(hi, lo, y)
	}
	quo, rem = bits.Div64(hi, lo, y)
	return quo, rem, rem2
}

func bitsDiv32(hi, lo, y uint32) (quo, rem uint32) { return bits.Div32(hi, lo, y) }
