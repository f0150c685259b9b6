// Pointers that are nil or point into one variable became offsets in it, and the check
// for nil, which is not written as a comparison, was lost.

package p

func F(in [6]uint64) (out [4]uint64) {
	var q *uint64
	if in[0] > 5 {
		q = &in[in[1]%6]
	}
	out[0] = in[2] << *q
	return out
}

// run 9 4 3 0 5 0
// run 3 4 3 0 5 0
