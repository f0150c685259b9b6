package emit

import (
	"math"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file turns loops around, so that the test that ends one is at its bottom: an iteration
// has one jump then, instead of a branch at the top and a jump at the bottom.
//
//	     r1 = 0                      r1 = 0
//	top: if r1 >= 8 goto out    top: ...
//	     ...                         r1 += 1
//	     r1 += 1                     if r1 < 8 goto top
//	     goto top               out: ...
//	out: ...
//
// Only the order of blocks changes, so the verifier follows the same instructions. But before
// Linux 6.8 (feature back-edges) it refuses a loop at whose bottom an instruction other than a jump
// leads on to one that it has come by ("back-edge from insn 8 to 9", push_insn in
// kernel/bpf/verifier.c), so that these kernels get loops as they are.
// What leads into the loop jumps to the test, unless that consists of a comparison of a
// constant that has just been set: then it goes on where the test would (enterLoops).

// enterLoops redirects jumps to a test of which they decide the outcome. It returns f or
// a changed copy.
func enterLoops(f *mir.Func) *mir.Func {
	changed := f
	for i := range f.Blocks {
		b := changed.Blocks[i]
		t := b.Term()
		if t.Op != mir.OpJmp {
			continue
		}
		to := decided(b, thread(t.To))
		if to == nil {
			continue
		}
		if changed == f {
			changed = f.Clone()
			b = changed.Blocks[i]
			to = decided(b, thread(b.Term().To))
		}
		b.Term().To = to
	}
	return changed
}

// decided returns where the branch that is all of test leads to if it comes from b, or nil if
// that is not known.
func decided(b, test *mir.Block) *mir.Block {
	br := &test.Insts[0]
	if br.Op != mir.OpBr || br.Src != mir.NoReg {
		return nil
	}
	for _, in := range slices.Backward(b.Insts[:len(b.Insts)-1]) {
		writes := in.Clobbers() && br.Dst <= mir.R5
		in.VisitRegs(func(r *mir.Reg, use mir.RegUse) {
			writes = writes || *r == br.Dst && use&mir.Write != 0
		})
		if !writes {
			continue
		}
		if in.Op != mir.OpMov || in.Src != mir.NoReg || in.Imm < 0 || in.Imm > math.MaxInt32 || br.Imm < 0 {
			return nil // only what is the same at all widths
		}
		if holds(br.Cond, in.Imm, br.Imm) {
			return br.To
		}
		return br.Else
	}
	return nil
}

// holds decides the comparison of numbers that are not negative.
func holds(cond mir.Cond, x, y int64) bool {
	switch cond {
	case mir.Eq:
		return x == y
	case mir.Ne:
		return x != y
	case mir.ULt, mir.SLt:
		return x < y
	case mir.ULe, mir.SLe:
		return x <= y
	case mir.UGt, mir.SGt:
		return x > y
	case mir.UGe, mir.SGe:
		return x >= y
	case mir.Set:
		return x&y != 0
	}
	panic("BUG: emit: comparison " + cond.String())
}

// rotate moves the tests at the top of loops to the bottom, inner loops first, where the code
// behind the loop comes next then.
func rotate(order []*mir.Block) {
	jumps := make(map[*mir.Block]int) // by target: from the blocks behind order[i]
	for i := len(order) - 1; i > 0; i-- {
		head := order[i]
		if t := head.Term(); t.Op == mir.OpJmp {
			jumps[thread(t.To)]++
		}
		if head.Depth == 0 || head.Term().Op != mir.OpBr {
			continue
		}
		// The last block of the loop that comes back.
		last, left := i, jumps[head]
		for k := i + 1; left > 0 && k < len(order) && order[k].Depth >= head.Depth; k++ {
			if t := order[k].Term(); t.Op == mir.OpJmp && thread(t.To) == head {
				last = k
				left--
			}
		}
		if last > i && last+1 < len(order) && leadsTo(head, order[last+1]) {
			copy(order[i:], order[i+1:last+1])
			order[last] = head
		}
	}
}

// leadsTo reports whether b branches to c.
func leadsTo(b, c *mir.Block) bool {
	to, other := destinations(b)
	return to == c || other == c
}
