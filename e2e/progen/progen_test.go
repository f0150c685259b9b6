package progen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
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

// wrongPrograms are programs that Go 1.26 compiles wrongly, with their outcomes for zeros and ones.
var wrongPrograms = []struct {
	name, src string
	zeros     Outcome
	ones      Outcome
}{
	{"a literal with a panic", `package p

func F(in [6]uint64) (out [4]uint64) {
	out = [4]uint64{1, 2, 3, 4}
	defer func() { recover() }()
	out = [4]uint64{5, in[in[0]*7]}
	return out
}
`, Outcome{Out: [4]uint64{5}}, Outcome{Out: [4]uint64{1, 2, 3, 4}}},
	{"and not of the lower half", `package p

func F(in [6]uint64) (out [4]uint64) {
	s := []int64{int64(in[0]) - 2}
	out[0] = uint64((uint32(s[0]) ^ 3597843830) &^ 4)
	return out
}
`, Outcome{Out: [4]uint64{uint64((uint32(1<<32-2) ^ 3597843830) &^ 4)}}, Outcome{Out: [4]uint64{uint64((uint32(1<<32-1) ^ 3597843830) &^ 4)}}},
}

// Outcomes that Go asks for are recognised though the compiler's differ, and others are not.
func TestAgain(t *testing.T) {
	for _, w := range wrongPrograms {
		c := Case{Name: "F", Source: w.src, Inputs: [][6]uint64{{}, {1, 1, 1, 1, 1, 1}}, Unique: true}
		asked := 0
		why, err := Again(c, func(native []Outcome) bool {
			asked++
			return native[0] == w.zeros && native[1] == w.ones
		})
		if err != nil || why == "" {
			t.Errorf("%s: asked %d times, %q, %v", w.name, asked, why, err)
		}
		asked = 0
		why, err = Again(c, func(native []Outcome) bool {
			asked++
			return native[0] == Outcome{Out: [4]uint64{99}}
		})
		if err != nil || why != "" || asked != 2 {
			t.Errorf("%s: a wrong outcome: asked %d times, %q, %v", w.name, asked, why, err)
		}
	}
}

// A program and what opaque makes of it have the same outcomes.
func TestOpaque(t *testing.T) {
	var cases []Case
	for seed := range uint64(40) {
		c := New(seed).Case(3)
		text, err := opaque(c.Source)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		c.Unique = false // both have the same names
		cases = append(cases, c)
		c.Source = text
		cases = append(cases, c)
	}
	all, err := Native(cases)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(all); i += 2 {
		if !slices.Equal(all[i], all[i+1]) {
			t.Errorf("seed %d: %+v, and opaque %+v", i/2, all[i], all[i+1])
		}
	}
}
