package jit

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file finds more errors in source that has some, so that all that are independent
// of each other are reported at once.
//
// What the type checker and package lower report are different things, but lower needs
// source that type-checks. So the statements that do not are cut out, then those that
// need what has been cut, and so on, until the rest type-checks. Nobody is told of
// errors that follow from the cutting. The rest is compiled for its errors alone.

const (
	// statementRounds is the number of rounds in which statements are cut, and
	// salvageRounds that after which the rest is given up.
	statementRounds = 8
	salvageRounds   = 12
)

// salvage compiles what is right of the sources, which are not, and reports what else is
// wrong with it. All that c has reported is known to be.
func (f *front) salvage(c *checker, sources []*source) {
	target, err := f.target()
	if err != nil {
		return
	}
	bad := slices.Clone(c.errors)
	for pos := range c.r.refused {
		bad = append(bad, pos)
	}
	cut := len(bad) > 0
	for round := 0; len(bad) > 0; round++ {
		if round == salvageRounds {
			return
		}
		for _, pos := range bad {
			c.cut(pos, round < statementRounds)
		}
		c = &checker{f: f, r: c.r}
		c.check(sources[0].decl.file.pkg)
		bad = c.errors
	}
	if !cut { // what is wrong does not concern the type checker
		c = &checker{f: f, r: c.r}
		c.check(sources[0].decl.file.pkg)
	}
	k := c.order[len(c.order)-1]
	if c.tooManyInstances() {
		return
	}
	prog := buildSSA(c, f.mode)
	for _, s := range sources {
		fn, ok := k.info.Defs[s.decl.fn.Name].(*types.Func)
		if !ok || c.r.marks[s.decl] == 0 {
			continue
		}
		s.fn = prog.FuncValue(fn)
		certain := s.section != nil
		if !certain {
			s.section = &sections[0]
		}
		for _, d := range f.errorsOf(s, target) {
			if independent(d, cut, certain && !s.unsuitable) {
				f.diags.Append(d)
			}
		}
	}
}

// errorsOf returns what lower has to say about s.
func (f *front) errorsOf(s *source, target lower.Target) lower.DiagnosticError {
	known := f.diags
	defer func() { f.diags = known }()
	f.diags = lower.DiagnosticList{}
	_, err := f.lower(s, target)
	if err == nil {
		err = f.diags.Err()
	}
	var list lower.DiagnosticError
	errors.As(err, &list) // a BUG may follow from the errors
	return list
}

// independent reports whether d does not follow from other errors: cut says that
// something has been cut out of the source, and certain that the type of program is known
// and the function fit for it.
func independent(d *lower.Diagnostic, cut, certain bool) bool {
	switch d.Code {
	case lower.UnboundedLoop:
		return !cut && certain // the loop's end may have been cut
	case lower.HelperUnavailable, lower.HelperArgument, lower.FeatureMissing, lower.UnsuitableSignature:
		return certain
	}
	return true
}

// cut removes what there is at pos from the syntax: a statement, if that is wanted and
// there is one, or else the body of a function, an initial value or a declaration.
func (c *checker) cut(pos token.Pos, statement bool) {
	for _, k := range c.order {
		for _, file := range k.files {
			for _, d := range file.Decls {
				if d.Pos() <= pos && pos <= d.End() {
					c.cutDecl(d, pos, statement)
					return
				}
			}
		}
	}
}

func (c *checker) cutDecl(syntax ast.Decl, pos token.Pos, statement bool) {
	switch syntax := syntax.(type) {
	case *ast.FuncDecl:
		switch body := syntax.Body; {
		case body == nil || pos < body.Pos():
			c.drop(func(d *decl) bool { return d.fn != nil && d.fn.Name == syntax.Name })
		case statement && (addReturn(syntax, pos) || cutStatement(body, pos)):
		default:
			body.List = []ast.Stmt{zeroReturn(syntax.Type.Results, body.Lbrace)}
		}
	case *ast.GenDecl:
		for _, s := range syntax.Specs {
			if pos < s.Pos() || s.End() < pos {
				continue
			}
			if spec, ok := s.(*ast.ImportSpec); ok {
				delete(c.r.imports, spec)
				continue
			}
			if v, ok := s.(*ast.ValueSpec); ok && syntax.Tok == token.VAR && v.Type != nil && pos > v.Type.End() {
				v.Values = nil
				continue
			}
			c.drop(func(d *decl) bool { return d.gen != nil && d.spec() == s })
		}
	}
}

// drop takes back that declarations are needed.
func (c *checker) drop(match func(*decl) bool) {
	for d := range c.r.marks {
		if match(d) {
			delete(c.r.marks, d)
		}
	}
}

// addReturn ends the function of which pos is the closing brace with a return statement,
// if there is one: its own may have been cut.
func addReturn(fn ast.Node, pos token.Pos) (added bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		var typ *ast.FuncType
		var body *ast.BlockStmt
		switch n := n.(type) {
		case *ast.FuncDecl:
			typ, body = n.Type, n.Body
		case *ast.FuncLit:
			typ, body = n.Type, n.Body
		}
		if body != nil && body.Rbrace == pos {
			body.List = append(body.List, zeroReturn(typ.Results, pos))
			added = true
		}
		return true
	})
	return added
}

// cutStatement makes the innermost statement at pos empty and reports whether
// there is one.
func cutStatement(body *ast.BlockStmt, pos token.Pos) bool {
	var at *ast.Stmt
	ast.Inspect(body, func(n ast.Node) bool {
		var list []ast.Stmt
		switch n := n.(type) {
		case nil:
			return false
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = n.Body
		}
		for i, s := range list {
			if s.Pos() <= pos && pos < s.End() {
				at = &list[i]
			}
		}
		return n.Pos() <= pos && pos <= n.End()
	})
	if at == nil {
		return false
	}
	if _, ok := (*at).(*ast.EmptyStmt); ok {
		return false
	}
	*at = &ast.EmptyStmt{Semicolon: (*at).Pos(), Implicit: true}
	return true
}

// zeroReturn returns a statement that returns zero values.
func zeroReturn(results *ast.FieldList, pos token.Pos) ast.Stmt {
	ret := &ast.ReturnStmt{Return: pos}
	for _, t := range fieldTypes(results) {
		ret.Results = append(ret.Results, &ast.StarExpr{Star: pos, X: &ast.CallExpr{
			Fun: &ast.Ident{NamePos: pos, Name: "new"}, Lparen: pos, Args: []ast.Expr{t}, Rparen: pos,
		}})
	}
	return ret
}
