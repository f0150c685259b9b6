package build

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers package-level variables. Their initial value is what the
// package's initialiser stores into them as constants, or computes, see
// evaluate.go. A variable that no function of
// the program can write is read-only data.

// A VarDecl says which variable of the program an object is.
type VarDecl struct {
	Package string // import path
	Var     string
	Type    types.Type
	Size    int64 // bytes
	Pos     token.Position
}

// globalAddr returns the address of g.
func (fn *function) globalAddr(g *ssa.Global) operand {
	if isMapPointer(elemType(g.Type())) {
		return fn.mapVariable(g)
	}
	d := fn.globalData(g)
	if d == nil {
		return badOperand
	}
	v := fn.emit(ir.OpDataAddr, ir.PtrData)
	v.Aux = d
	return operand{vals: []*ir.Value{v}, nonnil: true}
}

// globalData returns the object of g, or nil if it was refused.
func (fn *function) globalData(g *ssa.Global) *ir.Data {
	d, ok := fn.b.globals[g]
	if !ok {
		d = fn.newGlobal(g)
		fn.b.globals[g] = d
	}
	return d
}

// newGlobal makes the object of g with its initial value, or returns nil.
func (fn *function) newGlobal(g *ssa.Global) *ir.Data {
	t := elemType(g.Type())
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return nil
	}
	done := false
	d := &ir.Data{
		Name: g.String(), Bytes: make([]byte, max(l.size, 1)), Align: dataAlign(l),
		Origin: &VarDecl{Package: g.Pkg.Pkg.Path(), Var: g.Name(), Type: t, Size: l.size, Pos: fn.b.position(g.Pos())},
	}
	if s := fn.b.in.Snapshots[g]; s != nil {
		fn.b.takeSnapshot(d, g, s)
		return d
	}
	fn.b.globals[g] = d // it may hold its own address
	defer func() {
		if !done {
			fn.b.globals[g] = nil
		}
	}()
	if mem, ok := fn.b.in.Globals[g]; ok {
		copy(d.Bytes, mem)
	} else if fn.b.initialising[g.Pkg] {
		// Its initial value is being computed, or is zero.
	} else if before := fn.b.diags.Len(); !fn.initialConst(d, g) && !fn.b.initial(d, g) {
		if fn.b.diags.Len() == before {
			fn.fail(diag.UnsupportedExpr, "initialise it with constants, or compute the value in the program",
				"package-level variable %s, whose initial value is not known when compiling", g.Name())
		}
		return nil
	}
	fn.b.noteMaps(d, t)
	done = true
	fn.b.m.Data = append(fn.b.m.Data, d)
	return d
}

// dataAlign returns the alignment of an object with layout l.
func dataAlign(l *layout) int64 { return min(l.align, 8) }

// initialConst applies the stores of the package initialiser to g, and reports
// whether all of them are of constants.
func (fn *function) initialConst(d *ir.Data, g *ssa.Global) bool {
	init := g.Pkg.Func("init")
	if init == nil || len(init.Blocks) == 0 {
		return false // a package without source
	}
	if fn.b.useOf(g).initFunc {
		return false
	}
	for _, blk := range init.Blocks {
		for _, instr := range blk.Instrs {
			if !fn.initialiseBy(d, g, instr) {
				return false
			}
		}
	}
	return true
}

// initialiseBy applies instr of the package initialiser. It returns false if
// instr does with g anything but storing a constant.
func (fn *function) initialiseBy(d *ir.Data, g *ssa.Global, instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case *ssa.Store:
		if rootOf(instr.Addr) == ssa.Value(g) {
			off, ok := constOffset(instr.Addr)
			return ok && fn.storeConst(d, off, instr.Val)
		}
		return true // the address may be the value of another variable
	case *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Slice, *ssa.MakeInterface, *ssa.DebugRef:
		return true
	}
	for _, p := range instr.Operands(nil) {
		if *p == nil {
			continue
		}
		if rootOf(*p) == ssa.Value(g) {
			// Reading it is fine: that is for the initial value of others.
			u, isLoad := instr.(*ssa.UnOp)
			return isLoad && u.X == *p
		}
	}
	return true
}

// markMutable marks the data that the program may write: whose address is used
// for anything but reading. The rest goes to read-only memory, of which the
// kernel's verifier knows the content.
func (b *builder) markMutable() {
	nameless := b.nameless()
	for _, f := range b.m.Funcs {
		for _, blk := range f.Blocks {
			for _, v := range blk.Instrs {
				for i, a := range v.Args {
					d := dataOf(a)
					if d == nil || onlyReads(v, i) || v.Op == ir.OpCall && (len(d.Refs) > 0 || nameless[d] && b.paramOnlyRead(v.Callee().Params()[i])) {
						continue
					}
					d.Mutable = true
				}
			}
			for _, e := range blk.Term.Succs {
				markAll(e.Args)
			}
			markAll(blk.Term.Args)
		}
	}
	b.markReferred()
	for _, d := range b.strings {
		d.Mutable = false
	}
	for _, d := range b.fixed {
		d.Mutable = false
	}
	for a, d := range b.literals {
		if b.inLibrary(a.Parent().Pkg) { // a table, whose address may be passed on
			d.Mutable = false
		}
	}
}

// nameless returns the objects that are no variables but what variables point to, such as the array of a slice.
func (b *builder) nameless() map[*ir.Data]bool {
	set := make(map[*ir.Data]bool)
	for _, d := range b.literals {
		if d != nil {
			set[d] = true
		}
	}
	return set
}

// addFixed adds an object that nothing can write, wherever its address goes.
func (b *builder) addFixed(d *ir.Data) {
	b.m.Data = append(b.m.Data, d)
	b.fixed = append(b.fixed, d)
}

// refuseShared refuses variables that the program writes and that hold functions, interfaces
// or maps: other programs use the same variables, and number what is in them differently.
func (b *builder) refuseShared() {
	for _, d := range b.m.Data {
		v, ok := d.Origin.(*VarDecl)
		if d.Mutable && len(d.Refs) > 0 {
			pos, name := token.Position{}, d.Name
			if ok {
				pos, name = v.Pos, v.Var
			}
			b.diags.Add(diag.UnsupportedExpr, pos, "keep an index in it, or pointers in a variable that is only read",
				"package-level variable %s holds pointers or strings and is written", name)
			continue
		}
		switch {
		case !ok || !d.Mutable:
		case holdsDynamic(v.Type):
			b.diags.Add(diag.UnresolvedCall, v.Pos, "keep an integer in it and choose with switch",
				"package-level variable %s holds functions or interfaces and is written", v.Var)
		case b.mapData[d] || holdsMaps(v.Type):
			b.diags.Add(diag.UnresolvedCall, v.Pos, "keep what changes in another variable, or in an ebpf.Var",
				"package-level variable %s holds maps and is written", v.Var)
		}
	}
}

// holdsDynamic reports whether values of type t hold functions or interfaces.
func holdsDynamic(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Array:
		return holdsDynamic(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if holdsDynamic(f.Type()) {
				return true
			}
		}
	}
	return isCellType(t)
}

func markAll(args []*ir.Value) {
	for _, a := range args {
		if d := dataOf(a); d != nil && len(d.Refs) == 0 {
			d.Mutable = true
		}
	}
}

// dataOf returns the object that v, an address computed from a single one,
// points into.
func dataOf(v *ir.Value) *ir.Data {
	for v.Op == ir.OpPtrAdd || v.Op.Is(ir.Proof) && v.Type.IsPtr() {
		v = v.Args[0]
	}
	if v.Op == ir.OpDataAddr {
		return v.Data()
	}
	return nil
}

// paramOnlyRead reports whether the function with the parameter p, an address, only reads from
// there, and so do those that it passes it on to.
func (b *builder) paramOnlyRead(p *ir.Value) bool {
	if known, ok := b.onlyRead[p]; ok {
		return known
	}
	b.onlyRead[p] = false // if it is recursive
	derived := map[*ir.Value]bool{p: true}
	for before := 0; before < len(derived); {
		before = len(derived)
		for _, blk := range p.Block.Func.Blocks {
			for _, v := range blk.Instrs {
				for i, a := range v.Args {
					switch {
					case !derived[a]:
					case v.Op == ir.OpPtrAdd || v.Op.Is(ir.Proof):
						derived[v] = true
					case onlyReads(v, i):
					case v.Op != ir.OpCall || !b.paramOnlyRead(v.Callee().Params()[i]):
						return false
					}
				}
			}
			for _, e := range blk.Term.Succs {
				for i, a := range e.Args {
					if derived[a] {
						derived[e.To.Params[i]] = true
					}
				}
			}
			if slices.ContainsFunc(blk.Term.Args, func(a *ir.Value) bool { return derived[a] }) {
				return false // it is returned
			}
		}
	}
	b.onlyRead[p] = true
	return true
}

// onlyReads reports whether v does no more with the address in operand i than
// read or offset it.
func onlyReads(v *ir.Value, i int) bool {
	switch v.Op {
	case ir.OpLoad, ir.OpPtrAdd, ir.OpEq, ir.OpNe, ir.OpCheckNonNil, ir.OpPi:
		return true
	case ir.OpMemCopy:
		return i == 1
	case ir.OpHelper:
		k := v.Helper().Args[i]
		return k == ir.ArgMem
	}
	return false
}
