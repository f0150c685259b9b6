package ebpf_test

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// onlyUnsafe is an importer that knows no package but unsafe.
type onlyUnsafe struct{}

func (onlyUnsafe) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	return nil, fmt.Errorf("import of %q: only unsafe is known", path)
}

// parseSource parses the embedded source as the in-process compiler does.
func parseSource(tb testing.TB) (*token.FileSet, []*ast.File) {
	tb.Helper()
	names, err := fs.Glob(ebpf.Source(), "*")
	if err != nil {
		tb.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		src, err := fs.ReadFile(ebpf.Source(), name)
		if err != nil {
			tb.Fatal(err)
		}
		f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			tb.Fatal(err)
		}
		files = append(files, f)
	}
	return fset, files
}

func checkSource(fset *token.FileSet, files []*ast.File, ignoreBodies bool) (*types.Package, error) {
	conf := types.Config{
		Importer:         onlyUnsafe{},
		Sizes:            types.SizesFor("gc", "amd64"),
		GoVersion:        "go1.26",
		IgnoreFuncBodies: ignoreBodies,
	}
	return conf.Check("github.com/undergo-ebpf/undergo/ebpf", fset, files, nil)
}

func TestSourceTypeChecks(t *testing.T) {
	fset, files := parseSource(t)
	pkg, err := checkSource(fset, files, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Context", "XDP", "RawTracepoint", "Printk", "GetCurrentPidTgid", "XDPDrop", "FlagCurrentCPU"} {
		if pkg.Scope().Lookup(name) == nil {
			t.Errorf("embedded source does not declare %s", name)
		}
	}
}

// Programs that use maps type-check against the embedded source, as they do natively.
func TestProgramTypeChecks(t *testing.T) {
	fset, files := parseSource(t)
	api, err := checkSource(fset, files, true)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(fset, "testdata/program/program.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: onlyPackage{api}}
	if _, err := conf.Check("program", fset, []*ast.File{f}, nil); err != nil {
		t.Error(err)
	}
}

// onlyPackage is an importer that knows one package.
type onlyPackage struct{ pkg *types.Package }

func (p onlyPackage) Import(path string) (*types.Package, error) {
	if path == p.pkg.Path() {
		return p.pkg, nil
	}
	return nil, fmt.Errorf("import of %q", path)
}

// A file belongs in the embedded set as it is if it is built and imports nothing
// but unsafe, and else not; and then there are the files that stand in for others.
func TestSourceIsComplete(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"stub_gen.go", "stub_map.go"}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || name == "doc.go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if isBuilt(f) && !slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value != `"unsafe"` }) {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	got, err := fs.Glob(ebpf.Source(), "*")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("embedded files are %v, want %v", got, want)
	}
}

func isBuilt(f *ast.File) bool {
	for _, g := range f.Comments {
		for _, c := range g.List {
			if constraint.IsGoBuild(c.Text) {
				return false
			}
		}
	}
	return true
}

// Every function of the embedded source without a body has a directive, since
// the compiler could do nothing with it else.
func TestSourceDirectives(t *testing.T) {
	_, files := parseSource(t)
	kinds := map[string]int{}
	for _, f := range files {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			kind := "none"
			if fd.Doc != nil {
				for _, c := range fd.Doc.List {
					if rest, ok := strings.CutPrefix(c.Text, "//ebpf:"); ok {
						kind, _, _ = strings.Cut(rest, " ")
					}
				}
			}
			kinds[kind]++
			if fd.Body == nil && kind == "none" {
				t.Errorf("%s has neither body nor directive", fd.Name.Name)
			}
		}
	}
	if kinds["helper"] != 211 || kinds["intrinsic"] == 0 {
		t.Errorf("functions by directive: %v, want 211 helpers and some intrinsics", kinds)
	}
}

// The promise of Source that declarations of stub_gen.go can be told apart without
// parsing: after the import, each is a directive and a func.
func TestStubBlocks(t *testing.T) {
	src, err := fs.ReadFile(ebpf.Source(), "stub_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	_, decls, _ := strings.Cut(string(src), "import \"unsafe\"\n\n")
	for block := range strings.SplitSeq(decls, "\n\n") {
		directive, decl, _ := strings.Cut(block, "\n")
		if !strings.HasPrefix(directive, "//ebpf:") || !strings.HasPrefix(decl, "func ") {
			t.Errorf("not a directive and a func: %q", block)
		}
	}
}

// BenchmarkSource is what every process that compiles pays once.
func BenchmarkSource(b *testing.B) {
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			parseSource(b)
		}
	})
	b.Run("check", func(b *testing.B) {
		fset, files := parseSource(b)
		for b.Loop() {
			if _, err := checkSource(fset, files, true); err != nil {
				b.Fatal(err)
			}
		}
	})
}
