package jit

import (
	"go/ast"
	"go/token"
)

// This file finds out, without types, whether a value may refer to memory.

// unknownLevels is the levels of a field, whose type is not looked for.
const unknownLevels = 1 << 10

// refers reports whether a value that is ref may refer to memory of the variable.
func (r *reach) refers(ref reference) bool {
	s := ref.v.d.spec().(*ast.ValueSpec)
	t := s.Type
	for i, id := range s.Names {
		if t == nil && id.Name == ref.v.name && len(s.Values) == len(s.Names) {
			t = typeOfValue(ref.v.d.file, s.Values[i])
		}
	}
	return r.mayRefer(ref.v.d.file, t, ref.levels, nil)
}

// typeOfValue returns the type of x, or nil if it is not written there.
func typeOfValue(f *file, x ast.Expr) ast.Expr {
	switch x := x.(type) {
	case *ast.BasicLit:
		return ast.NewIdent("string")
	case *ast.ParenExpr:
		return typeOfValue(f, x.X)
	case *ast.CompositeLit:
		return x.Type
	case *ast.UnaryExpr:
		if t := typeOfValue(f, x.X); x.Op != token.AND || t == nil {
			return t
		} else {
			return &ast.StarExpr{X: t}
		}
	case *ast.CallExpr:
		if lit, ok := x.Fun.(*ast.FuncLit); ok {
			return resultType(lit.Type)
		}
		id, ok := x.Fun.(*ast.Ident)
		if !ok {
			return nil
		}
		d := f.pkg.decls[id.Name]
		switch {
		case d == nil:
			return id // a conversion, or a built-in function, whose name is no type
		case d.fn != nil && d.fn.Type.TypeParams == nil:
			return resultType(d.fn.Type)
		case d.gen != nil && d.gen.Tok == token.TYPE:
			return id
		}
	}
	return nil
}

func resultType(t *ast.FuncType) ast.Expr {
	if t.Results == nil || len(t.Results.List) != 1 {
		return nil
	}
	return t.Results.List[0].Type
}

// mayRefer reports whether what is reached from a value of type t by levels indirections and elements may
// refer to memory. Strings do not: nothing can assign to their bytes.
func (r *reach) mayRefer(f *file, t ast.Expr, levels int, around []*decl) bool {
	switch t := t.(type) {
	case *ast.ParenExpr:
		return r.mayRefer(f, t.X, levels, around)
	case *ast.ArrayType:
		if levels == 0 && t.Len == nil {
			return true
		}
		return r.mayRefer(f, t.Elt, max(0, levels-1), around)
	case *ast.StarExpr:
		return levels == 0 || r.mayRefer(f, t.X, levels-1, around)
	case *ast.StructType:
		for _, field := range t.Fields.List {
			if r.mayRefer(f, field.Type, 0, around) {
				return true
			}
		}
		return false
	case *ast.Ident:
		if d := r.lookup(f, t.Name); d != nil {
			spec, ok := d.specOf().(*ast.TypeSpec)
			if !ok || spec.TypeParams != nil {
				return true
			}
			for _, a := range around {
				if a == d {
					return false // but for the rest of it, which is looked at
				}
			}
			return r.mayRefer(d.file, spec.Type, levels, append(around, d))
		}
		return !valueTypes[t.Name]
	}
	return true
}

// valueTypes is the types of Go's universe whose values refer to nothing that can be assigned to.
var valueTypes = map[string]bool{
	"bool": true, "byte": true, "int": true, "int8": true, "int16": true, "int32": true, "int64": true, "rune": true, "string": true,
	"uint": true, "uint8": true, "uint16": true, "uint32": true, "uint64": true, "uintptr": true,
}

// specOf returns the specification of d, or nil if it is a function.
func (d *decl) specOf() ast.Spec {
	if d.gen == nil {
		return nil
	}
	return d.spec()
}
