package build

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes the deferred calls of a stack, see deferstack.go.

// runStack makes the deferred calls before a return.
func (fn *function) runStack() {
	next := fn.f.NewBlock()
	fn.stack.runs = append(fn.stack.runs, pendingRun{fn.cur, next, fn.at, fn.pos})
	fn.cur = next
}

// returnsAt returns the index of the instruction of blk before which deferred calls are to be made
// if go/ssa does not say so, or -1: before the loads of named results that a return ends with.
func (fn *function) returnsAt(blk *ssa.BasicBlock) int {
	if fn.stack == nil || !fn.stack.lost || blk == fn.src.Recover {
		return -1
	}
	last := len(blk.Instrs) - 1
	ret, ok := blk.Instrs[last].(*ssa.Return)
	if !ok {
		return -1
	}
	results := fn.src.Signature.Results()
	for last > 0 {
		load, isLoad := blk.Instrs[last-1].(*ssa.UnOp)
		if !isLoad {
			break
		}
		i := slices.Index(ret.Results, ssa.Value(load))
		a, isVar := load.X.(*ssa.Alloc)
		if i < 0 || !isVar || a.Pos() != results.At(i).Pos() {
			break
		}
		last--
	}
	return last
}

// finishDefers completes the returns, when all statements are known.
func (fn *function) finishDefers() {
	s := fn.stack
	if s == nil {
		return
	}
	if s.taken > s.shared {
		*fn.sharedDefers, fn.retry = s.taken, true
	}
	for _, r := range s.runs {
		fn.cur, fn.at, fn.pos = r.from, r.at, r.pos
		fn.unstack(nil)
		fn.cur.Jump(ir.Pos(r.pos), r.to)
	}
	fn.zeroStack()
}

// zeroStack zeroes the variables of the stack at the start of the function.
func (fn *function) zeroStack() {
	fn.cur = fn.f.Entry()
	fn.memZero(fn.slotAddr(fn.stack.count), 8)
	fn.memZero(fn.slotAddr(fn.stack.ids), fn.stack.ids.Size)
	for _, a := range fn.stack.arrays {
		fn.memZero(fn.slotAddr(a.slot), a.slot.Size)
	}
}

// unstack makes the deferred calls, because of the panic p if that is not nil; the one
// that is left is returned.
func (fn *function) unstack(p thrown) thrown {
	s := fn.stack
	pos := ir.Pos(fn.pos)
	head, body, next, done := fn.f.NewBlock(), fn.f.NewBlock(), fn.f.NewBlock(), fn.f.NewBlock()
	k := head.AddParam(ir.I64, pos)
	fn.cur.Jump(pos, head, slices.Concat(thrown{fn.constant(ir.I64, 0)}, p)...)
	var before, after thrown
	if p != nil {
		before, after, p = fn.addThrown(head), fn.addThrown(next), fn.addThrown(done)
	}
	fn.cur = head
	more := fn.emit(ir.OpULt, ir.I32, k, fn.constant(ir.I64, s.capacity))
	fn.cur.Branch(pos, more, ir.Edge{To: body}, ir.Edge{To: done, Args: before.args()})

	fn.cur = body
	pop := fn.f.NewBlock()
	index := fn.emit(ir.OpSub, ir.I64, fn.constant(ir.I64, s.capacity-1), k)
	count := fn.slotAddr(s.count)
	used := fn.emit(ir.OpULt, ir.I32, index, fn.loadLeaf(count, leaf{typ: ir.I64, width: 8}))
	fn.cur.Branch(pos, used, ir.Edge{To: pop}, ir.Edge{To: next, Args: before.args()})

	fn.cur = pop
	fn.storeLeaf(fn.slotAddr(s.count), 8, index)
	top := fn.landing
	if before != nil {
		fn.landing, fn.landed = next, true
	}
	for i, d := range s.stmts {
		here := fn.cur
		if i < len(s.stmts)-1 {
			other := fn.f.NewBlock()
			here = fn.f.NewBlock()
			id := fn.loadLeaf(fn.element(fn.slotAddr(s.ids), index, types.Typ[types.Uint8]), leaf{typ: ir.I32, width: 1})
			is := fn.emit(ir.OpEq, ir.I32, id, fn.constant(ir.I32, int64(i)))
			fn.cur.Branch(pos, is, ir.Edge{To: here}, ir.Edge{To: other})
			fn.cur = here
			here = other
		}
		var args []operand
		for _, a := range d.args {
			args = append(args, fn.present(fn.restore(a, index)))
		}
		left := fn.callDeferred(d, args, before)
		fn.cur.Jump(pos, next, left.args()...)
		fn.cur = here
	}
	if len(s.stmts) == 0 {
		fn.cur.Jump(pos, next, before.args()...)
	}
	fn.landing = top
	fn.cur = next
	fn.cur.Jump(pos, head, slices.Concat(thrown{fn.emit(ir.OpAdd, ir.I64, k, fn.constant(ir.I64, 1))}, after)...)
	fn.cur = done
	return p
}

// restore is the reverse of save, for the call at index of the stack.
func (fn *function) restore(s savedOperand, index *ir.Value) operand {
	values := s.values
	return s.shape.inflate(func(t ir.Type) *ir.Value {
		v := values[0]
		values = values[1:]
		if v.known != nil {
			return fn.again(v.known)
		}
		at := fn.slotAddr(v.array.slot)
		if v.array.stride != 0 {
			at.base = fn.emit(ir.OpPtrAdd, at.base.Type, at.base, fn.emit(ir.OpMul, ir.I64, index, fn.constant(ir.I64, v.array.stride)))
		}
		if v.address {
			return at.base
		}
		return fn.loadLeaf(at, leaf{typ: t, width: uint8(t.Size())})
	}, nil)
}

// present returns o, restored from the stack, with proofs that the pointers are not nil of which that is
// known. The verifier does not know what a byte in memory contains: it follows each statement for
// each call, and where another statement deferred that, there is nothing in the arrays of this one.
func (fn *function) present(o operand) operand {
	if o.nonnil && len(o.vals) == 1 {
		o.vals = []*ir.Value{fn.presentPointer(o.vals[0])}
	}
	if o.mem != nil {
		o.mem = fn.presentPointer(o.mem)
	}
	o.parts = slices.Clone(o.parts)
	for i, p := range o.parts {
		o.parts[i] = fn.present(p)
	}
	return o
}

func (fn *function) presentPointer(p *ir.Value) *ir.Value {
	if p.Op != ir.OpLoad {
		return p // computed again
	}
	p = fn.emit(ir.OpCheckNonNil, p.Type, p)
	p.Aux = fn.b.site(ir.PanicNil, ir.ProofMessage, fn.pos)
	return p
}
