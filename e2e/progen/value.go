package progen

import (
	"fmt"
	"strings"
)

// This file generates function values of one signature, which are kept in variables,
// arrays and structs, chosen between, passed and returned. So that no program recurs, what
// can be assigned to is called outside function literals only.

// chooseValues chooses the signature.
func (g *gen) chooseValues() {
	if g.on[Closures] && g.chance(60) {
		g.values = &fn{params: []*typ{g.plainInt(), g.plainInt()}, results: []*typ{g.plainInt()}}
	}
}

func (f *fn) typeName() string {
	return fmt.Sprintf("func(%s) (%s)", strings.Join(f.paramTypes(), ", "), typeNames(f.results))
}

// valueVars returns what is in scope of function values that can be copied.
func (g *gen) valueVars(loops int) []*variable {
	var found []*variable
	for _, v := range g.variables(kindFunc) {
		if v.typ.sig == g.values && v.loops <= loops {
			found = append(found, v)
		}
	}
	return found
}

// value writes a line that keeps a function value in what is declared in the given number
// of loops, between head and tail: an existing one, or a literal.
func (g *gen) value(head string, loops int, tail string) {
	vars := g.valueVars(g.keepLoops(loops))
	if len(vars) > 0 && (g.chance(40) || g.keepLoops(loops) < g.loops) {
		g.line("%s%s%s", head, vars[g.r.IntN(len(vars))].name, tail)
		return
	}
	g.literalFunc(head, g.values, tail)
}

// valueStmt generates a statement about function values.
func (g *gen) valueStmt() bool {
	var places []*variable
	for _, v := range g.valueVars(g.loops) {
		if !v.fixed {
			places = append(places, v)
		}
	}
	arrays := g.variables(kindFuncs)
	switch n := g.r.IntN(6); {
	case n == 0 && len(arrays) > 0:
		v := arrays[g.r.IntN(len(arrays))]
		if g.closed > 0 {
			return false
		}
		return g.callResults(v.name+"["+g.index(v.typ.len)+"]", g.values)
	case n == 1 && len(places) > 0:
		v := places[g.r.IntN(len(places))]
		if !g.mayKeep() && v.loops < g.loops && len(g.valueVars(v.loops)) == 0 {
			return false
		}
		g.line("if %s {", g.boolExpr(2))
		g.indent++
		g.value(v.name+" = ", v.loops, "")
		g.indent--
		g.line("}")
	case n == 2 && len(g.valueVars(g.loops)) > 0:
		g.valueArray()
	case n == 3:
		h := g.name("h")
		g.line("var %s struct{n uint64; run %s}", h, g.values.typeName())
		g.line("%s.n = %s", h, g.intExpr(uint64Type, 2))
		g.value(h+".run = ", g.loops, "")
		g.scope = append(g.scope, &variable{name: h + ".n", typ: uint64Type, loops: g.loops},
			&variable{name: h + ".run", typ: funcType(g.values), loops: g.loops})
	case n == 4 && len(g.valueVars(g.loops)) > 1:
		vars := g.valueVars(g.loops)
		choose := "choose_" + g.suffix
		g.declareOnce(choose, "func %[1]s(c bool, f, g %[2]s) %[2]s {\n\tif c {\n\t\treturn f\n\t}\n\treturn g\n}\n", choose, g.values.typeName())
		name := g.name("fn")
		g.line("%s := %s(%s, %s, %s)", name, choose, g.boolExpr(2), vars[g.r.IntN(len(vars))].name, vars[g.r.IntN(len(vars))].name)
		g.declare(name, funcType(g.values))
	default:
		name := g.name("fn")
		g.line("var %s %s", name, g.values.typeName())
		g.value(name+" = ", g.loops, "")
		g.declare(name, funcType(g.values))
	}
	return true
}

// valueArray declares an array of function values.
func (g *gen) valueArray() {
	vars := g.valueVars(g.loops)
	elems := make([]string, 2+g.r.IntN(2))
	for i := range elems {
		elems[i] = vars[g.r.IntN(len(vars))].name
	}
	name := g.name("fs")
	g.line("%s := [...]%s{%s}", name, g.values.typeName(), strings.Join(elems, ", "))
	g.declare(name, &typ{kind: kindFuncs, len: len(elems)})
}
