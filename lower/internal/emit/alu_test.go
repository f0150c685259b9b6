package emit

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/vm"
)

// boundaries are operands at which arithmetic goes wrong first.
var boundaries = []uint64{
	0, 1, 2, 7, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
	math.MaxInt32, 1 << 31, math.MaxUint32, 1 << 32, 1<<32 | 1, 0x0123456789abcdef,
	math.MaxInt64, 1 << 63, 1<<63 | 1, math.MaxUint64 - 1, math.MaxUint64,
}

// models says in Go what each arithmetic operation computes, for 64 and 32 bits,
// by mir's definition: total, shifts masked.
var models = map[mir.Op]struct {
	wide   func(x, y uint64) uint64
	narrow func(x, y uint32) uint32
}{
	mir.OpAdd: {func(x, y uint64) uint64 { return x + y }, func(x, y uint32) uint32 { return x + y }},
	mir.OpSub: {func(x, y uint64) uint64 { return x - y }, func(x, y uint32) uint32 { return x - y }},
	mir.OpMul: {func(x, y uint64) uint64 { return x * y }, func(x, y uint32) uint32 { return x * y }},
	mir.OpDiv: {div[uint64], div[uint32]},
	mir.OpRem: {rem[uint64], rem[uint32]},
	mir.OpSDiv: {func(x, y uint64) uint64 { return uint64(div(int64(x), int64(y))) },
		func(x, y uint32) uint32 { return uint32(div(int32(x), int32(y))) }},
	mir.OpSRem: {func(x, y uint64) uint64 { return uint64(rem(int64(x), int64(y))) },
		func(x, y uint32) uint32 { return uint32(rem(int32(x), int32(y))) }},
	mir.OpAnd: {func(x, y uint64) uint64 { return x & y }, func(x, y uint32) uint32 { return x & y }},
	mir.OpOr:  {func(x, y uint64) uint64 { return x | y }, func(x, y uint32) uint32 { return x | y }},
	mir.OpXor: {func(x, y uint64) uint64 { return x ^ y }, func(x, y uint32) uint32 { return x ^ y }},
	mir.OpLsh: {func(x, y uint64) uint64 { return x << (y % 64) }, func(x, y uint32) uint32 { return x << (y % 32) }},
	mir.OpRsh: {func(x, y uint64) uint64 { return x >> (y % 64) }, func(x, y uint32) uint32 { return x >> (y % 32) }},
	mir.OpArsh: {func(x, y uint64) uint64 { return uint64(int64(x) >> (y % 64)) },
		func(x, y uint32) uint32 { return uint32(int32(x) >> (y % 32)) }},
	mir.OpNeg: {func(x, _ uint64) uint64 { return -x }, func(x, _ uint32) uint32 { return -x }},
	mir.OpMov: {func(_, y uint64) uint64 { return y }, func(_, y uint32) uint32 { return y }},
}

func div[T uint64 | uint32 | int64 | int32](x, y T) T {
	if y == 0 {
		return 0
	}
	return x / y
}

func rem[T uint64 | uint32 | int64 | int32](x, y T) T {
	if y == 0 {
		return x
	}
	return x % y
}

// prepare emits a function that computes r0 from r1 and r2, which it loads
// from the context.
func prepare(t *testing.T, body string) func(x, y uint64) uint64 {
	t.Helper()
	text := "func f entry params=1\nb0:\n\tload.8 r2, [r1+8]\n\tload.8 r1, [r1+0]\n" + body + "\n\texit\n"
	out := emit(t, parse(t, text), testInput(v4Kernel))
	p, err := vm.Load(out.Insns)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	panics := map[string][]byte{".data.panics": make([]byte, 32)}
	return func(x, y uint64) uint64 {
		var ctx []byte
		for _, v := range []uint64{x, y} {
			for range 8 {
				ctx = append(ctx, byte(v))
				v >>= 8
			}
		}
		r0, err := p.Run(vm.Options{Ctx: ctx, Sections: panics})
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return r0
	}
}

// TestArithmetic runs every arithmetic operation, in both widths and with both
// kinds of second operand, and compares with Go.
func TestArithmetic(t *testing.T) {
	for op := mir.OpInvalid + 1; int(op) < mir.NumOps; op++ {
		model, ok := models[op]
		if !ok {
			if op >= mir.OpAdd && op <= mir.OpNeg {
				t.Errorf("no model of %v", op)
			}
			continue
		}
		wide, narrow := op.String()+" r0, r2", op.String()+"32 r0, r2"
		if op == mir.OpNeg {
			wide, narrow = "neg r0", "neg32 r0"
		}
		run64 := prepare(t, "\tmov r0, r1\n\t"+wide)
		run32 := prepare(t, "\tmov r0, r1\n\t"+narrow)
		for _, x := range boundaries {
			for _, y := range boundaries {
				if got, want := run64(x, y), model.wide(x, y); got != want {
					t.Errorf("%s: %#x, %#x gives %#x, want %#x", wide, x, y, got, want)
				}
				if got, want := run32(x, y), uint64(model.narrow(uint32(x), uint32(y))); got != want {
					t.Errorf("%s: %#x, %#x gives %#x, want %#x", narrow, x, y, got, want)
				}
			}
		}
		if !op.Info().HasImm {
			continue
		}
		for _, y := range []int32{1, 7, 31, -1, math.MinInt32, math.MaxInt32} {
			if (op == mir.OpLsh || op == mir.OpRsh || op == mir.OpArsh) && (y < 0 || y > 31) {
				continue
			}
			wide, narrow := fmt.Sprintf("%v r0, %d", op, y), fmt.Sprintf("%v32 r0, %d", op, y)
			run64 := prepare(t, "\tmov r0, r1\n\t"+wide)
			run32 := prepare(t, "\tmov r0, r1\n\t"+narrow)
			for _, x := range boundaries {
				if got, want := run64(x, 0), model.wide(x, uint64(int64(y))); got != want {
					t.Errorf("%s: %#x gives %#x, want %#x", wide, x, got, want)
				}
				if got, want := run32(x, 0), uint64(model.narrow(uint32(x), uint32(y))); got != want {
					t.Errorf("%s: %#x gives %#x, want %#x", narrow, x, got, want)
				}
			}
		}
	}
}

// TestConversions runs the operations that depend on the width of their operand.
func TestConversions(t *testing.T) {
	tests := map[string]func(x uint64) uint64{
		"movsx.1 r0, r1":   func(x uint64) uint64 { return uint64(int8(x)) },
		"movsx.2 r0, r1":   func(x uint64) uint64 { return uint64(int16(x)) },
		"movsx.4 r0, r1":   func(x uint64) uint64 { return uint64(int32(x)) },
		"movsx32.1 r0, r1": func(x uint64) uint64 { return uint64(uint32(int8(x))) },
		"movsx32.2 r0, r1": func(x uint64) uint64 { return uint64(uint32(int16(x))) },
		"be.2 r1":          func(x uint64) uint64 { return uint64(bits.ReverseBytes16(uint16(x))) },
		"be.4 r1":          func(x uint64) uint64 { return uint64(bits.ReverseBytes32(uint32(x))) },
		"be.8 r1":          bits.ReverseBytes64,
		"le.2 r1":          func(x uint64) uint64 { return uint64(uint16(x)) },
		"le.4 r1":          func(x uint64) uint64 { return uint64(uint32(x)) },
		"le.8 r1":          func(x uint64) uint64 { return x },
		"bswap.2 r1":       func(x uint64) uint64 { return uint64(bits.ReverseBytes16(uint16(x))) },
		"bswap.4 r1":       func(x uint64) uint64 { return uint64(bits.ReverseBytes32(uint32(x))) },
		"bswap.8 r1":       bits.ReverseBytes64,
	}
	for inst, model := range tests {
		body := "\t" + inst
		if inst[:1] != "m" {
			body += "\n\tmov r0, r1"
		}
		run := prepare(t, body)
		for _, x := range boundaries {
			if got, want := run(x, 0), model(x); got != want {
				t.Errorf("%s: %#x gives %#x, want %#x", inst, x, got, want)
			}
		}
	}
}

// TestConstants moves every boundary value and its neighbours into a register.
func TestConstants(t *testing.T) {
	for _, x := range boundaries {
		for _, c := range []uint64{x, -x, x - 1} {
			if got := prepare(t, fmt.Sprintf("\tmov r0, %d", int64(c)))(0, 0); got != c {
				t.Errorf("mov %#x gives %#x", c, got)
			}
			if got, want := prepare(t, fmt.Sprintf("\tmov32 r0, %d", uint32(c)))(0, 0), uint64(uint32(c)); got != want {
				t.Errorf("mov32 %#x gives %#x", want, got)
			}
		}
	}
}

// compare says in Go whether a condition holds.
func compare(c mir.Cond, x, y uint64, sx, sy int64) bool {
	switch c {
	case mir.Eq:
		return x == y
	case mir.Ne:
		return x != y
	case mir.ULt:
		return x < y
	case mir.ULe:
		return x <= y
	case mir.UGt:
		return x > y
	case mir.UGe:
		return x >= y
	case mir.SLt:
		return sx < sy
	case mir.SLe:
		return sx <= sy
	case mir.SGt:
		return sx > sy
	case mir.SGe:
		return sx >= sy
	}
	return x&y != 0
}

// TestConditions runs every condition in both widths, in every operation that
// depends on one.
func TestConditions(t *testing.T) {
	forms := map[string]string{
		"cset":           "\tcset%[1]s r0, r1 %[2]v r2",
		"cmov immediate": "\tmov r0, 1\n\tcset%[1]s r3, r1 %[2]v r2\n\tcmov r0, r3 eq 1 else 0",
		"cmov register":  "\tmov r0, 1\n\tmov r4, 0\n\tcset%[1]s r3, r1 %[2]v r2\n\tcmov32 r0, r3 ugt 0 else r4",
		"branch":         "\tbr%[1]s r1 %[2]v r2, b1, b2\nb1:\n\tmov r0, 1\n\tjmp b9\nb2:\n\tmov r0, 0\n\tjmp b9\nb9:",
		// The deeper block comes next.
		"branch else": "\tbr%[1]s r1 %[2]v r2, b1, b2\nb2: depth=1\n\tmov r0, 0\n\tjmp b9\nb1:\n\tmov r0, 1\n\tjmp b9\nb9:",
		"check":       "\tcheck%[1]s r1 %[2]v r2, panic 0\n\tmov r0, 0",
	}
	for form, body := range forms {
		for c := mir.CondNone + 1; c < mir.NumConds; c++ {
			for _, w := range []string{"", "32"} {
				run := prepare(t, fmt.Sprintf(body, w, c))
				for _, x := range boundaries {
					for _, y := range boundaries {
						holds := compare(c, x, y, int64(x), int64(y))
						if w != "" {
							holds = compare(c, uint64(uint32(x)), uint64(uint32(y)), int64(int32(x)), int64(int32(y)))
						}
						want := uint64(0)
						if holds {
							want = 1
						}
						if form == "check" {
							want *= 2 // Input.OnPanic
						}
						if got := run(x, y); got != want {
							t.Errorf("%s%s: %#x %v %#x gives %d, want %d", form, w, x, c, y, got, want)
						}
					}
				}
			}
		}
	}
}
