package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file tells the verifier how often loops run at most.
//
// The verifier follows a loop iteration by iteration, and if it does not know that
// the counter reaches its bound soon, until it gives up. Of quotients and
// remainders it knows nothing, so that
//
//	for i := range n % 5
//
// has no bound for it.
//
// Method: the values are found that decide about leaving a loop and are computed
// outside of it. The result of a division among them is checked against the
// largest value it can have, if that is small. Such a check never fails; it is there
// to be followed by the verifier.
//
// Precondition: later passes remove checks by verifier facts only.
//
// Before:                          After:
//
//	v1 = urem i64 v0, 5             v5 = urem i64 v0, 5
//	b1(v2 i64):                     v1 = checkule i64 v5, 4 !0
//	v3 = ult i32 v2, v1             b1(v2 i64):
//	branch v3, b2(), b3()           v3 = ult i32 v2, v1
//	                                branch v3, b2(), b3()

// maxTaught is the largest bound that is worth telling: the verifier follows a
// million instructions.
const maxTaught = 1 << 16

// maxDeciding is how many values are looked at for each loop. What is further from the
// decision has rarely a bound that follows from the division's.
const maxDeciding = 256

// LoopBounds makes the bounds of the loops of f known to the verifier.
func LoopBounds(f *ir.Func, _ *Config) {
	ir.RemoveUnreachable(f)
	nest := ir.Loops(ir.Dominators(f))
	if len(nest.Loops) == 0 {
		return
	}
	l := &boundTeacher{analysis: newAnalysis(f), deciding: decidingValues(f, nest)}
	if !slices.Contains(l.deciding, true) {
		return
	}
	l.run(l)
	for _, t := range l.taught {
		t.apply(f)
	}
}

// decidingValues returns, by Value.ID, the divisions outside of loops that have a
// part in the decision to leave one.
func decidingValues(f *ir.Func, nest *ir.LoopNest) []bool {
	deciding := make([]bool, f.NumValues())
	preds := ir.Preds(f)
	seen := make([]int, f.NumValues()) // the number of the last loop, from 1 on
	for i, l := range nest.Loops {
		var work []*ir.Value
		add := func(list []*ir.Value) {
			for _, v := range list {
				if seen[v.ID] <= i {
					seen[v.ID] = i + 1
					work = append(work, v)
				}
			}
		}
		for _, b := range l.Blocks {
			if slices.ContainsFunc(b.Term.Succs, func(e ir.Edge) bool { return !nest.Contains(l, e.To) }) {
				add(b.Term.Args)
			}
		}
		for n := 0; len(work) > 0 && n < maxDeciding; n++ {
			v := work[len(work)-1]
			work = work[:len(work)-1]
			switch {
			case isDivision(v.Op) && !nest.Contains(l, v.Block):
				deciding[v.ID] = true
			case v.Op == ir.OpParam:
				n := slices.Index(v.Block.Params, v)
				for _, p := range preds[v.Block.ID] {
					add(p.Edge().Args[n : n+1])
				}
			case v.Op.Is(ir.Pure) || v.Op.Is(ir.Proof):
				add(v.Args)
			}
		}
	}
	return deciding
}

// isDivision reports whether the verifier knows nothing of op's result.
func isDivision(op ir.Op) bool {
	switch op {
	case ir.OpUDiv, ir.OpSDiv, ir.OpURem, ir.OpSRem:
		return true
	}
	return false
}

type boundTeacher struct {
	*analysis
	deciding []bool
	taught   []lesson
}

// A lesson is that v is at most limit.
type lesson struct {
	v     *ir.Value
	limit uint64
}

func (l *boundTeacher) param(*ir.Value, fact) {}

func (l *boundTeacher) term(*ir.Block) {}

func (l *boundTeacher) instr(v *ir.Value) {
	if l.deciding[v.ID] {
		if f := l.transfer(v); f.umax <= maxTaught {
			l.taught = append(l.taught, lesson{v, f.umax})
		}
	}
}

// apply makes t.v the check of a new value that is computed as t.v was.
func (t lesson) apply(f *ir.Func) {
	b := t.v.Block
	n := f.NewValue(t.v.Op, t.v.Type, t.v.Pos, t.v.Args[0], t.v.Args[1])
	limit := constant(f, t.v.Type, int64(t.limit))
	b.Insert(slices.Index(b.Instrs, t.v), n, limit)
	t.v.Op, t.v.Aux = ir.OpCheckULe, proofSite(f.Module)
	t.v.Args[0], t.v.Args[1] = n, limit
}

// proofSite returns the site of the checks that are there for the verifier only.
func proofSite(m *ir.Module) *ir.Site {
	for _, s := range m.Sites {
		if s.Message == ir.ProofMessage {
			return s
		}
	}
	return m.NewSite(ir.PanicIndex, ir.ProofMessage, 0)
}
