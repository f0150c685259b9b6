package build

import (
	"crypto/sha256"
	"encoding/hex"
	"go/token"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers strings: a pointer and a length.

// stringData returns the object that holds s, followed by a NUL for the kernel.
// Its name depends on s alone.
func (b *builder) stringData(s string) *ir.Data {
	d := b.strings[s]
	if d == nil {
		sum := sha256.Sum256([]byte(s))
		d = &ir.Data{Name: "str." + hex.EncodeToString(sum[:8]), Bytes: append([]byte(s), 0), Align: 1}
		b.strings[s] = d
		b.m.Data = append(b.m.Data, d)
	}
	return d
}

// stringConst returns the operand of a constant string. That of an empty one has no
// object, as that of a variable that nothing has been assigned to.
func (fn *function) stringConst(s string) operand {
	if s == "" {
		return operand{vals: []*ir.Value{fn.constant(ir.PtrData, 0), fn.constant(ir.I64, 0)}}.withLimit(0)
	}
	return operand{vals: []*ir.Value{fn.stringAddr(s), fn.constant(ir.I64, int64(len(s)))}}.withLimit(int64(len(s)))
}

// stringAddr returns the address of s, NUL-terminated.
func (fn *function) stringAddr(s string) *ir.Value {
	p := fn.emit(ir.OpDataAddr, ir.PtrData)
	p.Aux = fn.b.stringData(s)
	return p
}

// knownString returns the string that o is known to hold.
func (fn *function) knownString(o operand) (string, bool) {
	if len(o.vals) != 2 {
		return "", false
	}
	n, ok := o.vals[1].IsConst()
	if !ok {
		return "", false
	}
	if n == 0 {
		return "", true
	}
	if o.vals[0].Op != ir.OpDataAddr {
		return "", false
	}
	d := o.vals[0].Data()
	start := o.vals[0].Imm + o.off
	if d != fn.b.strings[string(d.Bytes[:max(0, len(d.Bytes)-1)])] || start+n > int64(len(d.Bytes)) {
		return "", false
	}
	return string(d.Bytes[start : start+n]), true
}

// equalStrings compares lengths and then bytes.
func (fn *function) equalStrings(x, y operand) *ir.Value {
	xs, xok := fn.knownString(x)
	ys, yok := fn.knownString(y)
	switch {
	case xok && yok:
		if xs == ys {
			return fn.constant(ir.I32, 1)
		}
		return fn.constant(ir.I32, 0)
	case xok && xs == "", yok && ys == "":
		return fn.emit(ir.OpEq, ir.I32, x.vals[1], y.vals[1])
	}
	x, y = fn.settled(x), fn.settled(y)
	pos := ir.Pos(fn.pos)
	bytes, exit := fn.f.NewBlock(), fn.f.NewBlock()
	result := exit.AddParam(ir.I32, pos)
	sameLen := fn.emit(ir.OpEq, ir.I32, x.vals[1], y.vals[1])
	fn.cur.Branch(pos, sameLen, ir.Edge{To: bytes}, ir.Edge{To: exit, Args: []*ir.Value{sameLen}})
	fn.cur = bytes
	// A constant length bounds the loop for the kernel's verifier.
	n := x.vals[1]
	if yok {
		n = y.vals[1]
	}
	eq := fn.loop(n, func(i *ir.Value) *ir.Value {
		return fn.emit(ir.OpEq, ir.I32, fn.byteAt(x, i), fn.byteAt(y, i))
	})
	fn.cur.Jump(pos, exit, eq)
	fn.cur = exit
	return result
}

// byteAt returns byte i of the string s, which has as many.
func (fn *function) byteAt(s operand, i *ir.Value) *ir.Value {
	p := fn.emit(ir.OpPtrAdd, s.vals[0].Type, s.vals[0], i)
	return fn.loadLeaf(address{base: p}, leaf{typ: ir.I32, width: 1})
}

// lowerStringOrder lowers <, <=, > and >= on strings: the order of the first
// bytes that differ, or else of the lengths.
func (fn *function) lowerStringOrder(op token.Token, x, y operand) operand {
	x, y = fn.settled(x), fn.settled(y)
	pos := ir.Pos(fn.pos)
	shorter := fn.emit(ir.OpULt, ir.I32, x.vals[1], y.vals[1])
	n := fn.emit(ir.OpSelect, ir.I64, shorter, x.vals[1], y.vals[1])

	head, inner, differ, same, exit := fn.f.NewBlock(), fn.f.NewBlock(), fn.f.NewBlock(), fn.f.NewBlock(), fn.f.NewBlock()
	i := head.AddParam(ir.I64, pos)
	result := exit.AddParam(ir.I32, pos)
	fn.cur.Jump(pos, head, fn.constant(ir.I64, 0))
	fn.cur = head
	head.Branch(pos, fn.emit(ir.OpULt, ir.I32, i, n), ir.Edge{To: inner}, ir.Edge{To: same})

	fn.cur = inner
	xb, yb := fn.byteAt(x, i), fn.byteAt(y, i)
	next := fn.emit(ir.OpAdd, ir.I64, i, fn.constant(ir.I64, 1))
	inner.Branch(pos, fn.emit(ir.OpEq, ir.I32, xb, yb), ir.Edge{To: head, Args: []*ir.Value{next}}, ir.Edge{To: differ})

	fn.cur = differ
	differ.Jump(pos, exit, fn.emit(orderOps[op][0], ir.I32, xb, yb))
	fn.cur = same
	same.Jump(pos, exit, fn.emit(orderOps[op][0], ir.I32, x.vals[1], y.vals[1]))
	fn.cur = exit
	return single(result)
}
