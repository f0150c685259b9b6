package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes one division of two where a program asks for quotient and remainder of the
// same numbers: x%y is x - x/y*y, also for the numbers for which the IR defines division
// beyond arithmetic (x/0 is 0 and x%0 is x; the smallest integer divided by -1 is itself, which
// leaves 0). A machine takes ten times as long for a division as for a product, and BPF has no
// instruction for both results.
//
// Method: in one walk over the dominator tree the first quotient of each pair of operands is
// remembered, or the first remainder, which is given a quotient if one is met later.
//
// Precondition: nothing asks for the bounds of remainders any more.
//
// Before:                          After:
//
//	v2 = udiv i64 v0, v1            v2 = udiv i64 v0, v1
//	v3 = urem i64 v0, v1            v4 = mul i64 v2, v1
//	                                v3 = sub i64 v0, v4
//
// Reference: DivRemPairs of LLVM.

// Remainders computes the remainders of f from quotients that are there anyway.
func Remainders(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	r := &remainders{f: f, names: newRenaming(f), seen: make(map[quotient]*ir.Value)}
	walkDominators(ir.Dominators(f), r.enter, r.leave)
	r.names.apply()
}

// A quotient is what a division is of.
type quotient struct {
	x, y   *ir.Value
	c      int64 // y if that is a constant, which has many names
	signed bool
}

type remainders struct {
	f     *ir.Func
	names *renaming
	seen  map[quotient]*ir.Value // the first division, or remainder
	added []quotient             // to seen, in order
	marks []int                  // how many were there when a block was entered
}

func (r *remainders) enter(b *ir.Block) {
	r.marks = append(r.marks, len(r.added))
	for _, v := range slices.Clone(b.Instrs) {
		if !isDivision(v.Op) {
			continue
		}
		q := quotient{x: v.Args[0], y: v.Args[1], signed: v.Op == ir.OpSDiv || v.Op == ir.OpSRem}
		if c, ok := q.y.IsConst(); ok {
			q.y, q.c = nil, c
		}
		switch first := r.seen[q]; {
		case first == nil:
			r.seen[q] = v
			r.added = append(r.added, q)
		case isRemainder(v.Op) == isRemainder(first.Op): // the same again: another pass's business
		case isRemainder(v.Op):
			r.replace(v, first)
		default:
			d := r.f.NewValue(v.Op, v.Type, first.Pos, slices.Clone(first.Args)...)
			first.Block.Insert(slices.Index(first.Block.Instrs, first), d)
			r.replace(first, d)
			r.names.set(v, d)
			b.RemoveFunc(func(w *ir.Value) bool { return w == v })
			r.seen[q] = d
		}
	}
}

// replace makes the remainder v a difference, where d is the quotient.
func (r *remainders) replace(v, d *ir.Value) {
	product := r.f.NewValue(ir.OpMul, v.Type, v.Pos, d, v.Args[1])
	v.Block.Insert(slices.Index(v.Block.Instrs, v), product)
	v.Op = ir.OpSub
	v.Args = []*ir.Value{v.Args[0], product}
}

func (r *remainders) leave(*ir.Block) {
	mark := r.marks[len(r.marks)-1]
	r.marks = r.marks[:len(r.marks)-1]
	for _, q := range r.added[mark:] {
		delete(r.seen, q)
	}
	r.added = r.added[:mark]
}

func isRemainder(op ir.Op) bool { return op == ir.OpURem || op == ir.OpSRem }
