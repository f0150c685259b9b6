package jit

import (
	"bytes"
	"flag"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/lower"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestPrune compares what func root of a.go needs of the package in an archive
// with the archive's section want.
func TestPrune(t *testing.T) {
	names, err := filepath.Glob("testdata/prune/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := pruned(t, ar)
			want := &ar.Files[len(ar.Files)-1]
			if got == string(want.Data) {
				return
			}
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got\n%s\nwant\n%s\nrewrite with go test -run TestPrune -update ./jit", got, want.Data)
		})
	}
}

func pruned(t *testing.T, ar *txtar.Archive) string {
	fsys, err := txtar.FS(ar)
	if err != nil {
		t.Fatal(err)
	}
	f := newFront(nil)
	p, _ := f.openPackage(tree{fsys: fsys, dir: "."}, "a.go")
	if err := f.diags.Err(); err != nil {
		t.Fatal(err)
	}
	var diags lower.DiagnosticList
	r := newReach(f.lib, &diags, f.fset.Position)
	r.need(p.decls["root"], full, use{})
	r.run()
	if err := diags.Err(); err != nil {
		t.Error(err)
	}
	var texts []string
	for _, file := range r.prune(p) {
		var b bytes.Buffer
		file.Doc = nil
		if err := printer.Fprint(&b, token.NewFileSet(), file); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, b.String())
	}
	return strings.Join(texts, "\n")
}

// TestResolverIsExact checks that what a function declares hides what the
// package declares, where it does and nowhere else.
func TestResolverIsExact(t *testing.T) {
	const src = `package p
var v1, v2, v3, v4, v5, v6, v7, v8, v9 int
func root(v2 int) (v3 int) {
	v4 := v1
	{ v5 := v4; _ = v5 }
	_ = v5
	func(v6 int) { v7 = v6 }(0)
	type s struct{ v8 int }
	_ = s{v8: 1}.v8
	for v9 := range 3 { _ = v9 }
	goto v8
v8:
	return v2 + v3
}`
	f := newFront(nil)
	p := newPkg("", "")
	file := f.parse(p, "a.go", []byte(src))
	var free []string
	w := resolver{free: func(id *ast.Ident) {
		if strings.HasPrefix(id.Name, "v") {
			free = append(free, id.Name)
		}
	}}
	w.funcDecl(p.decls["root"].fn, false)
	if got, want := strings.Join(free, " "), "v1 v5 v7"; got != want || file == nil {
		t.Errorf("free identifiers are %s, want %s", got, want)
	}
}
