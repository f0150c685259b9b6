package p

// The bound of a string or slice was forgotten when a closure captured its variable, and what
// copied it was refused; that of a part of a nil slice was not known.
// run 7 1 2 3 4 5
// run 0 0 0 0 0 0

func each(n uint8) func(func(uint8) bool) {
	return func(yield func(uint8) bool) {
		for i := range n & 3 {
			if !yield(i) {
				return
			}
		}
	}
}

func F(in [6]uint64) (out [4]uint64) {
	b := []byte("undergo")
	b = b[:len(b):len(b)]
	s := string(b)
	for i := range each(b[3]) {
		for range each(b[i]) {
			out[1]++
		}
	}
	name := string(b[:in[0]&7])
	greet := func() string { return name + ", " + s }
	var late string
	length := func() uint64 { return uint64(len(late)) }
	out[2] = length()
	late = greet()
	out[2] += length()
	for i := range len(s) {
		part := s[i:]
		out[3] += func() uint64 { return uint64(len(part + "x")) }()
	}
	var whole [40]byte
	some := whole[:4]
	if in[1] > 1 {
		some = whole[2:6]
	}
	some = some[:cap(some)]
	out[3] += func() uint64 { return uint64(len(string(some))) }()
	once := whole[:in[2]&3]
	once = once[:cap(once)]
	out[3] += func() uint64 { return uint64(len(string(once))) }()
	four := whole[:4]
	four = four[:cap(four)]
	out[3] += func() uint64 { return uint64(len(string(four))) }()
	var none []byte
	none = none[min(6, len(none)/2):len(none):cap(none)]
	empty := string(none)
	whole[in[0]%40]++
	out[3] += uint64(len(empty))
	out[0] = out[0]*31 + uint64(len(s))
	return out
}
