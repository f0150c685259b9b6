package progen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// TestValid checks that generated programs are valid Go.
func TestValid(t *testing.T) {
	n := uint64(2000)
	if testing.Short() {
		n = 200
	}
	for seed := range n {
		p := New(seed)
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "p.go", p.Source(), 0)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, p.Source())
		}
		var conf types.Config
		pkg, err := conf.Check("p", fset, []*ast.File{f}, nil)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, p.Source())
		}
		if pkg.Scope().Lookup(p.Name) == nil {
			t.Fatalf("seed %d declares no %s", seed, p.Name)
		}
	}
}

// TestDeterministic checks that a seed always gives the same program.
func TestDeterministic(t *testing.T) {
	for seed := range uint64(50) {
		if first, second := New(seed), New(seed); first.Decls != second.Decls {
			t.Fatalf("seed %d gives two programs", seed)
		}
	}
}

// TestNative checks that generated programs run, and that most of them end
// without a panic: a generator whose programs all panic tests little.
func TestNative(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	var cases []Case
	for seed := range uint64(100) {
		cases = append(cases, New(seed).Case(4))
	}
	all, err := Native(cases)
	if err != nil {
		t.Fatal(err)
	}
	panics := map[string]int{}
	for _, outcomes := range all {
		for _, o := range outcomes {
			panics[o.Panic]++
		}
	}
	t.Logf("panics of 400 runs: %v", panics)
	if panics[""] < 200 {
		t.Errorf("only %d of 400 runs end without a panic", panics[""])
	}
	if len(panics) < 3 {
		t.Errorf("only these outcomes: %v", panics)
	}
}
