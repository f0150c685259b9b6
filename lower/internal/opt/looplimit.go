package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file decides how the verifier gets to the end of each loop.
//
// The verifier follows a plain loop iteration by iteration until it knows that a test
// ends it, and gives up after a million instructions. There are four ways:
//
//   - A loop of which that is a small part stays as it is; so does one that is decided by
//     nothing but what has been computed from constants.
//   - Newer kernels end a loop by themselves when it takes too long. Such a loop is
//     given an OpLoopLimit: the verifier follows it once or twice, until it has seen
//     that nothing changes of what it knows. What ends the loop then is a panic; the
//     kernel's limit is millions of iterations or a quarter of a second.
//   - Kernels that lack may_goto but have bpf_loop do the same by way of outline.go.
//   - If a loop is known to run a small number of times, but not to the verifier, as
//     one that divides by ten, it is given a second counter: fuel, of which it has
//     enough.
//
// All others are refused.
//
// Method: the instructions that the verifier follows are estimated from inner loops
// to outer ones: the size of an iteration times the number of trips (trips.go), times
// the number of ways in which inner loops may end. Where that exceeds a budget,
// the loop is limited.
//
// In a limited loop the verifier must not know the counter's first value: it would take
// the second for something new, and so on. So parameters of the header that change in
// the loop are made opaque on the way in. Therefore this pass runs before those that
// rely on what the verifier knows. What a value has been compared with in one iteration the
// verifier may still know in the next, and follows the loop once more for it: of a program that
// has been refused once (Config.LoopWork), parameters are made opaque on the way back, too, and so is
// what is stored to variables in memory.
// Lengths of slices that move are left as they are (looplengths.go).
//
// Before:                          After:
//
//	v1 = const i64 0                v1 = const i64 0
//	jump b1(v1)                     v7 = opaque i64 v1
//	b1(v2 i64):                     jump b1(v7)
//	v3 = ult i32 v2, v0             b1(v2 i64):
//	branch v3, b2(), b3()           looplimit !0
//	b2:                             v3 = ult i32 v2, v0
//	v4 = add i64 v2, 1              ...
//	jump b1(v4)
//
// References: kernel/bpf/verifier.c (is_state_visited, widen_imprecise_scalars),
// Documentation/bpf/standardization in the kernel tree for may_goto.

const (
	// mayGotoBudget is the work that a loop may be to the verifier, in instructions,
	// if it could be limited by may_goto instead: some 10 ms of loading,
	// against four instructions in each iteration.
	mayGotoBudget = 30_000
	// loopHelperBudget is the same if the alternative is bpf_loop, which costs a
	// call and memory accesses in each iteration.
	loopHelperBudget = 120_000
	// maxFuel is the largest number of iterations that are counted by fuel.
	maxFuel = 1 << 12
	// maxPending is the number of branches that the verifier has yet to come back to:
	// BPF_COMPLEXITY_LIMIT_JMP_SEQ in kernel/bpf/verifier.c, less some for the rest of
	// the program.
	maxPending = 8192 - 512
	// exactTrips is a guess of how often the verifier follows a loop of which it knows all
	// values exactly.
	exactTrips = 16
	// limitedTrips is how often the verifier follows a limited loop.
	limitedTrips = 3
)

// LimitLoops limits the loops of f that the verifier would not get to the end of.
func LimitLoops(f *ir.Func, c *Config) {
	ir.RemoveUnreachable(f)
	for {
		l := newLimiter(f, c)
		if len(l.nest.Loops) == 0 || !l.limit() {
			return
		}
	}
}

// A limiter decides about the loops of one function.
type limiter struct {
	*tripCounter // what the verifier counts
	f            *ir.Func
	config       *Config
	sound        *tripCounter // the truth, once asked for
	exact        []bool
	likely       []bool                  // as exact, once asked for
	releaser     *releaser               // if f holds anything
	own          map[*ir.Loop]loopWork   // of one iteration, without inner loops
	inner        map[*ir.Loop][]*ir.Loop // loops directly inside
	cost         map[*ir.Loop]loopWork   // of the whole loop
}

// A loopWork is what the verifier has to do.
type loopWork struct {
	insns   uint64
	pending uint64 // branches of which it has to follow both sides
}

func (w loopWork) plus(v loopWork) loopWork {
	return loopWork{saturatingAdd(w.insns, v.insns), saturatingAdd(w.pending, v.pending)}
}

func (w loopWork) times(n uint64) loopWork {
	return loopWork{saturatingMul(w.insns, n), saturatingMul(w.pending, n)}
}

// within reports whether the verifier can do the work and it is within budget.
func (w loopWork) within(budget uint64) bool {
	return w.insns <= budget && w.pending <= maxPending
}

// manyInsns stands for all numbers of instructions that are too many.
const manyInsns = 1 << 40

func saturatingAdd(a, b uint64) uint64 { return min(a+b, manyInsns) }

func saturatingMul(a, b uint64) uint64 {
	if b > 0 && a > manyInsns/b {
		return manyInsns
	}
	return a * b
}

func newLimiter(f *ir.Func, c *Config) *limiter {
	l := &limiter{
		f:      f,
		config: c,
		own:    make(map[*ir.Loop]loopWork),
		inner:  make(map[*ir.Loop][]*ir.Loop),
		cost:   make(map[*ir.Loop]loopWork),
	}
	l.exact = exactValues(f, false)
	l.tripCounter = countTrips(newVerifierAnalysis(f, l.config), l.follows)
	if len(l.nest.Loops) == 0 {
		return l
	}
	if acquires(f) {
		l.releaser = newReleaser(f)
	}
	for _, b := range l.dom.Order() {
		if in := l.nest.Innermost(b); in != nil {
			l.own[in] = l.own[in].plus(l.workOf(b))
		}
	}
	for _, in := range l.nest.Loops {
		if in.Parent != nil {
			l.inner[in.Parent] = append(l.inner[in.Parent], in)
		}
	}
	return l
}

// workOf returns the work that b is.
func (l *limiter) workOf(b *ir.Block) loopWork {
	w := loopWork{insns: uint64(blockSize(b))}
	decided := func(cond *ir.Value) bool {
		return l.isExact(cond) || cond.Op.Is(ir.Compare) && l.isExact(cond.Args[0]) && l.isExact(cond.Args[1])
	}
	for _, v := range b.Instrs {
		switch v.Op {
		case ir.OpCheck, ir.OpCheckNonNil:
			if !decided(v.Args[0]) {
				w.pending++
			}
		case ir.OpCheckIdx, ir.OpCheckULe:
			if !l.isExact(v.Args[0]) || !l.isExact(v.Args[1]) {
				w.pending++
			}
		case ir.OpSelect:
			w.pending++
		}
	}
	if b.Term.Kind == ir.TermBranch && !decided(b.Term.Args[0]) {
		w.pending++
	}
	return w
}

// limit decides about all loops, inner ones first, and reports whether any has
// been changed.
func (l *limiter) limit() bool {
	changed := false
	for _, loop := range slices.Backward(l.nest.Loops) {
		iteration := l.iteration(loop)
		switch trips, ok := l.trips[loop]; {
		case !ok: // it is never reached
		case isLimited(loop):
			l.cost[loop] = iteration.times(limitedTrips)
		case trips != unbounded && iteration.times(trips+1).within(l.budget(loop)):
			l.cost[loop] = iteration.times(trips + 1)
		default:
			changed = l.help(loop, iteration, trips) || changed
		}
	}
	return changed || l.limitMost()
}

// limitMost limits the loop that is most work if all loops together are more than the
// verifier can do, and reports whether it has.
func (l *limiter) limitMost() bool {
	var sum loopWork
	var most *ir.Loop
	for _, loop := range l.nest.Loops {
		if loop.Parent != nil {
			continue
		}
		sum = sum.plus(l.cost[loop])
		if !isLimited(loop) && (most == nil || l.cost[loop].insns > l.cost[most].insns) {
			most = loop
		}
	}
	if most == nil || sum.insns <= uint64(l.config.Target.MaxInsns) || l.config.Diags.Len() > 0 {
		return false
	}
	return l.help(most, l.iteration(most), l.trips[most])
}

// iteration returns the work of one iteration of the loop.
func (l *limiter) iteration(loop *ir.Loop) loopWork {
	w := l.own[loop]
	ways := uint64(1)
	for _, in := range l.inner[loop] {
		w = w.plus(l.cost[in])
		ways = saturatingMul(ways, l.waysOut(in, loop))
	}
	w.insns = saturatingMul(w.insns, ways)
	return w
}

// waysOut returns in how many ways in may end that make a difference to
// the loop around it: if its bound is given from outside of both, the verifier knows
// afterwards what it is, and follows the outer loop on for each value. On average half of
// the iterations are left of it then.
func (l *limiter) waysOut(in, outer *ir.Loop) uint64 {
	t, ok := l.driving[in]
	if !ok || isLimited(in) || l.isExact(t.y) || l.nest.Contains(outer, t.y.Block) {
		return 1
	}
	return 1 + l.trips[in]/2
}

// follows reports whether the verifier sees that t ends a loop: what it compares must be
// a constant when it comes by, unless it compares ranges.
func (l *limiter) follows(t loopTest) bool {
	return l.config.Target.Has(target.BranchRanges) || l.isExact(t.x) || l.isExact(t.y)
}

// budget returns the work that the loop may be before something is done about it.
func (l *limiter) budget(loop *ir.Loop) uint64 {
	mayGoto := l.config.Target.Has(target.MayGoto)
	switch {
	case !mayGoto && !l.canOutline(loop), l.holds(loop):
		return uint64(l.config.Target.MaxInsns)
	case l.config.LoopWork > 0:
		return l.config.LoopWork
	case mayGoto:
		return mayGotoBudget
	}
	return loopHelperBudget
}

// holds reports whether something is held in the loop that has to be given back. The kernel's
// limit does not.
func (l *limiter) holds(loop *ir.Loop) bool {
	if l.releaser == nil {
		return false
	}
	h := l.releaser.in[loop.Header.ID]
	return len(h.leavings()) > 0
}

// help does something about a loop that the verifier would not get to the end of,
// and reports whether it has changed it.
func (l *limiter) help(loop *ir.Loop, iteration loopWork, trips uint64) bool {
	if l.sound == nil {
		l.sound = countTrips(newAnalysis(l.f), nil)
	}
	fuel := l.sound.tripsOfHeader(loop.Header)
	holds := l.holds(loop)
	canLimit := !holds && (l.config.Target.Has(target.MayGoto) || l.canOutline(loop))
	switch {
	case trips == unbounded && l.hasExactTest(loop) && (l.config.LoopWork == 0 || !canLimit):
		// The verifier sees where it ends, if it lives to, and knows more of
		// what happens until then than in a limited loop.
		l.cost[loop] = iteration.times(exactTrips)
		return false
	case (holds || !l.config.Target.Has(target.MayGoto)) && trips == unbounded && fuel <= maxFuel &&
		iteration.times(fuel+1).within(l.budget(loop)):
		l.cost[loop] = iteration.times(fuel + 1)
		addFuel(loop, l.dom.Preds()[loop.Header.ID], l.nest, fuel)
	case canLimit:
		l.cost[loop] = iteration.times(limitedTrips)
		l.limitLoop(loop)
	default:
		l.cost[loop] = iteration
		l.refuse(loop, trips)
		return false
	}
	return true
}

// tripsOfHeader returns the trips of the loop with the given header.
func (c *tripCounter) tripsOfHeader(header *ir.Block) uint64 {
	if l := c.nest.Innermost(header); l != nil {
		return c.trips[l]
	}
	return unbounded
}

// refuse reports that the loop cannot be verified.
func (l *limiter) refuse(loop *ir.Loop, trips uint64) {
	pos := l.config.position(loopPos(loop))
	if l.holds(loop) {
		l.config.Diags.Add(diag.UnboundedLoop, pos,
			"give back what is held before the loop, or give the loop a constant bound, as in for i := 0; i < n && i < 1000; i++",
			"this loop, in which a record, a socket or a lock is held, has no bound that Linux %v could verify", l.config.Target.Kernel)
		return
	}
	kernel, newer := l.config.Target.Kernel, target.LoopHelper.MinKernel()
	if l.config.Target.Has(target.LoopHelper) { // and the loop cannot be made a function
		newer = target.MayGoto.MinKernel()
	}
	if trips == unbounded {
		l.config.Diags.Add(diag.UnboundedLoop, pos,
			"give it a constant bound, as in for i := 0; i < n && i < 1000; i++, or compile for Linux "+newer.String()+" or newer",
			"the number of iterations of this loop has no bound that Linux %v could verify", kernel)
		return
	}
	l.config.Diags.Add(diag.UnboundedLoop, pos,
		"lower its bound, or compile for Linux "+newer.String()+" or newer",
		"this loop of up to %d iterations is more than Linux %v can verify", trips, kernel)
}

// loopPos returns the position of a loop in the source.
func loopPos(loop *ir.Loop) ir.Pos {
	if pos := loop.Header.Term.Pos; pos != 0 {
		return pos
	}
	for _, b := range loop.Blocks {
		for _, v := range b.Instrs {
			if v.Pos != 0 {
				return v.Pos
			}
		}
		if b.Term.Pos != 0 {
			return b.Term.Pos
		}
	}
	return 0
}

// isLimited reports whether the loop has been limited.
func isLimited(loop *ir.Loop) bool { return hasLimit(loop.Header) }

// hasLimit reports whether b begins with the limit of a loop.
func hasLimit(b *ir.Block) bool {
	return len(b.Instrs) > 0 && b.Instrs[0].Op == ir.OpLoopLimit
}

// loopMessage is what a panic says when the kernel has ended a loop.
const loopMessage = "loop takes too long for the kernel"

// limitLoop makes the kernel end the loop when it takes too long.
func (l *limiter) limitLoop(loop *ir.Loop) {
	h, pos := loop.Header, loopPos(loop)
	if !l.config.Target.Has(target.MayGoto) {
		l.sinkAddresses(loop)
	}
	limit := l.f.NewValue(ir.OpLoopLimit, ir.Void, pos)
	limit.Aux = l.f.Module.NewSite(ir.PanicLoop, loopMessage, pos)
	h.Insert(0, limit)
	moves := l.movesPointer(loop)
	for i, p := range h.Params {
		if p.Type.IsInt() && l.changes(loop, i) && !(moves && l.shrinks(loop, i)) {
			l.hide(loop, i)
		}
	}
	if l.config.LoopWork > 0 {
		hideStored(loop)
	}
}

// hideStored makes opaque the numbers that the loop leaves in variables in memory. From a variable
// that begins with 0 and is added to, the verifier knows in each iteration what the sum is, and once
// it has been compared, follows the loop for every sum.
func hideStored(loop *ir.Loop) {
	for _, b := range loop.Blocks {
		for i := 0; i < len(b.Instrs); i++ {
			v := b.Instrs[i]
			if v.Op != ir.OpStore || v.Args[0].Type != ir.PtrStack || v.Width < 4 {
				continue // of less than 4 bytes, the verifier knows nothing
			}
			if x := v.Args[1]; x.Type.IsInt() && x.Op != ir.OpConst && x.Op != ir.OpOpaque {
				v.Args[1] = b.Func.NewValue(ir.OpOpaque, x.Type, v.Pos, x)
				b.Insert(i, v.Args[1])
				i++
			}
		}
	}
}

// changes reports whether parameter i of the loop's header is ever given a new value.
func (l *limiter) changes(loop *ir.Loop, i int) bool {
	return slices.ContainsFunc(loop.Latches, func(p ir.Pred) bool {
		return sameBits(p.Edge().Args[i]) != loop.Header.Params[i]
	})
}

// hide makes opaque what parameter i of the loop's header is given. Of a
// loop that becomes a function it must be opaque, whatever is known of it here: the
// verifier may know more, as of a counter of a loop around this one.
func (l *limiter) hide(loop *ir.Loop, i int) {
	if l.config.LoopWork == 0 && l.config.Target.Has(target.MayGoto) && l.starts[loop.Header.Params[i].ID] == anything(loop.Header.Params[i].Type) {
		return
	}
	for _, p := range l.dom.Preds()[loop.Header.ID] {
		again := l.config.LoopWork > 0 && p.Edge().Args[i] != loop.Header.Params[i]
		if a := &p.Edge().Args[i]; (again || !l.nest.Contains(loop, p.Block)) && (*a).Op != ir.OpOpaque {
			*a = p.Block.Add(ir.OpOpaque, (*a).Type, p.Block.Term.Pos, *a)
		}
	}
}

// addFuel lets the loop go round no more than trips times, by a counter of its own that
// starts with a constant.
func addFuel(loop *ir.Loop, preds []ir.Pred, nest *ir.LoopNest, trips uint64) {
	h := loop.Header
	f := h.Func
	k := h.AddParam(ir.I64, 0)
	most := constant(f, ir.I64, int64(trips+1))
	check := f.NewValue(ir.OpCheckIdx, ir.I64, loopPos(loop), k, most)
	check.Aux = proofSite(f.Module)
	one := constant(f, ir.I64, 1)
	next := f.NewValue(ir.OpAdd, ir.I64, 0, check, one)
	h.Insert(0, most, check, one, next)
	for _, p := range preds {
		arg := next
		if !nest.Contains(loop, p.Block) {
			arg = p.Block.Const(ir.I64, 0)
		}
		e := p.Edge()
		e.Args = append(slices.Clip(e.Args), arg)
	}
}

// isExact reports whether the verifier knows v exactly, see [exactValues].
func (l *limiter) isExact(v *ir.Value) bool { return v.Op == ir.OpConst || l.exact[v.ID] }

// hasExactTest reports whether the loop can be left by a comparison of values that the
// verifier is likely to know exactly.
func (l *limiter) hasExactTest(loop *ir.Loop) bool {
	if l.likely == nil {
		l.likely = exactValues(l.f, true)
	}
	known := func(v *ir.Value) bool { return int(v.ID) < len(l.likely) && l.likely[v.ID] }
	return slices.ContainsFunc(loop.Blocks, func(b *ir.Block) bool {
		if !slices.ContainsFunc(b.Term.Succs, func(e ir.Edge) bool { return !l.nest.Contains(loop, e.To) }) || len(b.Term.Args) == 0 {
			return false
		}
		cond := b.Term.Args[0]
		return cond.Op != ir.OpConst && (known(cond) ||
			cond.Op.Is(ir.Compare) && known(cond.Args[0]) && known(cond.Args[1]))
	})
}
