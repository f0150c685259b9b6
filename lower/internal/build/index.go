package build

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers indexing. The index is widened to 64 bits, so that a negative
// one is out of range as an unsigned number, and checked; the address is
// computed from the result of the check, which carries the proof.

// index64 returns the index v as an I64.
func (fn *function) index64(v ssa.Value) *ir.Value {
	i, _ := intTypeOf(v.Type())
	x := fn.scalar(v)
	if i.signed {
		return fn.convertInt(x, i, intType{64, true})
	}
	return fn.convertInt(x, i, intType{64, false})
}

// checkIndex returns idx, checked to be less than n.
func (fn *function) checkIndex(idx, n *ir.Value) *ir.Value {
	ic, iok := idx.IsConst()
	nc, nok := n.IsConst()
	if iok && nok && uint64(ic) < uint64(nc) {
		return idx
	}
	msg := "index out of range"
	if nok {
		msg = fmt.Sprintf("index out of range with length %d", nc)
	}
	return fn.proof(ir.OpCheckIdx, ir.OpULt, fn.b.site(ir.PanicIndex, msg, fn.pos), idx, n)
}

// element returns the address of element idx, which has been checked, of
// elements of type t that start at a.
func (fn *function) element(a address, idx *ir.Value, t types.Type) address {
	size := sizes.Sizeof(t)
	if c, ok := idx.IsConst(); ok {
		return a.plus(c * size)
	}
	if size == 0 {
		return a
	}
	off := idx
	if size != 1 {
		off = fn.emit(ir.OpMul, ir.I64, idx, fn.constant(ir.I64, size))
	}
	if a.base.Type == ir.PtrCtx {
		fn.failCtxAddress()
		return a
	}
	return address{fn.emit(ir.OpPtrAdd, a.base.Type, a.base, off), a.off}
}

// lowerIndexAddr lowers &x[i] for a pointer to an array or a slice x.
func (fn *function) lowerIndexAddr(e *ssa.IndexAddr) operand {
	elem := elemOf(e.X.Type())
	if _, err := fn.b.layoutOf(elem); err != nil {
		fn.failType(err)
		return badOperand
	}
	if p, ok := e.X.Type().Underlying().(*types.Pointer); ok {
		a := fn.deref(e.X)
		arr := p.Elem().Underlying().(*types.Array)
		n := fn.constant(ir.I64, arr.Len())
		idx := fn.checkIndex(fn.index64(e.Index), n)
		if _, isConst := idx.IsConst(); !isConst && a.base.Type == ir.PtrCtx && fn.mayCopyContext(e) {
			if fn.checkContext(e, false) {
				return badOperand
			}
			a = address{base: fn.inMemory(fn.load(a, arr, true), arr)}
		}
		return pointerTo(fn.element(a, idx, elem))
	}
	s := fn.operand(e.X)
	idx := fn.checkIndex(fn.index64(e.Index), s.vals[1])
	return pointerTo(fn.element(address{s.vals[0], s.off}, idx, elem))
}

// mayCopyContext reports whether the array in the context that e is an element of can be copied to index the
// copy, since the kernel allows no variable offsets there: where e is read at once, and no more. The
// arguments of tracepoints and system calls are not all there, and the kernel attaches no program that reads one
// which is not.
func (fn *function) mayCopyContext(e *ssa.IndexAddr) bool {
	refs := *e.Referrers()
	if len(refs) != 1 || strings.Contains(fn.b.in.Type, "tracepoint") {
		return false
	}
	load, ok := refs[0].(*ssa.UnOp)
	if !ok || load.Block() != e.Block() {
		return false
	}
	list := e.Block().Instrs
	at := slices.Index(list, ssa.Instruction(e))
	return list[at+1] == ssa.Instruction(load)
}

// lowerIndex lowers x[i] for an array value or a string x.
func (fn *function) lowerIndex(e *ssa.Index) operand {
	o := fn.operand(e.X)
	if isString(e.X.Type()) {
		idx := fn.checkIndex(fn.index64(e.Index), o.vals[1])
		a := fn.element(address{o.vals[0], o.off}, idx, types.Typ[types.Uint8])
		return fn.loadLeaves(a, types.Typ[types.Uint8])
	}
	arr, ok := e.X.Type().Underlying().(*types.Array)
	if !ok {
		return fn.failOperation(e, e.X.Type())
	}
	idx := fn.checkIndex(fn.index64(e.Index), fn.constant(ir.I64, arr.Len()))
	if c, ok := idx.IsConst(); ok && o.mem == nil {
		l, err := fn.b.layoutOf(arr.Elem())
		if err != nil {
			fn.failType(err)
			return badOperand
		}
		return fn.part(o, arr, arr.Elem(), 0, c*l.count)
	}
	a := fn.element(address{base: fn.inMemory(o, arr)}, idx, arr.Elem())
	return fn.loadElement(a, arr.Elem())
}

// loadElement returns the part of type t at a of memory that nobody changes.
func (fn *function) loadElement(a address, t types.Type) operand {
	l, err := fn.b.layoutOf(t)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	if l.big() {
		return operand{mem: fn.flat(a)}
	}
	return fn.loadLeaves(a, t)
}

// indexed reports whether the array that u loads is indexed by a variable.
func (fn *function) indexed(u *ssa.UnOp) bool {
	if _, ok := u.Type().Underlying().(*types.Array); !ok || u.Op != token.MUL {
		return false
	}
	for _, r := range *u.Referrers() {
		if i, ok := r.(*ssa.Index); ok && i.X == u {
			if _, isConst := constInt(i.Index); !isConst {
				return true
			}
		}
	}
	return false
}
