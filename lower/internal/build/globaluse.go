package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// This file finds out how a package uses its variables: which have a value that
// never changes, and which are written before the program's first function runs.

// A globalUse is what a package does with one of its variables, apart from
// loading it or a part of it.
type globalUse struct {
	// initial is the only store to the whole variable by the initialisers of
	// variables, if there is exactly one.
	initial *ssa.Store
	// inits is set if the package initialiser does anything else with it.
	inits bool
	// initFunc is set if a function that runs before main does.
	initFunc bool
	// others is set if another function does.
	others bool
}

// useOf returns how its package uses g.
func (b *builder) useOf(g *ssa.Global) *globalUse {
	uses, ok := b.uses[g.Pkg]
	if !ok {
		uses = packageUses(g.Pkg)
		b.uses[g.Pkg] = uses
	}
	if u := uses[g]; u != nil {
		return u
	}
	return &globalUse{}
}

// packageUses goes through all functions of pkg.
func packageUses(pkg *ssa.Package) map[*ssa.Global]*globalUse {
	uses := make(map[*ssa.Global]*globalUse)
	early := initFuncs(pkg)
	visit := func(f *ssa.Function) {
		for _, blk := range f.Blocks {
			for _, instr := range blk.Instrs {
				noteUses(uses, f, early[f], instr)
			}
		}
	}
	var visitAll func(f *ssa.Function)
	visitAll = func(f *ssa.Function) {
		visit(f)
		for _, a := range f.AnonFuncs {
			visitAll(a)
		}
	}
	for _, m := range pkg.Members {
		switch m := m.(type) {
		case *ssa.Function:
			visitAll(m)
		case *ssa.Type:
			n, ok := types.Unalias(m.Type()).(*types.Named)
			for i := 0; ok && i < n.NumMethods(); i++ {
				if f := pkg.Prog.FuncValue(n.Method(i)); f != nil {
					visitAll(f)
				}
			}
		}
	}
	return uses
}

// initFuncs returns the functions of pkg that its initialiser may call: those
// that are mentioned in it or in another of them.
func initFuncs(pkg *ssa.Package) map[*ssa.Function]bool {
	early := make(map[*ssa.Function]bool)
	var work []*ssa.Function
	add := func(f *ssa.Function) {
		if f != nil && f.Pkg == pkg && !early[f] {
			early[f] = true
			work = append(work, f)
		}
	}
	add(pkg.Func("init"))
	for len(work) > 0 {
		f := work[len(work)-1]
		work = work[:len(work)-1]
		for _, blk := range f.Blocks {
			for _, instr := range blk.Instrs {
				for _, p := range instr.Operands(nil) {
					if callee, ok := (*p).(*ssa.Function); ok {
						add(callee)
					}
				}
			}
		}
	}
	return early
}

// noteUses notes what instr of f does with global variables. early says that f
// runs before main.
func noteUses(uses map[*ssa.Global]*globalUse, f *ssa.Function, early bool, instr ssa.Instruction) {
	switch i := instr.(type) {
	case *ssa.FieldAddr, *ssa.IndexAddr, *ssa.DebugRef:
		return // what uses the result counts
	case *ssa.UnOp:
		if _, isGlobal := i.X.(*ssa.Global); isGlobal {
			return
		}
	}
	var buf [4]*ssa.Value
	for _, p := range instr.Operands(buf[:0]) {
		if *p == nil {
			continue
		}
		g, ok := rootOf(*p).(*ssa.Global)
		if !ok {
			continue
		}
		if _, isLoad := instr.(*ssa.UnOp); isLoad {
			continue
		}
		u := uses[g]
		if u == nil {
			u = &globalUse{}
			uses[g] = u
		}
		u.note(f, early, instr, g)
	}
}

// rootOf returns what the address addr is a part of.
func rootOf(addr ssa.Value) ssa.Value {
	for {
		switch a := addr.(type) {
		case *ssa.FieldAddr:
			addr = a.X
		case *ssa.IndexAddr:
			addr = a.X
		default:
			return addr
		}
	}
}

func (u *globalUse) note(f *ssa.Function, early bool, instr ssa.Instruction, g *ssa.Global) {
	switch {
	case f.Synthetic == "package initializer":
		s, ok := instr.(*ssa.Store)
		if ok && s.Addr == g && u.initial == nil {
			u.initial = s
		} else {
			u.inits = true
		}
	case early:
		u.initFunc = true
	default:
		u.others = true
	}
}

// constantGlobal returns the value of g if it is a string, a function or an
// interface that is initialised with a constant and never changes.
func (fn *function) constantGlobal(g *ssa.Global) (operand, bool) {
	t := elemType(g.Type())
	if g.Object() == nil || g.Object().Exported() || !isCellType(t) && !isString(t) {
		return operand{}, false
	}
	if _, ok := fn.b.in.Globals[g]; ok {
		return operand{}, false
	}
	u := fn.b.useOf(g)
	if u.initial == nil || u.inits || u.initFunc || u.others {
		return operand{}, false
	}
	switch v := u.initial.Val.(type) {
	case *ssa.Const, *ssa.Function:
		return fn.operand(v), true
	case *ssa.MakeInterface:
		if c, ok := v.X.(*ssa.Const); ok {
			return operand{dyn: c.Type(), parts: []operand{fn.operand(c)}}, true
		}
	}
	return operand{}, false
}
