package progen

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
)

// hide is the function through which [opaque] passes values.
const hide = "hide"

// opaque returns a program equal to source, a file without imports, in which each value that an
// operator or a composite literal makes goes through a function that is not inlined. So the compiler
// that builds it can neither combine operations nor make a composite literal in the variable that it is
// assigned to. It is for telling defects of the Go compiler from undergo's.
func opaque(source string) (string, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue)}
	pkg, err := new(types.Config).Check(f.Name.Name, fset, []*ast.File{f}, info)
	if err != nil {
		return "", err
	}
	named := types.RelativeTo(pkg)
	astutil.Apply(f, nil, func(c *astutil.Cursor) bool {
		e, ok := c.Node().(ast.Expr)
		if !ok || !hidden(e, c.Parent(), info.Types[e]) {
			return true
		}
		t, err := parser.ParseExpr(types.TypeString(info.Types[e].Type, named))
		if err != nil {
			panic(fmt.Sprintf("progen: type of an expression: %v", err))
		}
		c.Replace(&ast.CallExpr{Fun: &ast.IndexExpr{X: ast.NewIdent(hide), Index: t}, Args: []ast.Expr{e}})
		return true
	})
	var out bytes.Buffer
	if err := format.Node(&out, fset, f); err != nil {
		return "", err
	}
	fmt.Fprintf(&out, "\n//go:noinline\nfunc %s[T any](x T) T { return x }\n", hide)
	return out.String(), nil
}

// hidden reports whether opaque passes e, a child of parent, through its function.
func hidden(e ast.Expr, parent ast.Node, tv types.TypeAndValue) bool {
	if tv.Type == nil || tv.Value != nil || strings.Contains(tv.Type.String(), "untyped") {
		return false
	}
	switch e := e.(type) {
	case *ast.CompositeLit:
		_, elided := parent.(*ast.CompositeLit)
		u, operand := parent.(*ast.UnaryExpr) // its address is taken
		return (!elided || e.Type != nil) && !(operand && u.Op == token.AND)
	case *ast.BinaryExpr:
		b, ok := tv.Type.Underlying().(*types.Basic)
		return ok && b.Info()&types.IsInteger != 0
	}
	return false
}
