package stdlib

import "errors"

var (
	ErrEmpty = errors.New("empty")
	errFull  = errors.New("full")
)

type failure struct {
	err error
	n   int8
}

func (f *failure) Error() string { return "failure" }
func (f *failure) Unwrap() error { return f.err }

func reserve(n int8) (int8, error) {
	switch {
	case n < 0:
		return 0, ErrEmpty
	case n > 100:
		return 1, &failure{errFull, n}
	case n > 90:
		return 2, errFull
	}
	return n, nil
}

func errorValues(n, m int8) (int8, bool, bool, int8) {
	r, err := reserve(n)
	if err == nil {
		_, err = reserve(m)
	}
	if f, ok := err.(*failure); ok {
		return r, f.Unwrap() == errFull, f.err == ErrEmpty, f.n
	}
	return r, err == ErrEmpty, err != nil, 0
}

func errorNew(n int8) (bool, bool) {
	a, b := errors.New("same"), errors.New("same")
	c := a
	if n > 3 {
		c = b
	}
	return a == b, c == b
}
