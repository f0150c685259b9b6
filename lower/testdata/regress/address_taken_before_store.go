// An address that was only stored to, if at all, was checked when that happened and not where it was
// taken.

package p

type pair struct{ a, b uint64 }

func F(in [6]uint64) (out [4]uint64) {
	defer func() { recover() }()
	var a [2][2]pair
	p := &a[in[0]][in[1]].b
	out[0] = 1
	var q *pair
	if in[2] == 1 {
		q = &a[1][0]
	}
	r := &q.b
	out[1] = 1
	if in[3] == 1 {
		*p, *r = 3, 4
	}
	out[2] = a[0][1].b
	out[3] = a[1][0].b
	return out
}

// run 0 1 1 1 0 0
// run 0 2 1 0 0 0
// run 2 0 1 1 0 0
// run 1 1 0 0 0 0
// run 1 1 0 1 0 0
