package build

import (
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers maps of package ebpf.
//
// A map has no memory in the program. Its variable is a package-level one that holds a
// pointer to a map type; which map that is, is known while compiling, and follows
// the pointer through variables, calls and closures as a function value does. Only
// helpers get to see it, as a reference that the loader resolves. In structs, arrays and
// variables that are assigned more than once a map is a number, see mapvalue.go. What is
// not known that way either is a map that a lookup in a map of maps returned: an ordinary
// pointer, which helpers take as it is.

// A MapDecl says which map a program refers to, so that a loader can find it.
type MapDecl struct {
	Name    string // of the variable, with its package, unique in the program
	Package string // import path of the package of the variable
	Var     string // name of the variable
	Field   string // of the map that belongs to that in Var, or ""
	// Type is the type of the map, an instance of a type of package ebpf.
	Type *types.Named
	Pos  token.Position // of the variable
	// Site is where the constructor is called, and Order how many constructors of
	// the same variables' initialisers are called in that line before it.
	Site  token.Position
	Order int
	// Call is the call of the constructor, or nil if the variable has no such
	// initial value.
	Call *ssa.Call
	// Live is the number by which the host knows the map that it has given, see
	// Snapshot, or 0.
	Live uint32
}

// A mapKey tells maps apart, from one attempt to build a program to the next. The zero
// key is that of a map that belongs to another.
type mapKey struct {
	g    *ssa.Global // the variable that holds the map alone
	call *ssa.Call   // that makes a map for a part of a variable
	live uint32      // of a map that the host has given
}

// A mapObject is a map as operands refer to it. It is the same in all attempts to build a
// program, so that functions in memory can capture it.
type mapObject struct {
	key      mapKey
	decl     *MapDecl
	children map[string]*mapObject
}

// isMapType reports whether t is a map type of package ebpf: a struct whose first
// field, however deep, is the handle that they have.
func isMapType(t types.Type) bool {
	for {
		n, ok := types.Unalias(t).(*types.Named)
		if ok && n.Obj().Name() == "handle" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == ebpfPath {
			return true
		}
		s, ok := t.Underlying().(*types.Struct)
		if !ok || s.NumFields() == 0 {
			return false
		}
		t = s.Field(0).Type()
	}
}

// isMapPointer reports whether t is a pointer to a map type.
func isMapPointer(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	return ok && isMapType(p.Elem())
}

// isMapRef reports whether t is ebpf.MapRef, a map as helpers take it.
func isMapRef(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "MapRef" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == ebpfPath
}

// mapVariable returns the address of g, which holds a map.
func (fn *function) mapVariable(g *ssa.Global) operand {
	return operand{cell: true, nonnil: true, parts: []operand{{m: fn.b.mapOfVariable(g), nonnil: true}}}
}

// mapOfVariable returns the map that the variable g holds.
func (b *builder) mapOfVariable(g *ssa.Global) *mapObject {
	key := mapKey{g: g}
	if o := b.world.objects[key]; o != nil {
		return o
	}
	if s := b.in.Snapshots[g]; s != nil && len(s.Maps) == 1 {
		return b.givenMap(g, s.Maps[0])
	}
	call := initialCall(g)
	return b.world.newMap(key, b.declareMap(g, "", elemType(g.Type()), call))
}

// declareMap describes the map, of pointer type t, that is in g or in the part of g called
// path, where call puts it.
func (b *builder) declareMap(g *ssa.Global, path string, t types.Type, call *ssa.Call) *MapDecl {
	named, _ := types.Unalias(elemType(t)).(*types.Named)
	decl := &MapDecl{
		Name: g.String() + path, Package: g.Pkg.Pkg.Path(), Var: g.Name() + path, Type: named,
		Pos: b.position(g.Pos()), Call: call,
	}
	if call != nil {
		decl.Site = b.position(call.Pos())
		decl.Order = b.callsBefore(call)
	}
	return decl
}

// newMap makes the map that decl describes.
func (w *world) newMap(key mapKey, decl *MapDecl) *mapObject {
	o := &mapObject{key: key, decl: decl, children: make(map[string]*mapObject)}
	if key != (mapKey{}) {
		w.objects[key] = o
	}
	return o
}

// irMap returns the map o of the module.
func (b *builder) irMap(o *mapObject) *ir.Map {
	m := b.maps[o]
	if m == nil {
		m = &ir.Map{Name: o.decl.Name, Origin: o.decl}
		b.m.Maps = append(b.m.Maps, m)
		b.maps[o] = m
	}
	return m
}

// initialCall returns the call whose result the package initialiser stores in g, or nil.
func initialCall(g *ssa.Global) *ssa.Call {
	init := g.Pkg.Func("init")
	if init == nil {
		return nil
	}
	var call *ssa.Call
	for _, blk := range init.Blocks {
		for _, instr := range blk.Instrs {
			if s, ok := instr.(*ssa.Store); ok && s.Addr == g {
				call, _ = s.Val.(*ssa.Call)
			}
		}
	}
	return call
}

// callsBefore returns how many calls of constructors in the line of call come before it
// in its function.
func (b *builder) callsBefore(call *ssa.Call) int {
	n := 0
	line := b.position(call.Pos()).Line
	for _, blk := range call.Parent().Blocks {
		for _, instr := range blk.Instrs {
			c, ok := instr.(*ssa.Call)
			switch {
			case c == call:
				return n
			case ok && b.isConstructor(c) && b.position(c.Pos()).Line == line:
				n++
			}
		}
	}
	return n
}

// isConstructor reports whether c makes a map.
func (b *builder) isConstructor(c *ssa.Call) bool {
	if !isMapPointer(c.Type()) || c.Call.StaticCallee() == nil {
		return false
	}
	d := b.directiveOf(c.Call.StaticCallee())
	return d != nil && d.intrinsic == "newmap"
}

// mapField returns the address of field n of the map o, a struct s. The first field is the
// map itself.
func (fn *function) mapField(o operand, s *types.Struct, n int) operand {
	f := s.Field(n)
	switch {
	case n == 0:
		return o
	case isMapPointer(f.Type()):
		o.field = f.Name()
		if o.m.children[o.field] == nil {
			decl := *o.m.decl
			decl.Name += "." + o.field
			decl.Field = o.field
			decl.Type, _ = types.Unalias(elemType(f.Type())).(*types.Named)
			o.m.children[o.field] = fn.b.world.newMap(mapKey{}, &decl)
		}
		return o
	}
	panic("BUG: field " + f.Name() + " of a map in the program")
}

// childMap returns the map that o, the address of a field of a map, refers to.
func (fn *function) childMap(o operand) operand {
	return operand{m: o.m.children[o.field], nonnil: true}
}

// failMapCopy reports an access to a map as if it were memory.
func (fn *function) failMapCopy() {
	fn.fail(diag.UnsupportedExpr, "use the map by its pointer, and set its variable where it is declared",
		"copy of a map, or assignment to its variable")
}

// mapIntrinsics lowers the intrinsics of maps by name.
var mapIntrinsics = map[string]func(*function, *ssa.Function, *ssa.CallCommon) operand{
	"mapref":    (*function).lowerMapRef,
	"mapvalue":  (*function).lowerMapValue,
	"innermap":  (*function).lowerInnerMap,
	"newmap":    (*function).lowerNewMap,
	"zeropad":   (*function).lowerZeroPadding,
	"zero":      (*function).lowerZero,
	"atomicadd": (*function).lowerAtomicAdd,
	"errno":     (*function).lowerErrno,
}

// lowerMapRef lowers the conversion of a map to what helpers take.
func (fn *function) lowerMapRef(_ *ssa.Function, c *ssa.CallCommon) operand {
	o := fn.operand(c.Args[0])
	if o.m != nil {
		return o
	}
	a := fn.deref(c.Args[0])
	return operand{vals: []*ir.Value{a.base}, nonnil: true}
}

// mapArg returns the map o as an argument of a helper, or nil.
func (fn *function) mapArg(o operand) *ir.Value {
	switch {
	case o.m != nil:
		v := fn.emit(ir.OpMapRef, ir.MapRef)
		v.Aux = fn.b.irMap(o.m)
		return v
	case len(o.vals) == 1 && o.vals[0].Type == ir.PtrKernel:
		return o.vals[0]
	}
	return nil
}

// lowerMapValue lowers the address of the value of a map of one entry, which is data
// to the program.
func (fn *function) lowerMapValue(_ *ssa.Function, c *ssa.CallCommon) operand {
	o := fn.operand(c.Args[0])
	if o.m == nil {
		fn.fail(diag.UnresolvedCall, "use a variable that is declared at package level", "variable of package ebpf that is not known when compiling")
		return badOperand
	}
	d := fn.b.mapValues[o.m]
	if d == nil {
		size := int64(1)
		if args := o.m.decl.Type.TypeArgs(); args.Len() == 1 {
			l, err := fn.b.layoutOf(args.At(0))
			if err != nil {
				fn.failType(err)
				return badOperand
			}
			size = max(l.size, 1)
		}
		d = &ir.Data{Name: o.m.decl.Name, Bytes: make([]byte, size), Align: 8, Mutable: true, Fixed: true, Origin: o.m.decl}
		fn.b.irMap(o.m) // the data is its
		fn.b.m.Data = append(fn.b.m.Data, d)
		fn.b.mapValues[o.m] = d
	}
	v := fn.emit(ir.OpDataAddr, ir.PtrData)
	v.Aux = d
	return operand{vals: []*ir.Value{v}, nonnil: true}
}

// lowerInnerMap makes a pointer to a map of what a lookup in a map of maps returned.
func (fn *function) lowerInnerMap(_ *ssa.Function, c *ssa.CallCommon) operand {
	o := fn.settled(fn.operand(c.Args[0]))
	if o.isBad() {
		return badOperand
	}
	v := o.vals[0]
	if v.Op != ir.OpHelper {
		panic("BUG: inner map that no lookup returned")
	}
	h := *v.Helper()
	h.Name += ".map"
	h.Result = ir.PtrKernel
	v.Aux, v.Type = &h, ir.PtrKernel
	return single(v)
}

// lowerNewMap lowers the call of a map's constructor, which the initialiser of a variable may
// make and the program may not.
func (fn *function) lowerNewMap(callee *ssa.Function, c *ssa.CallCommon) operand {
	if call := callOf(fn.at, c); call != nil && fn.src.Synthetic == "package initializer" {
		if o := fn.b.constructedMap(call); o != nil {
			return operand{m: o, nonnil: true}
		}
	}
	fn.fail(diag.HostOnly, "call it in the initialiser of a package-level variable, or compile a method or a function literal that captures the map", "%s makes maps on the host only", callee.Name())
	return badOperand
}

// callOf returns the instruction in blk that makes the call c, or nil.
func callOf(blk *ssa.BasicBlock, c *ssa.CallCommon) *ssa.Call {
	for _, instr := range blk.Instrs {
		if call, ok := instr.(*ssa.Call); ok && &call.Call == c {
			return call
		}
	}
	return nil
}

// lowerZeroPadding zeroes what no field of *p lies in.
func (fn *function) lowerZeroPadding(_ *ssa.Function, c *ssa.CallCommon) operand {
	t := elemType(c.Args[0].Type())
	a := fn.deref(c.Args[0])
	if sizes.Sizeof(t) == 0 {
		fn.memZero(a, 1)
		return operand{}
	}
	used := make([]bool, sizes.Sizeof(t))
	markUsed(used, t)
	for from := 0; from < len(used); from++ {
		to := from
		for to < len(used) && !used[to] {
			to++
		}
		fn.memZero(a.plus(int64(from)), int64(to-from))
		from = to
	}
	return operand{}
}

// markUsed marks the bytes that a value of type t has, other than padding, blank fields
// and fields that belong to the kernel.
func markUsed(used []bool, t types.Type) {
	switch u := t.Underlying().(type) {
	case *types.Array:
		size := sizes.Sizeof(u.Elem())
		for i := range u.Len() {
			markUsed(used[i*size:], u.Elem())
		}
	case *types.Struct:
		if isKernelField(t) {
			return
		}
		for i, off := range fieldOffsets(u) {
			if f := u.Field(i); f.Name() != "_" {
				markUsed(used[off:], f.Type())
			}
		}
	default:
		for i := range sizes.Sizeof(t) {
			used[i] = true
		}
	}
}

// isKernelField reports whether t is a type of package ebpf that stands for a struct of
// the kernel.
func isKernelField(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != ebpfPath {
		return false
	}
	return n.Obj().Name() == "SpinLock" || n.Obj().Name() == "Timer"
}

// copyValue copies a value of type t. Fields that belong to the kernel are not read
// and not written, which the kernel would not allow, but that they are zeroed in variables.
func (fn *function) copyValue(to, from address, t types.Type) {
	start, size := int64(0), sizes.Sizeof(t)
	kernelFields(t, 0, func(off, n int64) {
		fn.memCopy(to.plus(start), from.plus(start), off-start)
		if to.base.Op == ir.OpSlotAddr {
			fn.memZero(to.plus(off), n)
		}
		start = off + n
	})
	fn.memCopy(to.plus(start), from.plus(start), size-start)
}

// kernelFields calls f with offset and size of the fields of t that belong to the kernel.
func kernelFields(t types.Type, off int64, f func(off, size int64)) {
	switch u := t.Underlying().(type) {
	case *types.Array:
		size := sizes.Sizeof(u.Elem())
		for i := range u.Len() {
			found := false
			kernelFields(u.Elem(), off+i*size, func(off, n int64) { found = true; f(off, n) })
			if !found {
				return
			}
		}
	case *types.Struct:
		if isKernelField(t) {
			f(off, sizes.Sizeof(t))
			return
		}
		for i, o := range fieldOffsets(u) {
			kernelFields(u.Field(i).Type(), off+o, f)
		}
	}
}

func (fn *function) lowerZero(_ *ssa.Function, c *ssa.CallCommon) operand {
	fn.memZero(fn.deref(c.Args[0]), sizes.Sizeof(elemType(c.Args[0].Type())))
	return operand{}
}

// lowerAtomicAdd adds to *p without fetching the result, which all kernels can.
func (fn *function) lowerAtomicAdd(_ *ssa.Function, c *ssa.CallCommon) operand {
	t := elemType(c.Args[0].Type())
	i, ok := intTypeOf(t)
	if !ok || i.bits < 32 {
		fn.fail(diag.UnsupportedType, "use an integer type of 32 or 64 bits", "atomic addition to a value of type %s", t)
		return badOperand
	}
	a := fn.deref(c.Args[0])
	v := fn.emit(ir.OpAtomic, ir.Void, fn.flat(a), fn.scalar(c.Args[1]))
	v.Aux, v.Width = ir.AtomicAdd, uint8(i.bits/8)
	return operand{}
}

// ConstructorSize returns the first argument of the constructor's call, if that is a
// constant integer.
func (d *MapDecl) ConstructorSize() (int64, bool) { return firstInt(d.Call) }

// A MapOption is a call of an option's function in the call of a map's constructor.
type MapOption struct {
	Name string         // of the function, such as MapPin
	Arg  constant.Value // nil if it is not constant
	Pos  token.Position
}

// Options returns the options of the constructor's call, in their order.
func (d *MapDecl) Options() []MapOption {
	if d.Call == nil || len(d.Call.Call.Args) == 0 {
		return nil
	}
	s, ok := d.Call.Call.Args[len(d.Call.Call.Args)-1].(*ssa.Slice)
	if !ok {
		return nil
	}
	var options []MapOption
	for _, r := range *s.X.Referrers() {
		elem, ok := r.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		for _, r := range *elem.Referrers() {
			store, ok := r.(*ssa.Store)
			if !ok {
				continue
			}
			o := MapOption{Pos: d.Site}
			if c, ok := store.Val.(*ssa.Call); ok && c.Call.StaticCallee() != nil {
				callee := c.Call.StaticCallee()
				if callee.Origin() != nil {
					callee = callee.Origin()
				}
				o.Name = callee.Name()
				if v, ok := c.Call.Args[0].(*ssa.Const); ok {
					o.Arg = v.Value
				}
			}
			options = append(options, o)
		}
	}
	return options
}

// InnerSize returns the first argument of the call that makes the example of the maps in a
// map of maps, if that is a constant integer.
func (d *MapDecl) InnerSize() (int64, bool) {
	if d.Call == nil {
		return 0, false
	}
	for _, a := range d.Call.Call.Args {
		if c, ok := a.(*ssa.Call); ok && isMapPointer(c.Type()) {
			return firstInt(c)
		}
	}
	return 0, false
}

func firstInt(c *ssa.Call) (int64, bool) {
	if c == nil || len(c.Call.Args) == 0 {
		return 0, false
	}
	return constInt(c.Call.Args[0])
}
