package progen

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
	if g.chance(30) {
		g.line("_ = recover()")
	} else {
		g.line("if %s := recover(); %s != nil {", e, e)
		g.block(1 + g.r.IntN(3))
		g.line("}")
	}
	g.labels, g.results = labels, results
	g.loops, g.open = g.loops-1, g.open-1
	g.indent--
	g.line("}()")
}
