package p

// A variable that a deferred call refers to, of a loop that has a single iteration.

// run 3 7 0 0 0 0
// run 255 0 1 0 0 0

type counter struct{ n int32 }

func F(in [6]uint64) (out [4]uint64) {
	for i := uint16(0); i < 1; i++ {
		c := new(counter)
		c.n = int32(in[0])
		defer func(by int8) { out[0] += uint64(c.n * int32(by)) }(int8(in[1]))
		c.n++
	}
	out[1] = 5
	return out
}
