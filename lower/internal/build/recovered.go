package build

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers recover, and what is done with its result.
//
// Most programs only ask whether there was a panic: the status says so. One that asserts
// a type of the result, compares it or stores it wants its value. That is known when it happens, after
// code that panics has been lowered; then the program is built again (see world.go), and the
// status of a panic goes everywhere with the two words of an interface (see dynamic.go):
// its value or, of a run-time error, the type runtimeErrorType and the number of its site.
//
// The value may be in memory: the box of an interface, and variables that it points to. It must
// outlive the function that panics. Such memory belongs to the outermost function from which
// panics return, or the one that calls it; see frame. In a loop there, one iteration after the other uses
// it. Therefore recover copies the box to memory that lives as long as its result, and
// variables that values of panics point to are refused in such loops. From a callback (see callback.go)
// there come only numbers: what callbacks store, the verifier does not know any more when they are done.

// A thrown panic is the values that go to a landing block: the status and, if the program looks at
// values of panics, the two words of an interface.
type thrown []*ir.Value

// args returns p as arguments of an edge, which belong to that alone.
func (p thrown) args() []*ir.Value { return slices.Clone(p) }

// thrownTypes returns the types of a thrown panic.
func (b *builder) thrownTypes() []ir.Type {
	if b.world.knewInspects {
		return []ir.Type{ir.I64, ir.I64, ir.PtrAny}
	}
	return []ir.Type{ir.I64}
}

// addThrown appends parameters of blk for a panic.
func (fn *function) addThrown(blk *ir.Block) (p thrown) {
	for _, t := range fn.b.thrownTypes() {
		p = append(p, blk.AddParam(t, ir.Pos(fn.pos)))
	}
	return p
}

// noThrown returns what stands for no panic.
func (fn *function) noThrown() (p thrown) {
	for _, t := range fn.b.thrownTypes() {
		p = append(p, fn.constant(t, 0))
	}
	return p
}

// runtimeError returns the panic that Go's runtime makes at site.
func (fn *function) runtimeError(site *ir.Site) thrown {
	p := thrown{fn.constant(ir.I64, int64(site.Index)+1)}
	if fn.b.world.knewInspects {
		p = append(p, fn.constant(ir.I64, fn.b.world.typeID(runtimeErrorType)), fn.emit(ir.OpIntToPtr, ir.PtrAny, p[0]))
	}
	return p
}

// explicit returns the panic with the value o at site.
func (fn *function) explicit(site *ir.Site, o operand) thrown {
	p := thrown{fn.constant(ir.I64, int64(site.Index)+1)}
	if !fn.b.world.knewInspects {
		return p
	}
	words := fn.thrownWords(o)
	if words.isBad() {
		return append(p, fn.noThrown()[1:]...)
	}
	return append(p, words.vals...)
}

// thrownWords returns the interface o in the form of memory, for a panic.
func (fn *function) thrownWords(o operand) operand {
	switch {
	case o.isBad():
		return badOperand
	case isDynamic(o):
		fn.inst.throwsMemory = fn.pos
		return fn.settled(o)
	case isStaticType(o.dyn):
		fn.fail(diag.UnresolvedCall, "panic with an integer or a string", "panic with a value of type %s in a program that looks at what recover returns", o.dyn)
		return badOperand
	}
	l, err := fn.b.layoutOf(o.dyn)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	if l.count > 1 || hasPointers(o.dyn) {
		fn.inst.throwsMemory = fn.pos
	}
	if l.count <= 1 {
		return fn.dynamic(o, types.NewInterfaceType(nil, nil), nil)
	}
	box := fn.thrownMemory(frame{size: max(l.size, 1), align: 8, pos: fn.pos, thrown: true})
	fn.store(box, o.dyn, fn.settled(o.parts[0]))
	return operand{vals: []*ir.Value{fn.constant(ir.I64, fn.b.world.typeID(o.dyn)), box.base}}
}

// thrownMemory returns memory that lives until the panic of fn has been recovered from.
func (fn *function) thrownMemory(fr frame) address {
	if fn.inst.unwinds {
		fn.inst.frames = append(fn.inst.frames, fr)
		return address{base: fn.f.Entry().AddParam(ir.PtrStack, fr.irPos())}
	}
	return fn.slotAddr(fn.f.NewSlot("panic", fr.size, fr.align, fr.irPos()))
}

// throws reports whether the address v may be in the value of a panic that the program looks at.
func (fn *function) throws(v ssa.Value) bool {
	if !fn.unwinds() || !fn.b.world.knewInspects {
		return false
	}
	found := false
	trace(v, func(use ssa.Instruction, _ *ssa.Alloc) bool {
		_, found = use.(*ssa.Panic)
		return !found
	})
	return found
}

// savePanic stores p where recover finds it, and loadPanic is the reverse.
func (fn *function) savePanic(at address, p thrown) {
	for i, v := range p {
		fn.storeLeaf(at.plus(8*int64(i)), 8, v)
	}
}

func (fn *function) loadPanic(at address) (p thrown) {
	for i, t := range fn.b.thrownTypes() {
		p = append(p, fn.loadLeaf(at.plus(8*int64(i)), leaf{typ: t, width: 8}))
	}
	return p
}

// thrownResults returns what a return from block has in front of the results of the
// source.
func (fn *function) thrownResults(block *ir.Block) thrown {
	fn.cur = block
	if fn.panicking != nil {
		return fn.loadPanic(fn.slotAddr(fn.panicking))
	}
	return fn.noThrown()
}

// lowerRecover lowers a call of recover. It has a result other than nil only in a
// function that is deferred and runs because of a panic.
func (fn *function) lowerRecover(c *ssa.Call) operand {
	if fn.panicking == nil {
		return operand{dyn: nilType}
	}
	at := fn.slotAddr(fn.panicking)
	p := fn.loadPanic(at)
	fn.storeLeaf(at, 8, fn.constant(ir.I64, 0))
	o := operand{dyn: recoveredType, parts: []operand{single(p[0])}}
	if len(p) > 1 {
		some := fn.emit(ir.OpNe, ir.I32, p[0], fn.constant(ir.I64, 0))
		id := fn.emit(ir.OpSelect, ir.I64, some, p[1], fn.constant(ir.I64, 0))
		o.parts = append(o.parts, operand{vals: []*ir.Value{id, fn.unthrown(id, p[2], c)}})
	}
	return o
}

// unthrown returns the second word of an interface with the dynamic type number id for which
// panic was called with data: what that points to is copied.
func (fn *function) unthrown(id, data *ir.Value, c *ssa.Call) *ir.Value {
	w := fn.b.world
	var boxes []int64
	size := int64(0)
	for _, n := range w.implementers(types.NewInterfaceType(nil, nil)) {
		if l, err := fn.b.layoutOf(w.types[n-1]); err == nil && l.count > 1 {
			boxes = append(boxes, n)
			size = max(size, l.size)
		}
	}
	if len(boxes) == 0 {
		return data
	}
	box := fn.holder(callValue(c), "recovered", frame{size: size, align: 8, pos: fn.pos})
	pos := ir.Pos(fn.pos)
	next := fn.f.NewBlock()
	result := next.AddParam(ir.PtrAny, pos)
	for _, n := range boxes {
		this, others := fn.f.NewBlock(), fn.f.NewBlock()
		is := fn.emit(ir.OpEq, ir.I32, id, fn.constant(ir.I64, n))
		fn.cur.Branch(pos, is, ir.Edge{To: this}, ir.Edge{To: others})
		fn.cur = this
		fn.store(box, w.types[n-1], fn.unboxed(data, w.types[n-1]))
		fn.cur.Jump(pos, next, box.base)
		fn.cur = others
	}
	fn.cur.Jump(pos, next, data)
	fn.cur = next
	return result
}

// recoveredType is the dynamic type of what recover returns: the status of the panic, and
// its value. It is nil if the status is 0.
var recoveredType types.Type = types.NewNamed(types.NewTypeName(token.NoPos, nil, "recovered panic", nil), types.Typ[types.Uintptr], nil)

// runtimeErrorType is the dynamic type of the value of a panic that Go's runtime makes: the status.
var runtimeErrorType = newRuntimeError()

func newRuntimeError() types.Type {
	t := types.NewNamed(types.NewTypeName(token.NoPos, nil, "runtime.Error", nil), types.Typ[types.Uintptr], nil)
	method := func(name string, results ...*types.Var) {
		recv := types.NewVar(token.NoPos, nil, "", t)
		t.AddMethod(types.NewFunc(token.NoPos, nil, name, types.NewSignatureType(recv, nil, nil, nil, types.NewTuple(results...), false)))
	}
	method("Error", types.NewVar(token.NoPos, nil, "", types.Typ[types.String]))
	method("RuntimeError")
	return t
}

// fromRecover reports whether the interface v is what a call of recover in the same function returns, not
// counting the φ-nodes seen.
func fromRecover(v ssa.Value, seen []*ssa.Phi) bool {
	switch v := v.(type) {
	case *ssa.Call:
		b, ok := v.Call.Value.(*ssa.Builtin)
		return ok && b.Name() == "recover"
	case *ssa.TypeAssert:
		return fromRecover(v.X, seen)
	case *ssa.ChangeInterface:
		return fromRecover(v.X, seen)
	case *ssa.Extract:
		return fromRecover(v.Tuple, seen)
	case *ssa.Phi:
		return !slices.Contains(seen, v) && slices.ContainsFunc(v.Edges, func(e ssa.Value) bool { return fromRecover(e, append(seen, v)) })
	}
	return false
}

// noErrorText is what the program panics with that asks an error of Go's runtime for its text.
const noErrorText = "text of a run-time error, which is not kept"

// recovered returns the interface that o, which recover has returned, stands for. If panics have no values
// yet, the program is built again, and what is returned does not matter.
func (fn *function) recovered(o operand) operand {
	if len(o.parts) > 1 {
		return o.parts[1]
	}
	fn.b.world.inspects = true
	return operand{vals: []*ir.Value{fn.constant(ir.I64, 0), fn.constant(ir.PtrAny, 0)}}
}

// equalRecovered compares what recover has returned with y, an interface of type t.
func (fn *function) equalRecovered(x, y operand, t types.Type) (*ir.Value, bool) {
	if isNil(y) {
		return fn.noPanic(thrown{x.parts[0].vals[0]}), true
	}
	if y.dyn == recoveredType {
		y = fn.recovered(y)
	}
	x = fn.recovered(x)
	if isNil(x) { // it is not known yet
		return fn.constant(ir.I32, 0), true
	}
	return fn.equalDynamic(x, y, t)
}

// mayBeRuntimeErrors reports whether two values that are not known when compiling may both be errors
// of Go's runtime, which are equal or not depending on what they say.
func (fn *function) mayBeRuntimeErrors(x, y operand) bool {
	return isDynamic(x) && isDynamic(y) && slices.ContainsFunc(fn.b.world.types, func(t types.Type) bool { return t == runtimeErrorType })
}
