package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers range over a string. The iterator's state, the offset of the
// next rune, lives in a stack object; the decoding is that of unicode/utf8.

// lowerRange makes the iterator: the string and the address of the state.
func (fn *function) lowerRange(r *ssa.Range) operand {
	if !isString(r.X.Type()) {
		return fn.failLanguageMap()
	}
	state := fn.tempSlot(types.Typ[types.Int])
	fn.storeLeaf(state, 8, fn.constant(ir.I64, 0))
	return operand{parts: []operand{fn.settled(fn.operand(r.X)), single(state.base)}}
}

// lowerNext decodes the next rune: ok, its offset, the rune.
func (fn *function) lowerNext(n *ssa.Next) operand {
	if !n.IsString {
		return fn.failLanguageMap()
	}
	it := fn.operand(n.Iter)
	str, state := it.parts[0], address{base: it.parts[1].vals[0]}
	pos := ir.Pos(fn.pos)
	at := fn.loadLeaf(state, leaf{typ: ir.I64, width: 8})
	length := str.vals[1]

	decode, exit := fn.f.NewBlock(), fn.f.NewBlock()
	okParam := exit.AddParam(ir.I32, pos)
	runeParam := exit.AddParam(ir.I32, pos)
	more := fn.emit(ir.OpULt, ir.I32, at, length)
	zero := fn.constant(ir.I32, 0)
	fn.cur.Branch(pos, more, ir.Edge{To: decode}, ir.Edge{To: exit, Args: []*ir.Value{more, zero}})

	fn.cur = decode
	r, size := fn.decodeRune(str, at)
	fn.storeLeaf(state, 8, fn.emit(ir.OpAdd, ir.I64, at, size))
	fn.cur.Jump(pos, exit, fn.constant(ir.I32, 1), r)
	fn.cur = exit
	return operand{parts: []operand{single(okParam), single(at), single(runeParam)}}
}

// A runeClass is the encodings that start with the bytes from first on, up to
// where the next class starts. Second bytes below low or above high make a rune
// overlong, a surrogate, or too large (The Unicode Standard, table 3-7).
type runeClass struct {
	first     int64
	size      int64
	low, high int64
	mask      int64 // of the first byte
}

var runeClasses = []runeClass{
	{0xC2, 2, 0x80, 0xBF, 0x1F},
	{0xE0, 3, 0xA0, 0xBF, 0x0F},
	{0xE1, 3, 0x80, 0xBF, 0x0F},
	{0xED, 3, 0x80, 0x9F, 0x0F},
	{0xEE, 3, 0x80, 0xBF, 0x0F},
	{0xF0, 4, 0x90, 0xBF, 0x07},
	{0xF1, 4, 0x80, 0xBF, 0x07},
	{0xF4, 4, 0x80, 0x8F, 0x07},
}

// lastFirst is the largest byte that starts an encoding.
const lastFirst = 0xF4

// decodeRune decodes the rune of str at offset at, which is less than the
// length. A byte that starts no valid encoding is U+FFFD of size 1.
func (fn *function) decodeRune(str operand, at *ir.Value) (r, size *ir.Value) {
	pos := ir.Pos(fn.pos)
	one := fn.constant(ir.I64, 1)
	replacement := fn.constant(ir.I32, 0xFFFD)
	first := fn.byteAt(str, at)

	wide, exit := fn.f.NewBlock(), fn.f.NewBlock()
	r, size = exit.AddParam(ir.I32, pos), exit.AddParam(ir.I64, pos)
	ascii := fn.emit(ir.OpULt, ir.I32, first, fn.constant(ir.I32, 0x80))
	fn.cur.Branch(pos, ascii, ir.Edge{To: exit, Args: []*ir.Value{first, one}}, ir.Edge{To: wide})

	// The class of the first byte, by selection.
	fn.cur = wide
	k := func(c int64) *ir.Value { return fn.constant(ir.I32, c) }
	need, low, high, mask := k(0), k(0), k(0), k(0)
	for _, c := range runeClasses {
		is := fn.emit(ir.OpUGe, ir.I32, first, k(c.first))
		need = fn.emit(ir.OpSelect, ir.I32, is, k(c.size), need)
		low = fn.emit(ir.OpSelect, ir.I32, is, k(c.low), low)
		high = fn.emit(ir.OpSelect, ir.I32, is, k(c.high), high)
		mask = fn.emit(ir.OpSelect, ir.I32, is, k(c.mask), mask)
	}
	tooLarge := fn.emit(ir.OpUGt, ir.I32, first, k(lastFirst))
	need = fn.emit(ir.OpSelect, ir.I32, tooLarge, k(0), need)
	acc := fn.emit(ir.OpAnd, ir.I32, first, mask)

	// Then one continuation byte after the other, each in a block of its own.
	bad := func() ir.Edge { return ir.Edge{To: exit, Args: []*ir.Value{replacement, one}} }
	left := fn.emit(ir.OpSub, ir.I64, str.vals[1], at)
	valid := fn.f.NewBlock()
	fn.cur.Branch(pos, fn.emit(ir.OpNe, ir.I32, need, k(0)), ir.Edge{To: valid}, bad())
	fn.cur = valid
	for i := int64(1); i < 4; i++ {
		enough, next := fn.f.NewBlock(), fn.f.NewBlock()
		fn.cur.Branch(pos, fn.emit(ir.OpUGt, ir.I32, left, fn.constant(ir.I64, i)), ir.Edge{To: enough}, bad())
		fn.cur = enough
		b := fn.byteAt(str, fn.emit(ir.OpAdd, ir.I64, at, fn.constant(ir.I64, i)))
		if i > 1 {
			low, high = k(0x80), k(0xBF)
		}
		inRange := fn.emit(ir.OpAnd, ir.I32, fn.emit(ir.OpUGe, ir.I32, b, low), fn.emit(ir.OpULe, ir.I32, b, high))
		fn.cur.Branch(pos, inRange, ir.Edge{To: next}, bad())
		fn.cur = next
		six := fn.emit(ir.OpShl, ir.I32, acc, k(6))
		acc = fn.emit(ir.OpOr, ir.I32, six, fn.emit(ir.OpAnd, ir.I32, b, k(0x3F)))
		done := ir.Edge{To: exit, Args: []*ir.Value{acc, fn.constant(ir.I64, i+1)}}
		if i == 3 {
			fn.cur.Jump(pos, exit, done.Args...)
			break
		}
		again := fn.f.NewBlock()
		fn.cur.Branch(pos, fn.emit(ir.OpEq, ir.I32, need, k(i+1)), done, ir.Edge{To: again})
		fn.cur = again
	}
	fn.cur = exit
	return r, size
}
