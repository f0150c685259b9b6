package jit_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// The functions below are compiled by the tests of this package. That the
// package imports net/http and testing must not matter.

type port uint16

type rule struct {
	low, high port
	_         uint8
	allow     bool
	weights   [3]int8
}

func (r rule) matches(p port) bool { return p >= r.low && p <= r.high && r.allow }

func (r rule) verdict(ctx ebpf.Context) int {
	if r.matches(80) {
		return int(r.weights[1])
	}
	return 0
}

func (r *rule) reset(ctx ebpf.Context) int { r.low = 0; return 0 }

type verdicter interface{ verdict(ebpf.Context) int }

type wrapped struct{ rule }

func plain(ctx ebpf.Context) int { return int(ebpf.GetCurrentPidTgid() >> 32) }

func leaf(ctx ebpf.Context) int {
	x := 5

	return x
}

func usesHTTP(ctx ebpf.Context) int { return len(http.MethodGet) + plain(ctx) }

func generic[T ~uint8 | ~uint16 | ~uint32](x T) T { return x*2 + 1 }

func hidden[T ~uint8](ctx ebpf.Context) int { var x T = 255; x++; return int(x) }

var global = func(ctx ebpf.Context) int { return plain(ctx) }

func localThings(limit uint32) any {
	const base = 40
	type pair struct{ a, b uint32 }
	r := rule{low: 1, high: 0x1f90, allow: true, weights: [3]int8{1, -2, 3}}
	return func(ctx ebpf.Context) int {
		p := pair{limit, base}
		return int(p.a+p.b) + r.verdict(ctx)
	}
}

func rewritten(n uint8) any {
	n++
	return func(ctx ebpf.Context) int { return int(n) }
}

func typeSwitched(x any) any {
	switch y := x.(type) {
	case uint16:
		return func(ctx ebpf.Context) int { return int(y) }
	case int:
		return func(ctx ebpf.Context) int { return y + 1 }
	}
	return nil
}

func fromHTTP() any {
	n := uint32(len(http.DefaultClient.Timeout.String()))
	return func(ctx ebpf.Context) int { return int(n) }
}

func fromHTTPUntyped() any {
	n := len(http.DefaultClient.Timeout.String())
	c := http.DefaultClient.Timeout
	return func(ctx ebpf.Context) int { return n + int(c) }
}

func inGeneric[T any](x T) any {
	return func(ctx ebpf.Context) int { _ = x; return 0 }
}

func looped() (list []any) {
	for i := range 3 {
		list = append(list, func(ctx ebpf.Context) int { return i })
	}
	return list
}

func nested(a, b uint16) any {
	return func() any {
		c := uint8(9)
		return func(ctx ebpf.Context) int { return int(b) + int(c) + int(a) }
	}()
}

func deadBranch(a, b uint64) any {
	const debug = false
	return func(ctx ebpf.Context) int {
		if debug {
			return int(a)
		}
		return int(b + a)
	}
}

//go:noinline
func twoOnALine() (any, any) {
	return func(ctx ebpf.Context) int { return 1 }, func(ctx ebpf.Context) int { return 2 }
}

func TestFuncValues(t *testing.T) {
	one, two := twoOnALine()
	r := rule{low: 80, high: 443, allow: true, weights: [3]int8{1, -2, 3}}
	tests := []struct {
		name string
		fn   any
		opts []jit.Option
		// want is in the declaration that is compiled, or in the error.
		want string
		err  string
	}{
		{name: "function", fn: plain, want: "func plain(ctx ebpf.Context) int	{ return int(ebpf.GetCurrentPidTgid() >> 32) }"},
		{name: "function without a frame", fn: leaf, want: "x := 5"},
		{name: "package-level literal", fn: global, want: "{ return plain(ctx) }"},
		{name: "closure", fn: localThings(2), want: "const base = 40"},
		{name: "closure captures parameter", fn: localThings(2), want: "var limit uint32\n\tlimit = 2"},
		{name: "closure captures struct", fn: localThings(2), want: "r.high = 8080\n\tr.allow = true\n\tr.weights[0] = 1\n\tr.weights[1] = -2"},
		{name: "closure of an inlined call", fn: func() any { return localThings(3) }(), want: "limit = 3"},
		{name: "type switch variable", fn: typeSwitched(uint16(7)), want: "var y uint16\n\ty = 7"},
		{name: "loop variable", fn: looped()[2], want: "i = 2"},
		{name: "nested closure", fn: nested(5, 6), want: "b = 6\n\tvar c uint8\n\tc = 9\n\tvar a uint16\n\ta = 5"},
		{name: "value from another package", fn: fromHTTP(), want: "n = 2"},
		{name: "constant option for a capture", fn: rewritten(1), opts: []jit.Option{jit.WithConst("n", 5)}, want: "var n uint8\n\tn = 5"},
		{name: "first literal on a line", fn: one, want: "{ return 1 }"},
		{name: "second literal on a line", fn: two, want: "{ return 2 }"},
		{name: "method value", fn: r.verdict, want: "recv.low = 80\n\trecv.high = 443\n\trecv.allow = true\n\trecv.weights[0] = 1\n\trecv.weights[1] = -2\n\trecv.weights[2] = 3\n\treturn recv.verdict(p0)"},
		{name: "method value with a pointer", fn: r.reset, want: "host.rule.reset(p0)"},
		{name: "promoted method value", fn: wrapped{r}.verdict, want: "recv.low = 80"},

		{name: "not a function", fn: 5, err: "int is not a function"},
		{name: "nil", fn: (func(ebpf.Context) int)(nil), err: "the function is nil"},
		{name: "assembly", fn: reflect.MakeFunc(reflect.TypeFor[func()](), nil).Interface(), err: "it is not written in Go"},
		{name: "import", fn: usesHTTP, err: `funcvalue_test.go:49:50: http.MethodGet cannot be used in a kernel-side function: package "net/http" is not among those that can be compiled; do this on the host`},
		{name: "interface method value", fn: verdicter(r).verdict, err: "promoted from an embedded field; write a function literal that calls it [U103]"},
		{name: "method expression", fn: rule.verdict, err: "verdict has more than one parameter"},
		{name: "wrapper", fn: (*rule).verdict, err: "wrapper that the Go compiler made"},
		{name: "changing capture", fn: rewritten(1), err: "captured variable n changes or its address is taken"},
		{name: "capture of unknown type", fn: fromHTTPUntyped(), err: "cannot determine the type of captured variable c without the packages it depends on"},
		{name: "literal in generic function", fn: inGeneric(1), err: "captured variable x is of type T"},
		{name: "constant condition", fn: deadBranch(1, 2), err: "a condition that is constant"},
		{name: "type argument not in signature", fn: hidden[uint8], err: "type argument T cannot be told from the signature"},
		{name: "unknown constant", fn: plain, opts: []jit.Option{jit.WithConst("nothing", 1)}, err: "the program has no variable nothing"},
		{name: "constant out of range", fn: rewritten(1), opts: []jit.Option{jit.WithConst("n", 256)}, err: "cannot be given the value 256: out of range"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := jit.FrontText(test.fn, append(test.opts, jit.As("tracepoint"))...)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestGenericInstance(t *testing.T) {
	got, err := jit.FrontText(generic[port])
	if err == nil || !strings.Contains(err.Error(), "nothing says what type of program") {
		t.Errorf("got error %v", err)
	}
	if want := "(p0 port) port\t{ return generic[port](p0) }"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// callsLater is compiled with a function inlined that is declared behind it:
// code of callsLater comes from a line outside of it.
func callsLater(ctx ebpf.Context) int {
	var a [64]int
	declaredLater(&a, int(ebpf.GetPrandomU32()))
	return a[ebpf.GetSmpProcessorId()&63] + 1
}

func declaredLater(a *[64]int, i int) {
	for k := range a {
		a[k] = i
	}
}

// TestInlinedCallee checks that inlining does not pass for a change of source.
func TestInlinedCallee(t *testing.T) {
	target := lower.TargetFor(lower.Version{Major: 6, Minor: 12}, "amd64")
	if _, err := jit.Compile(callsLater, jit.As("tracepoint/syscalls/sys_enter_write"), jit.WithTarget(target)); err != nil {
		t.Error(err)
	}
}
