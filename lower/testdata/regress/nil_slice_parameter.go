package p

// A loop over a slice that is nil in all calls was refused by Linux 6.1, since it has no bound and stores through
// a pointer of which nothing is known.
// run 7 1 2 3 4 5
// run 0 0 0 0 0 0

//go:noinline
func wipe(p []uint32, n uint64) uint64 {
	clear(p)
	for i := range p {
		p[i] += uint32(i)
	}
	return n*3 + uint64(len(p))
}

//go:noinline
func both(p []uint32, n uint64) uint64 {
	return wipe(p, n+1) + wipe(p, n^5)
}

func F(in [6]uint64) (out [4]uint64) {
	out[0] = both(nil, in[0])
	out[1] = both(nil, in[1])
	out[2] = wipe([]uint32(nil), in[2])
	return out
}
