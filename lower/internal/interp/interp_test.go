package interp_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/ir/irtest"
)

// parse returns the valid module that text stands for.
func parse(t testing.TB, text string) *ir.Module {
	t.Helper()
	m, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestEveryOp runs the sample of every operation, so that none is unknown.
func TestEveryOp(t *testing.T) {
	for op := ir.OpInvalid + 1; int(op) < ir.NumOps; op++ {
		t.Run(op.String(), func(t *testing.T) {
			m := parse(t, irtest.OpSamples[op])
			f := m.Funcs[0]
			vm := interp.New(m, interp.Options{
				Helper: func(*interp.Machine, *ir.Helper, []uint64) (uint64, error) { return 7, nil },
			})
			for _, x := range []uint64{0, 1, 1 << 31, 1<<64 - 1} {
				args := make([]uint64, len(f.Params()))
				for i := range args {
					args[i] = x
				}
				results, panicked, err := vm.Run(f, args...)
				if err != nil || panicked != nil {
					t.Fatalf("f(%#x): panic %v, error %v", x, panicked, err)
				}
				if len(results) != len(f.Results) {
					t.Fatalf("f(%#x): %d results", x, len(results))
				}
				for i, typ := range f.Results {
					if typ == ir.I32 && results[i]>>32 != 0 {
						t.Errorf("f(%#x): result %d is %#x, too wide for an i32", x, i, results[i])
					}
				}
			}
		})
	}
}

// TestEval checks the arithmetic of the rows against what Go computes for the
// same operation, except where BPF is total and Go is not.
func TestEval(t *testing.T) {
	const (
		min32 = 1 << 31
		max32 = 1<<32 - 1
		min64 = 1 << 63
		max64 = 1<<64 - 1
	)
	tests := []struct {
		expr    string // %a and %b are the operands
		in, out string // type of operands and result
		a, b    uint64
		want    uint64
	}{
		{"add i32 %a, %b", "i32", "i32", max32, 2, 1},
		{"add i64 %a, %b", "i64", "i64", max64, 2, 1},
		{"sub i32 %a, %b", "i32", "i32", 0, 1, max32},
		{"sub i64 %a, %b", "i64", "i64", 0, 1, max64},
		{"mul i32 %a, %b", "i32", "i32", 0x10001, 0x10001, 0x20001},
		{"mul i64 %a, %b", "i64", "i64", max64, max64, 1},
		{"udiv i32 %a, %b", "i32", "i32", max32, 2, 1<<31 - 1},
		{"udiv i64 %a, %b", "i64", "i64", 7, 0, 0},
		{"sdiv i32 %a, %b", "i32", "i32", max32 - 6, 2, max32 - 2}, // -7 / 2 = -3
		{"sdiv i32 %a, %b", "i32", "i32", min32, max32, min32},
		{"sdiv i64 %a, %b", "i64", "i64", min64, max64, min64},
		{"sdiv i64 %a, %b", "i64", "i64", 7, 0, 0},
		{"urem i32 %a, %b", "i32", "i32", 7, 0, 7},
		{"urem i64 %a, %b", "i64", "i64", max64, 10, 5},
		{"srem i32 %a, %b", "i32", "i32", max32 - 6, 2, max32}, // -7 % 2 = -1
		{"srem i32 %a, %b", "i32", "i32", min32, max32, 0},
		{"srem i64 %a, %b", "i64", "i64", 7, 0, 7},
		{"and i32 %a, %b", "i32", "i32", 12, 10, 8},
		{"or i32 %a, %b", "i32", "i32", 12, 10, 14},
		{"xor i64 %a, %b", "i64", "i64", 12, 10, 6},
		{"shl i32 %a, %b", "i32", "i32", 3, 31, min32},
		{"shl i32 %a, %b", "i32", "i32", 3, 33, 6},
		{"shl i64 %a, %b", "i64", "i64", 3, 65, 6},
		{"lshr i32 %a, %b", "i32", "i32", min32, 31, 1},
		{"lshr i64 %a, %b", "i64", "i64", min64, 63, 1},
		{"ashr i32 %a, %b", "i32", "i32", min32, 31, max32},
		{"ashr i64 %a, %b", "i64", "i64", min64, 127, max64},
		{"neg i32 %a", "i32", "i32", 1, 0, max32},
		{"neg i64 %a", "i64", "i64", min64, 0, min64},
		{"sextin i32 8 %a", "i32", "i32", 0x1280, 0, 0xffffff80},
		{"sextin i32 16 %a", "i32", "i32", 0x12345678, 0, 0x5678},
		{"sextin i64 32 %a", "i64", "i64", 1<<40 | min32, 0, max64 &^ (min32 - 1)},
		{"trunc i32 %a", "i64", "i32", 0x123456789, 0, 0x23456789},
		{"zext i64 %a", "i32", "i64", max32, 0, max32},
		{"sext i64 %a", "i32", "i64", max32, 0, max64},
		{"bswap i32 16 %a", "i32", "i32", 0x11223344, 0, 0x4433},
		{"bswap i32 32 %a", "i32", "i32", 0x11223344, 0, 0x44332211},
		{"bswap i64 64 %a", "i64", "i64", 0x1122334455667788, 0, 0x8877665544332211},
		{"eq i32 %a, %b", "i64", "i32", 1 << 32, 0, 0},
		{"ne i32 %a, %b", "i64", "i32", 1 << 32, 0, 1},
		{"ult i32 %a, %b", "i32", "i32", 1, max32, 1},
		{"ule i32 %a, %b", "i32", "i32", 1, 1, 1},
		{"ugt i32 %a, %b", "i64", "i32", max64, 1, 1},
		{"uge i32 %a, %b", "i64", "i32", 1, max64, 0},
		{"slt i32 %a, %b", "i32", "i32", max32, 1, 1},
		{"sle i32 %a, %b", "i64", "i32", max64, max64, 1},
		{"sgt i32 %a, %b", "i32", "i32", max32, 1, 0},
		{"sge i32 %a, %b", "i64", "i32", min64, 1<<63 - 1, 0},
	}
	for _, tt := range tests {
		expr := strings.NewReplacer("%a", "v0", "%b", "v1").Replace(tt.expr)
		m := parse(t, fmt.Sprintf("func @f(v0 %s, v1 %[1]s) (%s) {\nb0:\nv2 = %s\nreturn v2\n}", tt.in, tt.out, expr))
		got, _, err := interp.New(m, interp.Options{}).Run(m.Funcs[0], tt.a, tt.b)
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
		} else if got[0] != tt.want {
			t.Errorf("%s of %#x, %#x is %#x, want %#x", tt.expr, tt.a, tt.b, got[0], tt.want)
		}
	}
}

// TestRun has functions of one or more integers with their results.
func TestRun(t *testing.T) {
	tests := []struct {
		name, text string
		args       []uint64
		want       []uint64
	}{
		{"loop", `func @sum(v0 i64) (i64) {
			b0:
				v1 = const i64 0
				v2 = const i64 1
				jump b1(v1, v1)
			b1(v3 i64, v4 i64):
				v5 = ult i32 v3, v0
				branch v5, b2, b3
			b2:
				v6 = add i64 v4, v3
				v7 = add i64 v3, v2
				jump b1(v7, v6)
			b3:
				return v4
			}`, []uint64{5}, []uint64{10}},
		{"parameters are passed at once", `func @swap(v0 i64, v1 i64) (i64, i64) {
			b0:
				v2 = const i32 1
				v3 = const i32 0
				jump b1(v0, v1, v2)
			b1(v4 i64, v5 i64, v6 i32):
				branch v6, b1(v5, v4, v3), b2
			b2:
				return v4, v5
			}`, []uint64{1, 2}, []uint64{2, 1}},
		{"several results", irtest.OpSamples[ir.OpResult], []uint64{1, 2}, []uint64{2, 1}},
		{"loads extend", `func @f(v0 i64) (i32, i32, i64, i64) {
				slot s0 "x" size 8 align 8
			b0:
				v1 = slotaddr ptr.stack s0
				store.8 v1 +0, v0
				v2 = load.1 i32 v1 +1
				v3 = load.1s i32 v1 +1
				v4 = load.4 i64 v1 +4
				v5 = load.4s i64 v1 +4
				return v2, v3, v4, v5
			}`, []uint64{0x90000000_00008000}, []uint64{0x80, 0xffffff80, 0x90000000, 0xffffffff_90000000}},
		{"stores truncate", `func @f(v0 i64) (i64) {
				slot s0 "x" size 8 align 8
			b0:
				v1 = slotaddr ptr.stack s0
				memzero 8 v1 +0
				store.2 v1 +2, v0
				v2 = load.8 i64 v1 +0
				return v2
			}`, []uint64{0x12345678}, []uint64{0x56780000}},
		{"address through memory", `func @f(v0 i64) (i64) {
				slot s0 "x" size 8 align 8
				slot s1 "p" size 16 align 8
			b0:
				v1 = slotaddr ptr.stack s0
				v2 = slotaddr ptr.stack s1
				store.8 v2 +8, v1
				v3 = load.8 ptr.stack v2 +8
				store.8 v3 +0, v0
				v4 = load.8 i64 v1 +0
				return v4
			}`, []uint64{42}, []uint64{42}},
		{"address of a caller's slot", `func @f(v0 i64) (i64) {
				slot s0 "x" size 8 align 8
			b0:
				v1 = slotaddr ptr.stack s0
				store.8 v1 +0, v0
				call @double(v1)
				v2 = load.8 i64 v1 +0
				return v2
			}
			func @double(v0 ptr.stack) {
			b0:
				v1 = load.8 i64 v0 +0
				v2 = add i64 v1, v1
				store.8 v0 +0, v2
				return
			}`, []uint64{21}, []uint64{42}},
		{"pointer before its object", `func @f(v0 i64) (i64, i64) {
				slot s0 "x" size 8 align 8
			b0:
				v1 = slotaddr ptr.stack s0
				v2 = ptradd ptr.stack v1, v0
				store.8 v2 +8, v0
				v3 = load.8 i64 v1 +0
				v4 = ptrdiff i64 v2, v1
				return v3, v4
			}`, []uint64{1<<64 - 8}, []uint64{1<<64 - 8, 1<<64 - 8}},
		{"fetching atomics", `func @f(v0 i32) (i32, i32, i32, i32, i32, i32, i32) {
				slot s0 "x" size 4 align 4
			b0:
				v1 = slotaddr ptr.stack s0
				v2 = const i32 -1
				store.4 v1 +0, v2
				v3 = atomic.4 i32 fetchadd v1 +0, v0
				v4 = atomic.4 i32 fetchor v1 +0, v0
				v5 = atomic.4 i32 fetchand v1 +0, v0
				v6 = atomic.4 i32 fetchxor v1 +0, v0
				v7 = atomic.4 i32 xchg v1 +0, v0
				v8 = atomic.4 i32 cmpxchg v1 +0, v0, v2
				v9 = load.4 i32 v1 +0
				return v3, v4, v5, v6, v7, v8, v9
			}`, []uint64{6}, []uint64{1<<32 - 1, 5, 7, 6, 0, 6, 1<<32 - 1}},
		{"atomics", `func @f(v0 i64) (i64) {
				slot s0 "x" size 8 align 8
			b0:
				v1 = slotaddr ptr.stack s0
				memzero 8 v1 +0
				atomic.8 add v1 +0, v0
				atomic.8 or v1 +0, v0
				v2 = const i64 3
				atomic.8 and v1 +0, v2
				atomic.8 xor v1 +0, v0
				v3 = atomic.8 i64 cmpxchg v1 +0, v0, v2
				return v3
			}`, []uint64{6}, []uint64{4}},
		{"select", irtest.OpSamples[ir.OpSelect], []uint64{0, 5, 6}, []uint64{6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.text)
			got, panicked, err := interp.New(m, interp.Options{}).Run(m.Funcs[0], tt.args...)
			if err != nil || panicked != nil {
				t.Fatalf("panic %v, error %v", panicked, err)
			}
			if fmt.Sprintf("%#x", got) != fmt.Sprintf("%#x", tt.want) {
				t.Errorf("got %#x, want %#x", got, tt.want)
			}
		})
	}
}

// TestPanics checks each check on both sides of its limit, and that a panic
// leaves all frames.
func TestPanics(t *testing.T) {
	const head = "site !0 index \"a\"\nsite !1 nil \"b\"\n"
	body := func(instr string) string {
		return head + "func @f(v0 i64, v1 i64) {\nb0:\nv2 = trunc i32 v0\nv3 = inttoptr ptr v0\n" + instr + "\nreturn\n}\n"
	}
	tests := []struct {
		text string
		a, b uint64
		want string
	}{
		{body("check v2 !1"), 1, 0, ""},
		{body("check v2 !1"), 1 << 32, 0, "b"},
		{body("v4 = checkidx i64 v0, v1 !0"), 4, 5, ""},
		{body("v4 = checkidx i64 v0, v1 !0"), 5, 5, "a"},
		{body("v4 = checkidx i64 v0, v1 !0"), 1<<64 - 1, 5, "a"},
		{body("v4 = checkule i64 v0, v1 !0"), 5, 5, ""},
		{body("v4 = checkule i64 v0, v1 !0"), 6, 5, "a"},
		{body("v4 = checknonnil ptr v3 !1"), 1, 0, ""},
		{body("v4 = checknonnil ptr v3 !1"), 0, 0, "b"},
		{head + "func @f(v0 i64, v1 i64) {\nb0:\npanic !1\n}", 0, 0, "b"},
		{head + "func @f(v0 i64, v1 i64) {\nb0:\ncall @g()\nunreachable\n}\nfunc @g() {\nb0:\npanic !0\n}", 0, 0, "a"},
	}
	for _, tt := range tests {
		m := parse(t, tt.text)
		_, panicked, err := interp.New(m, interp.Options{}).Run(m.Funcs[0], tt.a, tt.b)
		got := ""
		if panicked != nil {
			got = panicked.Message
		}
		if err != nil || got != tt.want {
			t.Errorf("f(%d, %d) panicked with %q, want %q (error %v):\n%s", tt.a, tt.b, got, tt.want, err, tt.text)
		}
	}
}

// TestErrors checks that what the kernel or the stack would not bear is found.
func TestErrors(t *testing.T) {
	const head = `data @ro size 8 align 8 ro
data @rw size 8 align 2 rw
map @m
helper h 1 () i64
func @f(v0 i64, v1 ptr.stack) {
	slot s0 "x" size 8 align 8
	slot s1 "y" size 8 align 1
b0:
	v2 = slotaddr ptr.stack s0
	v3 = slotaddr ptr.stack s1
	v4 = dataaddr ptr.data @ro +0
	v5 = dataaddr ptr.data @rw +0
	v6 = const ptr 0
	v7 = inttoptr ptr v0
`
	const tail = `
	return
}
func @rec(v0 i64, v1 ptr.stack) {
b0:
	call @rec(v0, v1)
	return
}
func @leak() (ptr.stack) {
	slot s0 "z" size 8 align 8
b0:
	v0 = slotaddr ptr.stack s0
	return v0
}
`
	tests := []struct{ name, body, want string }{
		{"unwritten", "v8 = load.8 i64 v2 +0", "func @f: v8 = load.8 i64 v2 +0: byte 0 of slot s0 (x) of func @f is read before it is written"},
		{"partly written", "store.4 v2 +0, v0\nv8 = load.8 i64 v2 +0", "byte 4 of slot s0"},
		{"copy of unwritten", "store.4 v2 +0, v0\nmemcopy 8 v3, v2", "byte 4 of slot s0"},
		{"after", "store.8 v2 +8, v0", "8 bytes at offset 8 are not in the 8 bytes of slot s0"},
		{"before", "store.8 v2 -8, v0", "8 bytes at offset -8"},
		{"across the end", "v8 = const i64 4\nv9 = ptradd ptr.stack v2, v8\nmemzero 8 v9 +0", "8 bytes at offset 4"},
		{"huge", "memzero 4611686018427387904 v2 +0", "out of fuel"},
		{"huge offset", "v8 = const i64 4611686018427387904\nv9 = ptradd ptr.stack v2, v8\nmemzero 8 v9 +0", "points to no object"},
		{"unaligned", "v8 = const i64 2\nv9 = ptradd ptr.stack v2, v8\nstore.4 v9 +0, v0", "access of 4 bytes at offset 2 of slot s0 (x) of func @f, which is aligned to 8"},
		{"aligned too little", "store.4 v5 +0, v0", "access of 4 bytes at offset 0 of data rw, which is aligned to 2"},
		{"constant", "store.8 v4 +0, v0", "write to data ro, which is read-only"},
		{"atomic on a constant", "atomic.8 add v4 +0, v0", "write to data ro"},
		{"nil", "v8 = load.8 i64 v6 +0", "nil dereference"},
		{"integer", "v8 = load.8 i64 v7 +0", "0x7 points to no object"},
		{"slot of a frame that is gone", "v8 = call ptr.stack @leak()\nstore.8 v8 +0, v0", "points to an object that is gone"},
		{"content of a map", "v8 = mapref mapref @m\nv9 = pi mapref v8\nv10 = ptrtoint i64 v2\nstore.8 v1 +0, v10", "0 bytes of map m"},
		{"overlap", "memzero 8 v2 +0\nv8 = const i64 4\nv9 = ptradd ptr.stack v2, v8\nmemcopy 8 v9, v2", "which overlap"},
		{"helper", "v8 = helper i64 h()", "no helpers are given"},
		{"recursion", "call @rec(v0, v1)", "nested more than 1000 deep"},
		{"loop", "jump b1\nb1:\njump b1\nb2:", "out of fuel"},
		{"unreachable", "unreachable\nb1:", "block without an end was reached"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, head+tt.body+tail)
			vm := interp.New(m, interp.Options{})
			ref := vm.NewObject(interp.Object{Name: "map m", Map: m.Maps[0]})
			_, panicked, err := vm.Run(m.Funcs[0], 7, ref)
			if panicked != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("panic %v, error %v, want %s", panicked, err, tt.want)
			}
			if fuel := tt.want == interp.ErrFuel.Error(); errors.Is(err, interp.ErrFuel) != fuel {
				t.Errorf("error %v is ErrFuel: %t", err, !fuel)
			}
		})
	}
}

// TestFuel checks that the limit is exact and holds for each run anew.
func TestFuel(t *testing.T) {
	m := parse(t, "func @f() (i64) {\nb0:\nv0 = const i64 1\nv1 = add i64 v0, v0\nreturn v1\n}")
	vm := interp.New(m, interp.Options{Fuel: 3})
	for range 2 {
		if _, _, err := vm.Run(m.Funcs[0]); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := interp.New(m, interp.Options{Fuel: 2}).Run(m.Funcs[0]); err != interp.ErrFuel {
		t.Errorf("error %v, want ErrFuel", err)
	}
}

// TestData checks that globals keep what a run wrote, and that the module does
// not change.
func TestData(t *testing.T) {
	m := parse(t, `data @n size 8 align 8 rw "\x05"
func @f() (i64) {
b0:
	v0 = dataaddr ptr.data @n +0
	v1 = load.8 i64 v0 +0
	v2 = add i64 v1, v1
	store.8 v0 +0, v2
	return v1
}`)
	vm := interp.New(m, interp.Options{})
	for _, want := range []uint64{5, 10} {
		if got, _, err := vm.Run(m.Funcs[0]); err != nil || got[0] != want {
			t.Errorf("got %v, %v, want %d", got, err, want)
		}
	}
	if d := m.Data[0]; vm.Data(d)[0] != 20 || d.Bytes[0] != 5 {
		t.Errorf("content is %d, in the module %d", vm.Data(d)[0], d.Bytes[0])
	}
}

// TestRunProgram runs a program on a context whose packet pointers are 32-bit
// fields, as an XDP program's are.
func TestRunProgram(t *testing.T) {
	m := parse(t, `site !0 slice "slice bounds out of range"
func @xdp(v0 ptr.ctx) (i32) {
b0:
	v1 = load.4 ptr.packet v0 +0
	v2 = load.4 ptr.packetend v0 +4
	v3 = const i64 6
	v4 = ptradd ptr.packet v1, v3
	v5 = ule i32 v4, v2
	check v5 !0
	v6 = load.4 i32 v1 +2
	store.4 v0 +8, v6
	return v6
}`)
	vm := interp.New(m, interp.Options{})
	for _, n := range []uint64{6, 5} {
		packet := vm.NewObject(interp.Object{Name: "packet", Bytes: []byte{0, 0, 1, 2, 3, 4}[:n], AnyAlign: true})
		ctx := make([]byte, 12)
		addr := vm.NewObject(interp.Object{
			Name: "context", Bytes: ctx, Align: 8,
			Pointers: map[int64]uint64{0: packet, 4: packet + n},
		})
		got, panicked, err := vm.Run(m.Funcs[0], addr)
		switch {
		case err != nil:
			t.Error(err)
		case n == 5 && panicked != m.Sites[0]:
			t.Errorf("short packet: panic %v", panicked)
		case n == 6 && (got[0] != 0x04030201 || ctx[8] != 1):
			t.Errorf("got %#x, context %v", got, ctx)
		}
	}

	m = parse(t, "func @f(v0 ptr.ctx) (i64) {\nb0:\nv1 = load.8 i64 v0 +8\nstore.8 v0 +0, v1\nreturn v1\n}")
	ctx := make([]byte, 16)
	ctx[8] = 42
	got, panicked, err := interp.New(m, interp.Options{}).RunProgram(ctx)
	if got != 42 || panicked != nil || err != nil || ctx[0] != 42 {
		t.Errorf("got %d, panic %v, error %v, context %v", got, panicked, err, ctx)
	}
}

// TestHelpers checks what a helper can do: read and write memory, tell maps and
// functions, call back, fail.
func TestHelpers(t *testing.T) {
	m := parse(t, `map @counts
helper update 2 (map, mem, out, scalar) sizes (-1, 3) i64 reads writes
helper loop 181 (scalar, func, mem, scalar) sizes (-1) i64 reads writes
helper fail 3 () i64
site !0 explicit "stop"
func @f(v0 i64) (i64, i64) {
	slot s0 "key" size 8 align 8
	slot s1 "out" size 8 align 8
b0:
	v1 = slotaddr ptr.stack s0
	v2 = slotaddr ptr.stack s1
	store.8 v1 +0, v0
	v3 = mapref mapref @counts
	v4 = const i64 8
	v5 = helper i64 update(v3, v1, v2, v4)
	v6 = load.8 i64 v2 +0
	v7 = funcaddr funcref @body
	v8 = const i64 3
	v9 = helper i64 loop(v8, v7, v1, v8)
	v10 = load.8 i64 v1 +0
	return v6, v10
}
func @body(v0 i64, v1 ptr.stack) {
b0:
	v2 = load.8 i64 v1 +0
	v3 = add i64 v2, v2
	store.8 v1 +0, v3
	v4 = const i64 100
	v5 = ult i32 v3, v4
	check v5 !0
	return
}
func @failing() {
b0:
	v0 = helper i64 fail()
	return
}`)
	errBroken := errors.New("broken")
	helper := func(vm *interp.Machine, h *ir.Helper, args []uint64) (uint64, error) {
		switch h.Name {
		case "update":
			o, _, err := vm.Object(args[0])
			if err != nil || o.Map != m.Maps[0] {
				return 0, fmt.Errorf("argument 0 is not the map: %v", err)
			}
			key, err := vm.Read(args[1], 8)
			if err != nil {
				return 0, err
			}
			return 0, vm.Write(args[2], append(key[1:], key[0])[:args[3]])
		case "loop":
			o, _, err := vm.Object(args[1])
			if err != nil || o.Func != m.Funcs[1] {
				return 0, fmt.Errorf("argument 1 is not the function: %v", err)
			}
			for i := range args[0] {
				if _, err := vm.Call(o.Func, i, args[2]); err != nil {
					return 0, err
				}
			}
			return args[0], nil
		}
		return 0, errBroken
	}
	vm := interp.New(m, interp.Options{Helper: helper})
	got, panicked, err := vm.Run(m.Funcs[0], 7)
	if err != nil || panicked != nil || got[0] != 7<<56 || got[1] != 56 {
		t.Errorf("got %#x, panic %v, error %v", got, panicked, err)
	}
	// A panic in what the helper calls ends the run.
	if _, panicked, err := vm.Run(m.Funcs[0], 30); panicked != m.Sites[0] || err != nil {
		t.Errorf("panic %v, error %v", panicked, err)
	}
	if _, _, err := vm.Run(m.Funcs[2]); !errors.Is(err, errBroken) {
		t.Errorf("error %v, want %v", err, errBroken)
	}
	if _, _, err := vm.Run(m.Funcs[0]); err == nil {
		t.Error("a call with too few arguments succeeded")
	}
}
