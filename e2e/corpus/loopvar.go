package corpus

// Variables that outlive the iteration of the loop that declares them.

func closureTable(i uint8, k int8) (r int) {
	var fs [4]func() int
	for i := range fs {
		fs[i] = func() int { return i * int(k) }
	}
	for _, f := range fs {
		r = r*7 + f()
	}
	return r + fs[i%5]()
}

func closureCounters(i, j uint8) (r int) {
	var fs [3]func() int
	for i := range fs {
		n := i * 10
		fs[i] = func() int { n++; return n }
	}
	return fs[i%3]()*10000 + fs[j%3]()*100 + fs[1]()
}

func closureClause(i uint8) (r int) {
	fs := make([]func(int), 0, 4)
	for n := 0; n < 8; n += 2 {
		fs = append(fs, func(k int) { r = r*10 + n - k })
	}
	fs[i%4](1)
	for k := len(fs) - 1; k >= 0; k-- {
		fs[k](k)
	}
	return r
}

func closureNested(a, b uint8) (r int) {
	var fs [6]func() uint8
	for i := range 2 {
		for j := uint8(3); j > 0; j-- {
			at := i*3 + int(j-1)
			fs[at] = func() uint8 { return j*a + uint8(i)*b }
		}
	}
	for i := range fs {
		r = r*5 + int(fs[i]())
	}
	return r
}

func adder(n int16) func(int16) int16 {
	return func(k int16) int16 { return n + k }
}

func closureMade(i uint8, n int16) int16 {
	var fs [3]func(int16) int16
	for k := range fs {
		fs[k] = adder(n + int16(k))
	}
	return fs[i%4](fs[0](1))
}

func pointersKept(i, n uint8) (r int) {
	var ps [5]*int
	for i := range min(n, 5) {
		v := int(i) * 3
		ps[i] = &v
	}
	for _, p := range ps {
		if p != nil {
			*p += 2
			r = r*11 + *p
		}
	}
	return r + *ps[i%5]
}

type listNode struct {
	value int8
	next  *listNode
}

func listBuilt(a [4]int8) (r int) {
	var head *listNode
	for _, v := range a {
		if v != 3 {
			head = &listNode{v, head}
		}
	}
	for n := head; n != nil; n = n.next {
		r = r*3 + int(n.value)
	}
	return r
}

func boxesKept(i uint8, n int32) (r int32) {
	var boxes [3]any
	for k := range boxes {
		boxes[k] = range2{n, int32(k)}
	}
	b := boxes[i%3].(range2)
	return b.lo - b.hi
}
