package regalloc

import (
	"math/rand/v2"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A generator makes random functions that terminate: straight code, branches and
// counted loops around calls, checks, memory and atomic operations.
type generator struct {
	rnd    *rand.Rand
	f      *mir.Func
	b      *mir.Block
	vars   []mir.Reg // defined here
	locked int       // the first so many must not be assigned: loop counters
	budget int       // instructions left to make
	width  int       // variables to aim for
	depth  int
	slot   *mir.Slot
}

// newGenerator returns a generator of a function with some parameters, which are
// its first variables.
func newGenerator(seed uint64, params int) *generator {
	g := &generator{rnd: rand.New(rand.NewPCG(seed, 1)), f: &mir.Func{Name: "f", Params: params}}
	g.b = g.f.NewBlock()
	for i := range mir.Reg(params) {
		v := g.f.NewReg()
		g.alu(mir.OpMov, v, mir.R1+i)
		g.vars = append(g.vars, v)
	}
	return g
}

// finish ends the function. Its result depends on all variables.
func (g *generator) finish() *mir.Func {
	r := g.pick()
	for _, v := range g.vars {
		if v != r {
			g.alu(mir.OpXor, r, v)
		}
	}
	g.alu(mir.OpMov, mir.R0, r)
	g.emit(mir.Inst{Op: mir.OpExit, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg})
	return g.f
}

// generate makes a function of about size instructions with about width
// variables alive.
func generate(seed uint64, size, width int) *mir.Func {
	g := newGenerator(seed, int(seed%6))
	g.budget, g.width = size, width
	g.slot = g.f.NewSlot("buf", 64, 8, 0)
	for off := range int32(8) {
		g.emit(mir.Inst{Op: mir.OpStore, Width: 8, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, Slot: g.slot, Off: 8 * off, Imm: int64(off)})
	}
	g.constant()
	for g.budget > 0 {
		g.statement()
	}
	return g.finish()
}

func (g *generator) emit(in mir.Inst) {
	g.b.Insts = append(g.b.Insts, in)
	g.budget--
}

func (g *generator) newBlock() *mir.Block {
	b := g.f.NewBlock()
	b.Depth = g.depth
	return b
}

func (g *generator) pick() mir.Reg { return g.vars[g.rnd.IntN(len(g.vars))] }

// target returns a variable to assign: a new one while there are few.
func (g *generator) target() mir.Reg {
	if len(g.vars) <= g.locked || len(g.vars) < g.width && g.rnd.IntN(2) == 0 {
		return mir.NoReg
	}
	return g.vars[g.locked+g.rnd.IntN(len(g.vars)-g.locked)]
}

// define returns a register to write; done makes it a variable.
func (g *generator) define() (r mir.Reg, done func()) {
	r = g.target()
	if r != mir.NoReg {
		return r, func() {}
	}
	r = g.f.NewReg()
	return r, func() { g.vars = append(g.vars, r) }
}

func (g *generator) alu(op mir.Op, d, s mir.Reg) {
	g.emit(mir.Inst{Op: op, Dst: d, Src: s, Src2: mir.NoReg})
}

func (g *generator) copy(d, s mir.Reg) {
	if d != s {
		g.alu(mir.OpMov, d, s)
	}
}

func (g *generator) constant() {
	d, done := g.define()
	in := mir.Inst{Op: mir.OpMov, Dst: d, Src: mir.NoReg, Src2: mir.NoReg, Imm: int64(g.rnd.IntN(100))}
	switch g.rnd.IntN(6) {
	case 0:
		in.Imm <<= 40
	case 1:
		in.W32 = true
	}
	g.emit(in)
	done()
}

// mutable returns a variable that may be written in place, as a copy if need
// be.
func (g *generator) mutable() mir.Reg {
	s := g.pick()
	d, done := g.define()
	g.copy(d, s)
	done()
	return d
}

func (g *generator) cond() mir.Cond { return mir.Cond(1 + g.rnd.IntN(int(mir.NumConds)-1)) }

var binary = []mir.Op{mir.OpAdd, mir.OpSub, mir.OpMul, mir.OpDiv, mir.OpRem, mir.OpAnd, mir.OpOr, mir.OpXor, mir.OpLsh, mir.OpRsh, mir.OpArsh}

func (g *generator) statement() {
	switch n := g.rnd.IntN(100); {
	case n < 8:
		g.constant()
	case n < 14:
		g.copy2()
	case n < 46:
		s := g.pick()
		d := g.mutable()
		in := mir.Inst{Op: binary[g.rnd.IntN(len(binary))], Dst: d, Src: s, Src2: mir.NoReg, W32: g.rnd.IntN(4) == 0}
		if g.rnd.IntN(3) == 0 {
			in.Src, in.Imm = mir.NoReg, int64(1+g.rnd.IntN(30))
		}
		g.emit(in)
	case n < 54:
		g.load()
	case n < 60:
		g.store()
	case n < 64:
		g.check()
	case n < 68:
		g.cset()
	case n < 71:
		d := g.mutable()
		in := mir.Inst{Op: mir.OpCMov, Dst: d, Src: g.pick(), Src2: g.pick(), Cond: g.cond(), Imm: int64(g.rnd.IntN(10))}
		if g.rnd.IntN(3) == 0 {
			in.Src2, in.Off = mir.NoReg, int32(g.rnd.IntN(9))
		}
		g.emit(in)
	case n < 74:
		g.atomic()
	case n < 84:
		g.call()
	case n < 94 && g.depth < 4:
		g.branch()
	case n < 100 && g.depth < 3:
		g.loop()
	default:
		g.store()
	}
}

func (g *generator) copy2() {
	s := g.pick()
	d, done := g.define()
	g.copy(d, s)
	done()
}

// address returns a register that points into the slot.
func (g *generator) address() mir.Reg {
	r := g.f.NewReg()
	g.emit(mir.Inst{Op: mir.OpFrameAddr, Dst: r, Src: mir.NoReg, Src2: mir.NoReg, Slot: g.slot, Imm: int64(8 * g.rnd.IntN(4))})
	return r
}

func (g *generator) load() {
	in := mir.Inst{Op: mir.OpLoad, Width: 8, Src: mir.NoReg, Src2: mir.NoReg, Off: int32(8 * g.rnd.IntN(4))}
	if g.rnd.IntN(2) == 0 {
		in.Slot = g.slot
	} else {
		in.Src = g.address()
	}
	d, done := g.define()
	in.Dst = d
	g.emit(in)
	done()
}

func (g *generator) store() {
	in := mir.Inst{Op: mir.OpStore, Width: 8, Dst: mir.NoReg, Src: g.pick(), Src2: mir.NoReg, Off: int32(8 * g.rnd.IntN(4))}
	if g.rnd.IntN(2) == 0 {
		in.Slot = g.slot
	} else {
		in.Dst = g.address()
	}
	g.emit(in)
}

func (g *generator) check() {
	in := mir.Inst{Op: mir.OpCheck, Dst: g.pick(), Src: g.pick(), Src2: mir.NoReg, Cond: mir.Eq, Site: g.rnd.IntN(50)}
	if g.rnd.IntN(2) == 0 {
		in.Src, in.Imm = mir.NoReg, int64(-1-g.rnd.IntN(1000))
	} else if in.Src == in.Dst {
		in.Cond = mir.Ne
	}
	g.emit(in)
}

func (g *generator) cset() {
	s, t := g.pick(), g.pick()
	in := mir.Inst{Op: mir.OpCSet, Src: s, Src2: t, Cond: g.cond()}
	if g.rnd.IntN(3) == 0 {
		in.Src2, in.Imm = mir.NoReg, int64(g.rnd.IntN(50))
	}
	d, done := g.define()
	if d == s || d == t {
		return
	}
	in.Dst = d
	g.emit(in)
	done()
}

func (g *generator) atomic() {
	in := mir.Inst{Op: mir.OpAtomic, Width: 8, Src2: mir.NoReg, Off: int32(8 * g.rnd.IntN(4))}
	base := g.address()
	switch g.rnd.IntN(3) {
	case 0:
		in.Dst, in.Src, in.Imm = base, g.pick(), mir.AtomicAdd
		g.emit(in)
	case 1:
		in.Dst, in.Src, in.Imm = base, g.mutable(), mir.AtomicFetchAdd
		g.emit(in)
	case 2:
		in.Dst, in.Src, in.Imm = base, g.pick(), mir.AtomicCmpXchg
		g.alu(mir.OpMov, mir.R0, g.pick())
		g.emit(in)
		g.result()
	}
}

func (g *generator) result() {
	d, done := g.define()
	g.alu(mir.OpMov, d, mir.R0)
	done()
}

func (g *generator) call() {
	n := g.rnd.IntN(6)
	for i := range mir.Reg(n) {
		switch g.rnd.IntN(6) {
		case 0:
			g.emit(mir.Inst{Op: mir.OpMov, Dst: mir.R1 + i, Src: mir.NoReg, Src2: mir.NoReg, Imm: int64(g.rnd.IntN(9))})
		default:
			g.alu(mir.OpMov, mir.R1+i, g.pick())
		}
	}
	g.emit(mir.Inst{Op: mir.OpCallHelper, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, NArgs: uint8(n), Sym: &mir.Sym{Kind: mir.SymHelper, Name: "h", ID: int32(g.rnd.IntN(5))}})
	if g.rnd.IntN(4) != 0 {
		g.result()
	}
}

func (g *generator) jump(to *mir.Block) {
	g.emit(mir.Inst{Op: mir.OpJmp, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, To: to})
}

// body makes some statements whose new variables are forgotten.
func (g *generator) body() {
	n := len(g.vars)
	for range 1 + g.rnd.IntN(8) {
		if g.budget > 0 {
			g.statement()
		}
	}
	g.vars = g.vars[:n]
}

func (g *generator) branch() {
	in := mir.Inst{Op: mir.OpBr, Dst: g.pick(), Src: g.pick(), Src2: mir.NoReg, Cond: g.cond(), W32: g.rnd.IntN(4) == 0}
	if g.rnd.IntN(2) == 0 {
		in.Src, in.Imm = mir.NoReg, int64(g.rnd.IntN(50))
	}
	then, end := g.newBlock(), g.newBlock()
	in.To, in.Else = then, end
	if g.rnd.IntN(2) == 0 {
		in.Else = g.newBlock()
	}
	g.emit(in)
	for _, b := range []*mir.Block{then, in.Else} {
		if b != end {
			g.b = b
			g.depth++
			g.body()
			g.depth--
			if g.rnd.IntN(12) == 0 {
				g.emit(mir.Inst{Op: mir.OpPanic, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, Site: 7})
			} else {
				g.jump(end)
			}
		}
	}
	g.b = end
}

// loop makes a loop with the test at its end or at its start.
func (g *generator) loop() {
	i := g.f.NewReg()
	g.emit(mir.Inst{Op: mir.OpMov, Dst: i, Src: mir.NoReg, Src2: mir.NoReg, Imm: int64(1 + g.rnd.IntN(4))})
	g.depth++
	head := g.newBlock()
	g.depth--
	end := g.newBlock()
	g.depth++
	g.jump(head)
	g.b = head
	atEnd := g.rnd.IntN(2) == 0
	if !atEnd {
		body := g.newBlock()
		g.emit(mir.Inst{Op: mir.OpBr, Dst: i, Src: mir.NoReg, Src2: mir.NoReg, Cond: mir.Eq, To: end, Else: body})
		g.b = body
	}
	// Counters come first among the variables; pick may read them.
	g.vars = append([]mir.Reg{i}, g.vars...)
	g.locked++
	g.body()
	g.emit(mir.Inst{Op: mir.OpSub, Dst: i, Src: mir.NoReg, Src2: mir.NoReg, Imm: 1})
	if atEnd {
		g.emit(mir.Inst{Op: mir.OpBr, Dst: i, Src: mir.NoReg, Src2: mir.NoReg, Cond: mir.Ne, To: head, Else: end})
	} else {
		g.jump(head)
	}
	g.depth--
	g.vars = g.vars[1:]
	g.locked--
	g.b = end
}
