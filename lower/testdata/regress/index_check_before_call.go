// The first index on the left of an assignment was checked before the function on the
// right was called.

package p

func F(in [6]uint64) (out [4]uint64) {
	defer func() { recover() }()
	var a [2][2]uint64
	f := func(n uint64) uint64 { out[0] = n; return n }
	a[in[0]][in[2]] = f(in[1] + 1)
	out[1] = a[1][0]
	return out
}

// run 1 2 0 4 5 6
// run 9 2 0 4 5 6
// run 0 2 3 4 5 6
