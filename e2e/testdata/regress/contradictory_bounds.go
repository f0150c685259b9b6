// On a path that is never taken the verifier knew bounds of v3 that contradict each other, and
// no comparison of the index helped it.

package p

type N1 int32

type T2 struct {
	f0 int
	f1 uint32
	f2 uint64
}

func F(in [6]uint64) (out [4]uint64) {
	v3 := int(in[0])
	_ = v3
	v4 := int(in[1])
	_ = v4
	var v5 [4]uint64 = out
	_ = v5
	for i6 := uint16(0); i6 < 3; i6++ {
		_ = i6
		if (N1(v3) <= 268435456) || (uint8(i6) < uint8(v3)) {
			goto G8
		}
		{
			v3++
		}
	G8:
		if uint8(i6) >= uint8(v3) {
			v3++
		}
	}
	out[3] += uint64((uint32(int(v5[v3])) << 21))
	out[0] = out[0]*31 + uint64(v3)
	out[1] = out[1]*31 + uint64(v4)
	out[2] = out[2]*31 + uint64(v5[0])
	out[3] = out[3]*31 + uint64(v5[2])
	out[0] = out[0]*31 + uint64(v5[1])
	out[1] = out[1]*31 + uint64(v5[3])
	return out
}

// run 0 1 2 3 4 5
// run 5 0 0 0 0 0
// run 2147483648 3 9 1 1 1
// run 3 18446744073709551615 1 2 3 4
// run 1 7 100 65535 4294967295 9223372036854775807
