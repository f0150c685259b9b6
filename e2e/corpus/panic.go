package corpus

func recoverIndex(i uint8) (r int) {
	defer func() {
		if recover() != nil {
			r = -1
		}
	}()
	a := [4]int{1, 2, 3, 4}
	return a[i%8]
}

func mustBeSmall(n int) int {
	if n > 10 {
		panic("too large")
	}
	return n * 3
}

func recoverCallee(n uint8) (r int, failed bool) {
	defer func() { failed = recover() != nil }()
	for i := range int(n % 16) {
		r += mustBeSmall(i)
	}
	return r, false
}

// recoverNot runs its deferred calls, though nobody sees what they do.
func recoverNot(n uint8) (r int) {
	defer func() { r++ }()
	defer func() { r *= 2 }()
	return mustBeSmall(int(n % 20))
}

func recoverAgain(n uint8) (log int) {
	defer func() {
		recover()
		log = log*10 + 9
	}()
	defer func() {
		if r := recover(); r != nil {
			log = log*10 + 1
			if n%3 == 0 {
				panic(r)
			}
		}
	}()
	if n%2 == 0 {
		panic("even")
	}
	return int(n)
}

func safely(f func() int) (r int, ok bool) {
	defer func() {
		if recover() != nil {
			r -= 100
		}
	}()
	return f(), true
}

func recoverNested(a, b int8) (int, bool, int, bool) {
	x, xok := safely(func() int { return int(a) / int(b) })
	y, yok := safely(func() int {
		n, ok := safely(func() int { return mustBeSmall(int(b)) })
		if !ok {
			n = mustBeSmall(int(a))
		}
		return n
	})
	return x, xok, y, yok
}

func recoverResults(n uint8) (x int, y [3]int8, z point) {
	defer func() { recover() }()
	x, y[1], z.x = 7, 8, 9
	y[n%5] = 3
	z = point{x: 1}
	return 1, [3]int8{}, z
}

func recoverUnnamed(n uint8) int {
	defer func() { recover() }()
	defer func() {
		if n%3 == 0 {
			panic("deferred")
		}
	}()
	if n%2 == 0 {
		panic("body")
	}
	return int(n)
}

func recoverOrder(n uint8) (log int) {
	defer note(&log, 1)
	if n&1 != 0 {
		defer func() { recover() }()
	}
	defer note(&log, 2)
	if n&2 != 0 {
		defer func() {
			recover()
			note(&log, 3)
		}()
	}
	if n&4 != 0 {
		panic("four")
	}
	defer note(&log, 4)
	if n&8 != 0 {
		panic("eight")
	}
	return 5
}

func recoverTwice(n uint8) (a, b bool) {
	defer func() {
		a = recover() != nil
		b = recover() != nil
	}()
	if n%2 == 0 {
		panic(n)
	}
	return
}

type guarded struct{ n, recovered int }

func (g *guarded) end() {
	if recover() != nil {
		g.recovered++
	}
}

type wrapped struct{ *guarded }

func recoverInMethod(n uint8) int {
	g := guarded{n: int(n)}
	func() {
		defer g.end()
		g.n = 10 / (g.n % 4)
	}()
	func() {
		end := g.end
		defer end()
		g.n = 10 / (g.n % 3)
	}()
	w := wrapped{&g}
	func() {
		defer w.end()
		g.n = 10 / (g.n % 2)
	}()
	return g.n*10 + g.recovered
}

func panicInDefer(n uint8) (log int) {
	defer func() {
		recover()
		log = log*10 + 5
	}()
	defer note(&log, 4)
	defer func() {
		if n%2 == 0 {
			mustBeSmall(int(n))
		}
		note(&log, 3)
	}()
	defer note(&log, 2)
	if n%3 == 0 {
		panic("first")
	}
	return 1
}

func panicAfterReturn(n uint8) (r int) {
	defer func() { r = mustBeSmall(r) }()
	return int(n % 15)
}

func deferPanics(n uint8) (r int) {
	defer func() {
		recover()
		r++
	}()
	defer panic("deferred panic")
	return int(n)
}

func deferBuiltins(n uint8) [4]uint8 {
	a := [4]uint8{1, 2, 3, 4}
	func() {
		defer copy(a[n%4:], a[:2])
		defer clear(a[n%3 : 3])
		a[0] = 9
	}()
	return a
}

func deferNil(n uint8) (log int) {
	defer func() { recover() }()
	var f func()
	defer note(&log, 2)
	if n%2 == 0 {
		defer f()
	}
	note(&log, 1)
	return log
}

func deferMethodValue(n uint8) (log int) {
	p := point{x: int8(n)}
	defer func() { log = int(p.x) }()
	f := p.scale
	defer f(2)
	return 1
}

type lock struct{ held int }

func (l *lock) lock()   { l.held++ }
func (l *lock) unlock() { l.held-- }

func underLock(l *lock, a *[3]int8, i uint8) int8 {
	l.lock()
	defer l.unlock()
	return a[i]
}

func deferRuns(i uint8) (held int, v int8) {
	l := lock{held: 5}
	defer func() {
		recover()
		held = l.held
	}()
	a := [3]int8{1, 2, 3}
	v = underLock(&l, &a, i%3)
	v += underLock(&l, &a, i%6)
	return 0, v
}

func tryRecover() bool { return recover() != nil }

func recoverOutside(n uint8) (r int) {
	if tryRecover() {
		return -1
	}
	defer func() {
		if tryRecover() {
			r = -2
		}
	}()
	defer tryRecover()
	return mustBeSmall(int(n % 16))
}

func recoverDivide(a, b int8, s int8) (q, shifted int, ok bool) {
	defer func() { ok = recover() == nil }()
	shifted = int(a) << s
	q = int(a) / int(b)
	return
}

func recoverLoop(n uint8) (sum int) {
	for i := range int(n % 8) {
		v, ok := safely(func() int { return 12 / (i - 3) })
		if !ok {
			continue
		}
		sum = sum*5 + v
	}
	return sum
}

func recoverNil(n uint8) (r int) {
	defer func() {
		if recover() != nil {
			r += 50
		}
	}()
	var p *point
	if n%3 != 0 {
		p = &point{x: 3}
	}
	r = 1
	return int(p.x) + int(n)
}

func recoverClosure(n uint8) (r int) {
	total := 0
	add := func(k int) {
		defer func() {
			if recover() != nil {
				total -= k
			}
		}()
		total += mustBeSmall(k)
	}
	add(int(n % 16))
	add(int(n % 11))
	return total
}

func fillBig(n uint8) (b [40]int16) {
	defer func() {
		if recover() != nil {
			b[1] = -1
		}
	}()
	b[0] = int16(n)
	b[n%50] = 7
	return b
}

func recoverBig(n uint8) (r int) {
	b := fillBig(n)
	for i, v := range b {
		r += i * int(v)
	}
	return r
}

func recoverValue(n uint8) (r int) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		r = 2
		defer func() {
			if recover() != nil {
				r = 3
			}
		}()
		panic(v)
	}()
	mustBeSmall(int(n % 20))
	return 1
}
