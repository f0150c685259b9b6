package jit

import (
	"go/ast"
	"go/token"
	"go/types"
)

// This file finds which syntax around a literal gives the types of what the
// literal captures, so that nothing else there is type-checked.

// relevant returns the literal and, transitively, the parts of the declaration
// around it that give the types of the names it uses.
func (l *lifter) relevant() []ast.Node {
	origins := l.origins()
	parts := []ast.Node{l.lit.lit}
	seen := make(map[*ast.Ident]bool)
	for i := 0; i < len(parts); i++ {
		for _, id := range l.order {
			decl := l.uses[id]
			if within(id, parts[i]) && !seen[decl] {
				seen[decl] = true
				parts = append(parts, origins[decl]...)
			}
		}
	}
	return parts
}

// origins returns, for each identifier that the declaration around the literal
// declares, the syntax that gives its type.
func (l *lifter) origins() map[*ast.Ident][]ast.Node {
	origins := make(map[*ast.Ident][]ast.Node)
	from := func(x ast.Expr, nodes ...ast.Node) {
		if id, ok := x.(*ast.Ident); ok {
			origins[id] = append(origins[id], nodes...)
		}
	}
	values := func(i, names int, values []ast.Expr) ast.Node {
		if len(values) == names {
			return l.typeGiver(values[i])
		}
		return values[0]
	}
	ast.Inspect(l.lit.decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, x := range n.Lhs {
				from(x, values(i, len(n.Lhs), n.Rhs))
			}
		case *ast.RangeStmt:
			for _, x := range []ast.Expr{n.Key, n.Value} {
				from(x, n.X)
			}
		case *ast.TypeSwitchStmt:
			if a, ok := n.Assign.(*ast.AssignStmt); ok {
				for _, c := range n.Body.List {
					for _, t := range c.(*ast.CaseClause).List {
						from(a.Lhs[0], t)
					}
				}
			}
		case *ast.GenDecl:
			for _, s := range n.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					from(s.Name, s)
				case *ast.ValueSpec:
					for i, id := range s.Names {
						switch {
						case n.Tok == token.CONST: // a value may be that of the line before
							from(id, n)
						case s.Type != nil:
							from(id, s.Type)
						default:
							from(id, values(i, len(s.Names), s.Values))
						}
					}
				}
			}
		case *ast.Field:
			for _, id := range n.Names {
				from(id, n.Type)
			}
		}
		return true
	})
	return origins
}

// typeGiver returns the part of x that gives its type: in a conversion to a
// predeclared type that is the type.
func (l *lifter) typeGiver(x ast.Expr) ast.Node {
	if call, ok := x.(*ast.CallExpr); ok {
		if id, ok := call.Fun.(*ast.Ident); ok && l.uses[id] == nil {
			if _, ok := types.Universe.Lookup(id.Name).(*types.TypeName); ok {
				return id
			}
		}
	}
	return x
}
