package jit

import (
	"go/ast"
	"go/token"
	"slices"
)

// This file frees the declarations of maps that are in this process from what only the host
// computes.
//
// The map of a program that is compiled from a func value was made by this process: its
// size and options are known, whatever they were computed from. Of the constructor's call
// only the type and the place matter. So its options are left out, which may be calls of
// anything, and its number of entries is any number.

// spec returns the specification of d as it is to be checked and compiled.
func (r *reach) spec(d *decl) ast.Spec {
	s, ok := d.spec().(*ast.ValueSpec)
	if !ok || !r.live || d.gen.Tok != token.VAR {
		return d.spec()
	}
	if r.specs[d] == nil {
		bare := *s
		bare.Values = slices.Clone(s.Values)
		for i, x := range s.Values {
			bare.Values[i] = r.bareMap(d.file, x)
		}
		r.specs[d] = &bare
	}
	return r.specs[d]
}

// bareMap returns x, or if that is the call of a map's constructor, the call without what
// the map itself tells.
func (r *reach) bareMap(f *file, x ast.Expr) ast.Expr {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return x
	}
	fn := r.mapConstructor(f, call.Fun)
	if fn == nil {
		return x
	}
	bare := *call
	bare.Args, bare.Ellipsis = nil, token.NoPos
	types := fieldTypes(fn.Type.Params)
	for i, arg := range call.Args {
		if _, options := types[min(i, len(types)-1)].(*ast.Ellipsis); options {
			break
		}
		if t, ok := types[i].(*ast.Ident); ok && t.Name == "int" {
			arg = &ast.BasicLit{ValuePos: arg.Pos(), Kind: token.INT, Value: "1"}
		}
		bare.Args = append(bare.Args, r.bareMap(f, arg)) // the example of a map of maps
	}
	return &bare
}

// mapConstructor returns the declaration of the constructor that x names, or nil.
func (r *reach) mapConstructor(f *file, x ast.Expr) *ast.FuncDecl {
	switch i := x.(type) {
	case *ast.IndexExpr:
		x = i.X
	case *ast.IndexListExpr:
		x = i.X
	}
	name, p := "", (*pkg)(nil)
	switch x := x.(type) {
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok && f.imports[id.Name] != nil && importPath(f.imports[id.Name]) == ebpfPath {
			name, p = x.Sel.Name, r.lib.find(ebpfPath)
		}
	case *ast.Ident:
		if slices.ContainsFunc(f.dots, func(s *ast.ImportSpec) bool { return importPath(s) == ebpfPath }) && f.pkg.decls[x.Name] == nil {
			name, p = x.Name, r.lib.find(ebpfPath)
		}
	}
	if p == nil || p.decls[name] == nil || p.decls[name].fn == nil {
		return nil
	}
	fn := p.decls[name].fn
	if kind, _, _ := directive(fn.Doc, "intrinsic"); kind != "newmap" {
		return nil
	}
	return fn
}
