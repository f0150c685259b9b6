package isel_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"go/token"
	"math"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/emit"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/isel"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/regalloc"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
	"github.com/undergo-ebpf/undergo/lower/internal/vm"
)

// boundary holds the operands that operations are tried with.
var boundary = []int64{
	0, 1, -1, 2, 3, -7, 8, 31, 63, 127, -128, 255, 0x8000, -0x8000, 0xffff,
	math.MaxInt32, math.MinInt32, 0x80000000, math.MaxUint32, 1 << 32,
	0x1234_5678_9abc_def0, math.MaxInt64, math.MinInt64, math.MinInt64 + 1,
}

// A sample makes the body of a function from two operands and returns its
// result.
type sample struct {
	name string
	t    ir.Type // of the operands
	body func(b *builder, x, y *ir.Value) *ir.Value
}

// A builder appends to the last block of a function.
type builder struct {
	*ir.Block
	site *ir.Site
}

func (b *builder) op(op ir.Op, t ir.Type, args ...*ir.Value) *ir.Value {
	return b.Add(op, t, 0, args...)
}

// samples has, for every operation on integers, the ways in which it can be
// selected: as a value, as a condition of each kind.
func samples() []sample {
	var list []sample
	add := func(name string, t ir.Type, body func(b *builder, x, y *ir.Value) *ir.Value) {
		list = append(list, sample{fmt.Sprintf("%s %s", name, t), t, body})
	}
	for _, t := range []ir.Type{ir.I32, ir.I64} {
		for op := ir.OpAdd; op <= ir.OpAShr; op++ {
			add(op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value { return b.op(op, t, x, y) })
		}
		add("neg", t, func(b *builder, x, _ *ir.Value) *ir.Value { return b.op(ir.OpNeg, t, x) })
		for _, bits := range []int64{8, 16, 32, 64} {
			imm := func(op ir.Op) func(b *builder, x, _ *ir.Value) *ir.Value {
				return func(b *builder, x, _ *ir.Value) *ir.Value {
					v := b.op(op, t, x)
					v.Imm = bits
					return v
				}
			}
			if bits < int64(t.Bits()) {
				add(fmt.Sprint("sextin ", bits), t, imm(ir.OpSExtIn))
			}
			if bits > 8 && bits <= int64(t.Bits()) {
				add(fmt.Sprint("bswap ", bits), t, imm(ir.OpBswap))
			}
		}
		for op := ir.OpEq; op <= ir.OpSGe; op++ {
			conditions(op, t, add)
		}
		for _, width := range []uint8{1, 2, 4, 8} {
			memory(width, t, add)
		}
		atomics(t, add)
		add("mask test", t, func(b *builder, x, y *ir.Value) *ir.Value {
			return b.op(ir.OpNe, ir.I32, b.op(ir.OpAnd, t, x, y), b.Const(t, 0))
		})
		add("mask zero", t, func(b *builder, x, y *ir.Value) *ir.Value {
			c := b.op(ir.OpEq, ir.I32, b.op(ir.OpAnd, t, x, y), b.Const(t, 0))
			return b.op(ir.OpSelect, t, c, x, y)
		})
		add("mask check", t, func(b *builder, x, y *ir.Value) *ir.Value {
			b.check(b.op(ir.OpNe, ir.I32, b.op(ir.OpAnd, t, x, y), b.Const(t, 0)))
			return x
		})
	}
	add("trunc", ir.I64, func(b *builder, x, _ *ir.Value) *ir.Value {
		return b.op(ir.OpZExt, ir.I64, b.op(ir.OpTrunc, ir.I32, x))
	})
	add("dirty", ir.I64, func(b *builder, x, y *ir.Value) *ir.Value {
		// Comparisons and selects of values whose upper halves are not zero.
		l, r := b.op(ir.OpTrunc, ir.I32, x), b.op(ir.OpTrunc, ir.I32, y)
		return b.op(ir.OpSelect, ir.I32, r, b.op(ir.OpULt, ir.I32, l, r), b.op(ir.OpSDiv, ir.I32, l, r))
	})
	add("zext", ir.I32, func(b *builder, x, _ *ir.Value) *ir.Value { return b.op(ir.OpZExt, ir.I64, x) })
	add("sext", ir.I32, func(b *builder, x, _ *ir.Value) *ir.Value { return b.op(ir.OpSExt, ir.I64, x) })
	add("sext sextin", ir.I32, func(b *builder, x, y *ir.Value) *ir.Value {
		v := b.op(ir.OpSExtIn, ir.I32, x)
		v.Imm = 16
		return b.op(ir.OpSExt, ir.I64, v)
	})
	return list
}

func (b *builder) check(cond *ir.Value) { b.op(ir.OpCheck, ir.Void, cond).Aux = b.site }

type adder func(name string, t ir.Type, body func(b *builder, x, y *ir.Value) *ir.Value)

// conditions adds the uses of the comparison op.
func conditions(op ir.Op, t ir.Type, add adder) {
	add(op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value { return b.op(op, ir.I32, x, y) })
	add("not "+op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value {
		return b.op(ir.OpXor, ir.I32, b.op(op, ir.I32, x, y), b.Const(ir.I32, 1))
	})
	add("check "+op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value {
		b.check(b.op(op, ir.I32, x, y))
		return x
	})
	add("select "+op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value {
		return b.op(ir.OpSelect, t, b.op(op, ir.I32, x, y), y, x)
	})
	add("select const "+op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value {
		return b.op(ir.OpSelect, t, b.op(op, ir.I32, x, y), b.Const(t, -5), x)
	})
	add("branch "+op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value {
		from, f := b.Block, b.Func
		b.Block = f.NewBlock()
		r := b.AddParam(t, 0)
		c := from.Add(op, ir.I32, 0, x, y)
		not := from.Add(ir.OpEq, ir.I32, 0, c, from.Const(ir.I32, 0))
		from.Branch(0, not, ir.Edge{To: b.Block, Args: []*ir.Value{y}}, ir.Edge{To: b.Block, Args: []*ir.Value{x}})
		return r
	})
	switch op {
	case ir.OpULt, ir.OpULe:
		check := ir.OpCheckIdx
		if op == ir.OpULe {
			check = ir.OpCheckULe
		}
		add(check.String(), t, func(b *builder, x, y *ir.Value) *ir.Value {
			v := b.op(check, t, x, y)
			v.Aux = b.site
			return b.op(ir.OpPi, t, v)
		})
	}
}

// memory adds accesses of a width to the stack: a store between other bytes and
// loads of both kinds.
func memory(width uint8, t ir.Type, add adder) {
	if int64(width) > t.Size() {
		return
	}
	for _, signed := range []bool{false, true} {
		if signed && int64(width) == t.Size() {
			continue
		}
		add(fmt.Sprint("store, load ", width, signed), t, func(b *builder, x, y *ir.Value) *ir.Value {
			p := b.op(ir.OpSlotAddr, ir.PtrStack)
			p.Aux = b.Func.NewSlot("s", 32, 8, 0)
			zero := b.op(ir.OpMemZero, ir.Void, p)
			zero.Size = 32
			copied := b.op(ir.OpPtrAdd, ir.PtrStack, p, b.Const(ir.I64, 16))
			st := b.op(ir.OpStore, ir.Void, p, x)
			st.Width, st.Imm = width, 8
			cp := b.op(ir.OpMemCopy, ir.Void, copied, p)
			cp.Size = 16
			ld := b.op(ir.OpLoad, t, copied)
			ld.Width, ld.Imm, ld.Signed = width, 8, signed
			if t == ir.I32 && width == 1 {
				return b.op(ir.OpSExt, ir.I64, ld)
			}
			return b.op(ir.OpAdd, t, ld, y)
		})
	}
}

// atomics adds the atomic operations; the result has what was in memory before
// and after.
func atomics(t ir.Type, add adder) {
	for op := range ir.NumAtomicOps {
		add("atomic "+op.String(), t, func(b *builder, x, y *ir.Value) *ir.Value {
			p := b.op(ir.OpSlotAddr, ir.PtrStack)
			p.Aux = b.Func.NewSlot("s", 8, 8, 0)
			zero := b.op(ir.OpMemZero, ir.Void, p)
			zero.Size = 8
			width := uint8(t.Size())
			b.op(ir.OpStore, ir.Void, p, x).Width = width
			result := ir.Void
			if op.Fetches() {
				result = t
			}
			args := []*ir.Value{p, y}
			if op == ir.AtomicCmpXchg {
				args = append(args, b.Const(t, 12345))
			}
			v := b.op(ir.OpAtomic, result, args...)
			v.Aux, v.Width = op, width
			after := b.op(ir.OpLoad, t, p)
			after.Width = width
			if op.Fetches() {
				return b.op(ir.OpXor, t, after, v)
			}
			return after
		})
	}
}

// forms are the ways in which the operands of a sample come to be.
var forms = []string{"registers", "constant right", "constant left", "same", "truncated"}

// build returns a program that applies s to two operands from the context, one
// of which may be the constant c instead, and stores the result behind them.
func build(s sample, form string, c int64) *ir.Module {
	m := &ir.Module{}
	f := m.NewFunc("main", 0)
	f.Results = []ir.Type{ir.I32}
	b := &builder{f.NewBlock(), m.NewSite(ir.PanicExplicit, "check", 0)}
	ctx := b.AddParam(ir.PtrCtx, 0)
	load := func(off int64) *ir.Value {
		t := s.t
		if form == "truncated" {
			t = ir.I64
		}
		v := b.op(ir.OpLoad, t, ctx)
		v.Imm, v.Width = off, uint8(t.Size())
		if t != s.t {
			v = b.op(ir.OpTrunc, s.t, v)
		}
		return v
	}
	x, y := load(0), load(8)
	switch form {
	case "constant right":
		y = b.Const(s.t, c)
	case "constant left":
		x = b.Const(s.t, c)
	case "same":
		y = x
	}
	r := s.body(b, x, y)
	if r.Type == ir.I32 {
		r = b.op(ir.OpZExt, ir.I64, r)
	}
	st := b.op(ir.OpStore, ir.Void, ctx, r)
	st.Imm, st.Width = 16, 8
	b.Return(0, b.Const(ir.I32, 0))
	return m
}

// TestSemantics runs every operation on boundary values through the interpreter of
// the IR and, selected for kernels with and without ISA v4 and allocated with
// all registers and with three, through that of the machine.
func TestSemantics(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			for _, form := range forms {
				xs, ys, consts := boundary, boundary, boundary[:1]
				switch form {
				case "constant right":
					ys, consts = ys[:1], boundary
				case "constant left":
					xs, consts = xs[:1], boundary
				case "same":
					ys = ys[:1]
				case "truncated":
					if s.t == ir.I64 {
						continue
					}
				}
				for _, c := range consts {
					m := build(s, form, c)
					if err := ir.Verify(m); err != nil {
						t.Fatalf("%v\n%s", err, m)
					}
					var runs []run
					for _, x := range xs {
						for _, y := range ys {
							runs = append(runs, interpret(t, m, x, y))
						}
					}
					compare(t, m, runs)
				}
			}
		})
	}
}

// A run is a context before and after a run of a program, and its result.
type run struct {
	before, after []byte
	result        int32
}

// interpret runs m with x and y in the context.
func interpret(t *testing.T, m *ir.Module, x, y int64) run {
	t.Helper()
	r := run{before: make([]byte, 24)}
	binary.LittleEndian.PutUint64(r.before, uint64(x))
	binary.LittleEndian.PutUint64(r.before[8:], uint64(y))
	r.after = bytes.Clone(r.before)
	result, panicked, err := interp.New(m, interp.Options{}).RunProgram(r.after)
	if err != nil {
		t.Fatalf("interpreter: %v\n%s", err, m)
	}
	r.result = int32(result)
	if panicked != nil {
		r.result = int32(^panicked.Index)
	}
	return r
}

// compare compares runs with those of the code of m.
func compare(t *testing.T, m *ir.Module, runs []run) {
	t.Helper()
	for _, kernel := range []target.Version{{Major: 5, Minor: 15}, {Major: 6, Minor: 12}} {
		on := target.For(kernel, "amd64")
		code := isel.Select(m, on)
		if err := mir.Verify(code); err != nil {
			t.Fatalf("%v\n%s\n%s", err, m, code)
		}
		for _, cfg := range []regalloc.Config{{}, {Regs: []mir.Reg{mir.R0, mir.R6, mir.R1}}} {
			allocated := &mir.Module{}
			for _, f := range code.Funcs {
				f = f.Clone()
				regalloc.Allocate(f, cfg)
				allocated.Funcs = append(allocated.Funcs, f)
			}
			program := load(t, allocated, on)
			for _, r := range runs {
				got := bytes.Clone(r.before)
				r0, err := program.Run(vm.Options{Ctx: got})
				if err != nil || int32(r0) != r.result || !bytes.Equal(got, r.after) {
					t.Fatalf("on %v, %x gives %d and %x, want %d and %x: %v\n%s\n%s\n%s",
						kernel, r.before[:16], int32(r0), got[16:], r.result, r.after[16:], err, m, code, allocated)
				}
			}
		}
	}
}

// load emits m for the machine's interpreter.
func load(t *testing.T, m *mir.Module, on target.Target) *vm.Program {
	t.Helper()
	var diags diag.List
	out := emit.Emit(m, emit.Input{Target: on, Fset: token.NewFileSet(), Sites: 1, ReturnSite: true, Diags: &diags})
	if out == nil {
		t.Fatalf("%v\n%s", diags.Err(), m)
	}
	p, err := vm.Load(out.Insns)
	if err != nil {
		t.Fatalf("%v\n%s", err, m)
	}
	return p
}
