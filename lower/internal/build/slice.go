package build

import (
	"fmt"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file lowers slices: a pointer, a length and a capacity, in that order.

const sliceBounds = "slice bounds out of range"

// checkBound returns v, checked to be at most limit as an unsigned number.
func (fn *function) checkBound(v, limit *ir.Value) *ir.Value {
	if v == limit {
		return v
	}
	vc, vok := v.IsConst()
	lc, lok := limit.IsConst()
	if vok && (vc == 0 || lok && uint64(vc) <= uint64(lc)) {
		return v
	}
	c := fn.proof(ir.OpCheckULe, ir.OpULe, fn.b.site(ir.PanicSlice, sliceBounds, fn.pos), v, limit)
	if vok {
		return v // a constant needs no other name to be known by
	}
	return c
}

// lowerSlice lowers x[low:high:max] for a string, a slice or a pointer to an
// array x. As in Go, the bounds are checked from the last to the first.
func (fn *function) lowerSlice(s *ssa.Slice) operand {
	var a address
	var length, capacity *ir.Value
	var elem types.Type
	text, limit := false, int64(0)
	switch t := s.X.Type().Underlying().(type) {
	case *types.Pointer:
		arr := t.Elem().Underlying().(*types.Array)
		a = fn.deref(s.X)
		length = fn.constant(ir.I64, arr.Len())
		capacity, elem = length, arr.Elem()
	case *types.Slice:
		o := fn.operand(s.X)
		a, limit = address{o.vals[0], o.off}, o.limit
		length, capacity, elem = o.vals[1], o.vals[2], t.Elem()
	default:
		o := fn.operand(s.X)
		a = address{o.vals[0], o.off}
		length, elem, text = o.vals[1], types.Typ[types.Uint8], true
		capacity, limit = length, o.limit
		if n, ok := upperBound(s.High); ok && (limit == 0 || n < limit) {
			limit = n + 1
		}
	}
	if n, ok := capacity.IsConst(); ok && (limit == 0 || n < limit) {
		limit = n + 1
	}
	if a.base.Type == ir.PtrCtx {
		fn.failCtxAddress()
		return badOperand
	}
	low, high := fn.constant(ir.I64, 0), length
	// All bounds are evaluated before the first is checked.
	if s.Low != nil {
		low = fn.index64(s.Low)
	}
	if s.High != nil {
		high = fn.index64(s.High)
	}
	if s.Max != nil {
		capacity = fn.checkBound(fn.index64(s.Max), capacity)
	}
	if alloc, ok := s.X.(*ssa.Alloc); ok && alloc.Comment == "makeslice" {
		high = fn.checkLength(s.High, high, capacity) // of make([]T, n, 16)
	} else if s.High != nil || s.Max != nil {
		high = fn.checkBound(high, capacity)
	}
	low = fn.checkBound(low, high)
	n := fn.sub(high, low)
	start := fn.flat(fn.element(a, low, elem))
	if text {
		return operand{vals: []*ir.Value{start, n}, limit: limit}
	}
	return operand{vals: []*ir.Value{start, n, fn.sub(capacity, low)}, limit: limit}
}

// sub returns a - b.
func (fn *function) sub(a, b *ir.Value) *ir.Value {
	bc, bok := b.IsConst()
	if bok && bc == 0 {
		return a
	}
	if ac, ok := a.IsConst(); ok && bok {
		return fn.constant(ir.I64, ac-bc)
	}
	return fn.emit(ir.OpSub, ir.I64, a, b)
}

const (
	makeLen = "makeslice: len out of range"
	makeCap = "makeslice: cap out of range"
)

// checkLength returns n, the length v of a slice that is made, which must not be more than c. It
// tells one that is negative from one that is too large.
func (fn *function) checkLength(v ssa.Value, n, c *ir.Value) *ir.Value {
	if k, isConst := n.IsConst(); isConst {
		if most, ok := c.IsConst(); ok && 0 <= k && k <= most {
			return n
		}
	}
	if i, ok := intTypeOf(v.Type()); ok && i.signed {
		fn.check(fn.emit(ir.OpSGe, ir.I32, n, fn.constant(ir.I64, 0)), ir.PanicSlice, makeLen)
	}
	return fn.proof(ir.OpCheckULe, ir.OpULe, fn.b.site(ir.PanicSlice, makeCap, fn.pos), n, c)
}

// lowerMakeSlice lowers make([]T, n, c). The array is a variable of the function, as large as
// c can be.
func (fn *function) lowerMakeSlice(m *ssa.MakeSlice) operand {
	elem := elemOf(m.Type())
	n, c := fn.index64(m.Len), fn.index64(m.Cap)
	size, isConst := c.IsConst()
	if !isConst {
		var ok bool
		if size, ok = boundAt(m.Cap, m.Block()); !ok {
			fn.fail(diag.UnsupportedExpr, "give make a constant capacity, or one that is bounded by a constant: make([]T, n, 16), make([]T, min(n, 16))",
				"make of a slice of which it is not known how large it can be")
			return badOperand
		}
	}
	if size < 0 {
		fn.fail(diag.UnsupportedExpr, "make it larger", "make of a slice of %d elements", size)
		return badOperand
	}
	arr := types.NewArray(elem, size)
	l, err := fn.b.layoutOf(arr)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	if !isConst {
		msg := makeCap
		if m.Len == m.Cap {
			msg = makeLen
		}
		most := fn.constant(ir.I64, size)
		c = fn.proof(ir.OpCheckULe, ir.OpULe, fn.b.site(ir.PanicSlice, msg, fn.pos), c, most)
	}
	if m.Len == m.Cap {
		n = c
	} else {
		n = fn.checkLength(m.Len, n, c)
	}
	slot := fn.variable(m, m.Name(), frame{size: l.size, align: min(l.align, 8), pos: m.Pos()})
	fn.memZero(slot, l.size)
	return operand{vals: []*ir.Value{slot.base, n, c}}.withLimit(size)
}

// lowerSliceToArray lowers the conversion of a slice to a pointer to an array.
func (fn *function) lowerSliceToArray(c *ssa.SliceToArrayPointer) operand {
	o := fn.operand(c.X)
	n := elemType(c.Type()).Underlying().(*types.Array).Len()
	want := fn.constant(ir.I64, n)
	if k, ok := o.vals[1].IsConst(); !ok || k < n {
		cond := fn.emit(ir.OpULe, ir.I32, want, o.vals[1])
		fn.check(cond, ir.PanicConvert,
			fmt.Sprintf("cannot convert slice to array or pointer to array with length %d", n))
	}
	return fn.notEmpty(o, n)
}

// notEmpty returns the pointer of the slice o, which has n bytes or elements at least. Of one that
// has any it is not nil, which functions that it is passed to can tell by its name.
func (fn *function) notEmpty(o operand, n int64) operand {
	p := o.vals[0]
	if n > 0 && !o.nonnil {
		p = fn.emit(ir.OpPi, p.Type, p)
	}
	return operand{vals: []*ir.Value{p}, off: o.off, nonnil: n > 0 || o.nonnil}
}

// lowerCopy lowers copy(dst, src), which returns the number of elements.
func (fn *function) lowerCopy(c *ssa.CallCommon) operand {
	elem := elemOf(c.Args[0].Type())
	dst, src := fn.settled(fn.operand(c.Args[0])), fn.settled(fn.operand(c.Args[1]))
	n := fn.minimum(dst.vals[1], src.vals[1])
	fn.move(dst.vals[0], src.vals[0], n, elem)
	return single(n)
}

func (fn *function) minimum(a, b *ir.Value) *ir.Value {
	ac, aok := a.IsConst()
	bc, bok := b.IsConst()
	if aok && bok {
		return fn.constant(ir.I64, min(ac, bc))
	}
	less := fn.emit(ir.OpULt, ir.I32, a, b)
	return fn.emit(ir.OpSelect, ir.I64, less, a, b)
}

// maxMoved is the number of leaves that move copies through SSA values.
const maxMoved = 16

// move copies n elements from src to dst, which may overlap. Few of known number
// are all loaded before the first is stored; otherwise a loop goes through them
// in the direction that reads each before it is overwritten. The verifier takes no difference of
// pointers of which one is nil, as that of an empty slice, and does not know that a place
// counted from the last is one of n; verifiers that learn from comparisons of two values are told.
func (fn *function) move(dst, src, n *ir.Value, elem types.Type) {
	l, err := fn.b.layoutOf(elem)
	if err != nil {
		fn.failType(err)
		return
	}
	if l.size == 0 {
		return
	}
	if c, ok := n.IsConst(); ok && c*l.count <= maxMoved {
		vals := make([]operand, c)
		for i := range vals {
			vals[i] = fn.load(address{src, int64(i) * l.size}, elem, false)
		}
		for i, v := range vals {
			fn.store(address{dst, int64(i) * l.size}, elem, v)
		}
		return
	}
	place := func(i *ir.Value) *ir.Value { return i }
	var done *ir.Block
	if src.Type == dst.Type || src.Type == ir.PtrAny || dst.Type == ir.PtrAny { // they may overlap
		known := rootSlot(dst) != nil && rootSlot(src) != nil
		if !known {
			some := fn.f.NewBlock()
			done = fn.f.NewBlock()
			fn.cur.Branch(ir.Pos(fn.pos), fn.emit(ir.OpNe, ir.I32, n, fn.constant(ir.I64, 0)), ir.Edge{To: some}, ir.Edge{To: done})
			fn.cur = some
		}
		down := fn.emit(ir.OpSGt, ir.I32, fn.emit(ir.OpPtrDiff, ir.I64, dst, src), fn.constant(ir.I64, 0))
		last := fn.emit(ir.OpSub, ir.I64, n, fn.constant(ir.I64, 1))
		place = func(i *ir.Value) *ir.Value {
			at := fn.emit(ir.OpSelect, ir.I64, down, fn.emit(ir.OpSub, ir.I64, last, i), i)
			if !known && fn.b.target.Has(target.BranchRanges) {
				at = fn.emit(ir.OpCheckIdx, ir.I64, at, n)
				at.Aux = fn.b.site(ir.PanicIndex, ir.ProofMessage, fn.pos)
			}
			return at
		}
	}
	fn.loop(n, func(i *ir.Value) *ir.Value {
		at := place(i)
		off := at
		if l.size != 1 {
			off = fn.emit(ir.OpMul, ir.I64, at, fn.constant(ir.I64, l.size))
		}
		v := fn.load(address{base: fn.emit(ir.OpPtrAdd, src.Type, src, off)}, elem, false)
		fn.store(address{base: fn.emit(ir.OpPtrAdd, dst.Type, dst, off)}, elem, v)
		return fn.constant(ir.I32, 1)
	})
	if done != nil {
		fn.cur.Jump(ir.Pos(fn.pos), done)
		fn.cur = done
	}
}

// lowerClear lowers clear(s) of a slice.
func (fn *function) lowerClear(c *ssa.CallCommon) operand {
	if _, ok := c.Args[0].Type().Underlying().(*types.Slice); !ok {
		return fn.failLanguageMap()
	}
	elem := elemOf(c.Args[0].Type())
	l, err := fn.b.layoutOf(elem)
	if err != nil {
		fn.failType(err)
		return badOperand
	}
	s := fn.settled(fn.operand(c.Args[0]))
	if n, ok := s.vals[1].IsConst(); ok {
		fn.memZero(address{base: s.vals[0]}, n*l.size)
		return operand{}
	}
	if l.size == 0 {
		return operand{}
	}
	fn.loop(s.vals[1], func(i *ir.Value) *ir.Value {
		fn.memZero(fn.element(address{base: s.vals[0]}, i, elem), l.size)
		return fn.constant(ir.I32, 1)
	})
	return operand{}
}

// lowerAppend lowers append(s, t...). There is no heap: an append beyond the
// capacity panics where Go would allocate.
func (fn *function) lowerAppend(c *ssa.CallCommon, t types.Type) operand {
	s := fn.settled(fn.operand(c.Args[0]))
	if len(c.Args) == 1 {
		return s
	}
	more := fn.settled(fn.operand(c.Args[1]))
	n := fn.emit(ir.OpAdd, ir.I64, s.vals[1], more.vals[1])
	n = fn.checkAppend(n, s.vals[2])
	elem := elemOf(t)
	end := fn.element(address{base: s.vals[0]}, fn.sub(n, more.vals[1]), elem)
	fn.move(fn.flat(end), more.vals[0], more.vals[1], elem)
	return operand{vals: []*ir.Value{s.vals[0], n, s.vals[2]}, limit: s.limit}
}

// checkAppend returns n, checked to be within the capacity.
func (fn *function) checkAppend(n, capacity *ir.Value) *ir.Value {
	site := fn.b.site(ir.PanicSlice, "append beyond the capacity of the slice", fn.pos)
	return fn.proof(ir.OpCheckULe, ir.OpULe, site, n, capacity)
}
