// The verifier followed the limited loop for every value of r.low, which is known to be 0, -10, -20
// and so on, and which the loop compares. It is in memory because of the list next to it.
//
// run 3 0 1 7 9 0
// run 2000 1 1 7 9 0
// run 2047 5 3 1 0 4
package p

type record struct {
	low  int64
	list [4]uint64
}

func F(in [6]uint64) (out [4]uint64) {
	var r record
	r.list[in[2]&3] = in[3]
	for i := in[0] & 2047; i > 0 && r.list[in[1]&3] < in[4]; i-- {
		r.low = min(r.low-10, r.low)
		out[1] += i
	}
	out[0] = uint64(r.low)
	return out
}
