package jit

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// A library is the packages that kernel-side code may import. It is read once
// and shared by all compilations, which do not change it.
type library struct {
	pkgs  map[string]*pkg // by import path
	files []*token.File
}

// newLibrary parses packages from their import paths and the file systems
// whose roots hold their source.
func newLibrary(sources map[string]fs.FS) (*library, error) {
	lib := &library{pkgs: make(map[string]*pkg)}
	fset := token.NewFileSet()
	for _, importPath := range sortedKeys(sources) {
		p := newPkg(importPath, "")
		p.library = true
		names, err := fs.Glob(sources[importPath], "*.go")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := fs.ReadFile(sources[importPath], name)
			if err != nil {
				return nil, err
			}
			syntax, err := parser.ParseFile(fset, path.Join(importPath, name), src, parseMode)
			if err != nil {
				return nil, fmt.Errorf("library: %w", err)
			}
			p.name = syntax.Name.Name
			p.add(name, syntax)
		}
		lib.pkgs[importPath] = p
	}
	for f := range fset.Iterate {
		lib.files = append(lib.files, f)
	}
	return lib, nil
}

// find returns the package with the given import path, or nil if kernel-side
// code cannot import it.
func (l *library) find(importPath string) *pkg { return l.pkgs[importPath] }

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
