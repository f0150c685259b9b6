package vet

import (
	"go/ast"
	"go/constant"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"github.com/undergo-ebpf/undergo/jit"
)

// This file finds the functions that a package passes to jit.Compile.

// compiled returns the declared functions and the literals that the package passes to
// jit.Compile, with the section names that the option As gives them. Calls whose
// options are not all in the call are left out.
func compiled(pass *analysis.Pass) []jit.CheckFunc {
	var found []jit.CheckFunc
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isJit(pass, call.Fun, "Compile") || len(call.Args) == 0 || call.Ellipsis.IsValid() {
				return true
			}
			var f jit.CheckFunc
			if lit, ok := ast.Unparen(call.Args[0]).(*ast.FuncLit); ok {
				f.Literal = pass.Fset.Position(lit.Pos())
			} else {
				fn := calledFunc(pass, call.Args[0])
				if fn == nil || fn.Pkg() != pass.Pkg || fn.Signature().Recv() != nil || fn.Signature().TypeParams() != nil {
					return true
				}
				f.Name = fn.Name()
			}
			for _, opt := range call.Args[1:] {
				c, ok := ast.Unparen(opt).(*ast.CallExpr)
				if !ok {
					return true
				}
				if isJit(pass, c.Fun, "As") && len(c.Args) == 1 {
					v := pass.TypesInfo.Types[c.Args[0]].Value
					if v == nil {
						return true
					}
					f.Section = constant.StringVal(v)
				}
			}
			found = append(found, f)
			return true
		})
	}
	return found
}

// calledFunc returns the function that x names, or nil.
func calledFunc(pass *analysis.Pass, x ast.Expr) *types.Func {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		fn, _ := pass.TypesInfo.Uses[x].(*types.Func)
		return fn
	case *ast.SelectorExpr:
		fn, _ := pass.TypesInfo.Uses[x.Sel].(*types.Func)
		return fn
	}
	return nil
}

// isJit reports whether x names a function of package jit.
func isJit(pass *analysis.Pass, x ast.Expr, name string) bool {
	fn := calledFunc(pass, x)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == jitPath && fn.Name() == name
}
