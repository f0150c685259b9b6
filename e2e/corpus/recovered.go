package corpus

// This file looks at the values of panics.

type fault struct {
	code int8
	at   uint32
	hard bool
}

type coded interface {
	Error() string
	number() int
}

type codedError struct{ n int }

func (e *codedError) Error() string { return "coded" }
func (e *codedError) number() int   { return e.n }

// failWith panics in many ways.
func failWith(n uint8, buf []byte) int {
	switch n % 9 {
	case 0:
		panic("stop")
	case 1:
		panic(int(n) + 5)
	case 2:
		panic(fault{int8(n), uint32(n) << 3, n > 100})
	case 3:
		return int(buf[n])
	case 4:
		panic(&codedError{int(n)})
	case 5:
		panic("stop"[:n%5])
	case 6:
		panic(n)
	case 7:
		var v any
		if n > 50 {
			v = int16(n)
		}
		panic(v)
	}
	return int(n)
}

func recoverTypes(n uint8) (r, what int) {
	buf := []byte{1, 2, 3, 4, 5}
	defer func() {
		switch v := recover().(type) {
		case nil:
			what = 1
		case string:
			what = 200 + len(v)
			if v == "stop" {
				what = 222
			}
		case int:
			what = 300 + v
		case fault:
			what = 400 + int(v.at) + int(v.code)
			if v.hard {
				what = -what
			}
		case coded:
			what = 500 + v.number()
		case error:
			what = 600
		default:
			what = 700
		}
	}()
	return failWith(n, buf), 2
}

// recoverSome passes on what it does not expect.
func recoverSome(n uint8) (r int) {
	defer func() {
		switch v := recover(); v {
		case nil:
			r *= 2
		case "stop":
			r = 3
		case 19:
			r = 4
		case fault{2, 16, false}:
			r = 5
		default:
			panic(v)
		}
	}()
	return failWith(n, nil)
}

func recoverOuter(n uint8) (r int) {
	defer func() {
		v := recover()
		if f, ok := v.(fault); ok {
			r = 1000 + int(f.code)
		} else if _, ok := v.(error); ok {
			r = 2000
		} else if v != nil {
			r = 3000
		}
	}()
	return recoverSome(n)
}

// recoverKept keeps values of panics in variables.
func recoverKept(n uint8) (r int) {
	var first, last any
	try := func(k uint8) {
		defer func() {
			last = recover()
			if first == nil {
				first = last
			}
		}()
		failWith(k, nil)
	}
	try(n)
	try(n/2 + 1)
	if v, ok := first.(int); ok {
		r += v
	}
	if v, ok := last.(uint8); ok {
		r += int(v) * 1000
	}
	return r
}

// recoverMust asserts what the value is, and panics if it is something else.
func recoverMust(n uint8) (r int) {
	defer func() {
		r += recover().(int)
	}()
	r = failWith(n, nil)
	panic(r + 1)
}

func recoverEach(n uint8) (r int) {
	for i := range uint8(12) {
		r = r*3 + func() (r int) {
			defer func() {
				switch v := recover().(type) {
				case fault:
					r = int(v.at)
				case *codedError:
					r = v.n
				case uint8:
					r = int(v)
				case string:
					r = len(v)
				}
			}()
			return failWith(n+i, nil)
		}()
	}
	return r
}
