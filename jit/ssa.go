package jit

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// ssaMode: a function is built for each instance of a generic one, packages do
// not initialise those they import, and the order of building is fixed.
const ssaMode = ssa.InstantiateGenerics | ssa.BareInits | ssa.BuildSerially

// buildSSA builds all that was type-checked. There must have been no errors.
func buildSSA(c *checker, mode ssa.BuilderMode) *ssa.Program {
	prog := ssa.NewProgram(c.f.fset, ssaMode|mode)
	prog.CreatePackage(types.Unsafe, nil, nil, true)
	for _, k := range c.order {
		prog.CreatePackage(k.types, k.files, k.info, true)
	}
	prog.Build()
	return prog
}
