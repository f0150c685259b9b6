package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file is for pointers into packets that may be nil: a slice that a function returns for
// want of another, a header that a packet may have or not.
//
// An offset has no value that means nil, and a nil slice is as good as any that is empty,
// unless something depends on the difference. Where it does, a number goes with the offset, which
// is 1 if the pointer is not nil, and comparisons and checks are of that.
//
// Before:                            After:
//
//	jump b1(v0), jump b1(v1)          jump b1(v9, v8), jump b1(v9, v7)  (v8 = 1, v7 = 0)
//	b1(v2 ptr.packet):                b1(v6 i64, v5 i32):
//	v3 = ne v2, v1  (v1 = nil)        v3 = ne v5, v7

// dropNonNil replaces the names that pointers of f have been given because they are not nil.
// It is known where that matters, and what follows compares pointers by name.
func dropNonNil(f *ir.Func) {
	names := newRenaming(f)
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpPi && v.Type.IsPtr() {
				names.set(v, v.Args[0])
			}
		}
	}
	names.apply()
}

// nilBase returns the pointer that p is moved from, and whether it is known not to be nil.
func nilBase(p *ir.Value) (base *ir.Value, nonNil bool) {
	for {
		switch p.Op {
		case ir.OpPtrAdd:
		case ir.OpPi, ir.OpCheckNonNil:
			nonNil = true
		default:
			return p, nonNil
		}
		p = p.Args[0]
	}
}

// sourceJoin returns the candidate that p is nil with, or nil.
func (p *packetOffsets) sourceJoin(v *ir.Value) *packetJoin {
	base, nonNil := nilBase(v)
	if nonNil {
		return nil
	}
	return p.joins[base]
}

// findNil finds the pointers that need a number beside them, and refuses what that is no
// answer to.
func (p *packetOffsets) findNil() {
	nullable := make(map[*packetJoin]bool)
	for changed := true; changed; {
		changed = false
		for _, j := range p.order {
			if !nullable[j] && slices.ContainsFunc(j.sources(j.v), func(a *ir.Value) bool {
				base, _ := nilBase(a)
				return base.Op == ir.OpConst || nullable[p.sourceJoin(a)]
			}) {
				nullable[j], changed = true, true
			}
		}
	}
	if len(nullable) == 0 {
		return
	}
	var work []*packetJoin
	ask := func(v *ir.Value) {
		if j := p.sourceJoin(v); nullable[j] && !j.asked {
			j.asked = true
			work = append(work, j)
		}
	}
	for _, b := range p.f.Blocks {
		for _, v := range b.Instrs {
			switch {
			case v.Op == ir.OpCheckNonNil:
				ask(v.Args[0])
			case !comparesPointers(v):
			case isZero(v.Args[1]):
				ask(v.Args[0])
			case nullable[p.sourceJoin(v.Args[0])] || nullable[p.sourceJoin(v.Args[1])]:
				p.cfg.Diags.Add(diag.UnsupportedExpr, p.cfg.position(v.Pos), "compare offsets, or what they point to", "comparison of pointers into a packet that may be nil")
			}
		}
	}
	for len(work) > 0 {
		j := work[len(work)-1]
		work = work[:len(work)-1]
		for _, a := range j.sources(j.v) {
			ask(a)
		}
	}
}

// comparesPointers reports whether v tells whether two pointers are the same.
func comparesPointers(v *ir.Value) bool {
	return (v.Op == ir.OpEq || v.Op == ir.OpNe) && v.Args[0].Type.IsPtr()
}

// isNotNil returns the number that tells that v is not nil; new constants are appended to add.
func (p *packetOffsets) isNotNil(v *ir.Value, add *[]*ir.Value) *ir.Value {
	base, _ := nilBase(v)
	if j := p.sourceJoin(v); j != nil && j.nonNil != nil {
		return j.nonNil
	}
	x := constant(p.f, ir.I32, boolConst(base.Op != ir.OpConst))
	*add = append(*add, x)
	return x
}

// placeNonNil makes the number beside the offset of j.
func (p *packetOffsets) placeNonNil(j *packetJoin) {
	j.nonNil = p.f.NewValue(ir.OpParam, ir.I32, j.v.Pos)
	if j.v.Op == ir.OpSelect {
		j.nonNil.Op = ir.OpSelect
		j.v.Block.Insert(slices.Index(j.v.Block.Instrs, j.v), j.nonNil)
	}
}

// linkNonNil gives the number of j what it is one of.
func (p *packetOffsets) linkNonNil(j *packetJoin, sources []*ir.Value) {
	b := j.v.Block
	if j.v.Op == ir.OpSelect {
		var add []*ir.Value
		x, y := p.isNotNil(sources[0], &add), p.isNotNil(sources[1], &add)
		j.nonNil.Args = []*ir.Value{j.v.Args[0], x, y}
		b.Insert(slices.Index(b.Instrs, j.nonNil), add...)
		return
	}
	for i, e := range j.edges {
		var add []*ir.Value
		x := p.isNotNil(sources[i], &add)
		e.Block.Insert(len(e.Block.Instrs), add...)
		e.Edge().Args = append(e.Edge().Args, x)
	}
	j.nonNil.Block = b
	b.Params = append(b.Params, j.nonNil)
}

// answerNil makes the comparisons and checks of pointers that have a number beside them of those numbers.
func (p *packetOffsets) answerNil() {
	for _, b := range p.f.Blocks {
		for i := 0; i < len(b.Instrs); i++ {
			v := b.Instrs[i]
			if v.Op != ir.OpCheckNonNil && (!comparesPointers(v) || !isZero(v.Args[1])) {
				continue
			}
			j := p.sourceJoin(v.Args[0])
			if j == nil || j.nonNil == nil {
				continue
			}
			if v.Op == ir.OpCheckNonNil {
				check := p.f.NewValue(ir.OpCheck, ir.Void, v.Pos, j.nonNil)
				check.Aux = v.Aux
				b.Insert(i, check)
				v.Op, v.Aux = ir.OpPi, nil
				p.names.set(v, v.Args[0])
			} else {
				zero := constant(p.f, ir.I32, 0)
				b.Insert(i, zero)
				v.Args = []*ir.Value{j.nonNil, zero}
			}
			i++
		}
	}
}
