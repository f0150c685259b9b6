package corpus

func ifElse(a, b int) int {
	if a > b {
		return 1
	} else if a == b {
		return 0
	}
	return -1
}

func forLoop(n uint8) (s uint32) {
	for i := uint8(0); i < n; i++ {
		if i%7 == 3 {
			continue
		}
		if i == 200 {
			break
		}
		s += uint32(i) * 3
	}
	return s
}

func nested(n uint8) int {
	total := 0
	for i := range int(n % 16) {
		for j := i; j < 10; j += 2 {
			total += i ^ j
		}
	}
	return total
}

func switchInt(n int32) int {
	switch n {
	case 0, 1:
		return 10
	case 2:
		return 20
	case -1, 100:
		return 30
	default:
		return int(n) * 2
	}
}

func switchTrue(a, b uint16) (r string2) {
	switch {
	case a < b && a > 3:
		r = 1
	case a == b:
		r = 2
	case b == 0:
		r = 3
	}
	return r
}

type string2 int8

func fallThrough(n uint8) int {
	r := 0
	switch n {
	case 1:
		r += 1
		fallthrough
	case 2:
		r += 10
		fallthrough
	case 3:
		r += 100
	default:
		r = -1
	}
	return r
}

func gotos(n uint8) int {
	i := 0
loop:
	if i >= int(n) {
		goto done
	}
	i += 3
	goto loop
done:
	return i
}

func gotoInto(n uint8) int {
	i := int(n)
	s := 0
	if i&1 == 0 {
		goto even
	}
odd:
	s += 3
	i--
	if i <= 0 {
		return s
	}
even:
	s += 100
	i--
	if i > 0 {
		goto odd
	}
	return s
}

func labels(n, m uint8) int {
	count := 0
outer:
	for i := 0; i < int(n%20); i++ {
		for j := 0; ; j++ {
			switch {
			case j == int(m%10):
				continue outer
			case i*j > 30:
				break outer
			}
			count++
		}
	}
	return count
}

func rangeInt(n int8) (sum int8) {
	for i := range n {
		sum += i
	}
	for range 3 {
		sum++
	}
	return
}

func shortCircuit(a, b int8) bool {
	return b != 0 && a/b > 1 || a == 3
}

func swap(a, b int32, n uint8) (int32, int32) {
	for range n {
		a, b = b, a+b
	}
	return a, b
}

func divMod(a, b int) (q, r int, ok bool) {
	if b == 0 {
		return 0, 0, false
	}
	return a / b, a % b, true
}

func multiple(a, b int) (int, bool) {
	q, r, ok := divMod(a, b)
	return q ^ r, ok
}

func named(a int8) (x, y int8) {
	x = a
	if a > 3 {
		y = x + 1
		return
	}
	return y, x
}

func fib(n uint8) uint64 {
	a, b := uint64(0), uint64(1)
	for ; n > 0; n-- {
		a, b = b, a+b
	}
	return a
}

func collatz(n uint16) (steps int) {
	for x := uint64(n); x > 1; steps++ {
		if x%2 == 0 {
			x /= 2
		} else {
			x = 3*x + 1
		}
	}
	return steps
}

func chain1(a int8) int16  { return chain2(int16(a)) + 1 }
func chain2(a int16) int16 { return int16(chain3(int32(a))) * 2 }
func chain3(a int32) int32 { return a - 5 }

func callChain(a int8) int16 { return chain1(a) ^ chain1(-a) }

func explicit(a int8) int8 {
	if a == 7 {
		panic("seven")
	}
	return a
}

func explicitConst(a uint8) uint8 {
	const big = 3
	if a > 200 {
		panic("too " + "large")
	}
	return a * big
}

func loopVar(n uint8) int {
	var ptrs [4]int
	for i := 0; i < 4; i++ {
		p := &ptrs[i]
		*p = i * int(n)
		if *p > 300 {
			i++
		}
	}
	return ptrs[0] + ptrs[1]*3 + ptrs[2]*5 + ptrs[3]*7
}

func loopVarCaptured(n uint8) (sum int) {
	for i, step := 0, 1; i < 6; i += step {
		double := func() int { return i * 2 }
		bump := func() { i++ }
		p := &i
		if sum += double(); sum > int(n) {
			bump()
		}
		*p += int(n & 1)
		step = 1 + double()%3
	}
	return sum
}

func loopVarIterated(n uint8) (sum int) {
	numbers := func(yield func(int) bool) {
		for i := 0; i < 3; i++ {
			if !yield(i) {
				return
			}
		}
	}
	for i := int(n & 3); i >= 0; i-- {
		for k := range numbers {
			if k > i {
				break
			}
			sum = sum*10 + i + k
		}
	}
	return sum
}

func infinite(n uint8) int {
	i := 0
	for {
		i++
		if i*i > int(n) {
			return i
		}
	}
}

func bump(p *int, by int) int {
	*p = *p*10 + by
	return *p
}

func evalOrder(n int8) (int, int) {
	x := int(n)
	y := bump(&x, 1) + bump(&x, 2)*bump(&x, 3)
	return x, y
}

func opAssign(a int8, b uint16, n uint8) (int8, uint16) {
	a += 100
	a *= 3
	a <<= n
	a ^= 5
	b -= 3
	b /= 7
	b %= 100
	b >>= n
	b &^= 2
	b |= 64
	b++
	return a, b
}

func assignOrder(i, j, d uint8) (log int) {
	a, b := [3]int{}, []int{1, 2}
	var p *point
	if d%4 != 3 {
		p = &point{}
	}
	defer func() {
		recover()
		log = log*100 + a[0] + a[1]*2 + b[0]*3
	}()
	f := func(n int) int { log = log*10 + n; return n }
	a[i%5] = f(1)
	b[j%3] = a[i%4]
	p.x = int8(f(2))
	a[j%4], b[i%3] = f(3), f(4)
	(&[2][2]int{})[i%3][j%3] = f(5)
	b[j%2], p.y = f(6), int32(f(7))
	a[j%5] = f(8)
	return log
}

func assignNested(i, j uint8) (log int, a [2][3]int8) {
	defer func() { recover() }()
	f := func(n int8) int8 { log = log*10 + int(n); return n }
	a[j%2][i%3] = f(1)
	a[i%3][j%4] = f(2)
	return
}

func gcd(a, b uint16) uint16 {
	if b == 0 {
		return a
	}
	return gcd(b, a%b)
}

func digitSum(n uint16, sum int) (int, bool) {
	var digit int
	digit += int(n % 10)
	if sum > 30 {
		panic("too much")
	}
	if n == 0 {
		return sum, digit != 0
	}
	return digitSum(n/10, sum+digit)
}

func tailCalls(a, b uint16) (uint16, int, bool) {
	sum, ok := digitSum(b, int(a%10))
	return gcd(a%1000, b%1000), sum, ok
}

type interval struct{ lo, hi int }

func find(s []int16, v int16, in interval) int {
	if in.lo >= in.hi {
		return -1 - in.lo
	}
	if s[in.lo] == v {
		return in.lo
	}
	return find(s, v, interval{in.lo + 1, in.hi})
}

func tailSlices(v int16, n uint8) int {
	a := [...]int16{-300, -7, 0, 5, 90, 1000, 2000, 30000}
	return find(a[:], v, interval{int(n % 4), len(a)})
}
