package jit

import (
	"go/ast"
	"go/token"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file finds variables whose value is that which a function named init gives
// them. No init runs when source text is compiled, and the initial value alone would be
// wrong. (When the host's own function is compiled, its init has run on the host.)

// refuseInit reports an error for each variable of p that the program uses and an
// init function, or what that calls, assigns to.
func (r *reach) refuseInit(p *pkg) {
	var work []*ast.FuncDecl
	seen := make(map[*ast.FuncDecl]bool)
	add := func(fn *ast.FuncDecl) {
		if fn != nil && fn.Body != nil && !seen[fn] {
			seen[fn] = true
			work = append(work, fn)
		}
	}
	for _, f := range p.files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				add(fn)
			}
		}
	}
	refused := make(map[string]bool)
	assigned := func(x ast.Expr) {
		id := rootIdent(x)
		if id == nil {
			return
		}
		d := p.decls[id.Name]
		if d == nil || d.gen == nil || d.gen.Tok != token.VAR || !r.vars[variable{d, id.Name}] || refused[id.Name] {
			return
		}
		refused[id.Name] = true
		r.diags.Add(lower.UnsupportedExpr, r.pos(id.Pos()), "give it an initial value, or assign it in the program",
			"assignment to package-level variable %s before the program starts: functions named init do not run", id.Name)
	}
	for len(work) > 0 {
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
			case *ast.IncDecStmt:
				assigned(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					assigned(n.X)
				}
			case *ast.Ident:
				if d := p.decls[n.Name]; d != nil {
					add(d.fn)
				}
			}
			return true
		})
	}
}

// rootIdent returns the variable that x is or is a part of, or nil.
func rootIdent(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.ParenExpr:
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
