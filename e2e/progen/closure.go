package progen

import (
	"fmt"
	"strings"
)

// This file generates function literals, and functions that take and return functions.

// literalFunc writes a function literal after head, and tail after it. Its body may
// use and change all that is in scope.
func (g *gen) literalFunc(head string, f *fn, tail string) {
	names := make([]string, len(f.params))
	outer, rest, labels, results := len(g.scope), g.budget, g.labels, g.results
	g.labels, g.results = nil, f.results
	if f.results == nil {
		g.results = []*typ{}
	}
	g.loops++ // what it declares does not outlive the call
	g.closed++
	g.open++
	for i, p := range f.params {
		names[i] = g.name("a")
		g.scope = append(g.scope, &variable{name: names[i], typ: p, loops: g.loops})
		names[i] += " " + p.name
	}
	g.line("%sfunc(%s) (%s) {", head, strings.Join(names, ", "), typeNames(f.results))
	g.budget = 1 + g.r.IntN(3)
	g.body()
	g.line("}%s", tail)
	g.loops--
	g.closed--
	g.open--
	g.scope = g.scope[:outer]
	g.budget, g.labels, g.results = max(rest-3, 0), labels, results
}

func typeNames(list []*typ) string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.name
	}
	return strings.Join(names, ", ")
}

// someTypes chooses up to n types.
func (g *gen) someTypes(n int) []*typ {
	list := make([]*typ, g.r.IntN(n+1))
	for i := range list {
		list[i] = g.anyType()
	}
	return list
}

func (g *gen) closureStmt() bool {
	if g.safe {
		return false
	}
	vars := g.variables(kindFunc)
	if len(vars) > 0 && g.chance(50) {
		v := vars[g.r.IntN(len(vars))]
		if g.closed > 0 && !v.fixed {
			return false // may hold the function that this is in
		}
		return g.callResults(v.name, v.typ.sig)
	}
	if g.trips > 4 {
		return false
	}
	if g.values != nil && g.chance(60) {
		return g.valueStmt()
	}
	switch g.r.IntN(5) {
	case 0: // called where it stands
		f := &fn{results: g.someTypes(2)}
		if len(f.results) == 0 {
			g.literalFunc("", f, "()")
			return true
		}
		names := g.newNames(f.results)
		g.literalFunc(strings.Join(names, ", ")+" := ", f, "()")
		g.declareAll(names, f.results)
	case 1: // an argument
		t := g.plainInt()
		apply := g.higherOrder(t)
		x := g.name("v")
		g.line("var %s %s = %s", x, t.name, g.expr(t, 2))
		g.literalFunc(fmt.Sprintf("%s = %s(%s, ", x, apply, g.leafOf(t)), &fn{params: []*typ{t, uint64Type}, results: []*typ{t}}, ")")
		g.declare(x, t)
	case 2: // a result
		t := g.plainInt()
		maker := g.functionMaker(t)
		name := g.name("fn")
		g.line("%s := %s(%s)", name, maker, g.expr(t, 2))
		g.declare(name, funcType(&fn{params: []*typ{t}, results: []*typ{t}})).fixed = true
	default:
		f := &fn{params: g.someTypes(3), results: g.someTypes(2)}
		name := g.name("fn")
		g.literalFunc(name+" := ", f, "")
		g.declare(name, funcType(f)).fixed = true
	}
	return true
}

func funcType(f *fn) *typ { return &typ{kind: kindFunc, sig: f} }

// newNames makes names for variables of the given types.
func (g *gen) newNames(types []*typ) []string {
	names := make([]string, len(types))
	for i := range names {
		names[i] = g.name("v")
	}
	return names
}

func (g *gen) declareAll(names []string, types []*typ) {
	for i, name := range names {
		g.declare(name, types[i])
	}
}

// callResults calls f by the given name and keeps its results. The arguments have no
// side effects.
func (g *gen) callResults(name string, f *fn) bool {
	if g.trips > 4 || g.safe {
		return false
	}
	call := g.call(name, f, 3)
	g.budget -= 3
	if len(f.results) == 0 {
		g.line("%s", call)
		return true
	}
	names := g.newNames(f.results)
	g.line("%s := %s", strings.Join(names, ", "), call)
	g.declareAll(names, f.results)
	return true
}

// higherOrder returns the name of a declared function that calls its argument.
func (g *gen) higherOrder(t *typ) string {
	name := "apply" + t.name + "_" + g.suffix
	g.declareOnce(name, `func %[1]s(x %[2]s, f func(%[2]s, uint64) %[2]s) %[2]s {
	y := f(x, 1)
	if y > x {
		return f(x+y, 2)
	}
	return y
}
`, name, t.name)
	return name
}

// functionMaker returns the name of a declared function that returns a function which
// counts.
func (g *gen) functionMaker(t *typ) string {
	name := "make" + t.name + "_" + g.suffix
	g.declareOnce(name, `func %[1]s(n %[2]s) func(%[2]s) %[2]s {
	calls := n
	return func(x %[2]s) %[2]s {
		calls++
		return x*calls + n
	}
}
`, name, t.name)
	return name
}

// declareOnce adds a declaration to the program, unless it is there already.
func (g *gen) declareOnce(name, format string, args ...any) {
	if !g.declared[name] {
		g.declared[name] = true
		fmt.Fprintf(&g.decls, format+"\n", args...)
	}
}

// iteratorStmt generates a range over a function.
func (g *gen) iteratorStmt() bool {
	const most = 3 // iterations
	if g.trips*most > maxTrips {
		return false
	}
	t := g.plainInt()
	n, x := g.leafOf(intTypes[4]), g.leafOf(t)
	k, e := g.name("k"), g.name("e")
	switch g.r.IntN(3) {
	case 0:
		name := "none_" + g.suffix
		g.declareOnce(name, `func %[1]s(n uint8) func(func() bool) {
	return func(yield func() bool) {
		for range n & 3 {
			if !yield() {
				return
			}
		}
	}
}
`, name)
		g.loop(most, fmt.Sprintf("for range %s(%s) {", name, n))
	case 1:
		name := "one" + t.name + "_" + g.suffix
		g.declareOnce(name, `func %[1]s(n uint8, x %[2]s) func(func(%[2]s) bool) {
	return func(yield func(%[2]s) bool) {
		for i := range n %% 4 {
			if !yield(x + %[2]s(i)) {
				return
			}
		}
	}
}
`, name, t.name)
		g.loop(most, fmt.Sprintf("for %s := range %s(%s, %s) {", e, name, n, x), &variable{name: e, typ: t})
	default:
		name := "two" + t.name + "_" + g.suffix
		g.declareOnce(name, `func %[1]s(n uint8, x %[2]s) func(func(uint8, %[2]s) bool) {
	return func(yield func(uint8, %[2]s) bool) {
		if n > 200 && !yield(n, x) {
			return
		}
		for i := uint8(0); i < n&1 && yield(i, x*3); i++ {
		}
		_ = n > 100 && yield(100, x)
	}
}
`, name, t.name)
		g.loop(most, fmt.Sprintf("for %s, %s := range %s(%s, %s) {", k, e, name, n, x),
			&variable{name: k, typ: intTypes[4], fixed: true}, &variable{name: e, typ: t})
	}
	return true
}
