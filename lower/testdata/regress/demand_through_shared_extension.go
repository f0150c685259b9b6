// Folding trimmed the operands of a multiplication to the bits that one user of
// its sign extension needs, though another user needs more.

package p

func F(in [6]uint64) (out [4]uint64) {
	x := uint16(in[4])
	y := int16(x) * int16(13|uint8(x))
	if in[0] != 0 {
		out[1] = uint64(uint8(in[1]) % (uint8(y) | 1))
	}
	out[0] = uint64(y)
	return out
}

// run 3 7 0 0 65535 0
// run 0 0 0 0 4660 0
// run 1 255 0 0 65021 0
