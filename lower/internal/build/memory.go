package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers variables, pointers, loads and stores.

// An address is a place in memory: base plus off bytes.
type address struct {
	base *ir.Value
	off  int64
}

func (a address) plus(n int64) address { return address{a.base, a.off + n} }

// nilDeref is what Go's runtime says of a nil dereference.
const nilDeref = "invalid memory address or nil pointer dereference"

// A checkedPtr is a pointer that a nil check in block at has passed.
type checkedPtr struct {
	at *ssa.BasicBlock
	v  *ir.Value
}

// lowerAlloc makes the stack object of a variable and zeroes it, each time the
// declaration is executed. Whether go/ssa thinks that the variable escapes to
// the heap does not matter: there is none.
func (fn *function) lowerAlloc(a *ssa.Alloc) operand {
	t := elemType(a.Type())
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	if o, ok := fn.cellAlloc(a); ok {
		return o
	}
	if o, ok := fn.snapshotAlloc(a); ok {
		return o
	}
	if o, ok := fn.loopVars[a]; ok {
		return o
	}
	name := a.Comment
	if name == "" {
		name = a.Name()
	}
	addr := fn.variable(a, name, frame{size: max(l.size, 1), align: min(l.align, 8), pos: a.Pos()})
	fn.memZero(addr, l.size)
	return operand{vals: []*ir.Value{addr.base}, nonnil: true}
}

// slotAddr returns the address of slot.
func (fn *function) slotAddr(slot *ir.Slot) address {
	v := fn.emit(ir.OpSlotAddr, ir.PtrStack)
	v.Aux = slot
	return address{base: v}
}

// tempSlot makes a stack object for a value of type t.
func (fn *function) tempSlot(t types.Type) address {
	l, _ := fn.b.layoutOf(t)
	align := min(l.align, 8)
	if l.size >= 8 {
		align = 8 // so that it can be copied in words
	}
	return fn.slotAddr(fn.f.NewSlot("", max(l.size, 1), align, ir.Pos(fn.pos)))
}

// ptrAdd returns p plus n bytes.
func (fn *function) ptrAdd(p *ir.Value, n int64) *ir.Value {
	if n == 0 {
		return p
	}
	return fn.emit(ir.OpPtrAdd, p.Type, p, fn.constant(ir.I64, n))
}

// flat returns a as a pointer without displacement.
func (fn *function) flat(a address) *ir.Value { return fn.ptrAdd(a.base, a.off) }

func (fn *function) memZero(a address, size int64) {
	if size > 0 {
		v := fn.emit(ir.OpMemZero, ir.Void, a.base)
		v.Imm, v.Size = a.off, size
	}
}

func (fn *function) memCopy(to, from address, size int64) {
	if size > 0 {
		v := fn.emit(ir.OpMemCopy, ir.Void, fn.flat(to), fn.flat(from))
		v.Size = size
	}
}

// deref returns the address that the pointer v holds, checked for nil. A check
// that has been passed on every path to here is not repeated.
func (fn *function) deref(v ssa.Value) address {
	o := fn.operand(v)
	if o.nonnil || o.vals[0].Type == ir.PtrCtx {
		return address{o.vals[0], o.off}
	}
	if c, ok := fn.nonnil[v]; ok && c.at.Dominates(fn.at) {
		return address{c.v, o.off}
	}
	checked := fn.checkNonNil(o.vals[0])
	fn.nonnil[v] = checkedPtr{fn.at, checked}
	return address{checked, o.off}
}

// lowerLoad lowers *p.
func (fn *function) lowerLoad(u *ssa.UnOp) operand {
	if o, ok := fn.staticLoad(u.X); ok {
		return o
	}
	if fn.vals[u.X].m != nil {
		fn.failMapCopy()
		return badOperand
	}
	a := fn.deref(u.X)
	if a.base.Type == ir.PtrCtx && fn.checkContext(u.X, false) {
		return badOperand
	}
	if o, ok := fn.mapAt(a); ok && isMapPointer(u.Type()) {
		return o
	}
	if len(*u.Referrers()) == 0 {
		// The operand of a range whose values are not used.
		return operand{}
	}
	o := fn.load(a, u.Type(), fn.indexed(u))
	if isLimited(u.Type()) {
		o.limit = fn.operand(u.X).limit
	}
	return o
}

// load returns a copy of the t at a. A copy that will be indexed by a variable
// is better kept in memory, whatever its size.
func (fn *function) load(a address, t types.Type, indexed bool) operand {
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	if !l.big() && !indexed {
		return fn.loadLeaves(a, t)
	}
	tmp := fn.tempSlot(t)
	if a.base.Type == ir.PtrCtx {
		fn.copyCtx(tmp, a, l.size, l.align)
	} else {
		fn.copyValue(tmp, a, t)
	}
	return operand{mem: tmp.base}
}

// copyCtx copies size bytes from or to the context, on which the kernel allows no
// arithmetic and only aligned accesses. align is what the alignment of the other
// address is known to be.
func (fn *function) copyCtx(to, from address, size, align int64) {
	if size > maxBuffer {
		fn.fail(diag.UnsupportedExpr, "copy the parts that are needed", "copy of %d bytes from or to the program's context", size)
		return
	}
	for _, a := range []address{to, from} {
		if a.base.Op == ir.OpSlotAddr {
			align = max(align, a.base.Slot().Align)
		}
	}
	for off := int64(0); off < size; {
		w := min(align, 8)
		for w > size-off || (to.off+off)%w != 0 || (from.off+off)%w != 0 {
			w /= 2
		}
		t := ir.I32
		if w == 8 {
			t = ir.I64
		}
		v := fn.loadLeaf(from.plus(off), leaf{typ: t, width: uint8(w)})
		fn.storeLeaf(to.plus(off), uint8(w), v)
		off += w
	}
}

// loadLeaves returns the leaves of the t at a.
func (fn *function) loadLeaves(a address, t types.Type) operand {
	l, _ := fn.b.layoutOf(t)
	o := operand{vals: make([]*ir.Value, len(l.leaves))}
	for i, lf := range l.leaves {
		o.vals[i] = fn.loadLeaf(a.plus(lf.off), lf)
	}
	return o
}

func (fn *function) loadLeaf(a address, lf leaf) *ir.Value {
	v := fn.emit(ir.OpLoad, lf.typ, a.base)
	v.Imm, v.Width = a.off, lf.width
	v.Signed = lf.signed && lf.typ.IsInt() && int64(lf.width) < lf.typ.Size()
	return v
}

// lowerStore lowers *p = v.
func (fn *function) lowerStore(s *ssa.Store) {
	t := s.Val.Type()
	if _, ok := s.Addr.(*ssa.Global); ok && isMapPointer(t) || fn.vals[s.Addr].m != nil {
		if call, ok := s.Val.(*ssa.Call); ok && fn.b.constructedMap(call) != nil {
			return // where the variable is declared: it is the map
		}
		fn.failMapCopy()
		return
	}
	if fn.storedStatically(s) {
		return
	}
	o := fn.operand(s.Val)
	if isStaticType(t) {
		if o = fn.dynamic(o, t, s.Val); o.isBad() {
			return
		}
	}
	a := fn.deref(s.Addr)
	if a.base.Type == ir.PtrCtx && fn.checkContext(s.Addr, true) {
		return
	}
	fn.store(a, t, o)
	fn.noteContent(s, o)
}

// store writes o, a value of type t, at a.
func (fn *function) store(a address, t types.Type, o operand) {
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return
	}
	if isNil(o) && o.isStatic() {
		o = operand{vals: fn.zeroLeaves(l)}
	}
	if o.isStatic() {
		fn.fail(diag.UnresolvedCall, "keep it in a variable of its own that is assigned once, or pass it as an argument",
			"%s is stored in memory, where it is not known when compiling", describeStatic(o))
		return
	}
	if o.mem != nil {
		if a.base.Type == ir.PtrCtx {
			fn.copyCtx(a, address{base: o.mem}, l.size, l.align)
		} else {
			fn.copyValue(a, address{base: o.mem}, t)
		}
		return
	}
	o = fn.settled(o)
	if o.isBad() {
		return
	}
	for i, lf := range l.leaves {
		fn.storeLeaf(a.plus(lf.off), lf.width, o.vals[i])
	}
}

func (fn *function) storeLeaf(a address, width uint8, v *ir.Value) {
	if v.Type == ir.PtrCtx && a.base.Type != ir.PtrStack {
		fn.failCtxAddress()
		return
	}
	s := fn.emit(ir.OpStore, ir.Void, a.base, v)
	s.Imm, s.Width = a.off, width
}

// failCtxAddress reports an attempt to use a part of the context as memory.
func (fn *function) failCtxAddress() {
	fn.fail(diag.UnsupportedExpr, "copy the field into a variable and use that",
		"address of a field of the program's context")
}
