package jit_test

import (
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
)

// A limits is what a host keeps and its programs read.
type limits struct {
	low, high uint64
	rows      [3]struct{ a, b uint16 }
}

func highOf(l *limits) *uint64                 { return &l.high }
func rowOf(l *limits, i uint8) (*uint16, bool) { return &l.rows[i%3].b, i < 3 }

func eitherLimits(first bool, l, m *limits) *limits {
	if first {
		return l
	}
	return m
}

// TestSnapshots follows addresses in what programs take over from the host: they may be read
// wherever they get to, and not be written to.
func TestSnapshots(t *testing.T) {
	l := &limits{low: 3, high: 900, rows: [3]struct{ a, b uint16 }{{1, 2}, {3, 4}, {5, 6}}}
	m := &limits{low: 4, high: 1000}
	value := limits{low: 70, high: 80, rows: l.rows}
	for name, fn := range map[string]func(uint64) uint64{
		"returned": func(x uint64) uint64 { return *highOf(l) + x },
		"one of two results": func(x uint64) uint64 {
			p, ok := rowOf(l, uint8(x))
			if !ok {
				return 99
			}
			return uint64(*p)
		},
		"chosen": func(x uint64) uint64 {
			p := l
			if x&1 != 0 {
				p = m
			}
			return p.low*1000 + eitherLimits(x < 2, l, m).high
		},
		"in a function of the program": func(x uint64) uint64 {
			add := func(y uint64) uint64 { return value.high + uint64(value.rows[x%3].a) + y }
			return add(x) * add(value.low)
		},
		"a copy that changes": func(x uint64) uint64 {
			c := value
			c.low += x
			c.rows[x%3].b = 9
			return c.low + uint64(c.rows[1].b)*100 + uint64(value.rows[1].b)*10000
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := jit.Func(fn)
			needPrivilege(t, err)
			for x := range uint64(5) {
				if got, want := f(x), fn(x); got != want {
					t.Errorf("f(%d) = %d, natively %d", x, got, want)
				}
			}
		})
	}
	for name, fn := range map[string]func(uint64) uint64{
		"returned":           func(x uint64) uint64 { *highOf(l) = x; return x },
		"one of two results": func(x uint64) uint64 { p, _ := rowOf(l, uint8(x)); *p = 7; return x },
		"passed on": func(x uint64) uint64 {
			set := func(p *limits) { p.low = x }
			set(eitherLimits(x < 2, l, m))
			return x
		},
		"chosen": func(x uint64) uint64 {
			p := l
			if x&1 != 0 {
				p = m
			}
			p.high++
			return x
		},
	} {
		if _, err := jit.Func(fn); err == nil || !strings.Contains(err.Error(), "assignment to memory of the host") {
			t.Errorf("%s: %v, want that it is refused", name, err)
		}
	}
}
