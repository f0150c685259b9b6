package build

import (
	"cmp"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers panics in functions that have deferred calls, and in all that
// such functions call.
//
// Elsewhere a panic leaves the program on the spot. Here it has a way to go: what is
// deferred runs first and may stop it. The way is ordinary control flow, so that the
// optimiser, which knows nothing of it, may inline and simplify as it does everywhere:
//
//   - The status of a panic is an integer: 1 plus the number of its site, 0 if there
//     is no panic. Where the program looks at what recover returns, the value of the panic
//     goes with it; see recovered.go.
//   - A check becomes a branch to the function's landing block, whose parameter is
//     the status. The check follows where the branch continues. It cannot fail
//     any more and remains for what it proves to the verifier.
//   - A function without deferred calls that is called where panics unwind returns
//     the status as the first of its results, and its caller tests it right after
//     the call. A function that turns out not to panic has no such result.
//   - A function with deferred calls makes them in its landing block, see defer.go.
//     A deferred function that calls recover is passed the status, and returns
//     what is left of it: 0 if it has recovered. Then the function returns what its
//     results hold.
//   - The status of a panic that nothing stops leaves the program at the site
//     that it names.
//
// Before:                     After:
//
//	x := a[i]                      branch ult(i, 4), b1, landing(1 + site)
//	                           b1: i' = checkidx i, 4 !site
//	f()                            s = call @f()
//	                               branch eq(s, 0), b2, landing(s)
//	                           b2:
//
// What the kernel ends (a loop that takes too long) leaves the program on the spot
// everywhere.

// unwinds reports whether panics in fn go to a landing block.
func (fn *function) unwinds() bool { return fn.landing != nil }

// unwind ends the current block with a jump to the landing block for p, a panic at one of sites.
func (fn *function) unwind(p thrown, sites ...*ir.Site) {
	fn.mayUnwind(sites...)
	fn.cur.Jump(ir.Pos(fn.pos), fn.landing, p.args()...)
}

// unwindUnless goes on if cond is not 0, and goes on with p otherwise.
func (fn *function) unwindUnless(cond *ir.Value, p thrown, sites ...*ir.Site) {
	if c, ok := cond.IsConst(); ok && c != 0 {
		return
	}
	fn.mayUnwind(sites...)
	next := fn.f.NewBlock()
	fn.cur.Branch(ir.Pos(fn.pos), cond, ir.Edge{To: next}, ir.Edge{To: fn.landing, Args: p.args()})
	fn.cur = next
}

// unwindIf goes on with p, if it is a panic.
func (fn *function) unwindIf(p thrown, sites ...*ir.Site) {
	fn.unwindUnless(fn.noPanic(p), p, sites...)
}

// noPanic reports whether p is none.
func (fn *function) noPanic(p thrown) *ir.Value {
	return fn.emit(ir.OpEq, ir.I32, p[0], fn.constant(ir.I64, 0))
}

// mayUnwind notes that panics at sites reach the landing block.
func (fn *function) mayUnwind(sites ...*ir.Site) {
	fn.landed = true
	for _, s := range sites {
		if !slices.Contains(fn.inst.sites, s) {
			fn.inst.sites = append(fn.inst.sites, s)
		}
	}
}

// startUnwinding gives fn a landing block, if it needs one.
func (fn *function) startUnwinding() {
	if !fn.inst.unwinds && fn.src.Recover == nil {
		return
	}
	fn.landing = fn.f.NewBlock()
	fn.addThrown(fn.landing)
}

// finishUnwinding completes the landing block, when all else is lowered but for
// the results.
func (fn *function) finishUnwinding() {
	if fn.landing == nil {
		return
	}
	if !fn.landed {
		fn.f.Blocks = slices.DeleteFunc(fn.f.Blocks, func(b *ir.Block) bool {
			return b == fn.landing || slices.Contains(fn.landings, b)
		})
		return
	}
	fn.cur, fn.at = fn.landing, fn.src.Recover
	p := thrown(fn.landing.Params)
	if fn.src.Recover != nil {
		p = fn.landDefers(p)
	}
	if !fn.inst.unwinds {
		fn.raise(p[0])
		return
	}
	fn.passing = &passedPanic{fn.cur, p}
	fn.cur.Return(ir.Pos(fn.pos))
}

// A passedPanic is the return that passes on a panic.
type passedPanic struct {
	block *ir.Block
	panic thrown
}

// raise leaves the program at the site that status names.
func (fn *function) raise(status *ir.Value) {
	sites := slices.SortedFunc(slices.Values(fn.inst.sites), func(a, b *ir.Site) int { return cmp.Compare(a.Index, b.Index) })
	pos := ir.Pos(fn.pos)
	for i, s := range sites {
		here, next := fn.cur, fn.f.NewBlock()
		fn.cur = next
		if i == len(sites)-1 {
			here.Jump(pos, next)
			next.Panic(s.Pos, s)
			return
		}
		other := fn.f.NewBlock()
		is := here.Add(ir.OpEq, ir.I32, pos, status, here.Const(ir.I64, int64(s.Index)+1))
		here.Branch(pos, is, ir.Edge{To: next}, ir.Edge{To: other})
		next.Panic(s.Pos, s)
		fn.cur = other
	}
	fn.cur.Term = ir.Term{Kind: ir.TermUnreachable}
}

// recovers reports whether f calls recover, or is a wrapper of a method that does.
func recovers(f *ssa.Function) bool {
	for _, blk := range f.Blocks {
		for _, instr := range blk.Instrs {
			c, ok := instr.(*ssa.Call)
			if !ok {
				continue
			}
			if b, ok := c.Call.Value.(*ssa.Builtin); ok && b.Name() == "recover" {
				return true
			}
			if callee := c.Call.StaticCallee(); f.Synthetic != "" && callee != nil && recovers(callee) {
				return true
			}
		}
	}
	return false
}
