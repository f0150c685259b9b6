package jit

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// This file makes the pruned syntax trees that are type-checked.
//
// The trees of the source are shared between compilations and never changed:
// a pruned file has new nodes down to the specifications it keeps, and shares
// the rest.

// prune returns the files of p with the declarations that were reached, sorted
// by name so that the result does not depend on the order of reading.
func (r *reach) prune(p *pkg) []*ast.File {
	files := slices.Clone(p.files)
	slices.SortFunc(files, func(a, b *file) int { return strings.Compare(a.name, b.name) })
	var pruned []*ast.File
	for _, f := range files {
		if decls := r.pruneFile(f); len(decls) > 0 {
			pruned = append(pruned, &ast.File{
				Doc: f.syntax.Doc, Package: f.syntax.Package, Name: f.syntax.Name, Decls: decls,
				FileStart: f.syntax.FileStart, FileEnd: f.syntax.FileEnd, GoVersion: f.syntax.GoVersion,
			})
		}
	}
	return pruned
}

func (r *reach) pruneFile(f *file) []ast.Decl {
	var imports, decls []ast.Decl
	for _, syntax := range f.syntax.Decls {
		if gen, ok := syntax.(*ast.GenDecl); ok && gen.Tok == token.IMPORT {
			imports = append(imports, r.pruneImports(gen)...)
		} else if d := f.funcs[syntax]; d != nil && r.marks[d] != 0 {
			decls = append(decls, r.pruneFunc(d))
		} else if group := f.groups[syntax]; slices.ContainsFunc(group, func(d *decl) bool { return r.marks[d] != 0 }) {
			decls = append(decls, r.pruneGen(group))
		}
	}
	for _, d := range r.made {
		switch {
		case d.file != f:
		case d.fn != nil:
			decls = append(decls, d.fn)
		default:
			decls = append(decls, d.gen)
		}
	}
	if len(decls) == 0 {
		return nil
	}
	return append(imports, decls...)
}

func (r *reach) pruneImports(gen *ast.GenDecl) []ast.Decl {
	var specs []ast.Spec
	for _, s := range gen.Specs {
		if r.imports[s.(*ast.ImportSpec)] {
			specs = append(specs, s)
		}
	}
	if len(specs) == 0 {
		return nil
	}
	return []ast.Decl{withSpecs(gen, specs)}
}

// pruneFunc drops the body where only the signature is needed. A generic
// function must have one all the same, and gets one that panics.
func (r *reach) pruneFunc(d *decl) *ast.FuncDecl {
	why, dropped := r.dropped[d]
	if r.marks[d] == full && !bodyless(d) && !dropped {
		return d.fn
	}
	fn := *d.fn
	if dropped {
		text := "//ebpf:unavailable " + why
		fn.Doc = &ast.CommentGroup{List: []*ast.Comment{{Slash: fn.Pos(), Text: text}}}
	}
	fn.Body = nil
	if fn.Type.TypeParams != nil {
		pos := d.fn.Name.Pos()
		fn.Body = &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ExprStmt{X: &ast.CallExpr{
			Fun: &ast.Ident{NamePos: pos, Name: "panic"}, Lparen: pos, Rparen: pos,
			Args: []ast.Expr{&ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: `""`}},
		}}}}
	}
	return &fn
}

// pruneGen keeps the specifications that were reached. In a const declaration
// the others keep their places, which iota counts.
func (r *reach) pruneGen(group []*decl) *ast.GenDecl {
	gen := group[0].gen
	var specs []ast.Spec
	for _, d := range group {
		switch {
		case r.marks[d] != 0:
			specs = append(specs, r.spec(d))
		case gen.Tok == token.CONST:
			specs = append(specs, r.blankConst(d))
		}
	}
	return withSpecs(gen, specs)
}

// blankConst stands in for a constant that is not needed: _ = 0, or _ if it
// repeats the expressions of one before it, so that those after it still do.
func (r *reach) blankConst(d *decl) *ast.ValueSpec {
	s := d.spec().(*ast.ValueSpec)
	pos := s.Pos()
	blank := &ast.ValueSpec{Names: []*ast.Ident{{NamePos: pos, Name: "_"}}}
	if len(s.Values) > 0 || d.index == 0 {
		blank.Values = []ast.Expr{&ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: "0"}}
		return blank
	}
	if p := d.provider(); p != nil && r.marks[p] != 0 {
		for len(blank.Names) < len(s.Names) {
			blank.Names = append(blank.Names, &ast.Ident{NamePos: pos, Name: "_"})
		}
	}
	return blank
}

func withSpecs(gen *ast.GenDecl, specs []ast.Spec) *ast.GenDecl {
	g := *gen
	g.Specs = specs
	return &g
}
