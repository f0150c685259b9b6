package isel_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// newMain returns a program with an empty entry block.
func newMain() (*builder, *ir.Value) {
	m := &ir.Module{}
	f := m.NewFunc("main", 0)
	f.Results = []ir.Type{ir.I32}
	b := &builder{f.NewBlock(), m.NewSite(ir.PanicExplicit, "check", 0)}
	return b, b.AddParam(ir.PtrCtx, 0)
}

// finish ends the program with r in the context.
func (b *builder) finish(ctx, r *ir.Value) *ir.Module {
	st := b.op(ir.OpStore, ir.Void, ctx, r)
	st.Imm, st.Width = 16, 8
	b.Return(0, b.Const(ir.I32, 0))
	return b.Func.Module
}

func (b *builder) loadCtx(ctx *ir.Value, off int64) *ir.Value {
	v := b.op(ir.OpLoad, ir.I64, ctx)
	v.Imm, v.Width = off, 8
	return v
}

// mix returns a value that depends on h, v and their order.
func (b *builder) mix(h, v *ir.Value) *ir.Value {
	return b.op(ir.OpAdd, ir.I64, b.op(ir.OpMul, ir.I64, h, b.Const(ir.I64, 31)), v)
}

// TestParallelMoves runs a loop that permutes, copies and overwrites its
// variables in a random way in each round.
func TestParallelMoves(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		b, ctx := newMain()
		n := 2 + rnd.IntN(6)
		loop, exit := b.Func.NewBlock(), b.Func.NewBlock()
		entry := []*ir.Value{b.Const(ir.I64, 4)}
		count := loop.AddParam(ir.I64, 0)
		vars := make([]*ir.Value, n)
		for i := range vars {
			entry = append(entry, b.op(ir.OpMul, ir.I64, b.loadCtx(ctx, int64(i%2)*8), b.Const(ir.I64, int64(2*i+1))))
			vars[i] = loop.AddParam(ir.I64, 0)
		}
		b.Jump(0, loop, entry...)
		b.Block = loop
		next := []*ir.Value{b.op(ir.OpSub, ir.I64, count, b.Const(ir.I64, 1))}
		perm := rnd.Perm(n)
		for i := range vars {
			switch v := vars[perm[i]]; rnd.IntN(6) {
			case 0:
				v = b.Const(ir.I64, rnd.Int64())
				next = append(next, v)
			case 1:
				next = append(next, vars[rnd.IntN(n)])
			default:
				next = append(next, v)
			}
		}
		more := b.op(ir.OpNe, ir.I32, next[0], b.Const(ir.I64, 0))
		// The edge back is critical.
		b.Branch(0, more, ir.Edge{To: loop, Args: next}, ir.Edge{To: exit})
		b.Block = exit
		h := count
		for _, v := range vars {
			h = b.mix(h, v)
		}
		m := b.finish(ctx, h)
		if err := ir.Verify(m); err != nil {
			t.Fatal(err)
		}
		compare(t, m, []run{interpret(t, m, 1, -1), interpret(t, m, 1000, 77)})
	}
}

// TestBlocks clears and copies blocks of memory on the stack of all small
// sizes, and of larger ones that take a loop, at all alignments.
func TestBlocks(t *testing.T) {
	const object = 160
	cover := func(size, to, from int64) {
		b, ctx := newMain()
		slot := func(name string) *ir.Value {
			p := b.op(ir.OpSlotAddr, ir.PtrStack)
			p.Aux = b.Func.NewSlot(name, object, 1, 0)
			return p
		}
		src, dst := slot("src"), slot("dst")
		for i := range int64(object) {
			st := b.op(ir.OpStore, ir.Void, src, b.Const(ir.I64, 7*i+1))
			st.Width, st.Imm = 1, i
		}
		at := func(p *ir.Value, off int64) *ir.Value { return b.op(ir.OpPtrAdd, p.Type, p, b.Const(ir.I64, off)) }
		b.op(ir.OpMemZero, ir.Void, dst).Size = object
		b.op(ir.OpMemCopy, ir.Void, at(dst, to), at(src, from)).Size = size
		zero := b.op(ir.OpMemZero, ir.Void, src)
		zero.Size, zero.Imm = size, to
		h := b.loadCtx(ctx, 0)
		for _, p := range []*ir.Value{src, dst} {
			for i := range int64(object) {
				v := b.op(ir.OpLoad, ir.I64, p)
				v.Width, v.Imm = 1, i
				h = b.mix(h, v)
			}
		}
		m := b.finish(ctx, h)
		if err := ir.Verify(m); err != nil {
			t.Fatal(err)
		}
		compare(t, m, []run{interpret(t, m, 1, 2)})
	}
	for _, offsets := range [][2]int64{{0, 0}, {0, 4}, {1, 1}, {1, 3}, {2, 5}} {
		for _, size := range []int64{1, 3, 8, 15, 33, 65, 150} {
			t.Run(fmt.Sprint(size, offsets), func(t *testing.T) { cover(size, offsets[0], offsets[1]) })
		}
	}
}
