package corpus

func sumOf(s []int16) (t int) {
	for _, v := range s {
		t += int(v)
	}
	return t
}

func slices1(i, j uint8) (int, int, int) {
	a := [6]int16{1, 2, 3, 4, 5, 6}
	s := a[i:j]
	return sumOf(s), len(s), cap(s)
}

func slices3(i, j, k int8) (int, int) {
	a := [6]int16{1, 2, 3, 4, 5, 6}
	s := a[:]
	t := s[i:j:k]
	t = t[:cap(t)]
	return sumOf(t), cap(t)
}

func sliceRange(n uint8) (r int) {
	s := []uint8{3, 1, 4, 1, 5, 9, 2, 6}
	for i, v := range s[n%8:] {
		s[7-i] += v
		r = r*3 + int(v)
	}
	for len(s) > 2 {
		s = s[1:]
	}
	return r + int(s[1])
}

func sliceCopy(n, m uint8) (int, [8]uint8) {
	var a [8]uint8
	b := [...]uint8{9, 8, 7, 6, 5}
	k := copy(a[n%8:], b[m%5:])
	return k, a
}

func sliceOverlap(n, m uint8) [8]uint16 {
	a := [8]uint16{1, 2, 3, 4, 5, 6, 7, 8}
	copy(a[n%8:], a[m%8:])
	copy(a[1:4], a[0:3])
	return a
}

func sliceClear(n uint8) (a [5]point) {
	for i := range a {
		a[i] = point{1, 2, 3}
	}
	clear(a[n%5:])
	return a
}

func sliceAppend(n uint8) (int, [8]uint16) {
	var a [8]uint16
	s := a[:0]
	for i := range uint16(n % 6) {
		s = append(s, i*i)
	}
	s = append(s, 7, 8)
	return len(s), a
}

func sliceMake(n uint8) (int, int) {
	s := make([]int16, n%6, 10)
	for i := range s {
		s[i] = int16(i)
	}
	return sumOf(s), cap(s)
}

func sliceToArray(n uint8) ([2]int16, int16) {
	a := [4]int16{5, 6, 7, 8}
	s := a[n%4:]
	p := (*[1]int16)(s)
	return [2]int16(s), p[0]
}

func sliceOfSlice(i, j uint8) int16 {
	a, b := [3]int16{1, 2, 3}, [2]int16{4, 5}
	m := [][]int16{a[:], b[:], nil}
	return m[i][j]
}

func apply(f func(int) int, n int) int { return f(f(n)) }

func closures(a, b int8) int {
	k := int(a)
	add := func(n int) int { k++; return n + k }
	r := apply(add, int(b))
	return r*3 + k
}

func counter(start int) func() int {
	n := start
	return func() int { n += 2; return n }
}

func closureCounter(a int8) int {
	c, d := counter(int(a)), counter(100)
	c()
	return c() + d()
}

func each(a *[4]int, f func(i int, p *int)) {
	for i := range a {
		f(i, &a[i])
	}
}

func closureArg(n int8) [4]int {
	var a [4]int
	each(&a, func(i int, p *int) { *p = i * int(n) })
	each(&a, func(i int, p *int) { *p += a[0] + 1 })
	return a
}

func methodValue(p point) int64 {
	f := p.sum
	p.y = 1000
	g := p.scale
	g(2)
	return f() + p.sum()
}

func methodExpr(p point) int64 {
	f := point.sum
	g := (*point).scale
	g(&p, 3)
	return f(p)
}

type number interface{ ~int8 | ~int32 | ~uint64 }

func gmax[T number](a, b T) T {
	if a > b {
		return a
	}
	return b
}

func mapTo[T, U any](a [3]T, f func(T) U) (r [3]U) {
	for i, v := range a {
		r[i] = f(v)
	}
	return r
}

func generics(a, b int8, c uint64) (int8, uint64, [3]int16) {
	return gmax(a, b), gmax(c, 1000), mapTo([3]int8{a, b, 3}, func(v int8) int16 { return int16(v) * 2 })
}

type stack[T any] struct {
	items [4]T
	n     int
}

func (s *stack[T]) push(v T) { s.items[s.n] = v; s.n++ }
func (s *stack[T]) pop() T   { s.n--; return s.items[s.n] }

func genericMethods(a, b int8) int8 {
	var s stack[point]
	s.push(point{x: a})
	s.push(point{x: b})
	if a > b {
		s.pop()
	}
	return s.pop().x
}

type shape interface{ area() int }
type square struct{ side int }
type oblong struct{ w, h int }

func (s square) area() int  { return s.side * s.side }
func (o *oblong) area() int { o.w++; return o.w * o.h }

func total(a, b shape) int { return a.area() + 10*b.area() }

func interfaces(a, b int8) int {
	o := &oblong{int(a), int(b)}
	return total(square{int(a)}, o) + total(o, o)
}

func kind(v any) int {
	switch v := v.(type) {
	case int8:
		return int(v)
	case square, *oblong:
		return 1000 + v.(shape).area()
	case nil:
		return -5
	case shape:
		return 2
	}
	return -1
}

func typeSwitch(a int8) int {
	return kind(a) + kind(square{int(a)}) + kind(nil) + kind(uint8(a))
}

func assertions(a int8) (int8, bool) {
	var v any = a
	_, ok := v.(shape)
	if a > 100 {
		return int8(v.(uint8)), ok
	}
	return v.(int8), ok
}

func anyEq(a, b int8) (bool, bool, bool) {
	var x, y any = a, b
	var z any = square{int(a)}
	return x == y, x == z, z == any(square{int(b)})
}

func defers1(a int8) (r int) {
	defer func() { r *= 2 }()
	if a > 3 {
		defer func(n int) { r += n }(int(a))
		a = 0
	}
	return int(a) + 1
}

func note(p *int, n int) { *p = *p*10 + n }

func deferOrder(a uint8) (log int) {
	defer note(&log, 1)
	defer note(&log, 2)
	if a&1 != 0 {
		defer note(&log, 3)
	} else {
		defer note(&log, 4)
		if a&2 != 0 {
			return 7
		}
	}
	defer note(&log, 5)
	return 8
}

func deferArgs(a int8) (r int) {
	x := int(a)
	defer note(&r, x)
	x = 100
	return 3
}

func deferNamed(a int8) (x, y int8) {
	defer func() { x, y = y, x }()
	x = a
	return x + 1, 5
}

func rangeString(n uint8) (s int) {
	words := [...]string{"", "abc", "aä€😀z", "\xff\xc3\x28\xe2\x82", "\xed\xa0\x80\xf4\x90\x80\x80", "\xf0\x9f\x98"}
	for i, r := range words[n%6] {
		s = s*7 + i*1000 + int(r)
	}
	return s
}

func count(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func rangeFunc(n uint8) (s int) {
	for i := range count(int(n % 10)) {
		if i == 3 {
			continue
		}
		if i == 7 {
			break
		}
		s += i
	}
	return s
}

func rangeFuncNested(n, m uint8) (s int) {
outer:
	for i := range count(int(n % 6)) {
		for j := range count(int(m % 6)) {
			if j > i {
				continue outer
			}
			if i*j == 12 {
				break outer
			}
			s = s*3 + j
		}
	}
	return s
}

func rangeFuncReturn(n uint8) (int, bool) {
	for i := range count(10) {
		if i*i >= int(n) {
			return i, true
		}
	}
	return -1, false
}

var primes = [...]uint16{2, 3, 5, 7, 11, 13}

var config = struct {
	limit int
	name  string2
	grid  [2][2]int8
}{limit: 40, grid: [2][2]int8{{1, -2}, {3}}}

var calls int

func tables(i uint8) (uint16, int, int8) {
	calls = int(i)
	return primes[i], config.limit + calls, config.grid[i&1][0]
}

func addAll(first int, rest ...int) int {
	for _, v := range rest {
		first += v
	}
	return first*10 + len(rest)
}

func variadic(a, b int8) int {
	return addAll(int(a)) + addAll(1, int(a), int(b)) + addAll(2, []int{1, 2, 3}...)
}

func stringOrder(i, j uint8) (bool, bool, bool, bool) {
	words := [...]string{"", "a", "ab", "b", "abc"}
	a, b := words[i%5], words[j%5]
	return a < b, a <= b, a > b, a >= b
}

func stringSlices(i, j uint8) (int, byte) {
	s := "abcdef"
	t := s[i:j]
	return len(t), t[0]
}

func twice(f func()) { f(); f() }

func mutualCallbacks(n int8) (r int) {
	twice(func() {
		twice(func() { r += int(n) })
		r *= 2
	})
	return r
}

func alwaysPanics(a int8) int8 { panic("always") }

func callsPanic(a int8) int8 {
	if a > 5 {
		return alwaysPanics(a) + 1
	}
	return a
}

func nilFunc(a int8) int {
	var f func(int8) int
	if a == 3 {
		return f(a)
	}
	return 1
}

var greeting = "hello"

var operation = fib

var anything any = int8(3)

func globalCells(n uint8) (byte, uint64, int8) {
	v, _ := anything.(int8)
	return greeting[n], operation(n % 20), v
}

func sliceAdvance(b [16]byte, n, step uint8) (sum int) {
	for s := b[:n&15]; len(s) > 0; {
		sum = sum*3 + int(s[0])
		k := min(len(s), 1+int(step&3))
		s = s[k:]
	}
	return sum
}

func stringAdvance(n uint8) (sum int) {
	s := "key=value;k2=v2;;last"[n&3:]
	for len(s) > 0 {
		i := 0
		for i < len(s) && s[i] != ';' {
			i++
		}
		sum = sum*5 + i
		if i == len(s) {
			break
		}
		s = s[i+1:]
	}
	return sum
}

func sliceShrink(b [8]uint16, n uint16) int {
	s := b[:]
	for len(s) > 1 {
		if m := len(s) / 2; s[m] > n {
			s = s[:m]
		} else {
			s = s[m:]
		}
	}
	return int(s[0])
}

func appendToPart(in [6]uint64, lo int64, hi int8) (int, [6]uint64) {
	s := in[lo:hi]
	if m := s; cap(s)-len(s) >= len(m) {
		s = append(s, m...)
	}
	return len(s), in
}

func appendToRest(in [6]uint64, lo, hi uint8) (int, [6]uint64) {
	s := in[lo:hi]
	if lo&1 != hi&1 {
		if hi < 100 {
			s = s[min(6, len(s)/2):len(s):cap(s)]
		}
		if m := in[:2]; cap(s)-len(s) >= len(m) {
			s = append(s, m...)
		}
	}
	return len(s), in
}

func stringPart(lo uint32, hi int16, c bool) (sum int) {
	s := "eBPF in pure Go"
	if c {
		s = s[lo:hi]
	}
	for i, r := range s {
		sum += i * int(r)
	}
	return sum
}

func makeMin(n, m int8) (r int) {
	s := make([]int16, min(n, 6))
	for i := range s {
		s[i] = int16(i) * int16(m)
	}
	t := make([]uint8, 2, 3+uint8(m)%4)
	t = append(t[:1], 7)
	return sumOf(s) + len(s)*100 + cap(t)*1000 + int(t[1])
}

func makeTested(n uint16, m int) (r int) {
	if n > 12 {
		return -1
	}
	s := make([]uint16, n)
	for i := range s {
		s[i] = uint16(i) + n
		r += int(s[i])
	}
	if m >= 4 {
		return r
	}
	t := make([][2]int, 0, m)
	return r + cap(t)*1000
}

func rangeFuncDeep(n uint8) (r int) {
	for a := range upTo(2) {
		for b := range upTo(2) {
			for c := range upTo(2) {
				for d := range upTo(int(n) % 3) {
					for e := range upTo(2) {
						for f := range upTo(2) {
							r = r*2 + a + b + c + d + e + f
							if r > 1<<40 {
								return a*5 + f
							}
						}
						if d == 1 && e == 0 {
							break
						}
					}
				}
			}
		}
	}
	return r
}
