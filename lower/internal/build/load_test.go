package build_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"testing"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

const ebpfPath = "github.com/undergo-ebpf/undergo/ebpf"

// A loader type-checks source against the embedded source of package ebpf, as
// the front door does.
type loader struct {
	fset *token.FileSet
	prog *ssa.Program
	pkgs map[string]*types.Package // that can be imported
}

func newLoader(t testing.TB) *loader {
	l := &loader{fset: token.NewFileSet(), pkgs: make(map[string]*types.Package)}
	l.prog = ssa.NewProgram(l.fset, ssa.InstantiateGenerics|ssa.BareInits|ssa.SanityCheckFunctions)
	l.prog.CreatePackage(types.Unsafe, nil, nil, true)
	var files []*ast.File
	dir := os.DirFS("../../../ebpf")
	for _, name := range []string{"consts_gen.go", "context.go", "raw_tracepoint.go", "skb.go", "stub_gen.go", "xdp.go",
		"checksum.go", "dynptr.go", "headers.go", "kernel.go", "overlay.go", "route.go", "sock.go", "spinlock.go"} {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, l.parse(t, path.Join("ebpf", name), string(text)))
	}
	l.library(t, ebpfPath, files)
	atomics, err := os.ReadFile("testdata/atomic.go")
	if err != nil {
		t.Fatal(err)
	}
	l.library(t, "sync/atomic", []*ast.File{l.parse(t, "atomic.go", string(atomics))})
	return l
}

// library adds a package that others can import.
func (l *loader) library(t testing.TB, path string, files []*ast.File) {
	pkg := l.add(t, path, files)
	l.pkgs[path] = pkg.Pkg
	pkg.Build()
}

// Import implements types.Importer.
func (l *loader) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if p := l.pkgs[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("no package %s", path)
}

func (l *loader) parse(t testing.TB, name, text string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(l.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (l *loader) add(t testing.TB, path string, files []*ast.File) *ssa.Package {
	t.Helper()
	info := &types.Info{
		Types:        make(map[ast.Expr]types.TypeAndValue),
		Instances:    make(map[*ast.Ident]types.Instance),
		Defs:         make(map[*ast.Ident]types.Object),
		Uses:         make(map[*ast.Ident]types.Object),
		Implicits:    make(map[ast.Node]types.Object),
		Selections:   make(map[*ast.SelectorExpr]*types.Selection),
		Scopes:       make(map[ast.Node]*types.Scope),
		FileVersions: make(map[*ast.File]string),
	}
	conf := types.Config{Importer: l, GoVersion: "go1.26", Sizes: types.SizesFor("gc", "amd64")}
	pkg, err := conf.Check(path, l.fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	return l.prog.CreatePackage(pkg, files, info, true)
}

// load returns the package main made of the files in the root of fsys.
func (l *loader) load(t testing.TB, fsys fs.FS) *ssa.Package {
	t.Helper()
	names, err := fs.Glob(fsys, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, l.parse(t, name, string(text)))
	}
	pkg := l.add(t, "main", files)
	pkg.Build()
	return pkg
}

// loadText returns the package main made of one file.
func (l *loader) loadText(t testing.TB, name, text string) *ssa.Package {
	t.Helper()
	pkg := l.add(t, "main", []*ast.File{l.parse(t, name, text)})
	pkg.Build()
	return pkg
}

// funcs returns all functions of the program by their name in package main.
func (l *loader) funcs(pkg *ssa.Package) map[string]*ssa.Function {
	fns := make(map[string]*ssa.Function)
	for f := range ssautil.AllFunctions(l.prog) {
		if f.Pkg == pkg {
			fns[f.RelString(pkg.Pkg)] = f
		}
	}
	return fns
}

// mustBuild builds f and verifies the result.
func (l *loader) mustBuild(t testing.TB, f *ssa.Function, shim build.Shim, typ string, tgt target.Target) *ir.Module {
	t.Helper()
	var diags diag.List
	m := build.Build(build.Input{Fset: l.fset, Entry: f, Name: f.String(), Type: typ, Shim: shim}, tgt, &diags)
	if err := diags.Err(); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	if err := ir.Verify(m); err != nil {
		t.Fatalf("%s: %v\n%s", f, err, m)
	}
	return m
}

var newest = target.For(target.Version{Major: 6, Minor: 18}, "amd64")
