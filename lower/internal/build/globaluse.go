package build

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
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
		if f, ok := m.(*ssa.Function); ok {
			visitAll(f)
		}
	}
	for _, f := range methodsOf(pkg) {
		visitAll(f)
	}
	return uses
}

// initFuncs returns the functions of pkg that its initialiser may call: those
// that are mentioned in it or in another of them, and the methods of an interface
// that one of them calls a method of. An instance of a generic function counts as that.
func initFuncs(pkg *ssa.Package) map[*ssa.Function]bool {
	early := make(map[*ssa.Function]bool)
	var work []*ssa.Function
	add := func(f *ssa.Function) {
		if f != nil && f.Origin() != nil {
			f = f.Origin()
		}
		if f != nil && (f.Pkg == pkg || f.Pkg == nil) && !early[f] { // wrappers have no package
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
				if c, ok := instr.(ssa.CallInstruction); ok && c.Common().IsInvoke() {
					for _, m := range methodsOf(pkg) {
						if m.Name() == c.Common().Method.Name() {
							add(m)
						}
					}
				}
			}
		}
	}
	return early
}

// methodsOf returns the methods of the types that pkg declares, in no order.
func methodsOf(pkg *ssa.Package) (list []*ssa.Function) {
	for _, m := range pkg.Members {
		t, ok := m.(*ssa.Type)
		if !ok {
			continue
		}
		n, ok := types.Unalias(t.Type()).(*types.Named)
		for i := 0; ok && i < n.NumMethods(); i++ {
			if f := pkg.Prog.FuncValue(n.Method(i)); f != nil {
				list = append(list, f)
			}
		}
	}
	return list
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

// constantGlobal returns the value of g if it is a string, a function, an
// interface, a pointer or a slice that is initialised with a constant or what the
// linker knows, and never changes.
func (fn *function) constantGlobal(g *ssa.Global) (operand, bool) {
	if g.Object() == nil || !mayBeConstant(elemType(g.Type())) {
		return operand{}, false
	}
	if _, ok := fn.b.in.Globals[g]; ok {
		return operand{}, false
	}
	u := fn.b.useOf(g)
	if u.initial == nil || u.inits || u.initFunc || u.others {
		return operand{}, false
	}
	if o, ok := fn.sentinel(g, u.initial.Val); ok {
		return o, true
	}
	if g.Object().Exported() && !fn.b.inLibrary(g.Pkg) {
		return operand{}, false
	}
	return fn.initialValue(g, u.initial.Val)
}

// sentinel returns the error that the package initialiser makes for g with errors.New,
// if that is v. It is the address of an object of its own, without content, because read-only
// data cannot hold the address of the text. Other packages do not assign to
// such variables, even if they could.
func (fn *function) sentinel(g *ssa.Global, v ssa.Value) (operand, bool) {
	c, ok := v.(*ssa.Call)
	if !ok || !isErrorsNew(c.Call.StaticCallee()) {
		return operand{}, false
	}
	d := fn.b.globals[g]
	if d == nil {
		d = &ir.Data{Name: g.String(), Bytes: make([]byte, 16), Align: 8}
		fn.b.globals[g] = d
		fn.b.addFixed(d)
	}
	addr := fn.emit(ir.OpDataAddr, ir.PtrData)
	addr.Aux = d
	t := types.NewPointer(c.Call.StaticCallee().Pkg.Type("errorString").Type())
	return operand{dyn: t, parts: []operand{{vals: []*ir.Value{addr}, nonnil: true}}}, true
}

// isErrorsNew reports whether f is errors.New.
func isErrorsNew(f *ssa.Function) bool {
	return f != nil && f.Pkg != nil && f.Pkg.Pkg.Path() == "errors" && f.Name() == "New" && f.Signature.Recv() == nil
}

// isErrorText reports whether f is the method that returns the text of an error made
// with errors.New.
func isErrorText(f *ssa.Function) bool {
	return f != nil && f.Pkg != nil && f.Pkg.Pkg.Path() == "errors" && f.Name() == "Error"
}

// mayBeConstant reports whether constantGlobal is for variables of type t. The
// others are in memory.
func mayBeConstant(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice:
		return true
	}
	return isCellType(t) || isString(t)
}

// initialValue returns the value v that the package initialiser gives to g, if it
// is known when compiling.
func (fn *function) initialValue(g *ssa.Global, v ssa.Value) (operand, bool) {
	switch v := v.(type) {
	case *ssa.Const, *ssa.Function:
		return fn.operand(v), true
	case *ssa.MakeInterface:
		if c, ok := v.X.(*ssa.Const); ok {
			return operand{dyn: c.Type(), parts: []operand{fn.operand(c)}}, true
		}
	case *ssa.Global: // its address
		if fn.b.inLibrary(g.Pkg) {
			o := fn.globalAddr(v)
			return o, !o.isBad()
		}
	case *ssa.UnOp: // the value of another variable
		if other, ok := v.X.(*ssa.Global); ok && v.Op == token.MUL {
			return fn.constantGlobal(other)
		}
	case *ssa.Slice: // of a composite literal
		a, ok := v.X.(*ssa.Alloc)
		if !ok || v.Low != nil || v.High != nil || v.Max != nil {
			return operand{}, false
		}
		o, ok := fn.literal(g, a)
		if !ok {
			return operand{}, false
		}
		n := fn.constant(ir.I64, arrayOf(a.Type()).Len())
		return operand{vals: []*ir.Value{o.vals[0], n, n}}, true
	case *ssa.Alloc: // &T{...}
		return fn.literal(g, v)
	}
	return operand{}, false
}

// literal returns the address of the object that the package initialiser makes of
// a composite literal for g, if its content is constant.
func (fn *function) literal(g *ssa.Global, a *ssa.Alloc) (operand, bool) {
	d := fn.literalData(g.String(), a)
	if d == nil {
		return operand{}, false
	}
	v := fn.emit(ir.OpDataAddr, ir.PtrData)
	v.Aux = d
	return operand{vals: []*ir.Value{v}, nonnil: true}, true
}

// literalData returns the object of a literal, or nil. Its name begins with that of a variable.
func (fn *function) literalData(name string, a *ssa.Alloc) *ir.Data {
	d, ok := fn.b.literals[a]
	if ok {
		return d
	}
	l, err := fn.b.layoutOf(elemType(a.Type()))
	if err != nil {
		return nil
	}
	d = &ir.Data{Name: fn.b.dataName(name + ".literal"), Bytes: make([]byte, max(l.size, 1)), Align: dataAlign(l)}
	if onlyInitialised(a) && fn.storeLiteral(d, 0, a) {
		fn.b.noteMaps(d, elemType(a.Type()))
		fn.b.m.Data = append(fn.b.m.Data, d)
	} else {
		d = nil
	}
	fn.b.literals[a] = d
	return d
}

// onlyInitialised reports whether the package initialiser does nothing with a but
// to set its parts and to store its address, or a slice of it, once.
func onlyInitialised(a *ssa.Alloc) bool {
	uses := 0
	var partsOnly func(v ssa.Value) bool
	partsOnly = func(v ssa.Value) bool {
		for _, r := range *v.Referrers() {
			switch r := r.(type) {
			case *ssa.FieldAddr:
				if !partsOnly(r) {
					return false
				}
			case *ssa.IndexAddr:
				if !partsOnly(r) {
					return false
				}
			case *ssa.Store:
				if r.Val == v {
					uses++
				}
			case *ssa.Slice:
				uses++
				if len(*r.Referrers()) != 1 {
					return false
				}
			default:
				return false
			}
		}
		return true
	}
	return partsOnly(a) && uses == 1
}
