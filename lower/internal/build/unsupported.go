package build

import (
	"fmt"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
)

// This file refuses what a BPF program cannot have. Each refusal has a position,
// a stable code, and says what to write instead.

// failStatement refuses what needs goroutines.
func (fn *function) failStatement(what string) operand {
	fn.fail(diag.UnsupportedStmt, "a BPF program has no goroutines; pass data to the host through a map", "%s", what)
	return badOperand
}

// failLanguageMap refuses the maps of the language.
func (fn *function) failLanguageMap() operand {
	fn.fail(diag.UnsupportedExpr, "use a map of the ebpf package, declared as a package-level variable", "map of the language")
	return badOperand
}

// failOperation refuses an operation on values of type t; e may be nil.
func (fn *function) failOperation(e ssa.Value, t types.Type) operand {
	if _, err := fn.b.layoutOf(t); err != nil {
		fn.failType(err)
		return badOperand
	}
	what := "operation"
	if e != nil {
		what = fmt.Sprintf("operation %s", e)
	}
	fn.fail(diag.UnsupportedExpr, "write it with integers, structs and arrays", "%s on a value of type %s", what, t)
	return badOperand
}

// failRecursion reports that calling src at pos would make a cycle.
func (b *builder) failRecursion(src *ssa.Function, pos token.Pos) {
	cycle := ""
	for _, i := range b.active {
		if i.src == src || cycle != "" {
			cycle += nameInCycle(i.src) + " -> "
		}
	}
	b.fail(diag.RecursiveCall, pos, "use a loop, with a bounded array as the stack if one is needed",
		fmt.Sprintf("recursive call: %s%s", cycle, nameInCycle(src)))
}

// nameInCycle is the name of f, with the receiver's type if f is a method: methods of several types
// may have one name, and call each other.
func nameInCycle(f *ssa.Function) string {
	if recv := f.Signature.Recv(); recv != nil {
		return "(" + types.TypeString(recv.Type(), func(*types.Package) string { return "" }) + ")." + f.Name()
	}
	return f.Name()
}

// describeStatic says what o, a function or an interface, is.
func describeStatic(o operand) string {
	if o.fn != nil {
		return "function value " + o.fn.Name()
	}
	if o.m != nil {
		return "map " + o.m.decl.Name
	}
	return fmt.Sprintf("interface value of dynamic type %s", o.dyn)
}
