package build

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"testing"
)

// TestSizes compares sizes with those of go/types.
func TestSizes(t *testing.T) {
	const src = `package p

import "unsafe"

type (
	empty   struct{}
	tail    struct { n int32; e empty }
	front   struct { e empty; n int32 }
	mixed   struct { a bool; b int64; c uint16; d [3]byte; e string }
	nested  struct { m mixed; t [3]tail; f front }
	scalars struct { a complex64; b uintptr; c unsafe.Pointer; d func(); e any; f []int; g map[int]int; h chan int; i *int }
	arrays  struct { a [0]int64; b [5][7]mixed; c [1 << 40]empty }
	huge    [1 << 40][1 << 40]byte
	holds   struct { b byte; h huge; c byte }
)
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.Default(), Error: func(error) {}}
	pkg, _ := conf.Check("p", fset, []*ast.File{file}, nil)
	if pkg == nil {
		t.Fatal("no package")
	}
	want := types.SizesFor("gc", "amd64")
	for _, name := range pkg.Scope().Names() {
		typ := pkg.Scope().Lookup(name).Type()
		if got, want := Sizes.Sizeof(typ), want.Sizeof(typ); got != want {
			t.Errorf("size of %s: got %d, want %d", name, got, want)
		}
		if got, want := Sizes.Alignof(typ), want.Alignof(typ); got != want {
			t.Errorf("alignment of %s: got %d, want %d", name, got, want)
		}
		s, ok := typ.Underlying().(*types.Struct)
		if !ok || Sizes.Sizeof(typ) < 0 {
			continue
		}
		if fields := slices.Collect(s.Fields()); !slices.Equal(Sizes.Offsetsof(fields), want.Offsetsof(fields)) {
			t.Errorf("offsets of %s: got %v, want %v", name, Sizes.Offsetsof(fields), want.Offsetsof(fields))
		}
	}
}
