package opt

import (
	"fmt"
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file generates what random modules do with memory.

// An area is memory that may be accessed: size bytes, aligned to 8.
type area struct {
	base     *ir.Value
	size     int64
	readOnly bool
	// pointer is the offset of a cell that holds a pointer to a whole 8 bytes
	// and is not to be touched otherwise, or -1.
	pointer int64
}

// newSlot adds a zeroed slot.
func (g *generator) newSlot() {
	size := 8 * int64(1+g.r.IntN(4))
	s := g.f.NewSlot(fmt.Sprintf("s%d", len(g.f.Slots)), size, 8, 0)
	v := g.b.Add(ir.OpSlotAddr, ir.PtrStack, 0)
	v.Aux = s
	zero := g.b.Add(ir.OpMemZero, ir.Void, 0, v)
	zero.Size = size
	a := area{v, size, false, -1}
	if size > 8 && g.chance(30) {
		a.pointer = size - 8
		target := g.area(16)
		g.store(v, a.pointer, 8, target.base)
	}
	g.areas = append(g.areas, a)
}

// area returns a writable area of at least size bytes that holds no pointer.
func (g *generator) area(size int64) area {
	for range 8 {
		if len(g.areas) == 0 {
			break
		}
		a := g.areas[g.r.IntN(len(g.areas))]
		if a.size >= size && !a.readOnly && a.pointer < 0 {
			return a
		}
	}
	s := g.f.NewSlot(fmt.Sprintf("s%d", len(g.f.Slots)), max(size, 16), 8, 0)
	v := g.b.Add(ir.OpSlotAddr, ir.PtrStack, 0)
	v.Aux = s
	zero := g.b.Add(ir.OpMemZero, ir.Void, 0, v)
	zero.Size = s.Size
	a := area{v, s.Size, false, -1}
	g.areas = append(g.areas, a)
	return a
}

func (g *generator) store(p *ir.Value, off int64, width uint8, v *ir.Value) {
	st := g.b.Add(ir.OpStore, ir.Void, 0, p, v)
	st.Imm, st.Width = off, width
}

// cell returns offset and width of an aligned cell of a that holds no pointer.
func (g *generator) cell(a area) (off int64, width uint8) {
	width = 1 << g.r.IntN(4)
	size := a.size
	if a.pointer >= 0 {
		size = a.pointer
	}
	return int64(width) * g.r.Int64N(size/int64(width)), width
}

// at returns a's base, offset now and then, and what is left of the offset.
func (g *generator) at(a area, off int64) (*ir.Value, int64) {
	if g.chance(70) || off == 0 {
		return a.base, off
	}
	return g.b.Add(ir.OpPtrAdd, a.base.Type, 0, a.base, g.b.Const(ir.I64, off)), 0
}

func (g *generator) memory() {
	if len(g.areas) == 0 {
		return
	}
	a := g.areas[g.r.IntN(len(g.areas))]
	off, width := g.cell(a)
	p, disp := g.at(a, off)
	n := g.r.IntN(10)
	switch {
	case n == 0 && !a.readOnly && a.pointer < 0:
		zero := g.b.Add(ir.OpMemZero, ir.Void, 0, p)
		zero.Imm, zero.Size = disp, 1+g.r.Int64N(a.size-off)
	case n == 1:
		b := g.area(a.size)
		if b.base != a.base && a.pointer < 0 && g.distinct(a.base, b.base) {
			cp := g.b.Add(ir.OpMemCopy, ir.Void, 0, b.base, a.base)
			cp.Size = a.size
		}
	case n == 2 && a.pointer >= 0:
		q := g.b.Add(ir.OpLoad, ir.PtrAny, 0, a.base)
		q.Imm, q.Width = a.pointer, 8
		g.areas = append(g.areas, area{q, 16, false, -1})
	case n == 3 && !a.readOnly:
		t := ir.I64
		if width < 8 {
			t, width, disp = ir.I32, 4, disp&^3
			if p != a.base {
				return
			}
		}
		op := ir.AtomicOp(g.r.IntN(int(ir.NumAtomicOps)))
		args := []*ir.Value{p, g.value(t)}
		if op == ir.AtomicCmpXchg {
			args = append(args, g.value(t))
		}
		v := g.b.Add(ir.OpAtomic, ir.Void, 0, args...)
		v.Imm, v.Width, v.Aux = disp, width, op
		if op.Fetches() {
			v.Type = t
			g.keep(v)
		}
	case n < 7 && !a.readOnly:
		g.store(p, disp, width, g.value(g.typeFor(width)))
	default:
		v := g.b.Add(ir.OpLoad, g.typeFor(width), 0, p)
		v.Imm, v.Width = disp, width
		v.Signed = int64(width) < v.Type.Size() && g.chance(50)
		g.keep(v)
	}
}

// typeFor returns a type for accesses of the given width.
func (g *generator) typeFor(width uint8) ir.Type {
	if width == 8 || g.chance(20) {
		return ir.I64
	}
	return ir.I32
}

// distinct reports whether a and b are certainly different objects, as the
// operands of a memcopy must be.
func (g *generator) distinct(a, b *ir.Value) bool {
	known := func(v *ir.Value) bool { return v.Op == ir.OpSlotAddr || v.Op == ir.OpDataAddr }
	return known(a) && known(b) && a.Aux != b.Aux
}

// indexed accesses an array by a checked index.
func (g *generator) indexed() {
	if len(g.areas) == 0 {
		return
	}
	a := g.areas[g.r.IntN(len(g.areas))]
	if a.pointer >= 0 {
		return
	}
	width := uint8(1) << g.r.IntN(4)
	length := a.size / int64(width)
	t := g.intType()
	i := g.value(t)
	switch {
	case g.chance(40):
		i = g.b.Add(ir.OpURem, t, 0, i, g.b.Const(t, length+g.r.Int64N(20)/19))
	case g.chance(60):
		i = g.b.Add(ir.OpAnd, t, 0, i, g.b.Const(t, 1<<g.r.IntN(bits.Len64(uint64(length)))-1))
	}
	limit := g.b.Const(t, length)
	if g.chance(40) { // a guard the check follows from, or almost
		bound := g.b.Const(t, length+g.r.Int64N(3)-1)
		op := []ir.Op{ir.OpULt, ir.OpULe, ir.OpSLt, ir.OpSGe}[g.r.IntN(4)]
		cond := g.keep(g.b.Add(op, ir.I32, 0, i, bound))
		yes, join := g.f.NewBlock(), g.f.NewBlock()
		g.b.Branch(0, cond, ir.Edge{To: yes}, ir.Edge{To: join})
		mark := g.mark()
		g.b = yes
		g.access(a, i, limit, width)
		g.reset(mark)
		g.b.Jump(0, join)
		g.b = join
		return
	}
	g.access(a, i, limit, width)
}

// table makes an array of pointers and takes one of them by a variable index.
func (g *generator) table() {
	n := 2 + g.r.Int64N(3)
	s := g.f.NewSlot(fmt.Sprintf("s%d", len(g.f.Slots)), 16*n, 8, 0)
	base := g.b.Add(ir.OpSlotAddr, ir.PtrStack, 0)
	base.Aux = s
	g.b.Add(ir.OpMemZero, ir.Void, 0, base).Size = s.Size
	for i := range n {
		g.store(base, 16*i+8, 8, g.area(16).base)
	}
	element := func() *ir.Value {
		i := g.b.Add(ir.OpCheckIdx, ir.I64, 0,
			g.b.Add(ir.OpURem, ir.I64, 0, g.value(ir.I64), g.b.Const(ir.I64, n)), g.b.Const(ir.I64, n))
		i.Aux = g.m.Sites[ir.PanicIndex]
		return g.b.Add(ir.OpPtrAdd, ir.PtrStack, 0, base, g.b.Add(ir.OpMul, ir.I64, 0, i, g.b.Const(ir.I64, 16)))
	}
	if g.chance(50) {
		g.store(element(), 8, 8, g.area(16).base)
	}
	p := g.b.Add(ir.OpLoad, ir.PtrAny, 0, element())
	p.Imm, p.Width = 8, 8
	g.areas = append(g.areas, area{p, 16, false, -1})
}

// sliced accesses an element of a slice of an array: a[lo:hi][i].
func (g *generator) sliced() {
	if len(g.areas) == 0 {
		return
	}
	a := g.areas[g.r.IntN(len(g.areas))]
	if a.pointer >= 0 {
		return
	}
	width := uint8(1) << g.r.IntN(4)
	check := func(op ir.Op, x, y *ir.Value) *ir.Value {
		v := g.b.Add(op, ir.I64, 0, x, y)
		v.Aux = g.m.Sites[ir.PanicSlice]
		return v
	}
	small := func(limit int64) *ir.Value {
		if g.chance(30) {
			return g.b.Const(ir.I64, g.r.Int64N(limit+1))
		}
		return g.b.Add(ir.OpURem, ir.I64, 0, g.value(ir.I64), g.b.Const(ir.I64, limit+1))
	}
	length := a.size / int64(width)
	end := small(length - 1)
	if g.chance(90) {
		end = g.b.Add(ir.OpAdd, ir.I64, 0, end, g.b.Const(ir.I64, 1))
	}
	hi := check(ir.OpCheckULe, end, g.b.Const(ir.I64, length))
	lo := g.b.Add(ir.OpURem, ir.I64, 0, g.value(ir.I64), hi)
	if g.chance(20) {
		lo = small(length / 2)
	}
	lo = check(ir.OpCheckULe, lo, hi)
	n := g.b.Add(ir.OpSub, ir.I64, 0, hi, lo)
	base := g.b.Add(ir.OpPtrAdd, a.base.Type, 0, a.base, g.b.Add(ir.OpMul, ir.I64, 0, lo, g.b.Const(ir.I64, int64(width))))
	i := small(length / 2)
	if g.chance(50) {
		i = g.b.Add(ir.OpSub, ir.I64, 0, n, g.b.Const(ir.I64, 1))
	} else if g.chance(90) {
		i = g.b.Add(ir.OpURem, ir.I64, 0, i, n)
	}
	g.access(area{base, a.size, a.readOnly, -1}, i, n, width)
}

func (g *generator) access(a area, i, limit *ir.Value, width uint8) {
	op := ir.OpCheckIdx
	if limit.Op == ir.OpConst && g.chance(15) {
		op, limit = ir.OpCheckULe, g.b.Const(limit.Type, max(limit.Imm-1, 0))
	}
	v := g.b.Add(op, i.Type, 0, i, limit)
	v.Aux = g.m.Sites[ir.PanicIndex]
	i = v
	g.keep(i)
	if i.Type == ir.I32 {
		i = g.b.Add(ir.OpZExt, ir.I64, 0, i)
	}
	p := g.b.Add(ir.OpPtrAdd, a.base.Type, 0, a.base, g.b.Add(ir.OpMul, ir.I64, 0, i, g.b.Const(ir.I64, int64(width))))
	if g.chance(50) && !a.readOnly {
		g.store(p, 0, width, g.value(g.typeFor(width)))
		return
	}
	ld := g.b.Add(ir.OpLoad, g.typeFor(width), 0, p)
	ld.Width = width
	g.keep(ld)
}

func (g *generator) helper() {
	var v *ir.Value
	switch g.r.IntN(4) {
	case 0:
		v = g.b.Add(ir.OpHelper, ir.I64, 0)
		v.Aux = helperNow
	case 1:
		v = g.b.Add(ir.OpHelper, ir.I64, 0, g.value(ir.I64), g.value(ir.I32))
		v.Aux = helperMix
	case 2:
		a := g.area(8)
		v = g.b.Add(ir.OpHelper, ir.I64, 0, a.base, g.b.Const(ir.I32, 1+g.r.Int64N(a.size)))
		v.Aux = helperPut
	case 3:
		a := g.area(8)
		v = g.b.Add(ir.OpHelper, ir.I64, 0, a.base, g.b.Const(ir.I32, 1+g.r.Int64N(a.size)))
		v.Aux = helperGet
	}
	g.keep(v)
}
