package opt

import (
	"fmt"
	"math/rand/v2"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file generates random modules for TestRandom: valid, free of undefined
// behaviour, terminating, and as full as possible of what passes look for. The
// control flow is structured (blocks, ifs, bounded loops with breaks), so that
// what is in scope is a stack; values are made preferably from recent ones, so
// that expressions become deep.

// generate returns the module of the given seed.
func generate(seed uint64) *ir.Module {
	g := &generator{r: rand.New(rand.NewPCG(seed, 7)), m: new(ir.Module)}
	for kind := range ir.NumPanicKinds {
		g.m.NewSite(kind, fmt.Sprintf("site %d", kind), 0)
	}
	for i := range 2 + g.r.IntN(2) {
		d := &ir.Data{Name: fmt.Sprintf("d%d", i), Align: 8, Mutable: i > 0, Bytes: make([]byte, 8*(1+g.r.IntN(4)))}
		for j := range d.Bytes {
			d.Bytes[j] = byte(g.r.Uint32())
		}
		g.m.Data = append(g.m.Data, d)
	}
	n := 1 + g.r.IntN(4)
	for i := range n {
		f := g.m.NewFunc(fmt.Sprintf("f%d", i), 0)
		g.declare(f)
	}
	for i := range n {
		g.function(i)
	}
	return g.m
}

// The helpers that programs call; runHelper in random_test.go performs them.
var (
	helperNow = &ir.Helper{ID: 5, Name: "now", Result: ir.I64}
	helperMix = &ir.Helper{ID: 6, Name: "mix", Args: []ir.ArgKind{ir.ArgScalar, ir.ArgScalar},
		Sizes: []int{-1, -1}, Result: ir.I64, Flags: ir.WritesMem}
	helperPut = &ir.Helper{ID: 7, Name: "put", Args: []ir.ArgKind{ir.ArgMem, ir.ArgScalar},
		Sizes: []int{1, -1}, Result: ir.I64, Flags: ir.ReadsMem}
	helperGet = &ir.Helper{ID: 8, Name: "get", Args: []ir.ArgKind{ir.ArgOut, ir.ArgScalar},
		Sizes: []int{1, -1}, Result: ir.I64, Flags: ir.WritesMem}
)

type generator struct {
	r *rand.Rand
	m *ir.Module

	f      *ir.Func
	index  int // of f in the module
	b      *ir.Block
	scope  []*ir.Value // integers
	areas  []area
	budget int
	depth  int
	exits  []exit // of the loops around
}

// An exit is where a break of a loop leads.
type exit struct {
	to    *ir.Block
	types []ir.Type
}

func (g *generator) chance(percent int) bool { return g.r.IntN(100) < percent }

func (g *generator) intType() ir.Type {
	if g.chance(50) {
		return ir.I32
	}
	return ir.I64
}

// declare gives f its signature: integers, and pointers to 16 bytes.
func (g *generator) declare(f *ir.Func) {
	entry := f.NewBlock()
	isEntry := len(g.m.Funcs) == 1
	for range 2 + g.r.IntN(5) {
		t := g.intType()
		if !isEntry && g.chance(25) {
			t = ir.PtrAny
		}
		entry.AddParam(t, 0)
	}
	for range 1 + g.r.IntN(3) {
		f.Results = append(f.Results, g.intType())
	}
	f.NoInline = !isEntry && g.chance(30)
}

func (g *generator) function(i int) {
	f := g.m.Funcs[i]
	g.f, g.index, g.b = f, i, f.Entry()
	g.scope, g.areas, g.exits, g.depth = nil, nil, nil, 0
	g.budget = 10 + g.r.IntN(60)
	for _, p := range f.Params() {
		if p.Type.IsInt() {
			g.scope = append(g.scope, p)
		} else {
			g.areas = append(g.areas, area{p, 16, false, -1})
		}
	}
	for range 1 + g.r.IntN(4) {
		g.newSlot()
	}
	for _, d := range g.m.Data {
		if g.chance(50) {
			v := g.b.Add(ir.OpDataAddr, ir.PtrData, 0)
			v.Aux = d
			g.areas = append(g.areas, area{v, int64(len(d.Bytes)), !d.Mutable, -1})
		}
	}
	for g.budget > 0 {
		g.statement()
	}
	results := make([]*ir.Value, len(f.Results))
	for i, t := range f.Results {
		results[i] = g.value(t)
	}
	g.b.Return(0, results...)
}

// value returns an integer of type t in scope, or a new constant.
func (g *generator) value(t ir.Type) *ir.Value {
	if len(g.scope) > 0 && !g.chance(20) {
		for range 6 {
			n := len(g.scope)
			i := n - 1 - g.r.IntN(min(n, 1+g.r.IntN(12)))
			if v := g.scope[i]; v.Type == t {
				return v
			}
		}
	}
	return g.b.Const(t, g.number())
}

// number returns a constant that is likely to matter.
func (g *generator) number() int64 {
	switch g.r.IntN(8) {
	case 0:
		return int64(g.r.Uint64())
	case 1:
		return -1 << g.r.IntN(64)
	case 2:
		return 1<<g.r.IntN(64) - 1
	case 3:
		return 1 << g.r.IntN(64)
	case 4:
		return -int64(g.r.IntN(10))
	}
	return int64(g.r.IntN(10))
}

func (g *generator) keep(v *ir.Value) *ir.Value {
	g.scope = append(g.scope, v)
	return v
}

func (g *generator) statement() {
	g.budget--
	switch n := g.r.IntN(100); {
	case n < 40:
		g.arithmetic()
	case n < 48:
		g.compare()
	case n < 62:
		g.memory()
	case n < 68:
		g.indexed()
	case n < 70:
		g.sliced()
	case n < 71:
		g.table()
	case n < 76:
		g.check()
	case n < 86 && g.depth < 4:
		g.branch()
	case n < 91 && g.depth < 3:
		g.loop()
	case n < 94 && g.index+1 < len(g.m.Funcs):
		g.call()
	case n < 97:
		g.helper()
	default:
		g.arithmetic()
	}
}

var binaryOps = []ir.Op{
	ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpUDiv, ir.OpSDiv, ir.OpURem, ir.OpSRem,
	ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpShl, ir.OpLShr, ir.OpAShr,
	ir.OpAdd, ir.OpAdd, ir.OpAnd, ir.OpSub,
}

func (g *generator) arithmetic() {
	t := g.intType()
	switch g.r.IntN(12) {
	case 0:
		g.keep(g.b.Add(ir.OpNeg, t, 0, g.value(t)))
	case 1, 2:
		v := g.b.Add(ir.OpSExtIn, t, 0, g.value(t))
		v.Imm = []int64{8, 16, 32}[g.r.IntN(int(t.Size())/4+1)]
		g.keep(v)
	case 3:
		v := g.b.Add(ir.OpBswap, t, 0, g.value(t))
		v.Imm = []int64{16, 32, 64}[g.r.IntN(int(t.Size())/4+1)]
		g.keep(v)
	case 4:
		g.keep(g.b.Add(ir.OpTrunc, ir.I32, 0, g.value(ir.I64)))
	case 5:
		g.keep(g.b.Add(ir.OpZExt, ir.I64, 0, g.value(ir.I32)))
	case 6:
		g.keep(g.b.Add(ir.OpSExt, ir.I64, 0, g.value(ir.I32)))
	case 7:
		g.keep(g.b.Add(ir.OpSelect, t, 0, g.condition(), g.value(t), g.value(t)))
	case 8:
		mask := g.b.Const(t, []int64{1, 3, 7, 255, 65535}[g.r.IntN(5)])
		g.keep(g.b.Add(ir.OpAnd, t, 0, g.value(t), mask))
	case 9:
		if g.chance(30) {
			g.keep(g.b.Add(ir.OpPi, t, 0, g.value(t)))
			return
		}
		fallthrough
	default:
		g.keep(g.b.Add(binaryOps[g.r.IntN(len(binaryOps))], t, 0, g.value(t), g.value(t)))
	}
}

// compare makes a comparison.
func (g *generator) compare() *ir.Value {
	t := g.intType()
	op := ir.OpEq + ir.Op(g.r.IntN(int(ir.OpSGe-ir.OpEq)+1))
	return g.keep(g.b.Add(op, ir.I32, 0, g.value(t), g.value(t)))
}

// condition returns an I32 to decide by.
func (g *generator) condition() *ir.Value {
	if g.chance(70) {
		return g.compare()
	}
	return g.value(ir.I32)
}

// check makes a check that often holds.
func (g *generator) check() {
	site := g.m.Sites[g.r.IntN(len(g.m.Sites))]
	t := g.intType()
	switch g.r.IntN(4) {
	case 0:
		x := g.value(t)
		one := g.b.Add(ir.OpOr, t, 0, x, g.b.Const(t, 1))
		cond := g.b.Add(ir.OpNe, ir.I32, 0, one, g.b.Const(t, 0))
		g.b.Add(ir.OpCheck, ir.Void, 0, cond).Aux = site
		g.keep(g.b.Add(ir.OpUDiv, t, 0, x, one))
	case 1:
		if g.chance(10) {
			g.b.Add(ir.OpCheck, ir.Void, 0, g.condition()).Aux = site
		}
	case 2:
		op := []ir.Op{ir.OpCheckIdx, ir.OpCheckULe}[g.r.IntN(2)]
		x := g.value(t)
		if g.chance(90) {
			x = g.b.Add(ir.OpAnd, t, 0, x, g.b.Const(t, 15))
		}
		v := g.b.Add(op, t, 0, x, g.b.Const(t, 14+g.r.Int64N(16)))
		v.Aux = site
		g.keep(v)
	case 3:
		if len(g.areas) > 0 {
			a := &g.areas[g.r.IntN(len(g.areas))]
			v := g.b.Add(ir.OpCheckNonNil, a.base.Type, 0, a.base)
			v.Aux = site
			g.areas = append(g.areas, area{v, a.size, a.readOnly, a.pointer})
		}
	}
}

// A mark is what was in scope.
type mark struct{ values, areas int }

func (g *generator) mark() mark { return mark{len(g.scope), len(g.areas)} }

func (g *generator) reset(m mark) { g.scope, g.areas = g.scope[:m.values], g.areas[:m.areas] }

// arm generates a few statements from b on and jumps to join with values for
// its parameters, unless it breaks out of a loop or panics.
func (g *generator) arm(b, join *ir.Block, types []ir.Type) {
	m := g.mark()
	g.b = b
	for range g.r.IntN(5) {
		g.statement()
	}
	switch {
	case g.chance(2):
		g.b.Panic(0, g.m.Sites[ir.PanicExplicit])
	case len(g.exits) > 0 && g.chance(20):
		e := g.exits[len(g.exits)-1]
		g.b.Jump(0, e.to, g.values(e.types)...)
	default:
		g.b.Jump(0, join, g.values(types)...)
	}
	g.reset(m)
}

func (g *generator) values(types []ir.Type) []*ir.Value {
	var list []*ir.Value
	for _, t := range types {
		list = append(list, g.value(t))
	}
	return list
}

// merged adds parameters to b and returns their types.
func (g *generator) merged(b *ir.Block) []ir.Type {
	var types []ir.Type
	for range g.r.IntN(3) {
		types = append(types, g.intType())
		b.AddParam(types[len(types)-1], 0)
	}
	return types
}

func (g *generator) branch() {
	g.depth++
	defer func() { g.depth-- }()
	yes, no, join := g.f.NewBlock(), g.f.NewBlock(), g.f.NewBlock()
	types := g.merged(join)
	cond := g.condition()
	if g.chance(30) {
		// One side is the join itself.
		g.b.Branch(0, cond, ir.Edge{To: yes}, ir.Edge{To: join, Args: g.values(types)})
		g.arm(yes, join, types)
		g.f.Blocks = g.f.Blocks[:len(g.f.Blocks):len(g.f.Blocks)]
		no.Panic(0, g.m.Sites[ir.PanicExplicit]) // unreachable
	} else {
		g.b.Branch(0, cond, ir.Edge{To: yes}, ir.Edge{To: no})
		g.arm(yes, join, types)
		g.arm(no, join, types)
	}
	g.b = join
	g.scope = append(g.scope, join.Params...)
}

// loop generates a loop of a few iterations: a counter, other variables, and a
// body that may leave it early.
func (g *generator) loop() {
	g.depth++
	defer func() { g.depth-- }()
	head, body, latch, exitBlock := g.f.NewBlock(), g.f.NewBlock(), g.f.NewBlock(), g.f.NewBlock()
	t := g.intType()
	start := int64(g.r.IntN(4))
	end := start + int64(g.r.IntN(6))
	step := int64(1 + g.r.IntN(2))

	i := head.AddParam(t, 0)
	types := g.merged(head)
	init := append([]*ir.Value{g.b.Const(t, start)}, g.values(types)...)
	g.b.Jump(0, head, init...)

	m := g.mark()
	g.b = head
	g.scope = append(g.scope, head.Params...)
	exitTypes := g.merged(exitBlock)
	op := []ir.Op{ir.OpULt, ir.OpSLt, ir.OpULe}[g.r.IntN(3)]
	cond := g.b.Add(op, ir.I32, 0, i, g.b.Const(t, end))
	g.b.Branch(0, cond, ir.Edge{To: body}, ir.Edge{To: exitBlock, Args: g.values(exitTypes)})

	g.b = body
	g.exits = append(g.exits, exit{exitBlock, exitTypes})
	for range 1 + g.r.IntN(4) {
		g.scope = append(g.scope, i) // likely to be used
		g.statement()
	}
	g.exits = g.exits[:len(g.exits)-1]
	carried := g.values(types)
	g.b.Jump(0, latch)
	g.b = latch
	next := g.b.Add(ir.OpAdd, t, 0, i, g.b.Const(t, step))
	g.b.Jump(0, head, append([]*ir.Value{next}, carried...)...)

	g.reset(m)
	g.b = exitBlock
	g.scope = append(g.scope, exitBlock.Params...)
}

func (g *generator) call() {
	if g.depth > 1 && g.chance(70) {
		return // calls in loops of functions with loops take long
	}
	callee := g.m.Funcs[g.index+1+g.r.IntN(len(g.m.Funcs)-g.index-1)]
	var args []*ir.Value
	for _, p := range callee.Params() {
		if p.Type.IsInt() {
			args = append(args, g.value(p.Type))
		} else {
			args = append(args, g.area(16).base)
		}
	}
	t := ir.Void
	if len(callee.Results) == 1 {
		t = callee.Results[0]
	}
	call := g.b.Add(ir.OpCall, t, 0, args...)
	call.Aux = callee
	if t != ir.Void {
		g.keep(call)
		return
	}
	for i, t := range callee.Results {
		v := g.b.Add(ir.OpResult, t, 0, call)
		v.Imm = int64(i)
		g.keep(v)
	}
}
