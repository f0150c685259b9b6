package progen

// This file generates package-level variables.

// packageVars declares tables, which nothing changes, and variables.
func (g *gen) packageVars() {
	if g.on[Tables] {
		for range 1 + g.r.IntN(2) {
			name := g.name("table") + "_" + g.suffix
			t := arrayOf(g.plainInt(), 1+g.r.IntN(12))
			g.line("var %s = %s{", name, t.name)
			for range t.len {
				g.line("\t%s,", g.literal(t.elem))
			}
			g.line("}\n")
			g.globals = append(g.globals, &variable{name: name, typ: t, fixed: true})
		}
	}
	if g.on[Globals] {
		for range 1 + g.r.IntN(2) {
			v := &variable{name: g.name("global") + "_" + g.suffix, typ: g.anyType()}
			g.line("var %s %s\n", v.name, v.typ.name)
			g.globals = append(g.globals, v)
		}
	}
}

// resetVars gives package-level variables the values that they have in the first run.
func (g *gen) resetVars() {
	for _, v := range g.globals {
		switch {
		case v.fixed:
		case v.typ.kind == kindInt:
			g.line("%s = %s", v.name, g.literal(v.typ))
		case v.typ.kind == kindBool:
			g.line("%s = false", v.name)
		default:
			g.line("%s = %s{}", v.name, v.typ.name)
		}
	}
}
