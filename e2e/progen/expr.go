package progen

import (
	"fmt"
	"strings"
)

// expr returns an expression of type t. Integer and boolean expressions are
// never constant.
func (g *gen) expr(t *typ, depth int) string {
	switch t.kind {
	case kindInt:
		return g.intExpr(t, depth)
	case kindBool:
		return g.boolExpr(depth)
	case kindPointer:
		return g.pointerExpr(t, depth)
	case kindSlice:
		return g.sliceExpr(t.elem, g.loops)
	case kindString:
		s, _ := g.stringExpr()
		return s
	}
	if v := g.place(t); v != "" && g.chance(60) {
		return v
	}
	if call := g.callExpr(t, depth); call != "" && g.chance(50) {
		return call
	}
	return g.composite(t, depth)
}

// leafOf returns a readable place of exactly type t, or a conversion of one
// of another integer type.
func (g *gen) leafOf(t *typ) string {
	if p := g.place(t); p != "" {
		return p
	}
	if t.kind == kindBool {
		other := g.intType()
		return fmt.Sprintf("(%s > %s)", g.leafOf(other), g.literal(other))
	}
	ints := g.variables(kindInt)
	v := ints[g.r.IntN(len(ints))]
	return fmt.Sprintf("%s(%s)", t.name, v.name)
}

// place returns something addressable or readable of type t, or "".
func (g *gen) place(t *typ) string {
	var found []string
	for _, v := range g.scope {
		g.placesIn(v.name, v.typ, t, &found, 3)
	}
	if len(found) == 0 {
		return ""
	}
	return found[g.r.IntN(len(found))]
}

// placesIn collects the places of type want inside name, which is of type t.
func (g *gen) placesIn(name string, t, want *typ, found *[]string, depth int) {
	if t.name == want.name && !t.nilable && t.kind != kindFunc {
		*found = append(*found, name)
		return
	}
	if depth == 0 {
		return
	}
	switch t.kind {
	case kindArray:
		g.placesIn(name+"["+g.index(t.len)+"]", t.elem, want, found, depth-1)
	case kindStruct:
		for _, f := range t.fields {
			g.placesIn(name+"."+f.name, f.typ, want, found, depth-1)
		}
	case kindSlice:
		switch {
		case t.len > 0:
			g.placesIn(name+"["+g.index(t.len)+"]", t.elem, want, found, depth-1)
		case g.risk(10):
			ints := g.variables(kindInt)
			g.placesIn(name+"["+ints[g.r.IntN(len(ints))].name+"]", t.elem, want, found, depth-1)
		}
	case kindPointer:
		if t.nilable && !g.risk(10) {
			return
		}
		if t.elem.kind == kindStruct || t.elem.kind == kindArray {
			g.placesIn("(*"+name+")", t.elem, want, found, depth-1)
		} else {
			g.placesIn("*"+name, t.elem, want, found, depth-1)
		}
	}
}

// index returns an index into an array of length n: usually in range.
func (g *gen) index(n int) string {
	ints := g.variables(kindInt)
	if len(ints) == 0 || g.chance(40) {
		return fmt.Sprint(g.r.IntN(n))
	}
	v := ints[g.r.IntN(len(ints))]
	switch {
	case g.risk(5):
		return v.name // may panic
	case v.typ.signed:
		return fmt.Sprintf("uint(%s)%%%d", v.name, n)
	case n&(n-1) == 0:
		return fmt.Sprintf("%s&%d", v.name, n-1)
	}
	return fmt.Sprintf("%s%%%d", v.name, n)
}

var arithmetic = []string{"+", "-", "*", "&", "|", "^", "&^", "/", "%", "<<", ">>"}

func (g *gen) intExpr(t *typ, depth int) string {
	if depth <= 0 {
		return g.leafOf(t)
	}
	switch n := g.r.IntN(100); {
	case n < 25:
		return g.leafOf(t)
	case n < 65:
		return g.binary(t, depth)
	case n < 72:
		return fmt.Sprintf("(%s%s)", []string{"-", "^"}[g.r.IntN(2)], g.intExpr(t, depth-1))
	case n < 86:
		return fmt.Sprintf("%s(%s)", t.name, g.intExpr(g.intType(), depth-1))
	case n < 90:
		return fmt.Sprintf("%s(%s, %s)", []string{"min", "max"}[g.r.IntN(2)], g.intExpr(t, depth-1), g.intExpr(t, depth-1))
	case n < 92:
		s := g.stringConst()
		return fmt.Sprintf("%s(%q[%s])", t.name, s, g.index(len(s)))
	}
	if g.chance(50) {
		if n := g.lenExpr(t); n != "" {
			return n
		}
	}
	if call := g.callExpr(t, depth); call != "" {
		return call
	}
	return g.binary(t, depth)
}

func (g *gen) stringConst() string {
	return []string{"undergo", "a", "\x00\xff\x80z", "eBPF in pure Go"}[g.r.IntN(4)]
}

func (g *gen) binary(t *typ, depth int) string {
	op := arithmetic[g.r.IntN(len(arithmetic))]
	x := g.intExpr(t, depth-1)
	switch op {
	case "<<", ">>":
		return fmt.Sprintf("(%s %s %s)", x, op, g.shiftCount(depth-1))
	case "/", "%":
		return fmt.Sprintf("(%s %s %s)", x, op, g.divisor(t, depth-1))
	}
	if g.chance(35) {
		return fmt.Sprintf("(%s %s %s)", x, op, g.literal(t))
	}
	if g.chance(10) {
		return fmt.Sprintf("(%s %s %s)", g.literal(t), op, x)
	}
	return fmt.Sprintf("(%s %s %s)", x, op, g.intExpr(t, depth-1))
}

// shiftCount returns a shift count: of any unsigned type, or seldom of a signed
// type, when it may be negative and panic.
func (g *gen) shiftCount(depth int) string {
	switch n := g.r.IntN(20); {
	case n < 8:
		return fmt.Sprint(g.r.IntN(70))
	case n < 9 && g.risk(100):
		return g.intExpr(g.intType(), depth) // may be negative
	case n < 14:
		return fmt.Sprintf("(%s & %d)", g.intExpr(g.intType(), depth), []int{7, 15, 31, 63, 127}[g.r.IntN(5)])
	}
	t := intTypes[4+g.r.IntN(4)]
	return g.intExpr(t, depth)
}

// divisor returns a divisor: a literal, one that cannot be zero, or seldom
// any.
func (g *gen) divisor(t *typ, depth int) string {
	switch n := g.r.IntN(20); {
	case n < 9:
		for {
			if l := g.literal(t); l != "0" {
				return l
			}
		}
	case n < 10 && g.risk(100):
		return g.intExpr(t, depth) // may be zero
	}
	return fmt.Sprintf("(%s | 1)", g.intExpr(t, depth))
}

var comparisons = []string{"==", "!=", "<", "<=", ">", ">="}

func (g *gen) boolExpr(depth int) string {
	if depth <= 0 {
		return g.leafOf(boolType)
	}
	switch n := g.r.IntN(100); {
	case n < 15:
		return g.leafOf(boolType)
	case n < 60:
		t := g.intType()
		y := g.literal(t)
		if g.chance(60) {
			y = g.intExpr(t, depth-1)
		}
		return fmt.Sprintf("(%s %s %s)", g.intExpr(t, depth-1), comparisons[g.r.IntN(6)], y)
	case n < 70:
		return "!" + g.boolExpr(depth-1)
	case n < 90:
		return fmt.Sprintf("(%s %s %s)", g.boolExpr(depth-1), []string{"&&", "||"}[g.r.IntN(2)], g.boolExpr(depth-1))
	case n < 95 && g.on[Strings]:
		return g.stringCompare()
	case n < 97 && len(g.variables(kindSlice)) > 0:
		vars := g.variables(kindSlice)
		return fmt.Sprintf("(%s %s nil)", vars[g.r.IntN(len(vars))].name, comparisons[g.r.IntN(2)])
	}
	// Equality of aggregates.
	for range 3 {
		v := g.scope[g.r.IntN(len(g.scope))]
		if v.typ.kind == kindArray || v.typ.kind == kindStruct {
			return fmt.Sprintf("(%s %s %s)", v.name, comparisons[g.r.IntN(2)], "("+g.expr(v.typ, depth-1)+")")
		}
	}
	return g.leafOf(boolType)
}

// pointerExpr returns a pointer to a variable of type t.elem, or a new one.
func (g *gen) pointerExpr(t *typ, depth int) string {
	var found []string
	for _, v := range g.scope {
		switch {
		case v.typ.kind >= kindFunc || v.typ.nilable:
		case v.typ.name == t.name:
			found = append(found, v.name)
		case !v.fixed && v.typ.kind != kindPointer && v.typ.kind != kindSlice:
			var places []string
			g.placesIn(v.name, v.typ, t.elem, &places, 2)
			for _, p := range places {
				found = append(found, "&"+p)
			}
		}
	}
	if len(found) == 0 || g.mayKeep() && g.chance(5) {
		return fmt.Sprintf("new(%s)", t.elem.name)
	}
	return found[g.r.IntN(len(found))]
}

// callExpr returns a call of a function without side effects whose only result is of
// type t, or "".
func (g *gen) callExpr(t *typ, depth int) string {
	for _, f := range g.funcs {
		if f.pure && !f.generic && len(f.results) == 1 && f.results[0].name == t.name && g.budget > 0 && g.trips <= 4 && g.risk(100) {
			g.budget -= 3
			return g.call(f.name, f, depth)
		}
	}
	return ""
}

// call returns a call by the given name of the function or method f, or of something
// that has its parameters.
func (g *gen) call(name string, f *fn, depth int) string {
	return name + "(" + strings.Join(g.operands(f, min(depth, 2)-1), ", ") + ")"
}

// operands returns arguments for the parameters of f.
func (g *gen) operands(f *fn, depth int) []string {
	var args []string
	for i, p := range f.params {
		switch {
		case !f.variadic || i < len(f.params)-1:
			args = append(args, g.expr(p, depth))
		case g.chance(30):
			args = append(args, g.expr(p, depth)+"...")
		default:
			for range g.r.IntN(4) {
				args = append(args, g.expr(p.elem, depth))
			}
		}
	}
	return args
}
