package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// An operand is a Go value during lowering, in one of these forms:
//
//   - vals: the leaves of its type, in memory order;
//   - mem: the address of memory that holds it and that nobody changes for as
//     long as the operand lives;
//   - fn: a statically known function value whose free variables are parts;
//   - dyn: an interface whose dynamic type is statically known and whose
//     dynamic value is parts[0]; with nilType, a nil interface or function;
//   - cell: the address of a variable whose content is statically known to be
//     parts[0], see static.go;
//   - m: a map, by its pointer or as a MapRef, or with field the address of a
//     pointer that belongs to it, see maps.go;
//   - a tuple, the results of a call, if only parts is set;
//   - bad: what an instruction that was refused yields. Instructions with a bad
//     operand are skipped, so that one mistake is reported once.
type operand struct {
	vals  []*ir.Value
	mem   *ir.Value
	fn    *ssa.Function
	dyn   types.Type
	cell  bool
	m     *mapObject
	field string
	parts []operand
	bad   bool
	// defers is the stack of deferred calls of which vals are the parts.
	defers *deferStack

	// off is added to vals[0], a pointer. It stays separate because the kernel
	// does not allow arithmetic on the context pointer.
	off int64
	// limit is 1 plus the most that the length of a string, or the capacity of a slice,
	// can be, or 0 if that is not known. See makestring.go.
	limit int64
	// nonnil says that the pointer needs no nil check.
	nonnil bool
}

// nilType marks a nil interface or function.
var nilType = types.Typ[types.UntypedNil]

var badOperand = operand{bad: true}

// single makes the operand of a scalar.
func single(v *ir.Value) operand { return operand{vals: []*ir.Value{v}} }

// maxParts is how many values a closure or an interface may hold, those in it included:
// two closures that hold two closures each, and so on, hold exponentially many.
const maxParts = 2000

// bounded returns o, unless it has too many parts, which is reported once, or bad ones.
func (fn *function) bounded(o operand) operand {
	switch {
	case o.size(maxParts) <= maxParts && !o.isBad():
		return o
	case o.isBad() || fn.b.crowded:
		return badOperand
	}
	fn.b.crowded = true
	fn.fail(diag.TooComplex, "pass values instead of closures that hold closures", "a function or an interface value that holds more than %d values", maxParts)
	return badOperand
}

// size returns the number of parts of o, or a number above limit.
func (o operand) size(limit int) int {
	n := 1 + len(o.vals)
	for _, p := range o.parts {
		if n > limit {
			break
		}
		n += p.size(limit - n)
	}
	return n
}

// isBad reports whether o or a part of it is bad.
func (o operand) isBad() bool {
	if o.bad {
		return true
	}
	for _, p := range o.parts {
		if p.isBad() {
			return true
		}
	}
	return false
}

// isStatic reports whether o is a function, an interface or a map known at compile time,
// which has no form in memory.
func (o operand) isStatic() bool { return o.fn != nil || o.dyn != nil || o.m != nil }

// settled returns o with its displacement added to the pointer, so that its
// vals alone are its value.
func (fn *function) settled(o operand) operand {
	if o.off != 0 {
		if o.vals[0].Type == ir.PtrCtx {
			fn.failCtxAddress()
			return badOperand
		}
		o.vals = []*ir.Value{fn.ptrAdd(o.vals[0], o.off)}
		o.off = 0
	}
	if len(o.parts) > 0 {
		parts := make([]operand, len(o.parts))
		for i, p := range o.parts {
			parts[i] = fn.settled(p)
		}
		o.parts = parts
	}
	return o
}

// leaves returns the leaves of o, a value of type t with at most maxLeaves.
func (fn *function) leaves(o operand, t types.Type) []*ir.Value {
	if o.mem != nil {
		o = fn.loadLeaves(address{base: o.mem}, t)
	}
	return fn.settled(o).vals
}

// inMemory returns the address of memory that holds o, a value of type t. The
// memory must not be written.
func (fn *function) inMemory(o operand, t types.Type) *ir.Value {
	if o.mem != nil {
		return o.mem
	}
	slot := fn.tempSlot(t)
	fn.store(slot, t, o)
	return slot.base
}

// zero returns the zero value of t.
func (fn *function) zero(t types.Type) operand {
	if tup, ok := t.(*types.Tuple); ok {
		o := operand{parts: make([]operand, tup.Len())}
		for i := range o.parts {
			o.parts[i] = fn.zero(tup.At(i).Type())
		}
		return o
	}
	if isError(t) {
		return errno(fn.constant(ir.I64, 0))
	}
	if isCellType(t) {
		return operand{dyn: nilType}
	}
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	if l.big() {
		slot := fn.tempSlot(t)
		fn.memZero(slot, l.size)
		return operand{mem: slot.base}
	}
	return operand{vals: fn.zeroLeaves(l)}
}

// zeroLeaves returns the leaves of a zero value.
func (fn *function) zeroLeaves(l *layout) []*ir.Value {
	vals := make([]*ir.Value, len(l.leaves))
	for i, lf := range l.leaves {
		vals[i] = fn.constant(lf.typ, 0)
	}
	return vals
}
