package p

// The address of an element that one loop computes was computed again for the loops behind it in
// front of their limits, which were not known for limits then.
// run 1 201 2 3 4 5
// run 4 101 1 0 0 0
// run 0 2 0 0 0 0

type row struct {
	tag   uint8
	cells [3]uint16
}

func some(n uint8) func(func(uint8) bool) {
	return func(yield func(uint8) bool) {
		if n > 200 && !yield(n) {
			return
		}
		for i := uint8(0); i < n&1 && yield(i*3); i++ {
		}
		_ = n > 100 && yield(100)
	}
}

func times(n uint8) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for i := range n % 4 {
			if !yield(uint64(i)) {
				return
			}
		}
	}
}

func F(in [6]uint64) (out [4]uint64) {
	var y uint16
	x := uint8(^(y | y))
	r := row{tag: uint8(in[4])}
	for range some(x) {
		for range times(x) {
			r.cells[uint(in[2])%3] ^= y
		}
	}
	out[0] = uint64(r.tag)
	for i, c := range r.cells {
		out[i+1] = uint64(c)
	}
	return out
}
