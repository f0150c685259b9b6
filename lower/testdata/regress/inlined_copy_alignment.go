// A callee copied a struct from a pointer in pieces of eight bytes, though the
// variable that it turned out to point to was aligned to four.

package p

type small struct {
	f0 bool
	f1 [4]int8
	f2 uint8
	f3 uint32
}

func pick(p *[3]small, n uint8) small {
	for i, e := range p {
		if uint8(i) == n && e != (small{}) {
			return e
		}
	}
	return p[0]
}

func F(in [6]uint64) (out [4]uint64) {
	v := [3]small{{f2: uint8(in[0]), f3: uint32(in[1])}, {f0: in[2] > 2, f1: [4]int8{1, int8(in[3]), 3, 4}}}
	w := v
	s := pick(&w, uint8(in[4]))
	out[0], out[1] = uint64(s.f2), uint64(s.f3)
	if v == w {
		out[2] = uint64(uint8(s.f1[1]))
	}
	return out
}

// run 1 2 3 4 0 6
// run 255 77777 0 200 1 6
