package jit_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// lines returns text n times, with $n replaced by the numbers from 0 on, and $m by those
// that follow them.
func lines(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.NewReplacer("$n", strconv.Itoa(i), "$m", strconv.Itoa(i+1)).Replace(text) + "\n")
	}
	return b.String()
}

func within(n int, open, inside, end string) string {
	return strings.Repeat(open, n) + inside + strings.Repeat(end, n)
}

// boundsTests is small sources that stand for a lot: each would take the compiler hours
// and gigabytes. The declarations stand before a program, the statements in it, where x
// is a variable.
var boundsTests = []struct {
	name        string
	decls, body string
	want        string // in the only diagnostic, or "" for a program
}{
	{"structs", "type T0 struct{ a, b int }\n" + lines(64, "type T$m struct{ a, b T$n }"), "var t, u T64; if t == u { x++ }", "type T15 has too many parts"},
	{"empty structs", "type T0 struct{}\n" + lines(64, "type T$m struct{ a [2]T$n; b T$n }"), "var t T64; _ = t", "has too many parts"},
	{"local structs", "", "type T0 struct{ a, b int }\n" + lines(64, "type T$m struct{ a, b T$n }") + "var t T64; _ = t", "type T15 has too many parts"},
	{"generic structs", "type P[E any] struct{ a, b E }\ntype T0 = P[int]\n" + lines(64, "type T$m = P[T$n]"), "var t T64; _ = t", "has too many parts"},
	{"pointers to structs", "type T0 struct{}\n" + lines(64, "type T$m struct{ a, b *T$n }"), "var t, u T64; if t == u { x++ }", ""},
	{"deep structs", "type T0 struct{ a int }\n" + lines(100, "type T$m struct{ T$n }"), "var t T100; t.a = x; x = t.a", ""},
	{"strings", "const s0 = \"0123456789\"\n" + lines(60, "const s$m = s$n + s$n"), "x = len(s60)", "constant s17 is too long a string"},
	{"local strings", "", "const s0 = \"0123456789\"\n" + lines(60, "const s$m = s$n + s$n") + "x = len(s60)", "constant s17 is too long a string"},
	{"repeated strings", "const ( s0 = \"0123456789\"; t0 )\n" + lines(60, "const ( s$m = t$n + t$n; t$m )"), "x = len(s60)", "is too long a string"},
	{"integers", "const c0 = 1\n" + lines(60, "const c$m = c$n + c$n"), "x = c60", ""},
	{"instances", "func f0[T any](t T) int { return 1 }\n" + lines(60, "func f$m[T any](t T) int { return f$n(&t) + f$n([2]T{t}) }"), "x = f60(x)", "more than 10000 instances"},
	{"methods", "type T0[E any] struct{ e E }\nfunc (T0[E]) m() int { return 1 }\n" +
		lines(60, "type T$m[E any] struct{ e E }\nfunc (T$m[E]) m() int { return T$n[*E]{}.m() + T$n[[2]E]{}.m() }"), "x = T60[int]{}.m()", "more than 10000 instances"},
	{"one instance each", "func f0[T any](t T) int { return 1 }\n" + lines(30, "func f$m[T any](t T) int { return f$n(t) + f$n[T](t) }"), "x = f7(x)", ""},
	{"function values", "func f0(g func(int) int, x int) int { return g(x * 7) }\n" +
		lines(40, "func f$m(g func(int) int, x int) int { return f$n(func(y int) int { return g(y) + 1 }, x) + f$n(g, x) }"), "x = f40(func(y int) int { return y + x }, x)",
		"functions are called with too many different function values and constants"},
	{"closures", "func g(f func() int) int { return f() }", "a0, b0 := func() int { return x }, func() int { return x + 1 }\n" +
		lines(60, "a$m := func() int { return a$n() + b$n() }; b$m := func() int { return b$n() * a$n() }") + "x = g(a60) + g(b60)", "holds more than 2000 values"},
	{"loops that wait for each other", "", strings.Repeat("for i := 0; i < x; i++ { x += i * x }\n", 1500), ""},

	{"parentheses", "", "x = " + within(30_000, "(", "x", ")"), "nests too deeply"},
	{"blocks", "", within(30_000, "{", "x++", "}"), "nests too deeply"},
	{"ifs", "", within(5000, "if x > 0 {", "x++", "}"), "nests too deeply"},
	{"loops", "", within(3000, "for x > 0 {", "x--", "}"), "nests too deeply"},
	{"literals", "", within(3000, "func() {", "x--", "}()"), "nests too deeply"},
	{"arrays", "", "var a " + strings.Repeat("[1]", 20_000) + "int; _ = a", "nests too deeply"},
	{"sum", "", "x = x" + strings.Repeat(" + x", 30_000), "nests too deeply"},
	{"short sum", "", "x = x" + strings.Repeat(" + x", 900), ""},
}

// TestBounds compiles small sources that stand for a lot.
func TestBounds(t *testing.T) {
	for _, test := range boundsTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			src := "package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\n" + test.decls +
				"\n//ebpf:section xdp\nfunc prog(ctx *ebpf.XDP) ebpf.XDPAction {\nx := int(ebpf.GetPrandomU32())\n" + test.body + "\nreturn ebpf.XDPAction(x)\n}\n"
			_, err := jit.CompileSource("p.go", src, jit.WithTarget(linux618))
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var list lower.DiagnosticError
			if !errors.As(err, &list) || len(list) != 1 || list[0].Code != lower.TooComplex || !strings.Contains(list[0].Message, test.want) {
				t.Errorf("got %v, want one diagnostic: %s [%v]", err, test.want, lower.TooComplex)
			}
		})
	}
}
