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
// comparison. What is loaded from the same element nearby takes part in the choice:
// the verifier must see the length of the very string that it has the pointer
// of. Often the table is not needed in memory any more afterwards.
//
// Of tables of slices of packets the lengths are treated as the pointers are, wherever they are used:
// the verifier must see a comparison of pointers in the place of one of the length, so that
// nothing of the table may be left in memory.
//
// Precondition: constants are folded. Postcondition: offsets of pointers on the
// stack are constant, but for tables of more than maxTable elements.
//
// Before:                          After:
//
//	v3 = shl i64 v2, 4              v4 = eq i32 v2, 0
//	v4 = ptradd v0, v3              branch v4, b1(), b2()
//	v5 = load.8 ptr v4 +0           b1: v5 = load.8 ptr v0 +0
//	v6 = load.8 i64 v4 +8               v6 = load.8 i64 v0 +8
//	                                    jump b3(v5, v6)
//	                                b2: v7 = load.8 ptr v0 +16
//	                                    v8 = load.8 i64 v0 +24
//	                                    jump b3(v7, v8)
//	                                b3(v9 ptr, v10 i64):

// maxTable is the number of elements up to which a table is searched. The
// verifier follows each choice separately.
const maxTable = 32

// PointerTables replaces accesses to pointers at variable offsets of the stack.
func PointerTables(f *ir.Func, _ *Config) {
	names := newRenaming(f)
	packets := packetTables(f)
	for i := 0; i < len(f.Blocks); i++ { // the rest of a split block comes later in the list
		b := f.Blocks[i]
		for n, v := range b.Instrs {
			if t, ok := tableAccess(v); ok && t.root.Op == ir.OpSlotAddr && (t.holdsPointer() || packets[t.root.Slot()]) {
				t.expand(b, n, names)
				break
			}
		}
	}
	names.apply()
	removeDead(f) // the address of the element may have been all that kept the table whole
}

// packetTables returns the slots of f in which pointers into packets are stored.
func packetTables(f *ir.Func) map[*ir.Slot]bool {
	slots := make(map[*ir.Slot]bool)
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpStore && v.Args[1].Type == ir.PtrPacket {
				slots[rootSlot(v.Args[0])] = true
			}
		}
	}
	delete(slots, nil)
	return slots
}

// A table is an access to an element of an array in a slot or data, at off plus stride
// times index.
type table struct {
	access      *ir.Value
	anchor      *ir.Value // the address of the element
	root        *ir.Value // the OpSlotAddr or OpDataAddr
	index       *ir.Value
	stride, off int64
	count       int64 // of the elements that are inside the object
}

// holdsPointer reports whether the access is to a pointer.
func (t table) holdsPointer() bool {
	if t.access.Op == ir.OpLoad {
		return t.access.Type.IsPtr()
	}
	return t.access.Args[1].Type.IsPtr()
}

// tableAccess returns the table that v loads from or stores to.
func tableAccess(v *ir.Value) (table, bool) {
	if v.Op != ir.OpLoad && v.Op != ir.OpStore {
		return table{}, false
	}
	l := placeOf(v.Args[0], v.Imm, int64(v.Width))
	size, most := int64(0), int64(maxTable)
	switch o := l.base.(type) {
	case *ir.Slot:
		size = o.Size
	case *ir.Data:
		size, most = int64(len(o.Bytes)), maxDataTable
	}
	if size == 0 || l.anchor == nil || l.anchor.Op != ir.OpPtrAdd {
		return table{}, false
	}
	base := placeOf(l.anchor.Args[0], 0, 0)
	if base.anchor != nil { // more than one variable offset
		return table{}, false
	}
	t := table{access: v, anchor: l.anchor, root: l.root, index: l.anchor.Args[1], stride: 1, off: base.off + l.off}
	if c, ok := scaled(t.index); ok {
		t.index, t.stride = t.index.Args[0], c
	}
	if t.stride <= 0 || t.stride%8 != 0 || t.off < 0 || t.off%l.size != 0 || t.off+l.size > size {
		return table{}, false
	}
	t.count = (size-l.size-t.off)/t.stride + 1
	if t.index.Op == ir.OpCheckIdx {
		if n, ok := constArg(t.index, 1); ok {
			t.count = min(t.count, n) // what is behind the array is not part of it
		}
	}
	return t, t.count > 0 && t.count <= most
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

// neighbours returns the accesses in b that are made together with t, instruction
// n: t alone if it stores, and otherwise the loads from the same element
// around it, with no write to memory between them.
func (t table) neighbours(b *ir.Block, n int) []table {
	if t.access.Op == ir.OpStore {
		return []table{t}
	}
	first := n
	for first > 0 && !b.Instrs[first-1].Op.Is(ir.WritesMem) {
		first--
	}
	var list []table
	for _, v := range b.Instrs[first:] {
		if v.Op.Is(ir.WritesMem) {
			break
		}
		if u, ok := tableAccess(v); ok && u.anchor == t.anchor && u.count == t.count {
			list = append(list, u)
		}
	}
	return list
}

// expand replaces the access, instruction n of b, and its neighbours.
func (t table) expand(b *ir.Block, n int, names *renaming) {
	all := t.neighbours(b, n)
	rest := ir.SplitBlock(b, slices.Index(b.Instrs, all[0].access))
	rest.RemoveFunc(func(v *ir.Value) bool {
		return slices.ContainsFunc(all, func(u table) bool { return u.access == v })
	})
	if t.access.Op == ir.OpLoad {
		for _, u := range all {
			names.set(u.access, rest.AddParam(u.access.Type, u.access.Pos))
		}
	}
	for k := range t.count {
		element := b
		if k < t.count-1 {
			pos := t.access.Pos
			is := b.Add(ir.OpEq, ir.I32, pos, t.index, b.Const(t.index.Type, k))
			element = b.Func.NewBlock()
			next := b.Func.NewBlock()
			b.Branch(pos, is, ir.Edge{To: element}, ir.Edge{To: next})
			b = next
		}
		var loaded []*ir.Value
		for _, u := range all {
			v := u.access
			access := element.Add(v.Op, v.Type, v.Pos, u.root)
			access.Imm, access.Width, access.Signed = u.off+k*u.stride-u.root.Imm, v.Width, v.Signed
			if d, ok := u.root.Aux.(*ir.Data); ok && v.Type.IsPtr() {
				becomeRef(access, d, u.off+k*u.stride)
			}
			if v.Op == ir.OpStore {
				access.Args = append(access.Args, v.Args[1])
			} else {
				loaded = append(loaded, access)
			}
		}
		element.Jump(t.access.Pos, rest, loaded...)
	}
}
