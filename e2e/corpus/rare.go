package corpus

// Combinations of the language's parts that other files leave out.

type broad struct {
	head uint16
	body [40]int64
	tail uint8
}

func makeBroad(n uint8) broad {
	var w broad
	for i := range w.body {
		w.body[i] = int64(i) * int64(n)
	}
	w.head, w.tail = uint16(n)<<2, n^5
	return w
}

func broadParts(n uint8, i uint8) (uint16, int64, uint8, int64) {
	body := makeBroad(n + 1).body
	return makeBroad(n).head, makeBroad(n).body[3], makeBroad(n).tail, body[i%40]
}

func makePair(n uint8) [2]uint16        { return [2]uint16{uint16(n), uint16(n) + 300} }
func makeRows(n uint8) (r [3][40]int64) { r[n%3][n%40] = 7; return r }
func makeNested(n uint8) [2]struct{ a, b int8 } {
	return [2]struct{ a, b int8 }{{int8(n), 1}, {2, int8(n >> 1)}}
}

func elementsOfResults(n, i uint8) (uint16, int64, int8, int) {
	row := makeRows(n)[i%4]
	//lint:ignore SA4017 len does not need what the call returns, but the call is made
	return makePair(n)[1], row[n%40], makeNested(n)[1].b, len(makePair(n)) + cap(makeRows(n))
}

type measured interface{ measure(k uint8) broad }

type narrowMeasure uint8

func (m narrowMeasure) measure(k uint8) broad { return makeBroad(uint8(m) + k) }
func (w broad) measure(k uint8) broad         { w.tail += k; return w }

func broadResults(n, i uint8) (uint8, int64) {
	list := [3]measured{narrowMeasure(n), makeBroad(n), narrowMeasure(n + 1)}
	w := list[i%3].measure(n)
	return w.tail, w.body[i%40]
}

func twice16(x uint16) uint16 { return 2 * x }

func mixedFuncs(n uint16, i uint8) (uint16, bool) {
	fns := [4]func(uint16) uint16{twice16, func(x uint16) uint16 { return x + n }, nil, func(x uint16) uint16 { n++; return n }}
	f := fns[i%4]
	if f == nil {
		return 1, fns[0] == nil
	}
	return f(n) + fns[1](n), f != nil
}

func chosenFunc(c bool) func(uint16) uint16 {
	if c {
		return twice16
	}
	return nil
}

func boxedFuncs(n uint16, i uint8) uint16 {
	boxes := [3]any{twice16, func(x uint16) uint16 { return x + n }, n}
	switch f := boxes[i%3].(type) {
	case func(uint16) uint16:
		return f(n)
	case uint16:
		return f - 1
	}
	return 0
}

type giver interface{ give() any }

type givesInt int8
type givesPair [2]uint16

func (g givesInt) give() any  { return int8(g) + 1 }
func (g givesPair) give() any { return [2]uint16{g[1], g[0]} }

func resultsThatDiffer(n int8, i uint8) (r uint32) {
	givers := [2]giver{givesInt(n), givesPair{uint16(i), 5}}
	switch v := givers[i%2].give().(type) {
	case int8:
		r = uint32(v)
	case [2]uint16:
		r = uint32(v[0])<<16 | uint32(v[1])
	}
	return r
}

type nothing struct{}

func emptyComparisons(n uint8) (a, b, c bool) {
	var x, y [0]int
	var e, f any = nothing{}, nothing{}
	if n > 100 {
		f = n
	}
	boxes := [2]any{nothing{}, n}
	return x == y, e == f, boxes[n%2] == e
}

func funcComparisons(n uint8) (a, b bool) {
	f := chosenFunc(n > 50)
	var g func(uint16) uint16
	return f == nil, g == nil
}

func makeCapped(n uint8, m int8) (sum int) {
	s := make([]int16, n, 8)
	for i := range s {
		s[i] = int16(i + 1)
	}
	for _, x := range s {
		sum += int(x)
	}
	t := make([]struct{}, m, 8)
	clear(t)
	return sum*10 + len(s) + copy(t, t)
}

type walkState struct {
	sum [2]uint16
	at  uint8
}

// Tail calls whose arguments point into variables.
func walkDown(n uint8, s *walkState, p *uint16) uint16 {
	if n == 0 {
		return s.sum[0]*3 + *p
	}
	*p += uint16(n)
	s.at++
	return walkDown(n-1, s, p)
}

func tailPointers(n uint8) (uint16, uint8) {
	var s walkState
	return walkDown(n%20, &s, &s.sum[n%2]), s.at
}

func tailPair(n, acc uint16) (uint16, uint16) {
	if n < 3 {
		return n, acc
	}
	return tailPair(n/2, acc+n)
}

func tailPairs(n uint16) (uint16, uint16) { return tailPair(n, 1) }

func (w broad) add(to *int64, k uint8) { *to = *to*3 + w.body[k%40] }

// Deferred calls that keep large values.
func deferBroad(n, k uint8) (sum int64, tail uint8) {
	for i := range 2 {
		w := makeBroad(n + uint8(i))
		var m measured = w
		defer w.add(&sum, k)
		defer func(m measured) { tail += m.measure(k).tail }(m)
		add := w.add
		defer func() { add(&sum, n) }()
	}
	return 1, 0
}

func constStrings(n uint8) (uint32, uint32) {
	const sep = "-"
	a, b := "left", ""
	if n > 200 {
		return hashOf(a + sep + "right"), hashOf(b + a)
	}
	c := string(rune('a')) + a
	return hashOf(c + b), hashOf(b + string([]byte{'x', n}))
}

func makeBetween(n, m int8) (sum int) {
	s := make([]int32, n, min(uint(m), 16))
	for i := range s {
		sum += i
		s[i] += int32(m)
	}
	for _, x := range s {
		sum += int(x)
	}
	return sum
}
