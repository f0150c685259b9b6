package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// This file finds the intrinsics of package ebpf: hand-written functions that
// the compiler replaces as a whole.

// An intrinsic is a function or method with an //ebpf:intrinsic directive.
type intrinsic struct {
	directive string
	decl      string // without body, but for generic functions, which must have one
}

const intrinsicDirective = "//ebpf:intrinsic "

// findIntrinsics returns the intrinsics of the Go files in dir, in the order of
// file names and positions. Files that import nothing but unsafe are embedded
// as they are, so theirs are left out.
func findIntrinsics(dir string) ([]intrinsic, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var found []intrinsic
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if importsOnlyUnsafe(file) {
			continue
		}
		for _, d := range file.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Doc == nil {
				continue
			}
			f, ok, err := intrinsicOf(fset, fd)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", fset.Position(fd.Pos()), err)
			}
			if ok {
				found = append(found, f)
			}
		}
	}
	return found, nil
}

func intrinsicOf(fset *token.FileSet, fd *ast.FuncDecl) (intrinsic, bool, error) {
	for _, c := range fd.Doc.List {
		if !strings.HasPrefix(c.Text, intrinsicDirective) {
			continue
		}
		decl := *fd
		decl.Doc, decl.Body = nil, nil
		var b bytes.Buffer
		if err := printer.Fprint(&b, fset, &decl); err != nil {
			return intrinsic{}, false, err
		}
		if fd.Type.TypeParams != nil || fd.Recv != nil && isGeneric(fd.Recv) {
			b.WriteString(" { panic(\"intrinsic\") }")
		}
		return intrinsic{directive: c.Text, decl: b.String()}, true, nil
	}
	return intrinsic{}, false, nil
}

// isGeneric reports whether a receiver has type parameters.
func isGeneric(recv *ast.FieldList) bool {
	t := recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	switch t.(type) {
	case *ast.IndexExpr, *ast.IndexListExpr:
		return true
	}
	return false
}

func importsOnlyUnsafe(file *ast.File) bool {
	for _, i := range file.Imports {
		if i.Path.Value != `"unsafe"` {
			return false
		}
	}
	return true
}
