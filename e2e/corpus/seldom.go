package corpus

// Forms that are seldom written: lengths of arrays that a call chooses, addresses of parts compared,
// values without a size, panics with values of named types.

type gauge struct {
	low, high uint16
	inner     struct{ a, b uint8 }
	rows      [3][2]uint16
}

type gaugeAlias gauge

func chooseArray(n uint8, a, b *[4]uint16) *[4]uint16 {
	a[n&3]++
	if n&1 == 0 {
		return a
	}
	return b
}

func lengthsOfCalls(n uint8) (int, uint16, uint16) {
	a, b := [4]uint16{1, 2, 3, 4}, [4]uint16{5, 6, 7, 8}
	k := len(chooseArray(n, &a, &b)) + 8*cap(chooseArray(n+1, &a, &b)) + 64*len(*chooseArray(n+2, &b, &a))
	sum := uint16(0)
	for i := range chooseArray(n, &a, &b) {
		sum += uint16(i) * a[i]
	}
	return k, sum, b[n&3]
}

func truth(b bool) uint16 {
	if b {
		return 1
	}
	return 0
}

func partAddresses(n uint8) (r uint16) {
	var g, h gauge
	p, q := &g.low, &g.high
	if n&1 == 0 {
		q = &g.low
	}
	r |= truth(p == q)
	r |= truth(&g.inner.a != &g.inner.b) << 1
	r |= truth(&g.high == &h.high) << 2
	//lint:ignore SA4031 what is compared is how an address of a part is
	if f := &g.inner.b; f != nil {
		r |= 8
	}
	if nil == &g.rows[1] {
		r |= 16
	}
	r |= truth(&g.rows[n%3] == &g.rows[2]) << 5
	r |= truth(&g.rows[n%3][1] == &g.rows[(n+1)%3][1]) << 6
	var none *gauge
	if n > 9 {
		none = &h
	}
	r |= truth(none == &h) << 7
	r |= truth((*gaugeAlias)(none) == (*gaugeAlias)(&g)) << 8
	return r
}

type emptyValue struct{}

type blanks struct {
	_ uint32
	_ uint8
}

func sizeless(n uint8) (r uint16) {
	var a, b emptyValue
	var x, y [0]uint32
	var p, q blanks
	var s [4]emptyValue
	r = truth(a == b) | truth(x == y)<<1 | truth(p == q)<<2 | truth(s == [4]emptyValue{})<<3 | truth(any(a) == any(b))<<4
	for range s {
		r += 32
	}
	s[n&3] = b
	m := [2][0]uint32{x, y}
	for i, row := range m {
		r += uint16(len(row)+i) << 9
	}
	return r
}

// descend is called with addresses of parts of what its own arguments point to.
func descend(p *uint16, g *gauge, n uint8) uint16 {
	*p += uint16(n)
	if n == 0 {
		return *p
	}
	return descend(&g.high, g, n-1)
}

func descendRows(row *[2]uint16, rows *[3][2]uint16, n uint8) uint16 {
	row[n&1] += uint16(n) + 1
	if n == 0 {
		return row[0]*8 + row[1]
	}
	return descendRows(&rows[n%3], rows, n-1)
}

func descendAlias(g *gauge, h *gaugeAlias, n uint8) uint16 {
	g.low += 3
	if n == 0 {
		return g.low*9 + h.low
	}
	return descendAlias((*gauge)(h), (*gaugeAlias)(g), n-1)
}

func twoAtOnce(n uint8, x, y uint16) (uint16, uint16) {
	if n == 0 {
		return x, y
	}
	return twoAtOnce(n-1, y+1, x^uint16(n))
}

func descents(n uint8) (uint16, uint16, uint16, uint16) {
	n %= 40
	g := gauge{low: 1, high: 2}
	h := gaugeAlias{low: 5}
	x, y := twoAtOnce(n, 3, 4)
	return descend(&g.low, &g, n), descendRows(&g.rows[0], &g.rows, n), descendAlias(&g, &h, n), x*31 + y
}

type (
	codeName string
	flagName bool
	sizeName uint8
)

func panicNamed(n uint8) uint8 {
	switch n % 5 {
	case 0:
		panic(codeName("overrun"))
	case 1:
		panic(flagName(true))
	case 2:
		panic(sizeName(7))
	case 3:
		panic(gauge{low: uint16(n)})
	}
	return n
}

func recoverNamed(n uint8) (r uint8) {
	defer func() {
		switch v := recover().(type) {
		case codeName:
			r = uint8(len(v))
		case flagName:
			r = 20 + uint8(truth(bool(v)))
		case sizeName:
			r = 30 + uint8(v)
		case gauge:
			r = 40 + uint8(v.low)
		case nil:
			r += 100
		}
	}()
	return panicNamed(n)
}

// shiftBy has an amount that is constant and negative on one path.
func shiftBy(n uint8) uint16 {
	s := 3
	if n > 200 {
		s = -1
		return uint16(n) << s
	}
	return uint16(n) << s
}

type unary func(uint16) uint16

type unaries [2]unary

var (
	measures     = [6]uint16{1, 2, 4, 8, 16, 32}
	partOfThree  = measures[1:3:4]
	partToEnd    = measures[4:]
	noMeasure    *uint16
	noName       string
	thirdMeasure = &measures[2]
	steps        = unaries{unary(twice16), unary(thrice16)}
	gauges       = [2]gaugeAlias{{low: 4, rows: [3][2]uint16{1: {7, 8}}}, gaugeAlias(gauge{high: 6})}
	rowOfGauge   = &gauges[0].rows[1]
)

func thrice16(x uint16) uint16 { return 3 * x }

func seldomTables(n uint8) (uint16, int, bool, uint16) {
	s := partOfThree
	s = append(s, uint16(n)) // in place
	sum := s[len(s)-1] + partToEnd[n&1] + *thirdMeasure
	for _, f := range steps {
		sum = f(sum)
	}
	return sum, cap(partOfThree) + len(partToEnd)*8, noMeasure == nil && noName == "", gauges[n&1].low + rowOfGauge[n&1] + measures[3]
}

// appendsOfNothing appends what has no elements, and parts of which only the ends are constant.
func appendsOfNothing(n uint8) (int, uint8) {
	buf := make([]byte, 1, 12)
	buf = append(buf, []byte(nil)...)
	buf = append(buf, []byte("ab")...)
	if n < 5 {
		buf = append(buf, make([]byte, 2)...)
	}
	words := make([]uint16, 0, 3)
	for i := range 3 {
		words = append(words, measures[i:i+1]...)
	}
	return len(buf) + len(words)*16, buf[n%uint8(len(buf))]
}

// madeByLimit makes slices of lengths that conditions bound in either order.
func madeByLimit(n, m int) (int, int, uint16) {
	var a, b []uint8
	if 4 >= n && n >= 0 {
		a = make([]uint8, n)
	}
	if 0 <= m && !(7 < m) {
		b = make([]uint8, m, 7)
	}
	for i := range b {
		b[i] = 'a' + uint8(i)
	}
	text, sum := string(b[:len(b):7]), uint16(0)
	for i := range text {
		sum = sum*5 + uint16(text[i])
	}
	return len(a), cap(b), sum
}

// eitherBuffer writes to one of two variables, of one size, or of two.
func eitherBuffer(n, m, k uint8) (r [3]uint16) {
	var a, b [9]uint8
	var c [17]uint8
	s, u := a[:n%10], c[:]
	if k&1 != 0 {
		s = b[:m%10]
	}
	if k&2 != 0 {
		u = a[:]
	}
	for i := range s {
		s[i] = n + uint8(i)
	}
	for i := range u[:m%uint8(len(u))] {
		u[i] += m ^ uint8(i)
	}
	for i, x := range a {
		r[0] += uint16(x) * uint16(i+1)
		r[1] += uint16(b[i]) * uint16(i+1)
	}
	for i, x := range c {
		r[2] += uint16(x) * uint16(i+1)
	}
	return r
}
