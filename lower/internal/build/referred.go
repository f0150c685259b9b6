package build

import (
	"go/token"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds out whether the program may write objects through addresses that it finds in
// others.

// markReferred marks the objects that others hold the addresses of, if the program stores
// anything through a pointer that may be one of these, and refuses it if there is one that is no
// variable. Strings are never written.
func (b *builder) markReferred() {
	store := b.storeThroughData()
	if store == nil {
		return
	}
	kept := make(map[*ir.Data]bool)
	for _, d := range b.strings {
		kept[d] = true
	}
	for _, d := range b.fixed {
		kept[d] = true
	}
	for _, d := range b.m.Data {
		for _, r := range d.Refs {
			switch {
			case kept[r.To]:
			case r.To.Origin == nil:
				b.fail(diag.UnsupportedExpr, token.Pos(store.Pos), "declare a variable of its own for it",
					"assignment to what may be what "+d.Name+" points to, which has no name")
				return
			default:
				r.To.Mutable = true
			}
		}
	}
}

// storeThroughData returns a store, or a call of a helper that writes, through a pointer that may
// come from data, or nil.
func (b *builder) storeThroughData() *ir.Value {
	for _, f := range b.m.Funcs {
		for _, blk := range f.Blocks {
			for _, v := range blk.Instrs {
				for i, a := range v.Args {
					if !v.Op.Is(ir.WritesMem) || v.Op == ir.OpCall || v.Op == ir.OpStore && i == 1 || onlyReads(v, i) {
						continue
					}
					for a.Op == ir.OpPtrAdd || a.Op.Is(ir.Proof) {
						a = a.Args[0]
					}
					if (a.Type == ir.PtrAny || a.Type == ir.PtrData) && a.Op != ir.OpDataAddr && a.Op != ir.OpConst {
						return v
					}
				}
			}
		}
	}
	return nil
}
