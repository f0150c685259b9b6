package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes tables of pointers on the stack usable: arrays of strings, of
// slices, of pointers, indexed by a variable.
//
// The verifier keeps what it knows of a pointer that is stored on the stack only
// as long as it is stored and loaded at a constant offset. A load of a pointer at a
// variable offset gives a number.
//
// Method: such a load becomes a choice among the elements, by a comparison of the
// index with each, and each is loaded at its constant offset; likewise for stores.
// The bounds check before bounds the choices, so that the last element needs no
// comparison. Often the table is not needed in memory any more afterwards.
//
// Precondition: constants are folded. Postcondition: offsets of pointers on the
// stack are constant, but for tables of more than maxTable elements.
//
// Before:                          After:
//
//	v3 = shl i64 v2, 3              v4 = eq i32 v2, 0
//	v4 = ptradd v0, v3              branch v4, b1(), b2()
//	v5 = load.8 ptr v4 +0           b1: v5 = load.8 ptr v0 +0
//	                                    jump b3(v5)
//	                                b2: v6 = load.8 ptr v0 +8
//	                                    jump b3(v6)
//	                                b3(v7 ptr):

// maxTable is the number of elements up to which a table is searched. The
// verifier follows each choice separately.
const maxTable = 32

// PointerTables replaces accesses to pointers at variable offsets of the stack.
func PointerTables(f *ir.Func, _ *Config) {
	names := newRenaming(f)
	for i := 0; i < len(f.Blocks); i++ { // the rest of a split block comes later in the list
		b := f.Blocks[i]
		for n, v := range b.Instrs {
			if t, ok := tableAccess(v); ok {
				t.expand(b, n, names)
				break
			}
		}
	}
	names.apply()
}

// A table is an access to a pointer in a slot, at off plus stride times index.
type table struct {
	access      *ir.Value
	root        *ir.Value // the OpSlotAddr
	index       *ir.Value
	stride, off int64
	count       int64 // of the elements that are inside the slot
}

// tableAccess returns the table that v loads a pointer from or stores one to.
func tableAccess(v *ir.Value) (table, bool) {
	switch {
	case v.Op == ir.OpLoad && v.Type.IsPtr():
	case v.Op == ir.OpStore && v.Args[1].Type.IsPtr():
	default:
		return table{}, false
	}
	l := placeOf(v.Args[0], v.Imm, int64(v.Width))
	slot, ok := l.base.(*ir.Slot)
	if !ok || l.anchor == nil || l.anchor.Op != ir.OpPtrAdd {
		return table{}, false
	}
	base := placeOf(l.anchor.Args[0], 0, 0)
	if base.anchor != nil { // more than one variable offset
		return table{}, false
	}
	t := table{access: v, root: l.root, index: l.anchor.Args[1], stride: 1, off: base.off + l.off}
	if c, ok := scaled(t.index); ok {
		t.index, t.stride = t.index.Args[0], c
	}
	if t.stride <= 0 || t.stride%8 != 0 || t.off < 0 || t.off%8 != 0 || t.off+8 > slot.Size {
		return table{}, false
	}
	t.count = (slot.Size-8-t.off)/t.stride + 1
	return t, t.count <= maxTable
}

// scaled returns the constant that v multiplies its first operand by.
func scaled(v *ir.Value) (int64, bool) {
	switch v.Op {
	case ir.OpMul:
		return constArg(v, 1)
	case ir.OpShl:
		n, ok := shiftCount(v)
		return 1 << min(n, 40), ok
	}
	return 0, false
}

// expand replaces the access, instruction n of b.
func (t table) expand(b *ir.Block, n int, names *renaming) {
	v := t.access
	rest := ir.SplitBlock(b, n)
	rest.Instrs = slices.Delete(rest.Instrs, 0, 1)
	if v.Op == ir.OpLoad {
		names.set(v, rest.AddParam(v.Type, v.Pos))
	}
	for k := range t.count {
		element := b
		if k < t.count-1 {
			is := b.Add(ir.OpEq, ir.I32, v.Pos, t.index, b.Const(t.index.Type, k))
			element = b.Func.NewBlock()
			next := b.Func.NewBlock()
			b.Branch(v.Pos, is, ir.Edge{To: element}, ir.Edge{To: next})
			b = next
		}
		access := element.Func.NewValue(v.Op, v.Type, v.Pos, t.root)
		access.Imm, access.Width = t.off+k*t.stride, v.Width
		element.Append(access)
		if v.Op == ir.OpLoad {
			element.Jump(v.Pos, rest, access)
		} else {
			access.Args = append(access.Args, v.Args[1])
			element.Jump(v.Pos, rest)
		}
	}
}
