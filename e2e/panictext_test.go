package e2e

import (
	"errors"
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
)

// TestPanicText checks what is said of a panic: what Go's runtime prints, as far as it is known when
// compiling.
func TestPanicText(t *testing.T) {
	language.test(t)
	const types = `package text

type (
	name  string
	flag  bool
	size  uint64
	point struct{ x, y int }
)

func f(n uint8) uint8 { panic(`
	for value, want := range map[string]string{
		`"as it is"`:            "panic: as it is",
		`-7`:                    "panic: -7",
		`uint64(1<<64 - 1)`:     "panic: 18446744073709551615",
		`true`:                  "panic: true",
		`'x'`:                   "panic: 120",
		`name("quoted \"it\"")`: `panic: text.name("quoted \"it\"")`,
		`flag(false)`:           "panic: text.flag(false)",
		`size(1<<63)`:           "panic: text.size(9223372036854775808)",
		`point{1, 2}`:           "panic: text.point",
		`n`:                     "panic: uint8",
		`size(n)`:               "panic: text.size",
		`[2]name{}`:             "panic: [2]text.name",
		`any(size(4))`:          "panic: text.size(4)",
	} {
		f, err := jit.FuncSource[func(uint8) uint8]("text.go", types+value+") }", "f")
		language.require(t, err)
		got := func() (v any) {
			defer func() { v = recover() }()
			return f(1)
		}()
		var p *jit.PanicError
		if err, ok := got.(error); !ok || !errors.As(err, &p) {
			t.Errorf("panic(%s): %v", value, got)
		} else if p.Message != want {
			t.Errorf("panic(%s): %q, want %q", value, p.Message, want)
		}
	}
}
