package corpus

func pointers(a, b int32) int32 {
	x, y := a, b
	p, q := &x, &y
	*p += *q
	if a > b {
		p, q = q, p
	}
	*p *= 3
	return x - *q ^ y
}

func setTo(p *uint8, v uint8) { *p = v }

func pointerTo(v uint8) uint8 {
	var x uint8
	setTo(&x, v+1)
	return x
}

type point struct {
	x int8
	y int32
	z uint64
}

func structs(p point, d int32) point {
	q := p
	q.y += d
	p.x++
	return point{q.x - p.x, q.y, p.z + uint64(q.x)}
}

type rect struct {
	min, max point
	tag      [3]uint16
}

func nestedStructs(r rect, n uint8) rect {
	r.max.x = r.min.x + int8(n)
	r.tag[1] = uint16(n)
	s := r
	s.min = r.max
	s.tag[2] += s.tag[1]
	return s
}

func structEq(a, b point, n bool) (bool, bool) {
	if n {
		b = a
	}
	return a == b, a != b
}

type large struct {
	a [20]int16
	b point
	_ int32
	c [3][3]uint8
}

func bigEq(a large, i uint8, v int16, which bool) (bool, bool) {
	b := a
	if which {
		b.a[i%20] = v
	} else {
		b.c[i%3][i/3%3] = uint8(v)
	}
	if i == 7 {
		b.b.y = int32(v)
	}
	return a == b, a.c != b.c
}

func arrays(a [4]int16, n int16) [4]int16 {
	b := a
	b[1] += n
	a[2] = b[1]
	return [4]int16{a[0], a[2], b[1], b[3]}
}

func arrayIndex(a [5]uint16, i int) uint16 { return a[i] }

func arrayIndex2(a [3]point, i, j uint8) (int8, uint64) {
	a[i].x = 7
	return a[j].x, a[i].z
}

func uint8Index(a [200]uint8, i uint8) uint8 { return a[i] }
func int64Index(a [7]int64, i int8) int64    { return a[i] }
func uint64Index(i uint64) int8 {
	a := [...]int8{5: 3, 1: -1, 9}
	return a[i]
}

func arrayOfArrays(i, j uint8, v int32) int32 {
	var m [4][5]int32
	for r := range m {
		for c := range m[r] {
			m[r][c] = int32(r*10 + c)
		}
	}
	m[i%4][j] = v
	row := m[1]
	return m[j%4][i%5] + row[2]
}

func arrayCopy(n uint8) [3]int {
	a := [3]int{1, 2, 3}
	b := a
	b[n%3] = 10
	p := &a
	p[1] = 20
	return [3]int{a[1] + b[1], b[n%3], len(p) + cap(a)}
}

func arrayRange(a [6]int8) (s int) {
	for i, v := range a {
		a[(i+1)%6] = 0
		s += i * int(v)
	}
	for i := range a {
		s += int(a[i])
	}
	return s
}

func arrayEq(a, b [3]uint8) (bool, bool) { return a == b, a != [3]uint8{} }

func bigArray(n uint8, v uint32) uint32 {
	var a [64]uint32
	for i := range a {
		a[i] = uint32(i) * v
	}
	b := a
	b[n%64]++
	if a == b {
		return 1
	}
	return a[63] + b[n%64] - a[n%64]
}

func fill(v uint8) (a [40]uint8, n int) {
	for i := range a {
		a[i] = v + uint8(i)
	}
	return a, len(a)
}

func bigResult(v uint8) ([40]uint8, int) {
	a, n := fill(v)
	b, _ := fill(a[3])
	return b, n + int(a[7])
}

func sumBig(a [40]uint8) (s int) {
	a[0] = 9
	for _, v := range a {
		s += int(v)
	}
	return s
}

func passBig(v uint8) int {
	a, _ := fill(v)
	s := sumBig(a)
	return s*2 + int(a[0])
}

func nilDerefs(a uint8) int {
	x := 5
	var p *int
	if a > 10 {
		p = &x
	}
	return *p
}

func nilField(a uint8) int32 {
	var p *point
	if a&1 != 0 {
		p = &point{y: int32(a)}
	}
	if p == nil && a > 100 {
		return -1
	}
	return p.y
}

func (p point) sum() int64        { return int64(p.x) + int64(p.y) }
func (p *point) scale(n int8)     { p.x *= n }
func (p *point) isNil() bool      { return p == nil }
func (r *rect) corner() *point    { return &r.max }
func (p point) with(x int8) point { p.x = x; return p }

func methods(p point, n int8) (int64, int64) {
	return p.sum(), p.with(n).sum()
}

func ptrMethods(r rect, n int8) rect {
	r.min.scale(n)
	r.corner().scale(2)
	if r.corner().isNil() {
		panic("nil")
	}
	(&r.max).y++
	return r
}

type outer struct {
	point
	*inner
	n int8
}

type inner struct{ depth int16 }

func embedded(p point, d int16) (int64, int16) {
	o := outer{point: p, inner: &inner{d}}
	o.x++
	o.scale(2)
	o.depth += 3
	o.n = int8(d)
	o.depth ^= int16(o.n)
	return o.sum(), o.inner.depth
}

type padded struct {
	a int8
	_ int16
	b int8
}

func blank(a, b int8) bool {
	x, y := padded{a: a, b: b}, padded{a: b, b: a}
	return x == y
}

func arrayPtr(i uint8, v int8) (s int8) {
	a := [4]int8{1, 2, 3, 4}
	p := &a
	p[i] = v
	for _, e := range p {
		s += e
	}
	return s
}

func swapStructs(a, b point, n bool) (point, point) {
	if n {
		a, b = b, a
	}
	return a, b
}

func zeroed(n uint8) (s int) {
	for i := range int(n % 8) {
		var a [3]int
		a[i%3] += i
		s += a[0]*100 + a[1]*10 + a[2]
	}
	return s
}

func newPoint(x int8) *point { return &point{x: x} }

func escape(x int8) int64 {
	p, q := newPoint(x), newPoint(x+1)
	q.y = 5
	return p.sum()*100 + q.sum()
}

func twoPoints(x int8) (*point, *point) {
	p := newPoint(x)
	return p, newPoint(p.x * 2)
}

func escapeTwice(x int8) int64 {
	p, q := twoPoints(x)
	r, _ := twoPoints(3)
	*p = *r
	return p.sum() + q.sum()
}

func bigSwap(n uint8) uint8 {
	a, _ := fill(1)
	b, _ := fill(100)
	for range n % 5 {
		a, b = b, a
	}
	return a[3]
}

func ptrLoop(n uint8) int {
	var a [8]int
	p := &a[0]
	for i := range int(n % 9) {
		*p = i + 1
		if i == 7 {
			break
		}
		p = &a[i+1]
	}
	s := 0
	for i, v := range a {
		s += v << i
	}
	return s
}

type node struct {
	next *node
	v    int
}

func linked(a, b int8) int {
	n1 := node{v: int(a)}
	n2 := node{&n1, int(b)}
	n3 := node{&n2, 7}
	s := 0
	for p := &n3; p != nil; p = p.next {
		s = s*10 + p.v
	}
	return s
}

func strIndex(i uint8) (byte, int) {
	const s = "hello, \x00wörld"
	return s[i], len(s)
}

func strCompare(i uint8) (bool, bool, int) {
	words := [...]string{"", "a", "ab", "abc", "ab"}
	w := words[i%5]
	return w == "ab", w == words[4], len(w)
}
