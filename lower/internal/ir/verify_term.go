package ir

// checkTerm checks the terminator of the current block and its edges.
func (c *verifier) checkTerm(t *Term) {
	if t.Kind == TermNone || int(t.Kind) >= len(termNames) {
		c.errorf("no terminator")
		return
	}
	name := termNames[t.Kind]
	end := len(c.b.Instrs)
	argsOK := c.checkArgs(t.Args, end, false)

	wantArgs, wantSuccs := 0, 0
	switch t.Kind {
	case TermJump:
		wantSuccs = 1
	case TermBranch:
		wantArgs, wantSuccs = 1, 2
	case TermReturn:
		wantArgs = len(c.f.Results)
	case TermPanic:
		if t.Site == nil {
			wantArgs = 1
		}
	}
	if len(t.Args) != wantArgs {
		c.errorf("%s has %d operands, want %d", name, len(t.Args), wantArgs)
		argsOK = false
	}
	if len(t.Succs) != wantSuccs {
		c.errorf("%s has %d successors, want %d", name, len(t.Succs), wantSuccs)
	}
	switch {
	case t.Kind == TermPanic:
		if t.Site != nil {
			c.checkSite(t.Site)
		}
	case t.Site != nil:
		c.errorf("%s has a site", name)
	}
	if argsOK {
		switch t.Kind {
		case TermBranch:
			if got := t.Args[0].Type; got != I32 {
				c.errorf("branch on a value of type %s", got)
			}
		case TermPanic:
			if t.Site == nil && t.Args[0].Type != I64 {
				c.errorf("panic with a status of type %s", t.Args[0].Type)
			}
		case TermReturn:
			for i, a := range t.Args {
				c.checkFlow(a, c.f.Results[i], "result", i)
			}
		}
	}
	for i, e := range t.Succs {
		c.checkEdge(i, e, end)
	}
}

// checkEdge checks the arguments of successor number i.
func (c *verifier) checkEdge(i int, e Edge, end int) {
	if len(e.Args) != len(e.To.Params) {
		c.errorf("successor %d has %d arguments for %d parameters", i, len(e.Args), len(e.To.Params))
		return
	}
	if !c.checkArgs(e.Args, end, false) {
		return
	}
	for n, a := range e.Args {
		c.checkFlow(a, e.To.Params[n].Type, "argument", n)
	}
}

// checkFlow checks that a may flow into a place of type t.
func (c *verifier) checkFlow(a *Value, t Type, what string, n int) {
	if !flowsTo(a, t) {
		c.errorf("%s %d is %s of type %s, want %s", what, n, c.name(a), a.Type, t)
	}
}

// flowsTo reports whether a may flow into a place of type t.
func flowsTo(a *Value, t Type) bool {
	switch {
	case a.Type == t:
		return true
	case !a.Type.IsPtr() || !t.IsPtr():
		return false
	default:
		return t == PtrAny || a.Op == OpConst
	}
}
