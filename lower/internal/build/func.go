package build

import (
	"fmt"
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// A function is the state of lowering one instance.
type function struct {
	b    *builder
	src  *ssa.Function
	inst *instance
	f    *ir.Func
	cur  *ir.Block       // where instructions are appended
	at   *ssa.BasicBlock // the block being lowered
	n    int             // index in at of the instruction being lowered
	pos  token.Pos       // of the instruction being lowered, or the last known

	vals      map[ssa.Value]operand
	skip      map[ssa.Instruction]bool  // lowered with another instruction
	variadic  map[ssa.Value][]ssa.Value // arguments of intrinsics by their slice
	blocks    []*ir.Block               // by ssa.BasicBlock.Index; nil if not reached
	lowered   []bool
	edges     []pendingEdge
	preds     [][2]int         // see predIndices
	taken     map[edgeKey]bool // of edges
	phis      map[*ssa.Phi]*phi
	returns   []pendingReturn
	outs      []address // where the big results go
	nonnil    map[ssa.Value]checkedPtr
	cyclic    []bool                 // by ssa.BasicBlock.Index
	loopVars  map[*ssa.Alloc]operand // see shareLoopVar
	defers    []*deferred
	stack     *deferStack // instead of defers, if some are deferred in loops
	tailCalls []*ssa.Call // that become jumps, see tailcall.go
	// landing is where panics go, or nil if they leave the program: a block whose
	// parameters are the panic. See unwind.go.
	landing   *ir.Block
	landed    bool         // something goes there
	addressed []ast.Expr   // see isOperandOfAnd
	landings  []*ir.Block  // see landingAfter
	passing   *passedPanic // the return of a panic that goes on
	panicking *ir.Slot     // the panic to recover from

	// widened holds the phis whose shape an earlier attempt guessed too
	// narrow; retry says that this attempt has found another.
	widened map[*ssa.Phi]bool
	retry   bool
	// unlimited holds the phis of strings and slices that may be longer than those
	// known on entry to their loop.
	unlimited map[*ssa.Phi]bool
	// sharedDefers is how many arrays the bodies of ranges over functions need.
	sharedDefers *int
	// dynamicPhis holds the phis of functions and interfaces that are not the same
	// on all edges.
	dynamicPhis map[*ssa.Phi]bool
}

// instanceOf returns src built for arguments of the given shapes: the free
// variables and then the parameters. It returns nil, having reported why, if
// that is not possible.
//
// With unwinds, panics return to the caller; with recovers, the function also takes
// a panic to recover from.
func (b *builder) instanceOf(src *ssa.Function, args []shape, unwinds, recovers bool, pos token.Pos) *instance {
	for _, i := range b.instances[src] {
		// One that does not panic is the same either way.
		sameWay := i.unwinds == unwinds || i.unwinds && i.done && !i.status
		if sameWay && i.recovers == recovers && shapesEqual(i.args, args) {
			if !i.done {
				b.failRecursion(i.src, pos)
				return nil
			}
			if i.failed {
				return nil
			}
			return i
		}
	}
	if b.nesting(src) >= maxNesting {
		b.fail(diag.RecursiveCall, pos, "nest fewer loops over functions or callbacks, or write some as loops over integers",
			fmt.Sprintf("%s is called from within itself more than %d times, by what it is passed to call", src.Name(), maxNesting))
		return nil
	}
	if !b.roomFor(src, pos) {
		return nil
	}
	inst := &instance{src: src, args: args, call: pos, unwinds: unwinds, recovers: recovers}
	b.instances[src] = append(b.instances[src], inst)
	b.active = append(b.active, inst)
	inst.f = b.newFunc(src.String(), src.Pos())
	inst.f.API = packageOf(src) != nil && packageOf(src).Pkg.Path() == ebpfPath
	inst.f.NoInline = isNoInline(src)
	before := b.diags.Len()
	b.buildInstance(inst)
	inst.done = true
	inst.failed = b.diags.Len() > before
	b.active = b.active[:len(b.active)-1]
	if inst.failed {
		return nil
	}
	return inst
}

// maxNesting is how often a function may be active at once, for arguments of
// different shapes: a callback may call the function that it is passed to with
// another callback, but not without end.
const maxNesting = 16

// roomFor reports whether another instance may be made. If not, it has said why, once: what
// instances call makes more of them, and their number may be exponential in the length
// of the source.
func (b *builder) roomFor(src *ssa.Function, pos token.Pos) bool {
	if b.instanceCount < maxInstances {
		b.instanceCount++
		return true
	}
	if !b.crowded {
		b.crowded = true
		b.diags.Add(diag.TooComplex, b.position(pos), "pass integers instead of functions and constants",
			"functions are called with too many different function values and constants, the last is %s", src.Name())
	}
	return false
}

// maxInstances is how many functions are made of those in the source.
const maxInstances = 5000

func (b *builder) nesting(src *ssa.Function) int {
	n := 0
	for _, i := range b.active {
		if i.src == src {
			n++
		}
	}
	return n
}

// buildInstance lowers the body of inst. Phis of pointers are first assumed to
// point where the values known on entry to their loop do; if that fails, the
// function is lowered again without the assumption.
func (b *builder) buildInstance(inst *instance) {
	widened, unlimited, dynamicPhis := make(map[*ssa.Phi]bool), make(map[*ssa.Phi]bool), make(map[*ssa.Phi]bool)
	sharedDefers := 0
	for {
		*inst.f = ir.Func{Name: inst.f.Name, Module: b.m, Pos: inst.f.Pos, API: inst.f.API, NoInline: inst.f.NoInline}
		inst.frames, inst.sites, inst.throwsMemory = nil, nil, token.NoPos
		before := b.diags.Len()
		fn := &function{
			b:        b,
			src:      inst.src,
			inst:     inst,
			f:        inst.f,
			pos:      inst.src.Pos(),
			vals:     make(map[ssa.Value]operand),
			skip:     make(map[ssa.Instruction]bool),
			blocks:   make([]*ir.Block, len(inst.src.Blocks)),
			lowered:  make([]bool, len(inst.src.Blocks)),
			preds:    predIndices(inst.src),
			taken:    make(map[edgeKey]bool),
			phis:     make(map[*ssa.Phi]*phi),
			loopVars: make(map[*ssa.Alloc]operand),
			nonnil:   make(map[ssa.Value]checkedPtr),
			cyclic:   cyclicBlocks(inst.src),
			widened:  widened,

			unlimited:    unlimited,
			dynamicPhis:  dynamicPhis,
			sharedDefers: &sharedDefers,
		}
		fn.lower()
		if !fn.retry || b.diags.Len() > before {
			return
		}
	}
}

// lower translates the function.
func (fn *function) lower() {
	fn.prologue()
	fn.findVariadic()
	order := reversePostorder(fn.src)
	// A sweep lowers what is reached along forward edges. Blocks that only a
	// backward edge of an irreducible graph reaches take another sweep.
	for again := true; again; {
		again = false
		for _, blk := range order {
			if fn.blocks[blk.Index] != nil && !fn.lowered[blk.Index] {
				fn.lowered[blk.Index] = true
				fn.block(blk)
				again = true
			}
		}
	}
	fn.finishDefers()
	fn.finishUnwinding()
	fn.finishReturns()
	fn.connect()
}

// prologue makes the entry block and its parameters.
func (fn *function) prologue() {
	entry := fn.f.NewBlock()
	fn.cur = entry
	next := func(t ir.Type) *ir.Value { return entry.AddParam(t, ir.Pos(fn.src.Pos())) }
	for i, v := range fn.src.FreeVars {
		fn.vals[v] = fn.inst.args[i].inflate(next, fn.fixed)
	}
	for i, v := range fn.src.Params {
		fn.vals[v] = fn.inst.args[len(fn.src.FreeVars)+i].inflate(next, fn.fixed)
	}
	for r := range fn.src.Signature.Results().Variables() {
		if l, err := fn.b.layoutOf(r.Type()); err == nil && l.big() {
			fn.outs = append(fn.outs, address{base: next(ir.PtrStack)})
		}
	}
	if fn.inst.recovers {
		p := fn.addThrown(entry)
		fn.panicking = fn.f.NewSlot("panic", 8*int64(len(p)), 8, ir.Pos(fn.src.Pos()))
		fn.savePanic(fn.slotAddr(fn.panicking), p)
	}
	fn.startUnwinding()
	fn.startDefers()
	fn.blocks[0] = fn.f.NewBlock()
	fn.findTailCalls()
	entry.Jump(ir.Pos(fn.src.Pos()), fn.blocks[0], fn.makeLoop()...)
}

// fixed returns the value that the shape s fixes.
func (fn *function) fixed(s shape) *ir.Value {
	if s.data == nil {
		return fn.constant(s.types[0], s.value)
	}
	v := fn.emit(ir.OpDataAddr, ir.PtrData)
	v.Aux, v.Imm = s.data, s.value
	return v
}

// block lowers one block of the source.
func (fn *function) block(blk *ssa.BasicBlock) {
	fn.at = blk
	fn.cur = fn.blocks[blk.Index]
	fn.lowerPhis(blk)
	returns := fn.returnsAt(blk)
	for i, instr := range blk.Instrs {
		fn.n = i
		if i == returns {
			fn.runStack()
		}
		if fn.skip[instr] {
			continue
		}
		if p := instr.Pos(); p.IsValid() {
			fn.pos = p
		}
		fn.instr(instr)
	}
}

// operand returns the lowered form of v.
func (fn *function) operand(v ssa.Value) operand {
	switch v := v.(type) {
	case *ssa.Const:
		return fn.constOperand(v)
	case *ssa.Function:
		return operand{fn: v, nonnil: true}
	case *ssa.Global:
		return fn.globalAddr(v)
	case *ssa.Builtin:
		return operand{}
	}
	o, ok := fn.vals[v]
	if !ok {
		return badOperand
	}
	return o
}

// scalar returns the only leaf of v.
func (fn *function) scalar(v ssa.Value) *ir.Value { return fn.scalarOf(fn.operand(v)) }

// scalarOf returns the only leaf of o.
func (fn *function) scalarOf(o operand) *ir.Value {
	if isNil(o) && o.isStatic() {
		return fn.constant(ir.I64, 0)
	}
	o = fn.settled(o)
	if o.isBad() {
		return fn.constant(ir.I64, 0)
	}
	return o.vals[0]
}

// emit appends an instruction.
func (fn *function) emit(op ir.Op, t ir.Type, args ...*ir.Value) *ir.Value {
	return fn.cur.Add(op, t, ir.Pos(fn.pos), args...)
}

// constant appends the constant c, or nil if t is a pointer.
func (fn *function) constant(t ir.Type, c int64) *ir.Value { return fn.cur.Const(t, c) }

// fail reports an error at the current position.
func (fn *function) fail(code diag.Code, fix, format string, args ...any) {
	fn.b.fail(code, fn.pos, fix, fmt.Sprintf(format, args...))
}

// failType reports a type that has no layout.
func (fn *function) failType(err *typeError) { fn.fail(err.code, err.fix, "%s", err.what) }
