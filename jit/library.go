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
	"sync"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit/internal/std"
)

// A library is the packages that are the same for all compilations of this
// process: package ebpf and Go's standard library. Each is parsed when it is first
// imported; compilations share the syntax and do not change it.
type library struct {
	mu   sync.Mutex
	fset *token.FileSet
	pkgs map[string]*pkg // by import path; nil for one that there is not
}

// kernelLibrary is the library of this process.
var kernelLibrary = &library{fset: token.NewFileSet(), pkgs: make(map[string]*pkg)}

// userBase is where the positions of a compilation's own files begin. Those of
// the library are smaller, so that packages of it can be added to the files of a
// compilation at any time.
const userBase = 1 << 28

// find returns the package with the given import path, or nil if the library
// has none, or an error that says why it cannot be used.
func (l *library) find(importPath string) (*pkg, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.pkgs[importPath]; ok {
		return p, nil
	}
	files, err := l.source(importPath)
	if err != nil {
		return nil, err
	}
	var p *pkg
	if len(files) > 0 {
		if p, err = l.parse(importPath, files); err != nil {
			return nil, err
		}
	}
	l.pkgs[importPath] = p
	return p, nil
}

// source returns the files of a package, none if the library has none.
func (l *library) source(importPath string) ([]std.File, error) {
	if importPath != ebpfPath {
		return std.Find(importPath)
	}
	var files []std.File
	names, err := fs.Glob(ebpf.Source(), "*.go")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := fs.ReadFile(ebpf.Source(), name)
		if err != nil {
			return nil, err
		}
		files = append(files, std.File{Name: path.Join(importPath, name), Data: data})
	}
	return files, nil
}

func (l *library) parse(importPath string, files []std.File) (*pkg, error) {
	p := newPkg(importPath, "")
	p.library = true
	for _, f := range files {
		syntax, err := parser.ParseFile(l.fset, f.Name, f.Data, parseMode)
		if err != nil {
			return nil, fmt.Errorf("library: %w", err)
		}
		p.name = syntax.Name.Name
		p.add(path.Base(f.Name), syntax)
		p.tokens = append(p.tokens, l.fset.File(syntax.FileStart))
	}
	if l.fset.Base() >= userBase {
		panic("BUG: the library has run out of positions")
	}
	return p, nil
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// isStd reports whether importPath is that of a package of the standard library,
// whose first element has no dot.
func isStd(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
