package progen

import (
	"fmt"
	"strings"
)

// maxTrips bounds the product of the trip counts of nested loops: a verifier
// walks every iteration.
const maxTrips = 24

func (g *gen) statement() {
	g.budget--
	g.risked = false
	if g.chance(30) && g.featureStmt() {
		return
	}
	switch n := g.r.IntN(100); {
	case n < 20:
		g.declStmt()
	case n < 48:
		g.assignStmt()
	case n < 64:
		g.ifStmt()
	case n < 74:
		g.forStmt()
	case n < 82:
		g.switchStmt()
	case n < 87:
		g.callStmt()
	case n < 91:
		g.gotoStmt()
	case n < 95:
		g.branchStmt()
	case n < 96 && g.results != nil:
		g.line("if %s {", g.boolExpr(2))
		g.indent++
		g.returnStmt()
		g.indent--
		g.line("}")
	case n < 97 && !g.safe:
		g.panicStmt()
	default:
		g.pointerStmt()
	}
}

// block generates a nested block of about n statements in a scope of its own.
func (g *gen) block(n int) {
	outer, rest := len(g.scope), g.budget
	g.budget = min(n, rest)
	used := g.budget
	g.indent++
	if used == 0 {
		g.update()
	}
	for g.budget > 0 {
		g.statement()
	}
	g.indent--
	g.scope = g.scope[:outer]
	g.budget = rest - used
}

// update generates a small assignment: what a block has for which no budget is left.
func (g *gen) update() {
	g.risked = false
	t := g.intType()
	if place := g.assignable(t); place != "" {
		g.line("%s %s= %s", place, []string{"+", "-", "^", "*", "|"}[g.r.IntN(5)], g.leafOf(t))
		return
	}
	for _, v := range g.scope {
		if !v.fixed && v.typ.kind == kindInt {
			g.line("%s++", v.name)
			return
		}
	}
}

func (g *gen) declStmt() {
	t := g.anyType()
	name := g.name("v")
	if g.chance(15) {
		g.line("var %s %s", name, t.name)
	} else {
		g.line("var %s %s = %s", name, t.name, g.expr(t, 3))
	}
	g.declare(name, t)
}

// pointerStmt declares a pointer, where a variable pointed to may outlive its iteration.
func (g *gen) pointerStmt() {
	if !g.mayKeep() {
		g.assignStmt()
		return
	}
	t := pointerTo(g.anyType())
	name := g.name("q")
	g.line("var %s %s = %s", name, t.name, g.pointerExpr(t, 2))
	g.declare(name, t)
}

func (g *gen) assignable(t *typ) string {
	var found []string
	for _, v := range g.scope {
		if !v.fixed {
			g.placesIn(v.name, v.typ, t, &found, 3)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return found[g.r.IntN(len(found))]
}

func (g *gen) assignStmt() {
	t := g.anyType()
	place := g.assignable(t)
	if place == "" {
		g.declStmt()
		return
	}
	if t.kind != kindInt {
		if other := g.assignable(t); other != "" && g.chance(20) {
			g.line("%[1]s, %[2]s = %[2]s, %[1]s", place, other)
			return
		}
		g.line("%s = %s", place, g.expr(t, 3))
		return
	}
	switch n := g.r.IntN(10); {
	case n < 4:
		g.line("%s = %s", place, g.intExpr(t, 3))
	case n < 5:
		g.line("%s%s", place, []string{"++", "--"}[g.r.IntN(2)])
	case n < 9:
		op := arithmetic[g.r.IntN(len(arithmetic))]
		y := g.intExpr(t, 2)
		switch op {
		case "<<", ">>":
			y = g.shiftCount(2)
		case "/", "%":
			y = g.divisor(t, 2)
		}
		g.line("%s %s= %s", place, op, y)
	default: // parallel assignment, some of which may have happened when one panics
		g.risked = true
		first, second := g.assignable(t), g.assignable(t)
		if first == "" || second == "" {
			g.line("%s = %s", place, g.intExpr(t, 3))
			return
		}
		g.line("%s, %s = %s, %s", first, second, g.intExpr(t, 2), g.intExpr(t, 2))
	}
}

func (g *gen) ifStmt() {
	if g.chance(15) {
		v, t := g.name("v"), g.intType()
		outer := len(g.scope)
		init := g.intExpr(t, 2)
		g.scope = append(g.scope, &variable{name: v, typ: t, loops: g.loops})
		g.risked = false
		g.line("if %s := %s; (%s != %s) || %s {", v, init, v, g.literal(t), g.boolExpr(1))
		g.block(1 + g.r.IntN(3))
		g.line("}")
		g.scope = g.scope[:outer]
		return
	}
	g.line("if %s {", g.boolExpr(3))
	g.block(1 + g.r.IntN(4))
	if g.chance(40) {
		g.line("} else if %s {", g.boolExpr(2))
		g.block(1 + g.r.IntN(3))
	}
	if g.chance(40) {
		g.line("} else {")
		g.block(1 + g.r.IntN(4))
	}
	g.line("}")
}

// forStmt generates a loop with at most a few iterations, in one of Go's
// forms.
func (g *gen) forStmt() {
	n := 1 + g.r.IntN(6)
	if g.trips*n > maxTrips {
		g.assignStmt()
		return
	}
	counter := g.name("i")
	var head string
	var vars []*variable
	t := g.plainInt()
	loop := g.boundedLoop
	switch g.r.IntN(4) {
	case 0:
		head = fmt.Sprintf("for %s := %s(0); %s < %d; %s++ {", counter, t.name, counter, n, counter)
	case 1:
		head = fmt.Sprintf("for %s := range %s(%d) {", counter, t.name, n)
	case 2:
		head = fmt.Sprintf("for %s := %s(%d); %s > 0 && %s; %s-- {", counter, t.name, n, counter, g.boolExpr(1), counter)
		loop = g.loop
	case 3:
		if v := g.arrayVar(); v != nil && v.typ.len*g.trips <= maxTrips {
			elem := g.name("e")
			n, t = v.typ.len, intTypeInt
			head = fmt.Sprintf("for %s, %s := range %s {", counter, elem, v.name)
			vars = append(vars, &variable{name: elem, typ: v.typ.elem})
		} else {
			head = fmt.Sprintf("for %s := range %s(%d) {", counter, t.name, n)
		}
	}
	loop(n, head, append([]*variable{{name: counter, typ: t, fixed: true}}, vars...)...)
}

// loop generates a loop of at most n iterations that begins with head, which declares vars.
func (g *gen) loop(n int, head string, vars ...*variable) {
	g.open++
	g.boundedLoop(n, head, vars...)
	g.open--
}

// boundedLoop is loop where head says how many iterations there are.
func (g *gen) boundedLoop(n int, head string, vars ...*variable) {
	l := &label{name: g.name("L")}
	outer := len(g.scope)
	// The body comes first, since it decides whether the label is used.
	text := g.detached(func() {
		g.labels = append(g.labels, l)
		g.loops, g.trips = g.loops+1, g.trips*n
		for _, v := range vars {
			v.loops = g.loops
			g.scope = append(g.scope, v)
			g.line("\t_ = %s", v.name)
		}
		g.block(1 + g.r.IntN(4))
		g.loops, g.trips = g.loops-1, g.trips/n
		g.labels = g.labels[:len(g.labels)-1]
	})
	g.scope = g.scope[:outer]
	if l.used {
		g.line("%s:", l.name)
	}
	g.line("%s", head)
	g.out.WriteString(text)
	g.line("}")
}

// detached runs f and returns what it would have written.
func (g *gen) detached(f func()) string {
	before := g.out.String()
	g.out.Reset()
	f()
	text := g.out.String()
	g.out.Reset()
	g.out.WriteString(before)
	return text
}

func (g *gen) arrayVar() *variable {
	var found []*variable
	for _, v := range g.scope {
		if v.typ.kind == kindArray {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[g.r.IntN(len(found))]
}

// branchStmt leaves or continues an enclosing loop.
func (g *gen) branchStmt() {
	if len(g.labels) == 0 {
		g.assignStmt()
		return
	}
	word := []string{"break", "continue"}[g.r.IntN(2)]
	if g.chance(30) { // of the innermost loop or switch
		g.line("if %s {\n%s%s\n%s}", g.boolExpr(2), strings.Repeat("\t", g.indent+1), word, strings.Repeat("\t", g.indent))
		return
	}
	l := g.labels[g.r.IntN(len(g.labels))]
	l.used = true
	g.line("if %s {\n%s%s %s\n%s}", g.boolExpr(2), strings.Repeat("\t", g.indent+1), word, l.name, strings.Repeat("\t", g.indent))
}

func (g *gen) switchStmt() {
	if g.chance(30) {
		g.line("switch {")
		for range 1 + g.r.IntN(3) {
			g.line("case %s:", g.boolExpr(2))
			g.block(1 + g.r.IntN(2))
		}
	} else {
		t := g.intType()
		g.line("switch %s {", g.intExpr(t, 2))
		seen := map[string]bool{}
		cases := 1 + g.r.IntN(4)
		for i := range cases {
			l := g.literal(t)
			if g.chance(50) {
				l = fmt.Sprint(g.r.IntN(6))
			}
			if seen[l] {
				continue
			}
			seen[l] = true
			g.line("case %s:", l)
			g.block(1 + g.r.IntN(2))
			if i < cases-1 && g.chance(15) {
				g.line("\tfallthrough")
				g.line("case %s:", g.intExpr(t, 1)) // not constant, so never a duplicate
				g.block(1)
			}
		}
	}
	if g.chance(50) {
		g.line("default:")
		g.block(1 + g.r.IntN(2))
	}
	g.line("}")
}

// callStmt calls a function and keeps all of its results.
func (g *gen) callStmt() {
	if len(g.funcs) == 0 || g.trips > 4 || g.safe {
		g.assignStmt()
		return
	}
	f := g.funcs[g.r.IntN(len(g.funcs))]
	if !f.generic {
		g.callResults(f.name, f)
		return
	}
	t := g.intType()
	instance := &fn{results: substitute(f.results, t), params: substitute(f.params, t), variadic: f.variadic}
	g.callResults(f.name+"["+t.name+"]", instance)
}

// gotoStmt jumps forwards over a block, or backwards: a loop.
func (g *gen) gotoStmt() {
	l := g.name("G")
	if n := 2 + g.r.IntN(3); g.chance(30) && g.trips*n <= maxTrips {
		i := g.name("i")
		g.line("%s := 0", i)
		g.line("%s:", l)
		g.line("{")
		g.loops, g.trips, g.open = g.loops+1, g.trips*n, g.open+1
		labels := g.labels
		g.labels = nil // they belong to loops around this one
		g.block(1 + g.r.IntN(3))
		g.labels = labels
		g.loops, g.trips, g.open = g.loops-1, g.trips/n, g.open-1
		g.line("}")
		g.line("if %s < %d && %s {\n\t%s%s++\n\t%sgoto %s\n}", i, n-1, g.boolExpr(1), strings.Repeat("\t", g.indent), i, strings.Repeat("\t", g.indent), l)
		return
	}
	g.line("if %s {\n%sgoto %s\n%s}", g.boolExpr(2), strings.Repeat("\t", g.indent+1), l, strings.Repeat("\t", g.indent))
	g.line("{")
	g.block(1 + g.r.IntN(3))
	g.line("}")
	g.line("%s:", l)
	g.line("if %s {", g.boolExpr(1))
	g.block(1)
	g.line("}")
}

func (g *gen) returnStmt() {
	if g.named && g.loops == 0 && g.chance(30) {
		g.line("return")
		return
	}
	exprs := make([]string, len(g.results))
	for i, t := range g.results {
		exprs[i] = g.expr(t, 2)
	}
	g.line("return %s", strings.Join(exprs, ", "))
}
