package progen

import "fmt"

// deferStmt generates a deferred call, which changes variables, the named results among
// them, panics, or recovers.
func (g *gen) deferStmt() bool {
	if !g.named || g.safe || g.closed > 0 || g.trips > 4 {
		return false
	}
	switch g.r.IntN(6) {
	case 0:
		t := g.intType()
		arg := g.expr(t, 2)
		g.literalFunc("defer ", &fn{params: []*typ{t}}, "("+arg+")")
	case 1:
		if len(g.funcs) == 0 {
			return false
		}
		f := g.funcs[g.r.IntN(len(g.funcs))]
		if f.generic || g.loops > 0 && f.takesAddress() {
			return false
		}
		g.line("defer %s", g.call(f.name, f, 2))
	case 2:
		g.safe = true
		g.literalFunc("defer ", &fn{}, "()")
		g.safe = false
	case 3:
		g.literalFunc("defer ", &fn{}, "()")
	default:
		g.recoverStmt()
	}
	return true
}

// takesAddress reports whether f has a parameter that refers to variables, which a call that is
// deferred in a loop cannot have.
func (f *fn) takesAddress() bool {
	for _, p := range f.params {
		if p.kind == kindPointer || p.kind == kindSlice {
			return true
		}
	}
	return false
}

// recoverStmt generates a deferred call that recovers.
func (g *gen) recoverStmt() {
	g.line("defer func() {")
	g.indent++
	g.loops, g.open = g.loops+1, g.open+1
	e := g.name("e")
	labels, results := g.labels, g.results
	g.labels, g.results = nil, []*typ{}
	switch n := g.r.IntN(10); {
	case n < 3:
		g.line("_ = recover()")
	case n < 6:
		g.recoveredSwitch()
	default:
		g.line("if %s := recover(); %s != nil {", e, e)
		g.block(1 + g.r.IntN(3))
		g.line("}")
	}
	g.labels, g.results = labels, results
	g.loops, g.open = g.loops-1, g.open-1
	g.indent--
	g.line("}()")
}

// recoveredSwitch looks at what recover returns: the strings and values of generated panics, and errors
// of Go's runtime.
func (g *gen) recoveredSwitch() {
	v := g.name("v")
	g.line("switch %s := recover().(type) {", v)
	types := g.declaredTypes()
	types = append(types, stringOf(0), g.plainInt())
	seen := map[string]bool{}
	for range 1 + g.r.IntN(3) {
		t := types[g.r.IntN(len(types))]
		if seen[t.name] {
			continue
		}
		seen[t.name] = true
		g.line("case %s:", t.name)
		g.line("\t_ = %s", v)
		outer := len(g.scope)
		g.scope = append(g.scope, &variable{name: v, typ: t, loops: g.loops})
		g.block(1 + g.r.IntN(2))
		g.scope = g.scope[:outer]
	}
	g.line("case interface{ RuntimeError() }:")
	g.block(1)
	g.line("case nil:")
	g.line("default:")
	g.line("\t_ = %s", v)
	if g.chance(20) {
		g.line("\tpanic(%s)", v)
	}
	g.line("}")
}

// panicStmt panics with a string or some other value.
func (g *gen) panicStmt() {
	value := fmt.Sprintf("%q", "generated")
	if g.on[Defers] && g.chance(60) {
		types := append(g.declaredTypes(), g.plainInt())
		value = g.expr(types[g.r.IntN(len(types))], 2)
	}
	g.line("if %s {", g.boolExpr(3))
	g.line("\tpanic(%s)", value)
	g.line("}")
}
