package jit

import (
	"go/ast"
	"go/token"
	"slices"
)

// This file finds the functions named init that a program needs: those that assign to a variable
// that the program uses, themselves or in what they call. The compiler runs them, with the
// initialisers of variables. The others, which may do anything that the host can, are left out.

// needInits marks the functions named init of pkgs that the program needs, and all that they
// refer to.
func (r *reach) needInits(pkgs []*pkg) {
	for again := true; again; {
		again = false
		for _, p := range pkgs {
			for _, f := range p.files {
				for _, d := range f.syntax.Decls {
					fn, ok := d.(*ast.FuncDecl)
					if ok && fn.Recv == nil && fn.Name.Name == "init" && fn.Body != nil && r.marks[f.funcs[fn]] != full && r.assigns(p, fn) {
						r.need(f.funcs[fn], full, use{})
						r.run() // more variables may be needed now
						again = true
					}
				}
			}
		}
	}
}

// assigns reports whether fn, a function of p, or another that it names, assigns to a variable of p
// that the program uses, or takes the address of one.
func (r *reach) assigns(p *pkg, fn *ast.FuncDecl) bool {
	found := false
	assigned := func(x ast.Expr) {
		id := rootIdent(x)
		if id == nil {
			return
		}
		d := p.decls[id.Name]
		found = found || d != nil && d.gen != nil && d.gen.Tok == token.VAR && r.vars[variable{d, id.Name}] && !r.madeByEbpf(d)
	}
	work := []*ast.FuncDecl{fn}
	seen := map[*ast.FuncDecl]bool{fn: true}
	for len(work) > 0 && !found {
		fn := work[0]
		work = work[1:]
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, x := range n.Lhs {
					if n.Tok != token.DEFINE {
						assigned(x)
					}
				}
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					assigned(n.Key)
					assigned(n.Value)
				}
			case *ast.IncDecStmt:
				assigned(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					assigned(n.X)
				}
			case *ast.SliceExpr:
				assigned(n.X)
			case *ast.CallExpr: // of copy or clear, or a method with a pointer receiver
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok {
					assigned(sel.X)
				} else if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && (id.Name == "copy" || id.Name == "clear") {
					assigned(n.Args[0])
				}
			case *ast.Ident:
				if d := p.decls[n.Name]; d != nil && d.fn != nil && d.fn.Body != nil && !seen[d.fn] {
					seen[d.fn] = true
					work = append(work, d.fn)
				}
			}
			return true
		})
	}
	return found
}

// madeByEbpf reports whether a variable that d declares is made by a function of package ebpf, as maps
// are: what the host does with it has no part in the program.
func (r *reach) madeByEbpf(d *decl) bool {
	s, ok := d.spec().(*ast.ValueSpec)
	return ok && slices.ContainsFunc(s.Values, func(v ast.Expr) bool {
		call, ok := v.(*ast.CallExpr)
		if !ok {
			return false
		}
		fn := call.Fun
		switch x := fn.(type) {
		case *ast.IndexExpr:
			fn = x.X
		case *ast.IndexListExpr:
			fn = x.X
		}
		sel, ok := fn.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		id, ok := sel.X.(*ast.Ident)
		return ok && d.file.imports[id.Name] != nil && importPath(d.file.imports[id.Name]) == ebpfPath
	})
}

// rootIdent returns the variable that x is or is a part of, or nil.
func rootIdent(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.ParenExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.SliceExpr:
			x = e.X
		default:
			return nil
		}
	}
}
