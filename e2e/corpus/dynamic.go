package corpus

func double(n int) int   { return n * 2 }
func square1(n int) int  { return n * n }
func negative(n int) int { return -n }

func funcVariable(n int8) int {
	f := double
	if n > 10 {
		f = square1
	}
	for i := range 3 {
		if int(n)%3 == i {
			f = negative
		}
	}
	return f(int(n)) + f(3)
}

var operations = [...]func(int) int{double, square1, negative, nil}

func funcTable(i uint8, n int8) int { return operations[i%5](int(n)) }

type handler struct {
	name int
	run  func(int) int
}

func funcField(i uint8, n int8) (r int) {
	hs := [3]handler{{1, double}, {2, nil}, {run: square1}}
	if n < 0 {
		hs[1].run = negative
	}
	for _, h := range hs {
		if h.run != nil {
			r = r*10 + h.run(int(n))
		}
	}
	return r + hs[i%3].run(1)
}

type callback2 func(uint8) uint8

func closureVariable(a, b uint8) (uint8, uint8) {
	total := uint8(0)
	add := func(n uint8) uint8 { total += n; return total }
	sub := func(n uint8) uint8 { total -= n * b; return total + 1 }
	var f callback2 = add
	if a > b {
		f = sub
	}
	r := f(a)
	r += f(b)
	return r, total
}

func pick(which bool, k uint16) func(uint16) uint16 {
	if which {
		return func(n uint16) uint16 { return n + k }
	}
	return func(n uint16) uint16 { return n * k }
}

func closureResult(a, b uint16, c bool) uint16 {
	return pick(c, a)(b) + pick(!c, b)(a)
}

type animal interface {
	legs() int
	grow(n int)
}

type bird struct{ size int }
type dog struct{ fur, size int }

func (b *bird) legs() int  { return 2 }
func (b *bird) grow(n int) { b.size += n }
func (d *dog) legs() int   { return 4 }
func (d *dog) grow(n int)  { d.size -= n + d.fur }

func ifaceVariable(n int8) (int, int, int) {
	b, d := bird{1}, dog{size: 7}
	var a animal = &b
	if n > 3 {
		a = &d
	}
	a.grow(int(n))
	legs := a.legs()
	if n == 5 {
		a = nil
	}
	if a == nil {
		legs = -1
	}
	return legs, b.size, d.size
}

func ifaceSlice(i uint8) (sum int) {
	b, d := bird{1}, dog{size: 7}
	zoo := []animal{&b, &d, &b, nil}
	for _, a := range zoo[:3] {
		a.grow(3)
		sum = sum*10 + a.legs()
	}
	zoo[i%4].grow(1)
	return sum*100 + b.size*10 + d.size
}

type meter int16
type foot struct{ n uint8 }
type range2 struct{ lo, hi int32 }

func measure(i uint8, n int8) (v any) {
	switch i % 6 {
	case 0:
		v = meter(n)
	case 1:
		v = foot{uint8(n)}
	case 2:
		v = int(n)
	case 3:
		v = n > 0
	case 4:
		v = range2{int32(n), 5}
	}
	return v
}

func typeSwitchVariable(i uint8, n int8) int {
	switch v := measure(i, n).(type) {
	case meter:
		return 1000 + int(v)
	case foot:
		return 2000 + int(v.n)
	case int, int8:
		return 3000
	case bool:
		if v {
			return 4001
		}
		return 4000
	case range2:
		return 5000 + int(v.lo+v.hi)
	case nil:
		return 6000
	}
	return 7000
}

func assertVariable(i uint8, n int8) (int, bool, int) {
	v := measure(i, n)
	a, ok := v.(int)
	b, _ := v.(range2)
	if n > 100 {
		return int(v.(meter)), ok, 0
	}
	return a, ok, int(b.lo)
}

func equalVariable(i, j uint8, n, m int8) (bool, bool, bool) {
	x, y := measure(i, n), measure(j, m)
	return x == y, x == any(meter(3)), x != nil
}

type failure struct{ code int }

func (f *failure) Error() string { return "failure" }

type exhausted uint8

func (exhausted) Error() string { return "exhausted" }

func try(n int8) error {
	switch {
	case n < 0:
		return exhausted(-n)
	case n > 100:
		return &failure{int(n)}
	}
	return nil
}

func check(n int8) error {
	if n%3 == 0 {
		return exhausted(n)
	}
	return nil
}

func tryTwice(n, m int8) (r int, err error) {
	if err = try(n); err != nil {
		return 1, err
	}
	r = 2
	err = try(m)
	return r, err
}

func errorResult(n, m int8) (int, int, int) {
	r, err := tryTwice(n, m)
	if err == nil {
		return r, 0, 0
	}
	if f, ok := err.(*failure); ok {
		return r, f.code, len(err.Error())
	}
	if e, ok := err.(exhausted); ok && err == exhausted(3) {
		return r, -int(e), 3
	}
	return r, -1, len(err.Error())
}

type result struct {
	n   int
	err error
}

func errorField(n int8) (sum int) {
	var rs [4]result
	for i := range rs {
		rs[i].n = i
		rs[i].err = check(n - int8(i))
	}
	for _, r := range rs {
		if r.err != nil {
			sum += r.n + 10
		}
	}
	return sum
}

func errorRecovered(n uint8) (r int, failed bool) {
	err := func() (err error) {
		defer func() {
			if recover() != nil {
				err = exhausted(n)
			}
		}()
		r = mustBeSmall(int(n % 20))
		return nil
	}()
	return r, err != nil
}
