// Package progen generates random Go programs for differential testing: valid,
// terminating, deterministic functions in which every operation that Go defines on
// integers, booleans, arrays, structs, pointers, slices and strings may occur, run-time panics
// included; and functions, methods, closures and type parameters to do it with.
//
// A program is a function of a fixed signature, so that all programs can be
// run the same way: compiled natively, interpreted, and in the kernel.
//
// Method: types, helper functions and statements are grown top-down with a
// budget, in the manner of Csmith (Yang et al., "Finding and Understanding Bugs in C
// Compilers", PLDI 2011). What has to be avoided for its meaning is little, since Go leaves
// nothing undefined and little open: which of two panics of a statement
// comes first, and whether a variable is read before or after the call in the same
// expression that changes it. What has to be avoided besides is what Go rejects at
// compile time: no expression is constant, because every operand tree ends in
// at least one variable.
package progen

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Signature is the type of every generated function: it takes 6 integers and
// returns 4.
type Signature = func(in [6]uint64) [4]uint64

// A Program is the text of a generated program.
type Program struct {
	Seed uint64
	// Name is the function to run; its type is Signature.
	Name string
	// Decls is the declarations, without a package clause. All names they declare end
	// in the seed, so that many programs fit in one package.
	Decls string
}

// Source returns the program as a file of its own.
func (p *Program) Source() string { return "package p\n\n" + p.Decls }

// New generates the program of the given seed, with the default chances of features.
func New(seed uint64) *Program { return DefaultFeatures().New(seed) }

// New generates the program of the given seed.
func (f Features) New(seed uint64) *Program {
	g := &gen{
		r:        rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)),
		suffix:   fmt.Sprint(seed),
		declared: make(map[string]bool),
	}
	for i, chance := range f {
		g.on[i] = g.chance(chance)
	}
	// Most programs are small: they say the same in a fraction of the time, and
	// what they find is easier to understand.
	g.large = g.chance(5)
	g.types()
	g.packageVars()
	for range g.r.IntN(g.size(2, 4)) {
		g.function()
	}
	g.declareMethods()
	g.chooseValues()
	name := g.entry()
	return &Program{Seed: seed, Name: name, Decls: g.decls.String() + g.out.String()}
}

// Inputs returns argument tuples for the program of the given seed: boundary values
// of all widths and random ones.
func Inputs(seed uint64, n int) [][6]uint64 {
	r := rand.New(rand.NewPCG(seed, 0xbf58476d1ce4e5b9))
	in := make([][6]uint64, n)
	for i := range in {
		for j := range in[i] {
			in[i][j] = boundary(r)
		}
	}
	return in
}

// boundary returns a value that is often close to a power of two or to zero.
func boundary(r *rand.Rand) uint64 {
	switch r.IntN(4) {
	case 0:
		return uint64(r.IntN(12)) - 4
	case 1:
		return 1<<r.IntN(64) + uint64(r.IntN(3)) - 1
	case 2:
		return uint64(int64(r.Uint64()) >> r.IntN(64))
	default:
		return r.Uint64()
	}
}

// gen is the state of one program's generation.
type gen struct {
	r      *rand.Rand
	out    strings.Builder
	suffix string

	on      [numFeatures]bool
	large   bool
	structs []*typ
	ints    []*typ      // named integer types
	globals []*variable // tables and package variables
	funcs   []*fn
	methods []*fn
	// values is the signature of function values that variables, arrays, structs and
	// parameters hold, nil unless there are any.
	values *fn
	// iface is the interface that some types implement, nil where nothing may call its
	// method.
	iface *iface

	// What is declared when it turns out to be needed.
	decls    strings.Builder
	declared map[string]bool

	// State of the function being generated.
	scope   []*variable
	indent  int
	names   int
	budget  int // statements left
	loops   int // loop nesting depth
	trips   int // product of the trip counts of the enclosing loops
	open    int // how many of them, and of the function literals, have no bound in the source
	labels  []*label
	results []*typ
	named   bool // the results are variables
	tparam  *typ // the type parameter, or nil
	closed  int  // in how many function literals
	risked  bool // the statement has something that may panic
	safe    bool // nothing may panic
}

// A fn is a helper function that later ones may call, or a method.
type fn struct {
	name    string
	params  []*typ
	results []*typ
	generic bool // has the type parameter T
	recv    *typ
	ptrRecv bool
	// pure functions change nothing, so that they may be called in the midst of an
	// expression: Go leaves open whether a variable is read before or after the call of a
	// function that changes it.
	pure      bool
	variadic  bool // the last parameter is
	ofGeneric bool // a method of a generic type, or of an instance of one
}

// A variable is something that can be read and, unless it is fixed, assigned.
type variable struct {
	name  string
	typ   *typ
	fixed bool // a loop counter, a table, or what nothing assigns
	loops int  // in how many loops and function literals it is declared
}

// A label is an enclosing labelled loop.
type label struct {
	name string
	used bool
}

func (g *gen) chance(percent int) bool { return g.r.IntN(100) < percent }

// size chooses a number by the size of the program.
func (g *gen) size(small, large int) int {
	if g.large {
		return large
	}
	return small
}

// risk decides whether to generate something that may panic. There is at most
// one in a statement, because Go leaves open which of two panics comes first
// (Go specification, "Order of evaluation").
func (g *gen) risk(percent int) bool {
	if g.risked || g.safe || !g.chance(percent) {
		return false
	}
	g.risked = true
	return true
}

func (g *gen) name(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

func (g *gen) line(format string, args ...any) {
	g.out.WriteString(strings.Repeat("\t", g.indent))
	fmt.Fprintf(&g.out, format, args...)
	g.out.WriteByte('\n')
}

// mayKeep reports whether what is declared here may outlive the iteration: the loops
// around must have a bound in the source.
func (g *gen) mayKeep() bool { return g.open == 0 }

// keepLoops is how many loops what a variable refers to, which is declared in the given
// number of them, may be declared in.
func (g *gen) keepLoops(loops int) int {
	if g.mayKeep() {
		return g.loops
	}
	return loops
}

// declare adds a variable to the scope, and a use of it to the text, since Go
// rejects unused ones.
func (g *gen) declare(name string, t *typ) *variable {
	v := &variable{name: name, typ: t, loops: g.loops}
	g.scope = append(g.scope, v)
	g.line("_ = %s", name)
	return v
}

// entry generates the function to run.
func (g *gen) entry() string {
	name := "F_" + g.suffix
	g.begin(g.size(2, 10) + g.r.IntN(g.size(5, 16)))
	g.line("func %s(in [6]uint64) (out [4]uint64) {", name)
	g.indent++
	g.resetVars()
	if g.named = g.on[Defers]; g.named {
		g.scope = append(g.scope, &variable{name: "out", typ: arrayOf(uint64Type, 4)})
	}
	g.scope = append(g.scope, &variable{name: "in", typ: arrayOf(uint64Type, 6)})
	for i := range 2 + g.r.IntN(3) {
		t := intTypes[g.r.IntN(len(intTypes))]
		v := g.name("v")
		g.line("%s := %s(in[%d])", v, t.name, i)
		g.declare(v, t)
	}
	g.statements()
	g.line("out[%d] += uint64(%s)", g.r.IntN(4), g.expr(g.intType(), 3))
	g.fold()
	g.line("return out")
	g.indent--
	g.line("}")
	return name
}

// maxFolded bounds how many parts of one variable go into the result.
const maxFolded = 4

// fold adds what the variables hold to the result, so that nothing is dead. No
// difference gets lost: the multiplier is odd.
func (g *gen) fold() {
	at := 0
	for _, v := range g.scope {
		if v.fixed || v.name == "in" || v.name == "out" {
			continue
		}
		leaves := v.leaves()
		g.r.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
		for _, leaf := range leaves[:min(len(leaves), maxFolded)] {
			switch leaf.typ.kind {
			case kindInt:
				g.line("out[%d] = out[%d]*31 + uint64(%s)", at%4, at%4, leaf.name)
			case kindBool:
				g.line("if %s {\n\t\tout[%d]++\n\t}", leaf.name, at%4)
			}
			at++
		}
	}
}

// begin resets the state of the function being generated.
func (g *gen) begin(budget int) {
	g.scope, g.labels, g.results = append([]*variable(nil), g.globals...), nil, nil
	g.named, g.tparam = false, nil
	g.indent, g.loops, g.trips, g.open, g.closed = 0, 0, 1, 0, 0
	g.budget = budget
}

// body generates statements and a final return.
func (g *gen) body() {
	g.indent++
	g.statements()
	g.returnStmt()
	g.indent--
}

func (g *gen) statements() {
	for g.budget > 0 {
		g.statement()
	}
}
