package corpus

// Deferred calls of loops, and of the bodies of ranges over functions.

func deferLoop(a, b int8) (r int) {
	defer note(&r, 1)
	for i := range 4 {
		defer note(&r, int(a)+i)
	}
	defer note(&r, int(b))
	return 5
}

func deferLoopSome(a uint8) (r int) {
	for i := 0; i < 6; i++ {
		if a>>i&1 == 0 {
			continue
		}
		defer func() { r = r*10 + i }()
		if i == 4 {
			return 7
		}
	}
	return int(a)
}

func deferLoopMixed(a uint8) (r int) {
	add := func(n int) { r = r*3 + n }
	for i := range 3 {
		defer note(&r, i)
		if int(a)%3 == i {
			defer add(i + 5)
		}
		for j := range 2 {
			defer func(k int) { r = r*2 + k - j }(i)
		}
	}
	return 1
}

func deferLoopUnknown(n uint8) (r int) {
	for i := range n { // 32 is all that can be deferred
		defer func() { r = r<<1 ^ int(i) }()
		if i == 30 {
			break
		}
	}
	return 1
}

func deferLoopPanics(a [4]int8, i uint8) (r int) {
	defer func() {
		if recover() != nil {
			r = -r - 1
		}
	}()
	for k, v := range a {
		defer func() { r = r*7 + 100/int(v) + k }()
	}
	return int(a[i%5])
}

func deferLoopRecovers(a [4]int8) (r, recovered int) {
	for _, v := range a {
		defer func() {
			if recover() != nil {
				recovered++
			}
			if v < 0 {
				panic("negative")
			}
			r = r*5 + 60/int(v)
		}()
	}
	return 1, 0
}

func deferLoopPointers(a [3]int16, n uint8) (r int16) {
	var sums [3]int16
	func() {
		for i := range sums {
			p := &sums[(i+int(n))%3]
			defer func(q *int16) { *q += *p*2 + a[i] }(&sums[i])
		}
	}()
	return sums[0] + sums[1]*3 + sums[2]*7
}

type wide struct {
	words [20]int16
}

func deferLoopBig(n int16) (r int16) {
	var w wide
	func() {
		for i := range 3 {
			w.words[i*7] = n + int16(i)
			defer func(v wide) { r = r*3 + v.words[0] + v.words[7]*2 + v.words[14]*5 }(w)
		}
		w = wide{}
	}()
	return r
}

func deferLoopCounters(n uint8) (r int) {
	for i := range 3 {
		k := int(n)
		defer func() { r = r*10 + k }()
		k += i
	}
	return 0
}

func deferGoto(n uint8) (r int) {
	i := 0
again:
	defer note(&r, i)
	i++
	if i < int(n)%8 {
		goto again
	}
	return 9
}

type meterBox struct{ n int }

func (m *meterBox) end() { m.n = m.n*3 + 1 }

func deferMethods(a [3]int16) (r int) {
	var gs [3]meterBox
	defer func() { r = gs[0].n + gs[1].n*10 + gs[2].n*100 }()
	for i := range gs {
		gs[i].n = int(a[i])
		defer gs[i].end()
		defer gs[(i+1)%3].end()
	}
	return 0
}

func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func deferRangeFunc(n uint8, stop int8) (r int) {
	defer note(&r, 2)
	for x := range upTo(int(n) % 7) {
		defer note(&r, x)
		defer func() { r = r*3 + x }()
		if x == int(stop) {
			return 50
		}
	}
	r = 4
	return r
}

func deferRangeOnly(a [3]int8) (r int) {
	for x := range upTo(3) {
		if a[x] > 0 {
			defer note(&r, int(a[x]))
		}
	}
	return 1
}

func deferRangeNested(a, b uint8) (r int) {
	for x := range upTo(3) {
		for y := range upTo(2) {
			if x*2+y == int(a) {
				defer func() { recover() }()
			}
			defer func() { r = r*7 + 10/(x+y-int(b)) }()
		}
	}
	return 0
}

func deferRangePointer(n uint8) (sum int) {
	var a [4]int
	func() {
		for i := range upTo(4) {
			p := &a[(i+int(n))%4]
			defer func() { *p += i; sum += *p }()
		}
	}()
	return sum*10 + a[1]
}

// Addresses that are not stored before all of the calls that may be deferred.
func deferBesideLoop(n, k uint8) (r int) {
	a := [3]int{1, 2, 3}
	for i := range 4 {
		defer note(&r, i)
	}
	if n&1 != 0 {
		defer func() { a[k%3]++; r += a[k%3] }()
	}
	if n&2 != 0 {
		defer func() { recover(); r += a[0] }()
	}
	return 10 / int(k)
}

// Calls of statements between which the verifier cannot tell, since a byte does.
func deferLoopOr(a uint64, b, c uint8) (r int) {
	for i := uint(3); i > 0 && b > 9; i-- {
		x := int(a>>i) / (int(b) | 1)
		if a&7 == 0 {
			defer func() { x ^= int(i); r = r*3 + x }()
		}
	}
	switch {
	case b != 77:
	case c > 9:
		defer func() { _ = recover() }()
	}
	if b*2 == 24 {
		defer func(n int) { r = r*5 + n }(int(c))
	}
	return int(c)
}

// Strings whose pointers the verifier follows, and whose lengths it loses in memory.
func deferGotoString(x uint16, n uint32) (r [2]uint32) {
	for range n & 1 {
		defer func() {}()
	}
	s := "undergo"
	if x > 4 {
		r[0] = uint32(x % (x | 1))
	}
	v := int32(s[n%7])
	if int(v) > 34359738368 {
		r[1] = 1
	}
	n |= 1 << 28
again:
	defer func() {
		if s[n%7] == 'g' {
			n = 0
		}
		r[0] += n
	}()
	if n < 1<<31 {
		n += n | 1
		goto again
	}
	return r
}

func deferLoopStrings(choice [5]uint8, i, j uint8) (r uint32) {
	words := [...]string{"undergo", "go", "", "kernel space", "x"}
	for _, c := range choice {
		s := words[c%5]
		defer func() {
			t := s[i%3:]
			if j > 7 {
				t = t[1:]
			}
			r = r*7 + uint32(t[j%16])
		}()
	}
	return 0
}
