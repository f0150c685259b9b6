package build

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// TestExecutions counts how often mark is called; -1 is for what is not known.
func TestExecutions(t *testing.T) {
	for _, test := range []struct {
		body string
		want int64
	}{
		{"mark()", 1},
		{"if n > 0 { mark() }", 1},
		{"for range 4 { mark() }", 4},
		{"for i := range 4 { defer use(&i); mark() }", 4},
		{"for i := 0; i < 5; i++ { if i == n { continue }; mark() }", 5},
		{"for i := 0; i <= 5; i += 2 { if i == n { break }; mark() }", 3},
		{"for i := 5; i >= 0; i -= 2 { mark() }", 3},
		{"for i := uint8(9); 3 < i; i-- { mark() }", 6},
		{"for i := 0; i < 5; i++ { func() { n += i }(); mark() }", 5},
		{"for i := 0; i < 5; i++ { func() { i-- }(); mark() }", -1},
		{"for i := 0; i < 5; i++ { if n > 3 { i = n }; mark() }", -1},
		{"for i := range 3 { for range 4 { if i > 0 { mark() } } }", 12},
		{"for range min(n, 7) { mark() }", 7},
		{"for i := 0; i < n & 7; i++ { mark() }", 7},
		{"for range uint(min(n, 7)) { mark() }", -1},
		{"for range n { mark() }", -1},
		{"for i := uint8(0); i < 255; i += 2 { mark() }", -1},
		{"for i := 0; ; i++ { if i == n { return }; if i >= 6 { break }; mark() }", 6},
		{"for i := 0; ; i++ { mark(); if i >= 6 { break } }", 7},
		{"for range [3]int{} { mark() }", 3},
		{"for range []int{1, 2, 3} { mark() }", 3},
		{"for range s[:min(len(s), 6)] { mark() }", 6},
		{"for range s { mark() }", -1},
		{"again: mark(); if n > 3 { goto again }", -1},
		{"i := 0; if n > 3 { goto in }; again: i++; in: mark(); if i < 9 { goto again }", -1},
	} {
		src := "package p\nfunc mark() {}\nfunc use(*int) {}\nfunc f(n int, s []int) {\n" + test.body + "\n}\n"
		if got := countMarks(t, src); got != test.want {
			t.Errorf("%s: %d, want %d", test.body, got, test.want)
		}
	}
}

func countMarks(t *testing.T, src string) int64 {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, _, err := ssautil.BuildPackage(&types.Config{Importer: importer.Default()}, fset, types.NewPackage("p", "p"), []*ast.File{file}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, blk := range pkg.Func("f").Blocks {
		for _, instr := range blk.Instrs {
			if c, ok := instr.(*ssa.Call); ok && strings.HasSuffix(c.Call.Value.String(), "mark") {
				n, ok := executions(blk)
				if !ok {
					return -1
				}
				return n
			}
		}
	}
	t.Fatal("no call of mark")
	return 0
}
