package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds the values that the verifier forgets when it goes around a limited loop.
//
// Where the verifier comes to the limit again, it compares what it knows with the first
// time. A number of which it knows something else now, and on whose value nothing has
// depended yet, may be anything from there on (widen_imprecise_scalars in
// kernel/bpf/verifier.c). That goes for values from outside of the loop as well, as soon
// as the loop compares them:
//
//	want := k % 14               // less than 14
//	for lo < hi {
//		...
//		if want <= i { ... }    // less than 14, and at most i
//	}
//	a[want]                      // anything
//
// Most of them have been used in the loop as what they are before, which makes the
// verifier keep them. Therefore only programs that it has refused once, those with
// Config.LoopWork, are compiled so that each loop begins without any knowledge of the
// values that it compares.
//
// A comparison tells the verifier about copies as well, and about sums with
// constants (sync_linked_regs).

// A wideners holds, by Block.ID of the header of a limited loop, the values that are
// forgotten there.
type wideners [][]*ir.Value

// findWidened finds the values that the limited loops of f compare.
func findWidened(f *ir.Func, dom *ir.DomTree) wideners {
	nest := ir.Loops(dom)
	if !slices.ContainsFunc(nest.Loops, isLimited) {
		return nil
	}
	alike := make(map[*ir.Value][]*ir.Value)
	for _, b := range dom.Order() {
		for _, v := range slices.Concat(b.Params, b.Instrs) {
			if v.Type.IsInt() && v.Op != ir.OpConst {
				alike[linkedTo(v)] = append(alike[linkedTo(v)], v)
			}
		}
	}
	w := make(wideners, f.NumBlocks())
	for _, l := range nest.Loops {
		if isLimited(l) {
			w[l.Header.ID] = comparedIn(l, nest, alike)
		}
	}
	return w
}

// comparedIn returns the values from outside of l that l compares, and those alike.
func comparedIn(l *ir.Loop, nest *ir.LoopNest, alike map[*ir.Value][]*ir.Value) []*ir.Value {
	var list []*ir.Value
	seen := make(map[*ir.Value]bool)
	for _, b := range l.Blocks {
		for _, v := range b.Instrs {
			if !v.Op.Is(ir.Compare) && v.Op != ir.OpCheckIdx && v.Op != ir.OpCheckULe {
				continue
			}
			for _, x := range v.Args {
				if x = linkedTo(x); x.Op == ir.OpConst || seen[x] {
					continue
				}
				seen[x] = true
				for _, y := range alike[x] {
					if !nest.Contains(l, y.Block) {
						list = append(list, y)
					}
				}
			}
		}
	}
	return list
}

// linkedTo returns the value of which v is a copy or a sum with a constant.
func linkedTo(v *ir.Value) *ir.Value {
	for {
		_, isSum := constSum(v)
		switch {
		case v.Op == ir.OpPi, v.Op == ir.OpCheckIdx, v.Op == ir.OpCheckULe, v.Op == ir.OpZExt, v.Op == ir.OpTrunc, isSum:
			v = v.Args[0]
		default:
			return v
		}
	}
}
