package build

import (
	"errors"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file computes the initial values of package-level variables that are not
// constants, such as tables:
//
//	var table = makeTable(0x04C11DB7)
//
// Go runs the initialiser when the program starts. A BPF program does not start, so it is
// run while compiling: what the package initialiser does for the variable is lowered to a
// function of its own, which is interpreted, and the variable begins with what that
// leaves in it. The interpreter is the one of the compiler's tests.

// maxEvaluation is the number of steps that an initialiser may take: enough for the
// largest tables of the standard library, and a fraction of a second.
const maxEvaluation = 4_000_000

// evaluate runs the initialiser of g, whose object is d, and reports whether it can. If
// not, it may have reported why.
func (b *builder) evaluate(d *ir.Data, g *ssa.Global) bool {
	init := g.Pkg.Func("init")
	if init == nil || len(init.Blocks) == 0 {
		return false
	}
	slice, ok := sliceFor(init, g)
	if !ok || b.useOf(g).initFunc || hasOtherPointers(elemType(g.Type())) {
		return b.initialise(g)
	}
	before := b.diags.Len()
	f := b.buildEvaluation(init, g, slice)
	if f == nil {
		return b.diags.Len() == before && b.initialise(g)
	}
	if b.initialising[g.Pkg] {
		return true // because of another variable that it depends on
	}
	d.Mutable = true
	defer func() { d.Mutable = false }()
	m := &ir.Module{Funcs: calledFrom(f), Data: append(slices.Clone(b.m.Data), d), Maps: b.m.Maps, Sites: b.m.Sites}
	vm := interp.New(m, interp.Options{Fuel: maxEvaluation})
	_, panicked, err := vm.Run(f)
	switch {
	case panicked != nil:
		b.fail(diag.UnsupportedExpr, g.Pos(), "correct the initialiser",
			"initialiser of package-level variable "+g.Name()+" panics: "+panicked.Message)
		return false
	case errors.Is(err, interp.ErrFuel):
		b.fail(diag.UnsupportedExpr, g.Pos(), "write the value as a composite literal",
			"initialiser of package-level variable "+g.Name()+", which takes too long")
		return false
	case err != nil: // it writes other variables, or asks the kernel
		return b.initialise(g)
	}
	copy(d.Bytes, vm.Data(d))
	return true
}

// sliceFor returns the instructions of the package initialiser that the value of g is
// computed with, in order. ok is false if it does not depend on them alone.
func sliceFor(init *ssa.Function, g *ssa.Global) (list []ssa.Instruction, ok bool) {
	needed := make(map[ssa.Instruction]bool)
	var work []ssa.Instruction
	need := func(v ssa.Instruction) {
		if !needed[v] {
			needed[v] = true
			work = append(work, v)
		}
	}
	// storesTo adds the stores to a variable.
	storesTo := func(root ssa.Value) {
		for _, blk := range init.Blocks {
			for _, instr := range blk.Instrs {
				if s, isStore := instr.(*ssa.Store); isStore && rootOf(s.Addr) == root {
					need(s)
				}
			}
		}
	}
	storesTo(g)
	if len(needed) == 0 {
		return nil, false
	}
	for len(work) > 0 {
		instr := work[len(work)-1]
		work = work[:len(work)-1]
		switch instr := instr.(type) {
		case *ssa.Phi:
			return nil, false // on a path that is not known
		case *ssa.Alloc:
			storesTo(instr)
		}
		for _, p := range instr.Operands(nil) {
			if v, isInstr := (*p).(ssa.Instruction); isInstr {
				need(v)
			}
		}
	}
	for _, blk := range reversePostorder(init) {
		for _, instr := range blk.Instrs {
			if needed[instr] {
				list = append(list, instr)
			}
		}
	}
	return list, true
}

// buildEvaluation builds a function that executes instrs, of the package initialiser, or
// returns nil if that cannot be.
func (b *builder) buildEvaluation(init *ssa.Function, g *ssa.Global, instrs []ssa.Instruction) *ir.Func {
	before := b.diags.Len()
	fn := b.evaluation(init, g)
	fn.findVariadic()
	for _, instr := range instrs {
		fn.at = instr.Block()
		if p := instr.Pos(); p.IsValid() {
			fn.pos = p
		}
		fn.instr(instr)
	}
	fn.cur.Return(ir.Pos(fn.pos))
	if b.diags.Len() > before || len(fn.f.Params()) > 0 {
		return nil
	}
	return fn.f
}

// evaluation returns an empty function for the value of g.
func (b *builder) evaluation(init *ssa.Function, g *ssa.Global) *function {
	fn := &function{
		b: b, src: init, inst: &instance{src: init}, pos: g.Pos(), at: init.Blocks[0],
		f:      b.newFunc(g.String()+".init", g.Pos()),
		vals:   make(map[ssa.Value]operand),
		nonnil: make(map[ssa.Value]checkedPtr),
		cyclic: make([]bool, len(init.Blocks)),
	}
	fn.inst.f = fn.f
	fn.cur = fn.f.NewBlock()
	return fn
}

// calledFrom returns f and the functions that it leads to.
func calledFrom(f *ir.Func) []*ir.Func {
	list := []*ir.Func{f}
	for i := 0; i < len(list); i++ {
		for _, blk := range list[i].Blocks {
			for _, v := range blk.Instrs {
				if callee, ok := v.Aux.(*ir.Func); ok && !slices.Contains(list, callee) {
					list = append(list, callee)
				}
			}
		}
	}
	return list
}
