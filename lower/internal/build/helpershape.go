package build

import (
	"go/types"
	"syscall"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file relates the Go signature of a helper to the kernel's, which has up to five
// arguments in registers and one result.
//
// If the signature has as many parameters as the helper has arguments, they are those. Otherwise
// the sizes of memory are no parameters, and neither is memory of 8 bytes that the helper stores a
// result in ("out=8"): those are the function's first results. What memory is, a parameter says:
//
//	[]byte   the bytes of the slice, and its length
//	*T       the variable, and the size of T; nil, if it may be, and 0
//	string   a constant with a NUL behind it, and the length of both
//
// Of a size that must not be 0 the kernel wants to know that it is not. A call with an empty slice does
// not happen, and fails with EINVAL.
//
// The kernel's result, an integer, is an error if it is negative: of a signature whose last result is
// an error. A result before it is the integer, or else 0; a bool says that it is positive. A result that
// is a pointer in the kernel and a uintptr in the signature is the address.

// helperRegs is the arguments of a call of a helper.
type helperRegs struct {
	vals  []*ir.Value
	outs  []address   // where the helper stores its first results
	sizes []*ir.Value // that must not be 0, and are not constant
	empty bool        // a size that must not be 0 is
}

// helperArgs returns the arguments of a call of h, declared with the signature sig, or false
// if they cannot be.
func (fn *function) helperArgs(h *helper, sig *types.Signature, args []operand, cb *callback) (r helperRegs, ok bool) {
	explicit := sig.Params().Len() == len(h.kinds)
	r.vals = make([]*ir.Value, len(h.kinds))
	next := 0
	for i, k := range h.kinds {
		if r.vals[i] != nil {
			continue // a size
		}
		if v := cb.arg(i); v != nil {
			r.vals[i] = v
			next++
			continue
		}
		if !explicit && k.name == "out" && h.ir.Sizes[i] < 0 {
			a := fn.slotAddr(fn.f.NewSlot("result", 8, 8, ir.Pos(fn.pos)))
			fn.storeLeaf(a, 8, fn.constant(ir.I64, 0)) // before Linux 6.12 it must be initialised
			r.outs = append(r.outs, a)
			r.vals[i] = a.base
			continue
		}
		a, t := args[next], sig.Params().At(next).Type()
		next++
		if _, isInterface := t.Underlying().(*types.Interface); isInterface && a.dyn != nil && len(a.parts) == 1 {
			a = a.parts[0]
		}
		size := h.ir.Sizes[i]
		if explicit || size < 0 {
			if r.vals[i] = fn.helperArg(h, i, next, a, t); r.vals[i] == nil {
				return r, false
			}
			continue
		}
		p, n := fn.memoryArg(h, i, next, a, t)
		if p == nil {
			return r, false
		}
		r.vals[i], r.vals[size] = p, n
		if h.kinds[size].name == "size" {
			if c, isConst := n.IsConst(); isConst {
				r.empty = r.empty || c == 0
			} else {
				r.sizes = append(r.sizes, n)
			}
		}
	}
	return r, true
}

// memoryArg returns the address and the size of the memory that argument i of h is, by parameter n of
// type t with the value a; or nil if it cannot be.
func (fn *function) memoryArg(h *helper, i, n int, a operand, t types.Type) (p, size *ir.Value) {
	if s, known := fn.knownString(a); known && isString(t) {
		return fn.stringAddr(s), fn.constant(ir.I64, int64(len(s))+1)
	}
	if isString(t) {
		fn.fail(diag.HelperArgument, "pass a constant", "argument %d of bpf_%s is not known when compiling", n, h.directive.name)
		return nil, nil
	}
	a = fn.settled(a)
	if a.isBad() || len(a.vals) == 0 {
		return nil, nil
	}
	if e, isPtr := t.Underlying().(*types.Pointer); isPtr {
		size = fn.constant(ir.I64, sizes.Sizeof(e.Elem()))
	} else {
		size = a.vals[1]
		a.vals = a.vals[:1]
	}
	if c, isConst := a.vals[0].IsConst(); isConst && c == 0 {
		if h.kinds[i].nullable {
			return a.vals[0], fn.constant(ir.I64, 0)
		}
		if !isPointer(t) {
			// No bytes, but the kernel wants an address.
			return fn.slotAddr(fn.f.NewSlot("empty", 8, 8, ir.Pos(fn.pos))).base, fn.constant(ir.I64, 0)
		}
	}
	if p = fn.helperArg(h, i, n, a, t); p != nil && h.kinds[i].nullable && isPointer(t) && !a.nonnil {
		p = fn.checkNonNil(p) // its size is not 0
	}
	return p, size
}

// callHelper calls h and returns its result.
func (fn *function) callHelper(h *helper, r helperRegs) *ir.Value {
	if r.empty {
		return fn.constant(ir.I64, -int64(syscall.EINVAL))
	}
	pos := ir.Pos(fn.pos)
	var fail *ir.Block
	for _, n := range r.sizes {
		if fail == nil {
			fail = fn.f.NewBlock()
		}
		next := fn.f.NewBlock()
		fn.cur.Branch(pos, fn.emit(ir.OpULt, ir.I32, fn.constant(ir.I64, 0), n), ir.Edge{To: next}, ir.Edge{To: fail})
		fn.cur = next
	}
	call := fn.emit(ir.OpHelper, h.ir.Result, r.vals...)
	call.Aux = h.ir
	if fail == nil {
		return call
	}
	join := fn.f.NewBlock()
	result := join.AddParam(ir.I64, pos)
	fn.cur.Jump(pos, join, call)
	fail.Jump(pos, join, fail.Const(ir.I64, -int64(syscall.EINVAL)))
	fn.cur = join
	return result
}

// helperResults returns the results of a call of h, declared with the signature sig, whose result in
// the kernel is r, and which has stored others in outs.
func (fn *function) helperResults(h *helper, sig *types.Signature, r *ir.Value, outs []address, nonnil bool) operand {
	results := sig.Results()
	var parts []operand
	for i, a := range outs {
		t, _ := intTypeOf(results.At(i).Type())
		parts = append(parts, single(fn.convertInt(fn.loadLeaf(a, leaf{typ: ir.I64, width: 8}), intType{64, false}, t)))
	}
	fails := results.Len() > len(outs) && isError(results.At(results.Len()-1).Type())
	for i := len(outs); i < results.Len(); i++ {
		t := results.At(i).Type()
		if isError(t) {
			parts = append(parts, fn.errnoOf(r))
			continue
		}
		n, isInt := intTypeOf(t)
		switch {
		case h.ir.Result != ir.I64 && isInt:
			parts = append(parts, single(fn.emit(ir.OpPtrToInt, ir.I64, r)))
		case h.ir.Result != ir.I64:
			parts = append(parts, operand{vals: []*ir.Value{r}, nonnil: nonnil})
		case isInt && fails:
			zero := fn.constant(ir.I64, 0)
			v := fn.emit(ir.OpSelect, ir.I64, fn.emit(ir.OpSLt, ir.I32, r, zero), zero, r)
			parts = append(parts, single(fn.convertInt(v, intType{64, true}, n)))
		case isInt && t.Underlying() != types.Typ[types.Bool]:
			parts = append(parts, single(fn.convertInt(r, intType{64, true}, n)))
		default:
			parts = append(parts, single(fn.emit(ir.OpSLt, ir.I32, fn.constant(ir.I64, 0), r)))
		}
	}
	switch len(parts) {
	case 0:
		return operand{}
	case 1:
		return parts[0]
	}
	return operand{parts: parts}
}
