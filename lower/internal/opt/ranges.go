package opt

import (
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file simplifies what sound facts (facts.go) decide: values that are
// constant on all paths (which includes sparse conditional constant propagation),
// the lengths of slices, comparisons and branches that go one way, checks of divisors and shift counts
// that hold, and signed operations on numbers that are not negative, of which
// the unsigned form is cheaper or tells the verifier more.
//
// The last is what makes loops over arrays cheap. That the counter is not negative
// follows by induction, which the verifier does not do; but once i < n is compared
// unsigned, the comparison alone bounds i on both sides, and checkelim.go can rely
// on it.
//
// Checks that memory safety depends on are left to checkelim.go, which is more
// careful about facts. It must run later: afterwards a comparison may be a
// proof, and a sound fact would be no reason to remove it.
//
// Before:                          After:
//
//	b1(v1 i64):   (from 0, +1)      b1(v1 i64):
//	v2 = slt i32 v1, v9             v2 = ult i32 v1, v9
//	branch v2, b2(), b3()           branch v2, b2(), b3()
//	b2: v3 = sge i32 v1, v8         b2: jump b1(v4)
//	check v3 !0   (v8 is 0)
//	jump b1(v4)

// Ranges simplifies f by facts that are true.
func Ranges(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	r := &rangeSimplifier{
		analysis:  newAnalysis(f),
		f:         f,
		names:     newRenaming(f),
		constants: make([][]*ir.Value, f.NumBlocks()),
		passed:    make(map[*ir.Value]bool),
	}
	r.run(r)
	for _, b := range f.Blocks {
		b.RemoveFunc(func(v *ir.Value) bool { return r.passed[v] })
		b.Insert(0, r.constants[b.ID]...)
	}
	r.names.apply()
	removeDead(f)
}

type rangeSimplifier struct {
	*analysis
	f     *ir.Func
	names *renaming
	// constants holds, by Block.ID, those that the block is to begin with.
	constants [][]*ir.Value
	passed    map[*ir.Value]bool // checks that hold
}

// constant returns a new constant at the beginning of b.
func (r *rangeSimplifier) constant(b *ir.Block, t ir.Type, c int64) *ir.Value {
	k := constant(r.f, t, c)
	r.constants[b.ID] = append(r.constants[b.ID], k)
	return k
}

func (r *rangeSimplifier) param(p *ir.Value, f fact) {
	if c, ok := f.isConst(p.Type); ok && p.Block != r.f.Entry() {
		r.names.set(p, r.constant(p.Block, p.Type, c))
	}
}

func (r *rangeSimplifier) term(b *ir.Block) {
	t := &b.Term
	if t.Kind != ir.TermBranch || t.Args[0].Op == ir.OpConst {
		return
	}
	switch f := r.get(t.Args[0]); {
	case f.umin > 0:
		t.Args[0] = r.constant(b, ir.I32, 1)
	case f.umax == 0:
		t.Args[0] = r.constant(b, ir.I32, 0)
	}
}

func (r *rangeSimplifier) instr(v *ir.Value) {
	switch {
	case v.Op == ir.OpCheck && r.get(v.Args[0]).umin > 0:
		r.passed[v] = true
		return
	case v.Op == ir.OpConst || !v.Op.Is(ir.Pure) || !v.Type.IsInt():
		return
	}
	if c, ok := r.transfer(v).isConst(v.Type); ok {
		r.names.set(v, r.constant(v.Block, v.Type, c))
		return
	}
	if c, ok := r.constantLength(v); ok {
		r.names.set(v, r.constant(v.Block, v.Type, c))
		return
	}
	if op := unsignedEquivalent(v.Op); op != v.Op && r.allNonNegative(v) {
		v.Op = op
	}
	if v.Op == ir.OpSExtIn {
		if x := r.get(v.Args[0]); x.smin >= -1<<(v.Imm-1) && x.smax <= 1<<(v.Imm-1)-1 {
			r.names.set(v, v.Args[0])
		}
	}
}

// constantLength returns c if v is the length of s[i:i+c], where i is of 32 bits without
// sign and i+c does not wrap around.
func (r *rangeSimplifier) constantLength(v *ir.Value) (c int64, ok bool) {
	if v.Op != ir.OpSub {
		return 0, false
	}
	hi, lo := withoutChecks(v.Args[0]), withoutChecks(v.Args[1])
	if hi.Op != ir.OpZExt || lo.Op != ir.OpZExt {
		return 0, false
	}
	hi, lo = withoutChecks(hi.Args[0]), withoutChecks(lo.Args[0])
	if hi.Op != ir.OpAdd || hi.Args[1].Op != ir.OpConst || withoutChecks(hi.Args[0]) != lo {
		return 0, false
	}
	c = int64(uint32(hi.Args[1].Imm))
	return c, r.get(lo).umax+uint64(c) <= math.MaxUint32
}

// unsignedEquivalent returns the operation that equals op on operands that are
// not negative.
func unsignedEquivalent(op ir.Op) ir.Op {
	switch op {
	case ir.OpSDiv:
		return ir.OpUDiv
	case ir.OpSRem:
		return ir.OpURem
	case ir.OpAShr:
		return ir.OpLShr
	case ir.OpSExt:
		return ir.OpZExt
	}
	return unsignedForm(op)
}

// allNonNegative reports whether the operands of v that have a sign are not
// negative.
func (r *rangeSimplifier) allNonNegative(v *ir.Value) bool {
	if v.Op == ir.OpAShr {
		return r.get(v.Args[0]).isNonNegative()
	}
	for _, a := range v.Args {
		if !r.get(a).isNonNegative() {
			return false
		}
	}
	return true
}
