package build

import (
	"go/types"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file knows which fields of a context a program may read and write.
//
// The tag of a field of package ebpf's contexts says so: `ebpf:"read=TYPES
// write=TYPES"`, where TYPES are program types. Without read all types may read the
// field, without write none may write it. The context of a program that is given its own
// struct, as syscall programs are, is the program's to read and write.

// checkContext reports an error if the access through addr is to a field of the context
// that the program must not read or, if write is set, not write. It returns whether it has.
func (fn *function) checkContext(addr ssa.Value, write bool) bool {
	if fn.isWholeContext(addr) {
		fn.fail(diag.ContextAccess, "use its fields, one by one", "copy of the context")
		return true
	}
	ctx, field, tag := fn.contextField(addr)
	if ctx == nil {
		return false
	}
	kind := fn.b.in.Type
	verb, key := "read", "read="
	if write {
		verb, key = "write", "write="
	}
	list, given := "", false
	for _, f := range strings.Fields(reflect.StructTag(tag).Get("ebpf")) {
		if l, ok := strings.CutPrefix(f, key); ok {
			list, given = l, true
		}
	}
	switch {
	case !given && !write, given && slices.Contains(strings.Split(list, ","), kind):
		return false
	case list == "":
		fn.fail(diag.ContextAccess, "keep the value in a variable of the program",
			"programs cannot write field %s of %s", field.Name(), ctx.Obj().Name())
	default:
		fn.fail(diag.ContextAccess, "only programs of type "+strings.ReplaceAll(list, ",", ", ")+" can",
			"programs of type %s cannot %s field %s of %s", kind, verb, field.Name(), ctx.Obj().Name())
	}
	return true
}

// isWholeContext reports whether addr is the address of one of package ebpf's contexts. The kernel
// lets programs access fields of it only, not what is between them.
func (fn *function) isWholeContext(addr ssa.Value) bool {
	switch addr.(type) {
	case *ssa.FieldAddr, *ssa.IndexAddr:
		return false
	}
	named, ok := types.Unalias(elemType(addr.Type())).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == ebpfPath
}

// contextField returns the field of one of package ebpf's contexts that addr is an
// address in; ctx is nil if it is something else.
func (fn *function) contextField(addr ssa.Value) (ctx *types.Named, field *types.Var, tag string) {
	for {
		switch a := addr.(type) {
		case *ssa.IndexAddr:
			addr = a.X
		case *ssa.FieldAddr:
			if o := fn.vals[a.X]; len(o.vals) == 1 && o.vals[0].Type == ir.PtrCtx {
				named, ok := types.Unalias(elemType(a.X.Type())).(*types.Named)
				if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != ebpfPath {
					return nil, nil, ""
				}
				s := named.Underlying().(*types.Struct)
				return named, s.Field(a.Field), s.Tag(a.Field)
			}
			addr = a.X
		default:
			return nil, nil, ""
		}
	}
}
