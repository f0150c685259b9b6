package jit

import (
	"go/ast"
	"go/token"
	"slices"
)

// This file frees the declarations of maps that are in this process, and of structs that hold
// maps, from what only the host needs.
//
// The map of a program that is compiled from a func value was made by this process: its
// size and options are known, whatever they were computed from. Of the constructor's call
// only the type and the place matter. So its options are left out, which may be calls of
// anything, and its number of entries is any number.
//
// A struct may have fields of types that only the host can use, such as a logger. They become
// pointers to nothing, if that is their size; of others the size is not known, and nothing
// behind them can be read from the host's memory.

// spec returns the specification of d as it is to be checked and compiled.
func (r *reach) spec(d *decl) ast.Spec {
	if !r.live || d.file.pkg.library {
		return d.spec()
	}
	if r.specs[d] == nil {
		r.specs[d] = d.spec()
		switch s := d.spec().(type) {
		case *ast.ValueSpec:
			if d.gen.Tok == token.VAR {
				bare := *s
				bare.Values = r.bareMaps(d.file, s.Values)
				r.specs[d] = &bare
			}
		case *ast.TypeSpec:
			r.specs[d] = r.bareType(d.file, s)
		}
	}
	return r.specs[d]
}

// bareMaps is bareMap for each of list.
func (r *reach) bareMaps(f *file, list []ast.Expr) []ast.Expr {
	list = slices.Clone(list)
	for i, x := range list {
		list[i] = r.bareMap(f, x)
	}
	return list
}

// bareMap returns x, in which calls of constructors of maps are without what the maps
// themselves tell.
func (r *reach) bareMap(f *file, x ast.Expr) ast.Expr {
	switch x := x.(type) {
	case *ast.CompositeLit:
		bare := *x
		bare.Elts = r.bareMaps(f, x.Elts)
		return &bare
	case *ast.KeyValueExpr:
		bare := *x
		bare.Value = r.bareMap(f, x.Value)
		return &bare
	case *ast.UnaryExpr:
		bare := *x
		bare.X = r.bareMap(f, x.X)
		return &bare
	case *ast.StarExpr:
		bare := *x
		bare.X = r.bareMap(f, x.X)
		return &bare
	case *ast.CallExpr:
		return r.bareCall(f, x)
	}
	return x
}

// bareCall is bareMap for a call.
func (r *reach) bareCall(f *file, call *ast.CallExpr) ast.Expr {
	fn := r.mapConstructor(f, call.Fun)
	if fn == nil {
		return call
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

// bareType returns s, or if that is a struct, one without what only the host can use.
func (r *reach) bareType(f *file, s *ast.TypeSpec) *ast.TypeSpec {
	st, ok := s.Type.(*ast.StructType)
	hostOnly := func(field *ast.Field) bool {
		return r.isHostOnly(f, field.Type) || r.hosts[s.Name.Name] && f.pkg == r.home && r.refersToHost(f, field.Type)
	}
	if !ok || !slices.ContainsFunc(st.Fields.List, hostOnly) {
		return s
	}
	fields := *st.Fields
	fields.List = slices.Clone(fields.List)
	for i, field := range fields.List {
		if hostOnly(field) {
			bare := *field
			if len(field.Names) == 0 { // embedded
				bare.Names = []*ast.Ident{{NamePos: field.Pos(), Name: "_"}}
			}
			if bare.Type = r.sameSize(f, field.Type); bare.Type == nil {
				bare.Type = &ast.StructType{Struct: field.Type.Pos(), Fields: &ast.FieldList{}}
				for _, id := range bare.Names {
					r.unsized[id.Pos()] = true
				}
			}
			fields.List[i] = &bare
		}
	}
	bare := *s
	bare.Type = &ast.StructType{Struct: st.Struct, Fields: &fields}
	return &bare
}

// isHostOnly reports whether a type refers to a package of which nothing can be compiled.
func (r *reach) isHostOnly(f *file, x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return !found
		}
		if id, ok := sel.X.(*ast.Ident); ok && f.imports[id.Name] != nil {
			path := importPath(f.imports[id.Name])
			found = found || path != "unsafe" && (refused(path, sel.Sel.Name) != "" || r.lib.find(path) == nil)
		}
		return false
	})
	return found
}

// refersToHost reports whether x, the type of a field of a struct that stands for memory of the
// host, is one of another package by which nothing is taken over: a pointer or a slice, or an
// interface, but no map of package ebpf.
func (r *reach) refersToHost(f *file, x ast.Expr) bool {
	p, name := r.foreign(f, x)
	switch {
	case p == nil || p.path == ebpfPath:
		return false
	case name == "":
		return true
	}
	d := p.decls[name]
	if d == nil || d.gen == nil {
		return false
	}
	s, ok := d.spec().(*ast.TypeSpec)
	if !ok {
		return false
	}
	switch s.Type.(type) {
	case *ast.InterfaceType, *ast.FuncType, *ast.MapType, *ast.ChanType, *ast.StarExpr:
		return true
	}
	return false
}

// foreign returns the package that the type x is of or refers to, if that is not the user's, and, unless
// it only refers to it, its name there.
func (r *reach) foreign(f *file, x ast.Expr) (p *pkg, name string) {
	ast.Inspect(x, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return p == nil
		}
		if id, ok := sel.X.(*ast.Ident); ok && f.imports[id.Name] != nil && p == nil {
			if p = r.lib.find(importPath(f.imports[id.Name])); n == x {
				name = sel.Sel.Name
			}
		}
		return false
	})
	return p, name
}

// sameSize returns a type of the size of x, if that is known, or nil.
func (r *reach) sameSize(f *file, x ast.Expr) ast.Expr {
	nothing := &ast.StructType{Struct: x.Pos(), Fields: &ast.FieldList{}}
	switch t := x.(type) {
	case *ast.StarExpr, *ast.FuncType, *ast.MapType, *ast.ChanType:
		return &ast.StarExpr{Star: x.Pos(), X: nothing}
	case *ast.ArrayType:
		if t.Len == nil {
			return &ast.ArrayType{Lbrack: x.Pos(), Elt: nothing}
		}
	case *ast.SelectorExpr:
		if p, name := r.foreign(f, x); p != nil && p.decls[name] != nil && p.decls[name].gen != nil {
			switch s, _ := p.decls[name].spec().(*ast.TypeSpec); s.Type.(type) {
			case *ast.InterfaceType:
				return &ast.InterfaceType{Interface: x.Pos(), Methods: &ast.FieldList{}}
			case *ast.FuncType, *ast.MapType, *ast.ChanType, *ast.StarExpr:
				return &ast.StarExpr{Star: x.Pos(), X: nothing}
			}
		}
	}
	return nil
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
