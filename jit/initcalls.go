package jit

import (
	"go/ast"
	"go/token"
	"slices"
)

// This file tells which of the functions that an initialiser names it may call. The functions that a
// program consists of are often named there and not called, as in
//
//	func init() { commands = append(commands, command{"drop", drop}) }
//
// A function is called where it is named in a call, and where it is passed to a function of a package
// that is not the user's, such as the method Do of sync.Once; not by packages jit and attach. Where a
// function value is called that a variable holds, all functions that are named may be meant.

// calls is what a declaration calls.
type calls struct {
	named   map[ast.Expr]bool // functions, where they are named
	unknown bool              // a function value
}

// callsIn returns what the declaration that sc searches calls.
func (sc *initScan) callsIn(syntax ast.Node) calls {
	c := calls{named: make(map[ast.Expr]bool)}
	variable := func(id *ast.Ident) bool {
		d := sc.decls[id]
		return sc.locals[id] != nil || d != nil && d.gen != nil && d.gen.Tok == token.VAR
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fn := ast.Unparen(call.Fun)
		switch x := fn.(type) { // an element, or of a generic function
		case *ast.IndexExpr:
			fn = x.X
		case *ast.IndexListExpr:
			fn = x.X
		}
		switch fn := fn.(type) {
		case *ast.Ident:
			c.named[fn] = true
			c.unknown = c.unknown || variable(fn)
		case *ast.SelectorExpr:
			c.named[fn.Sel] = true
			if id, ok := fn.X.(*ast.Ident); ok && slices.Contains(sc.imported, id) || ok && sc.locals[id] == nil && sc.d.file.imports[id.Name] != nil {
				c.unknown = c.unknown || variable(fn.Sel)
				if path := importPath(sc.d.file.imports[id.Name]); path == ebpfPath || path == jitPath || path == attachPath {
					return true
				}
			} else if len(sc.methods[fn.Sel.Name]) == 0 && sc.fields[fn.Sel.Name] {
				c.unknown = true
			}
			for _, a := range call.Args {
				switch a := ast.Unparen(a).(type) {
				case *ast.Ident:
					c.named[a] = true
				case *ast.SelectorExpr:
					c.named[a.Sel] = true
				}
			}
		case *ast.CallExpr, *ast.TypeAssertExpr:
			c.unknown = true
		}
		return true
	})
	return c
}

// fieldNames returns the names of the fields of structs that pkgs declare.
func fieldNames(pkgs []*pkg) map[string]bool {
	names := make(map[string]bool)
	for _, p := range pkgs {
		for _, f := range p.files {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if s, ok := n.(*ast.StructType); ok {
					for _, field := range s.Fields.List {
						for _, id := range field.Names {
							names[id.Name] = true
						}
					}
				}
				return true
			})
		}
	}
	return names
}
