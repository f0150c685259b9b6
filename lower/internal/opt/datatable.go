package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file follows the addresses that constant data holds: tables of strings and of pointers to
// other variables.
//
// To the kernel data is bytes, and a load from it gives a number. But what it holds is known
// (ir.Data.Refs). So a load of a pointer at a constant offset is the address that is there, and one
// at a variable offset a choice among the elements, as in ptrtable.go.
//
// It is done twice: before slots are split, because the choice is among constants of which tables
// of other tables are found, and when values are no longer in memory. What is left then
// is an error.
//
// Before:                          After:
//
//	data @t size 16 ro ref 0 @a+0 ref 8 @b+0
//	v0 = dataaddr @t +0             v3 = eq i64 v1, 0
//	v1 = ptradd v0, v2              branch v3, b1(), b2()
//	(v2 = shl i64 v1, 3)            b1: v4 = dataaddr @a +0
//	v4 = load.8 ptr v1 +0               jump b3(v4)
//	                                b2: v5 = dataaddr @b +0
//	                                    jump b3(v5)
//	                                b3(v6 ptr):

// maxDataTable is the number of elements up to which constant data is searched.
const maxDataTable = 128

// DataTables replaces loads of addresses from constant data.
func DataTables(f *ir.Func, _ *Config) {
	found := false
	for i := 0; i < len(f.Blocks); i++ { // the rest of a split block comes later in the list
		b := f.Blocks[i]
		for n := 0; n < len(b.Instrs); n++ {
			v := b.Instrs[n]
			if v.Op != ir.OpLoad || !v.Type.IsPtr() {
				continue
			}
			l := placeOf(v.Args[0], v.Imm, int64(v.Width))
			d, ok := l.base.(*ir.Data)
			if !ok || d.Mutable || len(d.Refs) == 0 {
				continue
			}
			if l.anchor == nil {
				becomeRef(v, d, l.off)
				found = true
				continue
			}
			t, ok := tableAccess(v)
			if !ok {
				continue
			}
			names := newRenaming(f)
			t.expand(b, n, names)
			names.apply()
			found = true
			break
		}
	}
	if found {
		refinePointers(f)
		removeDead(f)
	}
}

// becomeRef makes v the address that d holds at off.
func becomeRef(v *ir.Value, d *ir.Data, off int64) {
	v.Args, v.Width, v.Imm = nil, 0, 0
	for _, r := range d.Refs {
		if r.Off == off {
			v.Op, v.Type, v.Imm, v.Aux = ir.OpDataAddr, ir.PtrData, r.ToOff, r.To
			return
		}
	}
	v.Op, v.Type, v.Aux = ir.OpConst, ir.PtrData, nil // nil
}

// holdsRef reports whether a part of the size bytes at off of d is of an address.
func holdsRef(d *ir.Data, off, size int64) bool {
	return slices.ContainsFunc(d.Refs, func(r ir.Ref) bool { return off < r.Off+8 && r.Off < off+size })
}

// loadsNumber reports whether v loads an integer from constant data, and no part of an address.
func loadsNumber(v *ir.Value) bool {
	if v.Op != ir.OpLoad || v.Type.IsPtr() {
		return false
	}
	l := placeOf(v.Args[0], v.Imm, int64(v.Width))
	d, ok := l.base.(*ir.Data)
	if !ok {
		return false
	}
	if l.anchor == nil {
		return !holdsRef(d, l.off, l.size)
	}
	t, ok := tableAccess(v)
	for k := range t.count {
		if holdsRef(d, t.off+k*t.stride, l.size) {
			return false
		}
	}
	return ok
}

// FinishDataTables is DataTables and reports what it leaves.
func FinishDataTables(f *ir.Func, c *Config) {
	DataTables(f, c)
	n := &numberUses{uses: ir.Uses(f), preds: ir.Preds(f)}
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpDataAddr && len(v.Data().Refs) > 0 && !n.only(v, make(map[*ir.Value]bool)) {
				c.Diags.Add(diag.UnsupportedExpr, c.position(v.Pos), "index the variable where its element is used, in a table of up to 128 elements, or keep indices instead of pointers",
					"%s holds pointers or strings, and it is not known when compiling which are used here", v.Data().Name)
				return
			}
		}
	}
}
