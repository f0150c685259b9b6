package corpus

// Small programs, as people write them first.

// A cache that forgets what has not been used for the longest time: entries in a list of indices.

type cacheEntry struct {
	key, value uint32
	prev, next int8
}

type lruCache struct {
	entries     [4]cacheEntry
	first, last int8
	used        int8
}

func (c *lruCache) find(key uint32) int8 {
	for i := c.first; i >= 0; i = c.entries[i].next {
		if c.entries[i].key == key {
			return i
		}
	}
	return -1
}

func (c *lruCache) unlink(i int8) {
	e := &c.entries[i]
	if e.prev >= 0 {
		c.entries[e.prev].next = e.next
	} else {
		c.first = e.next
	}
	if e.next >= 0 {
		c.entries[e.next].prev = e.prev
	} else {
		c.last = e.prev
	}
}

func (c *lruCache) pushFront(i int8) {
	c.entries[i].prev, c.entries[i].next = -1, c.first
	if c.first >= 0 {
		c.entries[c.first].prev = i
	} else {
		c.last = i
	}
	c.first = i
}

func (c *lruCache) put(key, value uint32) {
	i := c.find(key)
	switch {
	case i >= 0:
		c.unlink(i)
	case int(c.used) < len(c.entries):
		i = c.used
		c.used++
	default:
		i = c.last
		c.unlink(i)
	}
	c.entries[i].key, c.entries[i].value = key, value
	c.pushFront(i)
}

func leastRecentlyUsed(keys [6]uint8, key uint8) (uint32, int8) {
	c := &lruCache{first: -1, last: -1}
	for i, k := range keys {
		c.put(uint32(k%8), uint32(i))
	}
	if i := c.find(uint32(key % 8)); i >= 0 {
		return c.entries[i].value, i
	}
	return 1000, c.last
}

// States that are methods.

type bracketScanner struct {
	state       func(*bracketScanner, byte) bool
	outside, in int
}

func (s *bracketScanner) plain(b byte) bool {
	if b == '(' {
		s.state = (*bracketScanner).bracketed
	}
	s.outside++
	return b < 200
}

func (s *bracketScanner) bracketed(b byte) bool {
	if b == ')' {
		s.state = (*bracketScanner).plain
	}
	s.in++
	return true
}

func scanBrackets(text [8]byte) (int, int) {
	s := bracketScanner{state: (*bracketScanner).plain}
	for _, b := range text {
		switch b % 3 {
		case 0:
			b = '('
		case 1:
			b = ')'
		}
		if !s.state(&s, b) {
			break
		}
	}
	return s.outside, s.in
}

// Constraints with methods.

type figure interface {
	comparable
	area() int
}

type tile struct{ side int }

type rectangle struct{ width, height int }

func (s tile) area() int { return s.side * s.side }

func (r rectangle) area() int { return r.width * r.height }

func largest[F figure](figures ...F) (best F, n int) {
	for _, f := range figures {
		if f.area() > best.area() {
			best = f
		}
		if f == best {
			n++
		}
	}
	return best, n
}

func largestFigures(a, b, c int8) (int, int, int, int) {
	s, n := largest(tile{int(a)}, tile{int(b)}, tile{int(c)})
	r, m := largest([]rectangle{{int(a), int(b)}, {int(b), int(c)}}...)
	return s.side, n, r.height, m
}

// A visitor.

type visitor interface {
	number(n int)
	sum(x, y expression)
}

type expression interface{ accept(v visitor) }

type literalExpr struct{ n int }

type sumExpr struct{ x, y expression }

func (l literalExpr) accept(v visitor) { v.number(l.n) }

func (s sumExpr) accept(v visitor) { v.sum(s.x, s.y) }

type tally struct{ numbers, sums, total int }

func (t *tally) number(n int) { t.numbers++; t.total += n }

func (t *tally) sum(x, y expression) { t.sums++ }

func visitExpressions(a, b int8) (int, int, int) {
	t := &tally{}
	x, y := literalExpr{int(a)}, literalExpr{int(b)}
	for _, e := range []expression{x, y, sumExpr{x, y}} {
		e.accept(t)
	}
	return t.numbers, t.sums, t.total
}

// A ring of structs.

type sample struct {
	at    uint64
	value int32
	valid bool
}

type sampleRing struct {
	samples  [8]sample
	first, n uint
}

func (r *sampleRing) add(s sample) {
	r.samples[(r.first+r.n)%uint(len(r.samples))] = s
	if r.n < uint(len(r.samples)) {
		r.n++
	} else {
		r.first++
	}
}

func (r *sampleRing) each(f func(*sample)) {
	for i := range r.n {
		f(&r.samples[(r.first+i)%uint(len(r.samples))])
	}
}

func ringOfSamples(n uint8, x int32) (sum int64, last sample) {
	var r sampleRing
	for i := range min(n, 12) {
		r.add(sample{uint64(i), x + int32(i), i&1 == 0})
	}
	r.each(func(s *sample) {
		if s.valid {
			sum += int64(s.value)
			last = *s
		}
		s.valid = !s.valid
	})
	r.each(func(s *sample) {
		if s.valid {
			sum ^= int64(s.at)
		}
	})
	return sum, last
}

// An interface that is embedded.

type logger interface{ log(n int) int }

type silent struct{}

func (silent) log(int) int { return 0 }

type summing struct{ sum int }

func (s *summing) log(n int) int { s.sum += n; return s.sum }

type component struct {
	logger
	id int
}

type service struct {
	*component
	name string
}

func embeddedInterface(loud bool, n int8) (int, int) {
	s := &summing{3}
	v := service{component: &component{logger: silent{}, id: 5}, name: "echo"}
	if loud {
		v.logger = s
	}
	return v.log(int(n)) + v.component.logger.log(2) + len(v.name) + v.id, s.sum
}

// Iterators of iterators.

func elementsOf[T any](s []T) func(func(T) bool) {
	return func(yield func(T) bool) {
		for _, x := range s {
			if !yield(x) {
				return
			}
		}
	}
}

func filtered[T any](seq func(func(T) bool), keep func(T) bool) func(func(T) bool) {
	return func(yield func(T) bool) {
		for x := range seq {
			if keep(x) && !yield(x) {
				return
			}
		}
	}
}

func mapped[T, U any](seq func(func(T) bool), f func(T) U) func(func(U) bool) {
	return func(yield func(U) bool) {
		seq(func(x T) bool { return yield(f(x)) })
	}
}

func iteratorChain(a [8]int16, stop int16) (n int, sum int64) {
	even := filtered(elementsOf(a[:]), func(x int16) bool { return x&1 == 0 })
	for x := range mapped(even, func(x int16) int64 { return int64(x) * 3 }) {
		if x == int64(stop)*3 {
			break
		}
		n++
		sum += x
	}
	return n, sum
}

// A table of operators, searched by pointers to its elements.

type operator struct {
	name       string
	apply      func(a, b int) int
	precedence int
}

var operators = []operator{
	{"+", func(a, b int) int { return a + b }, 1},
	{"*", multiply, 2},
	{"-", func(a, b int) int { return a - b }, 1},
}

func multiply(a, b int) int { return a * b }

func findOperator(name byte) *operator {
	for i := range operators {
		if o := &operators[i]; o.name[0] == name {
			return o
		}
	}
	return nil
}

func applyOperator(name uint8, a, b int8) (int, int) {
	o := findOperator('*' + name%4)
	if o == nil {
		return -1, -1
	}
	return o.apply(int(a), int(b)) + len(o.name)*1000, o.precedence
}
