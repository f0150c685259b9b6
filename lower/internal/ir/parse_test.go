package ir_test

import (
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/ir/irtest"
)

// parse returns the module that text stands for, which must be valid.
func parse(t testing.TB, text string) *ir.Module {
	t.Helper()
	m, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(m); err != nil {
		t.Fatalf("%v\n%s", err, m)
	}
	return m
}

// TestPrintNormalises checks that text in any order of blocks and under any
// names is printed in the one order and under the dense names.
func TestPrintNormalises(t *testing.T) {
	got := parse(t, `
		// Names are quoted where they must be.
		data @"a b" size 4 align 1 rw "x\x00\xff" room 12 // not the zero at the end
		map @m
		site !0 index "index out of range"
		func @"(*T).f"(v7 i64) (i64) noinline {
			slot s0 "p q" size 8 align 8 looped
		b0:
			v3 = const i64 10
			jump b9(v7)
		b4:
			unreachable
		b2(v40 i64):
			return v40
		b9(v5 i64):
			v6 = ult i32 v5, v3
			branch v6, b8, b2(v5)
		b8:
			v60 = add i64 v5, v3
			jump b9(v60)
		}`).String()
	const want = `data @"a b" size 4 align 1 rw "x\x00\xff" room 12
map @m
site !0 index "index out of range"

func @"(*T).f"(v0 i64) (i64) noinline {
	slot s0 "p q" size 8 align 8 looped
b0:
	v1 = const i64 10
	jump b1(v0)
b1(v2 i64):
	v3 = ult i32 v2, v1
	branch v3, b2(), b3(v2)
b2:
	v4 = add i64 v2, v1
	jump b1(v4)
b3(v5 i64):
	return v5
b4:
	unreachable
}
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestPrintDuplicateNames checks that the text stays readable when objects
// share a name, as constants may.
func TestPrintDuplicateNames(t *testing.T) {
	m := new(ir.Module)
	for _, name := range []string{"s", "s", "s#2", ""} {
		m.Data = append(m.Data, &ir.Data{Name: name, Align: 1})
	}
	const want = `data @s size 0 align 1 ro
data @s#2 size 0 align 1 ro
data @s#2#2 size 0 align 1 ro
data @"" size 0 align 1 ro
`
	if got := m.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := parse(t, want).String(); got != want {
		t.Errorf("read back:\n%s\nwant:\n%s", got, want)
	}
}

// TestPrintBroken checks that dumps of broken functions work: they are what one
// debugs a pass with.
func TestPrintBroken(t *testing.T) {
	m := new(ir.Module)
	f := m.NewFunc("f", 0)
	b := f.NewBlock()
	stray := f.NewValue(ir.OpConst, ir.I32, 0)
	b.Add(ir.OpAdd, ir.I32, 0, stray, nil)
	b.Add(ir.OpAdd, ir.I32, 0)
	b.Add(ir.OpCheck, ir.Void, 0, stray)
	b.Add(ir.OpInvalid, ir.Void, 0)
	b.Jump(0, nil)
	const want = `func @f() {
b0:
	v0 = add i32 ?v0, ?missing
	v1 = add i32 ?missing, ?missing
	check ?v0 ?missing
	invalid
	jump ?missing()
}
`
	if got := f.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	const head = "func @f(v0 i64) {\nb0:\n"
	tests := []struct{ text, want string }{
		{"nonsense", "line 1: found 'nonsense', want a declaration"},
		{"\n\n$%", "line 3: unexpected character '%'"},
		{`map "x"`, `line 1: found "x", want the map's name`},
		{"map @x\nmap @x", "line 2: map @x is declared twice"},
		{"map @", "line 1: @ without a name"},
		{`map @"x`, "line 1: unfinished string"},
		{"data @d size -1 align 1 ro", "line 1: size -1 is out of range"},
		{"data @d size 99999999999 align 1 ro", "line 1: size 99999999999 is out of range"},
		{"data @d size 99999999999999999999 align 1 ro", "line 1: size 99999999999999999999 is out of range"},
		{"data @d size 1 align 1 xx", "line 1: found 'xx', want 'ro'"},
		{`data @d size 1 align 1 ro "ab"`, "line 1: 2 bytes in an object of 1"},
		{"helper h 99999999999 () i64", "line 1: helper number 99999999999 is out of range"},
		{"helper h 1 (what) i64", "line 1: unknown kind of parameter what"},
		{"helper h 1 (mem, ", "line 1: found end of line, want a kind of parameter"},
		{"helper h 1 () i99", "line 1: unknown type i99"},
		{`site !1 index "x"`, "line 1: site !1 is number 0"},
		{`site !0 whim "x"`, "line 1: unknown kind of panic whim"},
		{"func @f() {\n}", "line 1: function @f has no block"},
		{"func @f() {\nb0:\n", "line 3: function @f has no closing brace"},
		{"func @f() {\n\treturn\n}", "line 2: found 'return' before the first block"},
		{"func @f() {\nb0(v0 i64):\n}", "line 2: found '(', want ':'"},
		{"func @f() {\nb0:\n}\nfunc @f() {\nb0:\n}", "line 4: function @f is declared twice"},
		{head + "b0:\n}", "line 3: b0 is defined twice"},
		{head + "return\nreturn\n}", "line 4: found 'return' after the end of the block"},
		{head + "v0 = const i64 1\n}", "line 3: v0 is defined twice"},
		{head + "v1 = neg i64 v9\n}", "line 3: v9 is not defined"},
		{head + "jump b9\n}", "line 3: b9 is not defined"},
		{head + "v1 = frob i64 v0\n}", "line 3: unknown operation frob"},
		{head + "v1 = param i64\n}", "line 3: unknown operation param"},
		{head + "v1 = neg.8 i64 v0\n}", "line 3: operation neg takes no width"},
		{head + "v1 = load i64 v0 +0\n}", "line 3: operation load needs a width"},
		{head + "v1 = load.08 i64 v0 +0\n}", "line 3: malformed width 08"},
		{head + "v1 = neg i64 x\n}", "line 3: found 'x', want a value"},
		{head + "v1 = neg i64 v0 v0\n}", "line 3: found 'v0', want end of line"},
		{head + "v1 = slotaddr ptr.stack s0\n}", "line 3: slot s0 is not declared"},
		{head + "v1 = dataaddr ptr.data @d +0\n}", "line 3: data @d is not declared"},
		{head + "v1 = mapref mapref @m\n}", "line 3: map @m is not declared"},
		{head + "call @g()\n}", "line 3: function @g is not declared"},
		{head + "helper h()\n}", "line 3: helper h is not declared"},
		{head + "check v0 !0\n}", "line 3: site !0 is not declared"},
		{head + "atomic.8 nand v0 +0, v0\n}", "line 3: unknown atomic operation nand"},
		{head + "slot s1 \"x\" size 1 align 1\n}", "line 3: slot s1 is number 0"},
	}
	for _, tt := range tests {
		_, err := ir.Parse(tt.text)
		if err == nil {
			t.Errorf("Parse(%q) succeeded", tt.text)
		} else if err.Error() != tt.want {
			t.Errorf("Parse(%q): %v, want %s", tt.text, err, tt.want)
		}
	}
}

// FuzzParse checks that neither the parser nor the verifier panics, and that
// what was parsed is printed in a form that is its own normal form.
func FuzzParse(f *testing.F) {
	for op := ir.OpInvalid + 1; int(op) < ir.NumOps; op++ {
		f.Add(irtest.OpSamples[op])
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ir.Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("error without a line: %v", err)
			}
			return
		}
		ir.Verify(m) // may find anything, but must not panic
		once := m.String()
		m2, err := ir.Parse(once)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice := m2.String(); once != twice {
			t.Fatalf("printed:\n%s\nread back:\n%s", once, twice)
		}
	})
}
