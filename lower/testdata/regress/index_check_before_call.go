// The index on the left of an assignment was checked before the function on the right was
// called.

package p

func F(in [6]uint64) (out [4]uint64) {
	defer func() { recover() }()
	f := func(n uint64) uint64 { out[0] = n; return n }
	out[in[0]] = f(in[1] + 1)
	out[1] = 2
	return out
}

// run 1 2 3 4 5 6
// run 9 2 3 4 5 6
