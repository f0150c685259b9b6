package ebpf_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A signature is how a function or method is declared, without names of
// receivers and parameters.
type signature struct {
	text     string
	exported bool
	doc      string
}

// signatures returns the functions and methods that files declare, by receiver type and name.
func signatures(t *testing.T, files []*ast.File) map[string]signature {
	t.Helper()
	found := make(map[string]signature)
	for _, f := range files {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fd.Name.Name
			exported := ast.IsExported(name)
			if fd.Recv != nil {
				name = text(t, fd.Recv.List[0].Type) + "." + name
			}
			s := signature{exported: exported, doc: fd.Doc.Text()}
			if fd.Type.TypeParams != nil {
				s.text = fieldTypes(t, fd.Type.TypeParams)
			}
			s.text += "(" + fieldTypes(t, fd.Type.Params) + ")"
			if fd.Type.Results != nil {
				s.text += " (" + fieldTypes(t, fd.Type.Results) + ")"
			}
			found[name] = s
		}
	}
	return found
}

func fieldTypes(t *testing.T, list *ast.FieldList) string {
	var types []string
	for _, f := range list.List {
		for range max(1, len(f.Names)) {
			types = append(types, text(t, f.Type))
		}
	}
	return strings.Join(types, ", ")
}

func text(t *testing.T, x ast.Expr) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), x); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// nativeFiles parses what the go command builds.
func nativeFiles(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if isBuilt(f) {
			files = append(files, f)
		}
	}
	return files
}

// What programs can call, the host can call too, in the same way; and what only the
// host can call says so.
func TestBothSides(t *testing.T) {
	_, embedded := parseSource(t)
	kernel, native := signatures(t, embedded), signatures(t, nativeFiles(t))
	kernelOnly := []string{"innerMap", "zero"}
	for _, name := range slices.Sorted(maps.Keys(kernel)) {
		n, ok := native[name]
		if !ok {
			if !slices.Contains(kernelOnly, name) {
				t.Errorf("%s exists only in the embedded source", name)
			}
			continue
		}
		if k := kernel[name]; k.text != n.text {
			t.Errorf("%s is %s in the embedded source and %s natively", name, k.text, n.text)
		}
	}
	hostOnly := []string{"Source", "*handle.Binding", "*LostError.Error"}
	for _, name := range slices.Sorted(maps.Keys(native)) {
		n := native[name]
		if _, ok := kernel[name]; ok || !n.exported || slices.Contains(hostOnly, name) {
			continue
		}
		if !strings.HasSuffix(n.doc, "\nHost only.\n") {
			t.Errorf("%s cannot be called in programs, and its comment does not end in \"Host only.\"", name)
		}
	}
}
