package build

import (
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers what makes a string or a slice of bytes that nothing else holds:
// concatenations, and conversions that copy.
//
// The memory is a variable of the function, as large as the result can be. So
// the lengths of strings are followed from where they are made: a constant has
// its own, a string made of a part of an array is not longer than the array, a
// part of a string not longer than the whole. An operand carries this as its limit; the
// shapes of arguments do if the function that is called makes strings. The address of a variable that
// is assigned once, and captured, has the limit of the content.

// withLimit returns o, a string or slice, with the note that its length, of a slice its
// capacity, is at most n.
func (o operand) withLimit(n int64) operand {
	o.limit = n + 1
	return o
}

// maxLen returns how long the string or slice o can be.
func (o operand) maxLen() (n int64, ok bool) {
	if len(o.vals) < 2 {
		return 0, false
	}
	if n, ok := o.vals[1].IsConst(); ok {
		return n, true
	}
	return o.limit - 1, o.limit > 0
}

// isLimited reports whether values of type t are strings or slices.
func isLimited(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return true
	case *types.Basic:
		return u.Info()&types.IsString != 0
	}
	return false
}

// noteContent notes how long the content of the variable that s assigns to can be, with the
// variable's address, for closures that load it: as long as o, which s stores, or what the other
// assignments store. Parts of the content are no longer, nor is the zero value.
func (fn *function) noteContent(s *ssa.Store, o operand) {
	a, ok := s.Addr.(*ssa.Alloc)
	if !ok || !isLimited(s.Val.Type()) {
		return
	}
	n, ok := o.limit-1, o.limit > 0
	if !ok && len(o.vals) > 0 {
		n, ok = o.vals[len(o.vals)-1].IsConst() // length of a string, capacity of a slice
	}
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			switch {
			case r.Addr != a:
				return
			case r == s:
			case isPartOf(r.Val, a):
			default:
				m, known := limitOf(r.Val)
				n, ok = max(n, m), ok && known
			}
		case *ssa.MakeClosure:
			for i, b := range r.Bindings {
				if b == a && !onlyLoaded(r.Fn.(*ssa.Function).FreeVars[i]) {
					return
				}
			}
		case *ssa.UnOp, *ssa.DebugRef:
		default:
			return
		}
	}
	if isPartOf(s.Val, a) {
		return // what is longer notes
	}
	addr := fn.vals[a]
	addr.limit = 0
	if ok {
		addr = addr.withLimit(n)
	}
	fn.vals[a] = addr
}

// limitOf returns how long the string v, or the capacity of the slice v, can be, if its expression
// shows it.
func limitOf(v ssa.Value) (n int64, ok bool) {
	if s, isSlice := v.(*ssa.Slice); isSlice && !isString(v.Type()) {
		if n, ok = upperBound(s.Max); ok {
			return n, true
		}
		if p, isPtr := s.X.Type().Underlying().(*types.Pointer); isPtr {
			return p.Elem().Underlying().(*types.Array).Len(), true
		}
		return limitOf(s.X)
	}
	return lengthOf(v)
}

// isPartOf reports whether v is a part of the string or slice in the variable a.
func isPartOf(v ssa.Value, a *ssa.Alloc) bool {
	s, ok := v.(*ssa.Slice)
	if !ok {
		return false
	}
	load, ok := s.X.(*ssa.UnOp)
	return ok && load.X == a || isPartOf(s.X, a)
}

// upperBound returns a bound of the integer v that its expression shows.
func upperBound(v ssa.Value) (n int64, ok bool) {
	if n, ok := constInt(v); ok {
		return n, true
	}
	switch v := v.(type) {
	case *ssa.Call:
		blt, isBuiltin := v.Call.Value.(*ssa.Builtin)
		switch {
		case !isBuiltin:
			return 0, false
		case blt.Name() == "len":
			return lengthOf(v.Call.Args[0])
		case blt.Name() != "min":
			return 0, false
		}
		for _, a := range v.Call.Args {
			if m, isConst := constInt(a); isConst && (!ok || m < n) {
				n, ok = m, true
			}
		}
		return n, ok
	case *ssa.Convert:
		from, isInt := intTypeOf(v.X.Type())
		to, _ := intTypeOf(v.Type())
		if isInt && (!from.signed || to.signed && to.bits >= from.bits) { // what is negative stays so
			return upperBound(v.X)
		}
	case *ssa.BinOp:
		x := v.X
		m, isConst := constInt(v.Y)
		if !isConst && (v.Op == token.ADD || v.Op == token.AND) {
			x = v.Y
			m, isConst = constInt(v.X)
		}
		i, _ := intTypeOf(v.X.Type())
		switch {
		case !isConst || m <= 0:
		case v.Op == token.AND:
			return m, true
		case v.Op == token.REM && !i.signed:
			return m - 1, true
		case v.Op == token.ADD:
			n, ok := upperBound(x)
			return n + m, ok && n+m <= i.max()
		}
	}
	return 0, false
}

// newBytes returns an empty slice with room for limit bytes, which lives as long as v.
func (fn *function) newBytes(v ssa.Value, limit int64) operand {
	buf := fn.variable(v, "string", frame{size: max(limit, 1), align: 1, pos: v.Pos()})
	return operand{vals: []*ir.Value{buf.base, fn.constant(ir.I64, 0), fn.constant(ir.I64, limit)}}.withLimit(limit)
}

// appendBytes appends the bytes of more, a string or slice, to s, which has room for
// them.
func (fn *function) appendBytes(s, more operand) operand {
	more = fn.settled(more)
	n := fn.emit(ir.OpAdd, ir.I64, s.vals[1], more.vals[1])
	end := address{base: s.vals[0]}
	if at, ok := s.vals[1].IsConst(); !ok || at != 0 {
		proof := fn.emit(ir.OpCheckULe, ir.I64, n, s.vals[2])
		proof.Aux = fn.b.site(ir.PanicSlice, ir.ProofMessage, fn.pos)
		n = proof
		end = fn.element(end, fn.sub(n, more.vals[1]), types.Typ[types.Uint8])
	}
	fn.move(fn.flat(end), more.vals[0], more.vals[1], types.Typ[types.Uint8])
	s.vals = []*ir.Value{s.vals[0], n, s.vals[2]}
	return s
}

// stringOf returns the string that is the bytes of s, a slice.
func stringOf(s operand) operand {
	return operand{vals: s.vals[:2], limit: s.limit}
}

// lowerConcat lowers x + y on strings, which needs no memory if both are known
// or one is known to be empty.
func (fn *function) lowerConcat(e *ssa.BinOp) operand {
	x, y := fn.operand(e.X), fn.operand(e.Y)
	xs, xok := fn.knownString(x)
	ys, yok := fn.knownString(y)
	switch {
	case xok && yok:
		return fn.stringConst(xs + ys)
	case xok && xs == "":
		return y
	case yok && ys == "":
		return x
	}
	xn, xok := x.maxLen()
	yn, yok := y.maxLen()
	if !xok || !yok || xn+yn > maxBuffer {
		fn.fail(diag.UnsupportedExpr, "cut the parts to a constant length before, as in s[:min(len(s), 64)]",
			"concatenation of strings of which it is not known how long they can be")
		return badOperand
	}
	return stringOf(fn.appendBytes(fn.appendBytes(fn.newBytes(e, xn+yn), x), y))
}

// copyBytes lowers the conversion c between strings and slices of bytes with a copy.
func (fn *function) copyBytes(c *ssa.Convert) operand {
	o := fn.operand(c.X)
	n, ok := o.maxLen()
	if !ok || n > maxBuffer {
		fn.fail(diag.UnsupportedExpr, "cut it to a constant length before, as in s[:min(len(s), 64)]",
			"conversion from %s to %s, which must copy and of which it is not known how long it can be", c.X.Type(), c.Type())
		return badOperand
	}
	made := fn.appendBytes(fn.newBytes(c, n), o)
	if isString(c.Type()) {
		return stringOf(made)
	}
	return made
}

// runeString lowers the conversion c of an integer to a string: the UTF-8 encoding of the
// rune with that number.
func (fn *function) runeString(c *ssa.Convert) operand {
	if k, ok := c.X.(*ssa.Const); ok {
		return fn.stringConst(stringVal(constant.ToInt(k.Value)))
	}
	i, _ := intTypeOf(c.X.Type())
	wide := fn.convertInt(fn.scalar(c.X), i, intType{64, true})
	op := func(op ir.Op, x *ir.Value, n int64) *ir.Value { return fn.emit(op, ir.I32, x, fn.constant(ir.I32, n)) }
	choose := func(cond, x, y *ir.Value) *ir.Value { return fn.emit(ir.OpSelect, ir.I32, cond, x, y) }

	// What is no rune is U+FFFD, as for range over a string.
	valid := fn.emit(ir.OpULe, ir.I32, wide, fn.constant(ir.I64, 0x10FFFF))
	r := fn.emit(ir.OpTrunc, ir.I32, wide)
	notSurrogate := op(ir.OpUGe, op(ir.OpSub, r, 0xD800), 0x800)
	r = choose(fn.emit(ir.OpAnd, ir.I32, valid, notSurrogate), r, fn.constant(ir.I32, 0xFFFD))

	two, three, four := op(ir.OpUGe, r, 0x80), op(ir.OpUGe, r, 0x800), op(ir.OpUGe, r, 0x10000)
	size := fn.emit(ir.OpAdd, ir.I32, op(ir.OpAdd, two, 1), fn.emit(ir.OpAdd, ir.I32, three, four))
	tail := func(shift int64) *ir.Value { return op(ir.OpOr, op(ir.OpAnd, op(ir.OpLShr, r, shift), 0x3F), 0x80) }
	head := func(shift, mark int64) *ir.Value { return op(ir.OpOr, op(ir.OpLShr, r, shift), mark) }
	bytes := []*ir.Value{
		choose(four, head(18, 0xF0), choose(three, head(12, 0xE0), choose(two, head(6, 0xC0), r))),
		choose(four, tail(12), choose(three, tail(6), tail(0))),
		choose(four, tail(6), tail(0)),
		tail(0),
	}
	buf := fn.variable(c, "string", frame{size: 4, align: 1, pos: c.Pos()})
	for i, b := range bytes {
		fn.storeLeaf(buf.plus(int64(i)), 1, b)
	}
	return operand{vals: []*ir.Value{buf.base, fn.emit(ir.OpZExt, ir.I64, size)}}.withLimit(4)
}

// minMaxString lowers min and max of strings.
func (fn *function) minMaxString(isMax bool, args []ssa.Value, t types.Type) operand {
	best := fn.operand(args[0])
	pos := ir.Pos(fn.pos)
	for _, a := range args[1:] {
		v := fn.operand(a)
		x, y := v, best
		if isMax {
			x, y = best, v
		}
		less := fn.lowerStringOrder(token.LSS, x, y).vals[0]
		yes, no := fn.f.NewBlock(), fn.f.NewBlock()
		fn.cur.Branch(pos, less, ir.Edge{To: yes}, ir.Edge{To: no})
		best = fn.joinArms([]arm{{yes, v}, {no, best}}, t, nil)
	}
	return best
}

// makesStrings reports whether f, or a function that it calls by name or contains, makes
// strings whose memory depends on how long others can be.
func (b *builder) makesStrings(f *ssa.Function) bool {
	makes, ok := b.stringy[f]
	if ok {
		return makes
	}
	b.stringy[f] = false // on a cycle
	for _, blk := range f.Blocks {
		for _, instr := range blk.Instrs {
			for _, p := range instr.Operands(nil) {
				if g, ok := (*p).(*ssa.Function); ok && b.makesStrings(g) {
					makes = true
				}
			}
			switch i := instr.(type) {
			case *ssa.BinOp:
				makes = makes || i.Op == token.ADD && isString(i.Type())
			case *ssa.Convert:
				makes = makes || isString(i.Type()) || isString(i.X.Type())
			}
		}
	}
	b.stringy[f] = makes
	return makes
}
