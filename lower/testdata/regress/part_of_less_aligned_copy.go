// Parts of 8 bytes of a value that is only copied and zeroed were stored as a whole to variables
// that are aligned to 2.

package p

type item struct {
	a uint8
	b [4]int8
	c int16
	d bool
}

func F(in [6]uint64) (out [4]uint64) {
	v := in[0]
	for i := uint8(2); i > 0 && in[1] != uint64(i); i-- {
		var items [3]item = [3]item{}
		defer func() {
			items[i%3] = item{a: items[v%3].a + uint8(v), b: [4]int8{items[0].b[v&3] - 1, 2, int8(i), 4}, c: items[1].c >> 2}
			items[1].b[v&3] = 7
			out[i&3] += uint64(items[i%3].a) + uint64(items[1].b[2])
		}()
	}
	out[0] = v
	return out
}

// run 0 1 2 3 4 5
// run 5 0 0 0 0 0
// run 2147483648 2 9 1 1 1
