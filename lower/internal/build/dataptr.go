package build

import (
	"go/token"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file refuses pointers in data that the program writes. For the verifier what is
// loaded from there is a number.

// checkDataPointers reports an error for each object that the program writes and
// loads a pointer from, and for each that is written and has no name, which the
// host could find it by.
func (b *builder) checkDataPointers() {
	refused := make(map[*ir.Data]bool)
	refuse := func(d *ir.Data, v *ir.Value, fix, message string) {
		if !refused[d] {
			refused[d] = true
			b.fail(diag.UnsupportedExpr, token.Pos(v.Pos), fix, message)
		}
	}
	nameless := b.nameless()
	for _, f := range b.m.Funcs {
		for _, blk := range f.Blocks {
			for _, v := range blk.Instrs {
				for i, a := range v.Args {
					d := dataOf(a)
					if d == nil || !d.Mutable {
						continue
					}
					if decl, ok := d.Origin.(*VarDecl); ok && v.Op == ir.OpLoad && v.Type.IsPtr() {
						refuse(d, v, "keep an index, or an array in place of a slice",
							"package-level variable "+decl.Var+" refers to memory and is assigned to, so that the verifier does not follow it")
					} else if nameless[d] && !onlyReads(v, i) {
						refuse(d, v, "declare a variable of its own for it", "assignment to what a package-level variable points to, which has no name")
					}
				}
			}
		}
	}
}
