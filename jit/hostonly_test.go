package jit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// methodsOf returns the exported methods in a file by type, promoted ones by the type
// that declares them.
func methodsOf(t *testing.T, name string, src any, into map[string]bool) {
	file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.IsExported() {
			into[receiverName(fn)+"."+fn.Name.Name] = true
		}
	}
}

// TestHostMethods compares the table with the methods that the host's package ebpf has
// and the embedded one has not.
func TestHostMethods(t *testing.T) {
	kernel, host := make(map[string]bool), make(map[string]bool)
	names, err := fs.Glob(ebpf.Source(), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		src, err := fs.ReadFile(ebpf.Source(), name)
		if err != nil {
			t.Fatal(err)
		}
		methodsOf(t, name, src, kernel)
	}
	files, err := filepath.Glob("../ebpf/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if base := path.Base(name); !strings.HasSuffix(base, "_test.go") && !strings.HasPrefix(base, "stub_") {
			methodsOf(t, name, nil, host)
		}
	}
	want := make(map[string]bool)
	for m := range host {
		if typ, name, _ := strings.Cut(m, "."); !kernel[m] && ast.IsExported(name) && typ != "" {
			want[name] = true
			if _, ok := hostMethods[name]; !ok {
				t.Errorf("%s is for the host only, and not in the table", m)
			}
		}
	}
	for name := range hostMethods {
		if !want[name] {
			t.Errorf("%s is in the table, and no method for the host only", name)
		}
	}
}
