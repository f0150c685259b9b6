package opt

import (
	"math"
	"math/bits"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file counts how often loops run.
//
// Method: a loop ends when one of its tests fails: a branch or a check in a block
// through which every iteration goes. A test bounds the number of iterations if it
// compares a counter, a parameter of the header that grows by the same amount in each
// iteration, or the sum of one and a constant, with something whose range is known
// (facts.go). Where a loop is driven by one parameter alone that starts with a
// constant, whatever becomes of it in each iteration, the iterations are made here, up
// to a number.
//
// As with all facts, trips may be counted as they are, or as the verifier would
// count them.
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 14.1
// (induction variables).

const (
	// unbounded is the number of trips of a loop of which no bound is known.
	unbounded = math.MaxUint64
	// maxSimulated is the number of iterations that are made here to count them.
	maxSimulated = 1 << 10
)

// A tripCounter counts the iterations of the loops of a function.
type tripCounter struct {
	*analysis
	nest *ir.LoopNest
	// usable says which tests count; all do if it is nil.
	usable func(loopTest) bool
	tests  map[*ir.Loop][]loopTest
	// starts holds, by Value.ID of a header's parameter, what is known of it when
	// its loop is entered.
	starts map[ir.ID]fact
	// trips holds the number of iterations at most, of loops that are reached.
	trips map[*ir.Loop]uint64
	// driving holds, for each loop whose trips are known, the test they are known by.
	driving map[*ir.Loop]loopTest
}

// countTrips counts the iterations of all loops of the function that a analyses, by
// the facts that a finds and by the tests that are usable.
func countTrips(a *analysis, usable func(loopTest) bool) *tripCounter {
	c := &tripCounter{
		analysis: a,
		usable:   usable,
		nest:     ir.Loops(a.dom),
		tests:    make(map[*ir.Loop][]loopTest),
		starts:   make(map[ir.ID]fact),
		trips:    make(map[*ir.Loop]uint64),
		driving:  make(map[*ir.Loop]loopTest),
	}
	if len(c.nest.Loops) == 0 {
		return c
	}
	for _, l := range c.nest.Loops {
		c.tests[l] = loopTests(l, c.nest, a.dom)
	}
	c.run(c)
	return c
}

func (c *tripCounter) param(*ir.Value, fact) {}

func (c *tripCounter) instr(v *ir.Value) {
	switch v.Op {
	case ir.OpCheck, ir.OpCheckIdx, ir.OpCheckULe, ir.OpLoad, ir.OpStore:
		c.count(v.Block, func(t loopTest) bool { return t.cond == v || v.Op == ir.OpCheck && decides(v.Args[0], t.cond) })
	}
}

func (c *tripCounter) term(b *ir.Block) {
	c.count(b, func(t loopTest) bool { return len(b.Term.Args) == 1 && decides(b.Term.Args[0], t.cond) })
	for _, e := range b.Term.Succs {
		l := c.nest.Innermost(e.To)
		if l == nil || l.Header != e.To || c.nest.Contains(l, b) {
			continue
		}
		for i, p := range e.To.Params {
			f := c.get(e.Args[i])
			if old, ok := c.starts[p.ID]; ok {
				f = f.or(old)
			}
			c.starts[p.ID] = f
		}
	}
}

// count counts trips by those tests in b that is selects. The facts are those at
// the test.
func (c *tripCounter) count(b *ir.Block, is func(loopTest) bool) {
	l := c.nest.Innermost(b)
	if l == nil {
		return
	}
	if _, ok := c.trips[l]; !ok {
		c.trips[l] = unbounded
	}
	for _, t := range c.tests[l] {
		if !is(t) || c.usable != nil && !c.usable(t) {
			continue
		}
		if n := c.tripsOf(l, t); n < c.trips[l] {
			c.trips[l], c.driving[l] = n, t
		}
	}
}

// A counter is what a test compares: the sum of a parameter of the header and a
// constant.
type counter struct {
	param *ir.Value
	plus  int64
	step  int64 // what an iteration adds to param
	// by, if not nil, is added as well; it does not change in the loop.
	by *ir.Value
	// limits is what values the counter has before it wraps around.
	limits fact
}

// tripsOf returns how many iterations pass the test t at most.
func (c *tripCounter) tripsOf(l *ir.Loop, t loopTest) uint64 {
	if holds, ok := decide(t.op, c.get(t.x), c.get(t.y), t.x.Type); ok && !holds {
		return 0
	}
	for _, v := range t.others {
		if !c.get(v).isNonNegative() {
			return unbounded
		}
	}
	if n, ok := c.simulate(l, t); ok {
		return n
	}
	k, ok := c.counterOf(l, t.x)
	if !ok {
		return c.shiftTrips(l, t)
	}
	typ := k.param.Type
	x, y := c.starts[k.param.ID], c.get(t.y)
	if k.plus != 0 && k.limits != anything(typ) {
		return unbounded // the sum is not extended as the counter is
	}
	if k.plus != 0 {
		x = sumFact(ir.OpAdd, x, exactly(typ, k.plus), typ)
	}
	if t.x.Type != typ { // zero-extended
		x.umin, x.umax = x.umin&typeMask(typ), x.umax&typeMask(typ)
		if t.op >= ir.OpSLt {
			t.op -= ir.OpSLt - ir.OpULt // neither is negative
			if !y.isNonNegative() {
				return unbounded
			}
		}
	}
	invariant := t.y.Op == ir.OpConst || !c.nest.Contains(l, t.y.Block)
	most := k.step // the largest step
	if k.by != nil {
		by := c.get(k.by)
		if k.step != 0 || by.smin < 1 || by.smax > math.MaxInt32 {
			return unbounded
		}
		k.step, most = by.smin, by.smax
	}
	return linearTrips(t.op, x, y, k, most, invariant)
}

// linearTrips returns for how many of the values of k, from x on, op holds between
// them and y. No step is larger than most, but for the sign.
func linearTrips(op ir.Op, x, y fact, k counter, most int64, invariant bool) uint64 {
	step := k.step
	if op == ir.OpEq {
		if invariant {
			return 1
		}
		return unbounded
	}
	if op == ir.OpNe { // as long as it has not been reached, if it is not passed
		switch {
		case !invariant || step != most:
			return unbounded
		case step == 1 && x.umax <= y.umin:
			op = ir.OpULt
		case step == 1 && x.smax <= y.smin:
			op = ir.OpSLt
		case step == -1 && x.umin >= y.umax:
			op = ir.OpUGt
		case step == -1 && x.smin >= y.smax:
			op = ir.OpSGt
		default:
			return unbounded
		}
	}
	// from and to are the first and the last value at most, as distances from the
	// side that the counter comes from; room is how much is left beyond to.
	var from, to, room uint64
	switch op {
	case ir.OpULt, ir.OpULe:
		from, to, room = x.umin, y.umax, distance(y.umax, k.limits.umax)
	case ir.OpUGt, ir.OpUGe:
		from, to, room = ^x.umax, ^y.umin, distance(k.limits.umin, y.umin)
	case ir.OpSLt, ir.OpSLe:
		from, to, room = bias(x.smin), bias(y.smax), distance(bias(y.smax), bias(k.limits.smax))
	case ir.OpSGt, ir.OpSGe:
		from, to, room = ^bias(x.smax), ^bias(y.smin), distance(bias(k.limits.smin), bias(y.smin))
	}
	up := op == ir.OpULt || op == ir.OpULe || op == ir.OpSLt || op == ir.OpSLe
	strict := op == ir.OpULt || op == ir.OpUGt || op == ir.OpSLt || op == ir.OpSGt
	by, jump := uint64(step), uint64(most)
	if !up {
		by, jump = uint64(-step), uint64(-most)
	}
	if step == 0 || up != (step > 0) {
		return unbounded
	}
	if strict {
		if to == 0 || from >= to {
			return 0
		}
		to--
		room++
	}
	switch {
	case from > to:
		return 0
	case jump > room: // it might wrap around
		return unbounded
	}
	return (to-from)/by + 1
}

// distance returns how far it is from a up to b.
func distance(a, b uint64) uint64 { return b - min(a, b) }

// bias maps signed numbers to unsigned ones in order.
func bias(c int64) uint64 { return uint64(c) ^ 1<<63 }

// counterOf returns the counter of l that v is.
func (c *tripCounter) counterOf(l *ir.Loop, v *ir.Value) (counter, bool) {
	k := counter{}
	v = sameBits(v)
	if v.Op == ir.OpZExt {
		v = sameBits(v.Args[0])
	}
	if n, ok := constSum(v); ok {
		v, k.plus = sameBits(v.Args[0]), n
	}
	n := slices.Index(l.Header.Params, v)
	if n < 0 || !v.Type.IsInt() {
		return k, false
	}
	k.param, k.limits = v, anything(v.Type)
	for i, p := range l.Latches {
		next := counter{param: v, limits: anything(v.Type)}
		if !next.stepBy(p.Edge().Args[n]) || i > 0 && (next.step != k.step || next.by != k.by) ||
			next.by != nil && c.nest.Contains(l, next.by.Block) {
			return k, false
		}
		k.step, k.by, k.limits = next.step, next.by, k.limits.and(next.limits, v.Type)
	}
	return k, true
}

// stepBy finds out by how much next is larger than k.param, and between which limits.
// Counters of 8 and 16 bits are extended to 32 again after each step.
func (k *counter) stepBy(next *ir.Value) bool {
	t := k.param.Type
	for range maxBitsDepth {
		if next = sameBits(next); next == k.param {
			return true
		}
		n, isSum := constSum(next)
		switch {
		case isSum:
			k.step += n
		case next.Op == ir.OpAdd && k.by == nil && sameBits(next.Args[0]) == k.param:
			k.by = next.Args[1]
		case next.Op == ir.OpAdd && k.by == nil && sameBits(next.Args[1]) == k.param:
			k.by = next.Args[0]
			return true
		case next.Op == ir.OpSExtIn && k.step == 0:
			k.limits = betweenSigned(t, -1<<(next.Imm-1), 1<<(next.Imm-1)-1)
		case next.Op == ir.OpAnd && k.step == 0:
			mask, ok := constArg(next, 1)
			if !ok || mask < 0 || mask&(mask+1) != 0 {
				return false
			}
			k.limits = between(t, 0, uint64(mask))
		default:
			return false
		}
		next = next.Args[0]
	}
	return false
}

// constSum returns the constant if v is the sum of a value and one.
func constSum(v *ir.Value) (int64, bool) {
	switch v.Op {
	case ir.OpAdd:
		return constArg(v, 1)
	case ir.OpSub:
		n, ok := constArg(v, 1)
		return -n, ok
	}
	return 0, false
}

// sameBits returns the value that v is another name of.
func sameBits(v *ir.Value) *ir.Value {
	for v.Op == ir.OpPi || v.Op == ir.OpCheckIdx || v.Op == ir.OpCheckULe {
		v = v.Args[0]
	}
	return v
}

// shiftTrips counts the trips of a loop that divides a number until nothing is left.
func (c *tripCounter) shiftTrips(l *ir.Loop, t loopTest) uint64 {
	n := slices.Index(l.Header.Params, sameBits(t.x))
	if n < 0 || !isConst(t.y, 0) || t.op != ir.OpNe && t.op != ir.OpUGt {
		return unbounded
	}
	p := l.Header.Params[n]
	next, same := nextOf(l, n)
	next = sameBits(next)
	if !same || len(next.Args) != 2 || next.Args[1].Op != ir.OpConst || sameBits(next.Args[0]) != p {
		return unbounded
	}
	by := next.Args[1].Imm
	size := uint64(bits.Len64(c.starts[p.ID].umax))
	switch {
	case next.Op == ir.OpLShr && by > 0 && by < int64(p.Type.Bits()):
		return (size + uint64(by) - 1) / uint64(by)
	case next.Op == ir.OpUDiv && by > 1 && c.sound:
		k := uint64(bits.Len64(uint64(by))) - 1
		return (size + k - 1) / k
	}
	return unbounded
}

// simulate makes the iterations of a loop whose test x depends on one parameter
// only, which starts with a constant, and counts them.
func (c *tripCounter) simulate(l *ir.Loop, t loopTest) (uint64, bool) {
	p := drivingParam(l, t.x)
	if p == nil {
		return 0, false
	}
	start, ok := c.starts[p.ID].isConst(p.Type)
	if !ok {
		return 0, false
	}
	values, ok := c.follow(l, t, p, start)
	return uint64(len(values)), ok
}

// follow returns the values that the parameter p of l's header, which starts with the given one,
// has in the iterations that pass the test t, whose x depends on p only.
func (c *tripCounter) follow(l *ir.Loop, t loopTest, p *ir.Value, start int64) ([]int64, bool) {
	next, same := nextOf(l, slices.Index(l.Header.Params, p))
	if !same {
		return nil, false
	}
	y := c.get(t.y)
	var values []int64
	known := map[*ir.Value]int64{}
	for len(values) < maxSimulated {
		clear(known)
		known[p] = start
		x, ok := evalTree(known, t.x, !c.sound)
		if !ok {
			return nil, false
		}
		if holds, ok := decide(t.op, exactly(t.x.Type, x), y, t.x.Type); ok && !holds {
			return values, true
		}
		values = append(values, start)
		if start, ok = evalTree(known, next, !c.sound); !ok {
			return nil, false
		}
	}
	return nil, false
}

// nextOf returns what parameter n of l's header becomes, and whether it is the same
// on all edges back.
func nextOf(l *ir.Loop, n int) (*ir.Value, bool) {
	next := l.Latches[0].Edge().Args[n]
	return next, !slices.ContainsFunc(l.Latches, func(p ir.Pred) bool { return !sameValue(p.Edge().Args[n], next) })
}

// drivingParam returns the only parameter of l's header, or value at all, that v
// is computed from.
func drivingParam(l *ir.Loop, v *ir.Value) *ir.Value {
	for range maxBitsDepth {
		v = sameBits(v)
		if v.Op == ir.OpParam {
			if v.Block == l.Header && v.Type.IsInt() {
				return v
			}
			return nil
		}
		if !v.Op.Is(ir.Pure) || len(v.Args) == 0 {
			return nil
		}
		var next *ir.Value
		for _, a := range v.Args {
			if a.Op != ir.OpConst {
				next = a
			}
		}
		if next == nil {
			return nil
		}
		v = next
	}
	return nil
}

// evalTree computes v, given that of parameters in known. Where the verifier is to do
// the same it must not be an operation that the verifier knows nothing of.
func evalTree(known map[*ir.Value]int64, v *ir.Value, verifier bool) (int64, bool) {
	v = sameBits(v)
	if c, ok := v.IsConst(); ok {
		return c, true
	}
	if c, ok := known[v]; ok {
		return c, true
	}
	if !v.Op.Is(ir.Pure) || !v.Type.IsInt() || len(v.Args) == 0 || len(known) > 32 ||
		verifier && (isDivision(v.Op) || v.Op == ir.OpBswap) {
		return 0, false
	}
	var args [3]int64
	for i, a := range v.Args {
		c, ok := evalTree(known, a, verifier)
		if !ok {
			return 0, false
		}
		args[i] = c
	}
	var c int64
	switch {
	case v.Op.Is(ir.Compare):
		c = boolConst(evalCompare(v.Op, v.Args[0].Type, args[0], args[1]))
	case v.Op == ir.OpSelect:
		c = args[2]
		if args[0] != 0 {
			c = args[1]
		}
	case len(v.Args) == 1 && v.Args[0].Type.IsInt():
		c = evalUnary(v, args[0])
	case len(v.Args) == 2:
		c = evalBinary(v.Op, v.Type, args[0], args[1])
	default:
		return 0, false
	}
	known[v] = c
	return c, true
}
