// A callee copied an array from where a pointer points, in pieces of eight bytes.
// The variable that this turned out to be, in the caller, was aligned to four.

package p

type small struct {
	f0 bool
	f1 [4]int8
	f2 uint8
	f3 uint32
}

func element(n uint8, p *[3]small) int8 {
	v := *p
	return v[n%3].f1[0]
}

func F(in [6]uint64) (out [4]uint64) {
	out[0] = uint64(element(uint8(in[0]), &[3]small{{f1: [4]int8{int8(in[1])}}, {f3: uint32(in[2])}}))
	return out
}

// run 0 77777 2 3 4 5
// run 255 1 77777 3 4 5
