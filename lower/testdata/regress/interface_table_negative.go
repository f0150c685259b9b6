// A negative integer of 8 or 16 bits in a table of interfaces was stored without its sign.

package p

type op interface{ apply(x uint64) uint64 }

type small int8

func (s small) apply(x uint64) uint64 { return x + uint64(s) }

type short int16

func (s short) apply(x uint64) uint64 { return x ^ uint64(s) }

type word int32

func (w word) apply(x uint64) uint64 { return x * uint64(w) }

type byteOp uint8

func (b byteOp) apply(x uint64) uint64 { return x - uint64(b) }

var ops = [...]op{small(-3), short(-400), word(-70000), byteOp(200)}

func F(in [6]uint64) (out [4]uint64) {
	for i := range 4 {
		out[i] = ops[in[i]&3].apply(in[4])
	}
	return out
}

// run 0 1 2 3 1000 0
// run 3 2 1 0 5 0
