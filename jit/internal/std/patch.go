package std

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"sync"

	"golang.org/x/tools/txtar"
)

// This file changes packages that are read from the installation: files of patched.txtar
// take the place of those of the same name, and their functions and methods that of the
// package's own in other files.

//go:embed patched.txtar
var patched []byte

// A patch is what changes in a package.
type patch struct {
	files map[string][]byte // by the name
	funcs map[string]bool   // by funcKey
}

// patches is the patches by the import path.
var patches = sync.OnceValue(func() map[string]*patch {
	list := make(map[string]*patch)
	for _, f := range txtar.Parse(patched).Files {
		dir, name := path.Split(f.Name)
		dir = path.Clean(dir)
		p := list[dir]
		if p == nil {
			p = &patch{make(map[string][]byte), make(map[string]bool)}
			list[dir] = p
		}
		p.files[name] = f.Data
		syntax, err := parser.ParseFile(token.NewFileSet(), f.Name, f.Data, parser.SkipObjectResolution)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		for _, d := range syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				p.funcs[funcKey(fn)] = true
			}
		}
	}
	return list
})

// funcKey is the name of a function, with that of the type of which it is a method.
func funcKey(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	recv := fn.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	id, _ := recv.(*ast.Ident)
	if id == nil {
		return "" // of a generic type: nothing that is patched
	}
	return id.Name + "." + fn.Name.Name
}

// apply returns what takes the place of the file of the given name and content. Lines
// stay where they are.
func (p *patch) apply(name string, data []byte) ([]byte, error) {
	if text, ok := p.files[name]; ok {
		return text, nil
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, data, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && p.funcs[funcKey(fn)] {
			for i := fset.Position(fn.Pos()).Offset; i < fset.Position(fn.End()).Offset; i++ {
				if data[i] != '\n' {
					data[i] = ' '
				}
			}
		}
	}
	return data, nil
}
