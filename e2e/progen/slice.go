package progen

import "fmt"

// This file generates slices. Of each it is known how long it is at least, which makes
// some indices safe, and how long at most, which bounds loops. Nothing appends
// beyond the capacity: compiled programs cannot allocate.

// sliceOf returns the type of slices of at least n elements with a capacity of at most most.
func sliceOf(elem *typ, n, most int) *typ {
	return &typ{kind: kindSlice, name: "[]" + elem.name, elem: elem, len: n, max: most}
}

// maxSlice is the capacity that slices have at most.
const maxSlice = 8

// variables returns what is in scope and of the given kind.
func (g *gen) variables(k kind) []*variable {
	var found []*variable
	for _, v := range g.scope {
		if v.typ.kind == k {
			found = append(found, v)
		}
	}
	return found
}

func (g *gen) sliceStmt() bool {
	vars := g.variables(kindSlice)
	if len(vars) == 0 || g.chance(30) {
		return g.newSlice()
	}
	v := vars[g.r.IntN(len(vars))]
	name, elem := v.name, v.typ.elem
	switch g.r.IntN(8) {
	case 0:
		g.appendStmt(v)
	case 1:
		n := g.name("n")
		g.line("%s := copy(%s, %s)", n, name, g.sliceExpr(elem, g.loops))
		g.declare(n, intTypeInt)
	case 2:
		g.line("clear(%s)", name)
	case 3:
		return g.rangeSlice(v)
	case 4:
		if v.fixed || v.typ.len > 0 {
			return false
		}
		g.line("%s = %s", name, g.reslice(v))
	case 5:
		i := g.r.IntN(maxSlice)
		g.line("if len(%s) > %d {", name, i)
		g.line("\t%s[%d] = %s", name, i, g.expr(elem, 2))
		g.line("}")
	case 6:
		return g.sliceToArray(v)
	case 7:
		if v.fixed || v.typ.len > 0 {
			return false
		}
		g.line("%s = %s", name, g.sliceExpr(elem, g.keepLoops(v.loops)))
	}
	return true
}

// newSlice declares a slice.
func (g *gen) newSlice() bool {
	name := g.name("s")
	switch g.r.IntN(5) {
	case 0:
		if !g.mayKeep() {
			return false
		}
		n := g.r.IntN(maxSlice)
		most := n + g.r.IntN(maxSlice-n) + 1
		elem := g.elemType()
		g.line("%s := make([]%s, %d, %d)", name, elem.name, n, most)
		g.declare(name, sliceOf(elem, n, most))
	case 1:
		if !g.mayKeep() {
			return false
		}
		elem := g.elemType()
		t := arrayOf(elem, 1+g.r.IntN(4))
		g.line("%s := []%s{", name, elem.name)
		for range t.len {
			g.line("\t%s,", g.expr(elem, 2))
		}
		g.line("}")
		g.declare(name, sliceOf(elem, t.len, t.len))
	case 2:
		elem := g.elemType()
		g.line("var %s []%s", name, elem.name)
		g.declare(name, sliceOf(elem, 0, maxSlice))
	default:
		array, t := g.arrayPlace(nil, g.loops)
		if t == nil {
			return false
		}
		text, n := g.sliceOfArray(array, t.len)
		g.line("%s := %s", name, text)
		g.declare(name, sliceOf(t.elem, n, t.len))
	}
	return true
}

// elemType chooses the type of a slice's elements.
func (g *gen) elemType() *typ {
	if len(g.structs) > 0 && g.chance(20) {
		return g.structs[g.r.IntN(len(g.structs))]
	}
	if g.chance(20) {
		return intTypes[4] // uint8, which copies from strings
	}
	return g.intType()
}

// arrayPlace returns a variable array, of elements of type elem unless that is nil, which
// is declared in no more than the given number of loops.
func (g *gen) arrayPlace(elem *typ, loops int) (string, *typ) {
	var found []*variable
	var visit func(name string, t *typ, depth int)
	visit = func(name string, t *typ, depth int) {
		switch {
		case t.kind == kindArray && t.len <= maxSlice && (elem == nil || t.elem.name == elem.name):
			found = append(found, &variable{name: name, typ: t})
		case t.kind == kindStruct && depth > 0:
			for _, f := range t.fields {
				visit(name+"."+f.name, f.typ, depth-1)
			}
		case t.kind == kindPointer && !t.nilable && t.elem.kind == kindArray && depth > 0:
			visit("(*"+name+")", t.elem, depth-1)
		}
	}
	for _, v := range g.scope {
		if !v.fixed && v.loops <= loops {
			visit(v.name, v.typ, 2)
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	v := found[g.r.IntN(len(found))]
	return v.name, v.typ
}

// sliceOfArray returns a slice expression of an array of length n, and the length it
// has at least.
func (g *gen) sliceOfArray(array string, n int) (string, int) {
	lo := g.r.IntN(n + 1)
	hi := lo + g.r.IntN(n+1-lo)
	most := hi + g.r.IntN(n+1-hi)
	switch g.r.IntN(7) {
	case 0:
		return array + "[:]", n
	case 1:
		return fmt.Sprintf("%s[%d:]", array, lo), n - lo
	case 2:
		return fmt.Sprintf("%s[:%d]", array, hi), hi
	case 3:
		return fmt.Sprintf("%s[%d:%d:%d]", array, lo, hi, most), hi - lo
	case 4:
		return fmt.Sprintf("%s[uint(%s)%%%d:]", array, g.leafOf(g.intType()), n+1), 0
	case 5:
		if g.risk(60) {
			return fmt.Sprintf("%s[%s:%s]", array, g.leafOf(g.intType()), g.leafOf(g.intType())), 0
		}
	}
	return fmt.Sprintf("%s[%d:%d]", array, lo, hi), hi - lo
}

// sliceExpr returns a slice of the given elements, of unknown length, that refers to
// nothing declared in more than the given number of loops.
func (g *gen) sliceExpr(elem *typ, loops int) string {
	var found []*variable
	for _, v := range g.variables(kindSlice) {
		if v.typ.elem.name == elem.name && v.loops <= loops {
			found = append(found, v)
		}
	}
	switch array, t := g.arrayPlace(elem, loops); {
	case len(found) > 0 && g.chance(60):
		v := found[g.r.IntN(len(found))]
		if g.chance(50) {
			return g.reslice(v)
		}
		return v.name
	case t != nil:
		text, _ := g.sliceOfArray(array, t.len)
		return text
	}
	return fmt.Sprintf("[]%s(nil)", elem.name)
}

// reslice returns a part of the slice v.
func (g *gen) reslice(v *variable) string {
	s := v.name
	k := g.r.IntN(maxSlice)
	switch g.r.IntN(6) {
	case 0:
		return fmt.Sprintf("%s[min(%d, len(%s)):]", s, k, s)
	case 1:
		return fmt.Sprintf("%s[:len(%s)/2]", s, s)
	case 2:
		return fmt.Sprintf("%s[:cap(%s)]", s, s)
	case 3:
		return fmt.Sprintf("%s[min(%d, len(%s)/2):len(%s):cap(%s)]", s, k, s, s, s)
	case 4:
		if g.risk(50) {
			return fmt.Sprintf("%s[%s:]", s, g.leafOf(g.intType()))
		}
	}
	return fmt.Sprintf("%s[:%d]", s, g.r.IntN(v.typ.len+1))
}

// appendStmt appends to v, if there is room.
func (g *gen) appendStmt(v *variable) {
	name := v.name
	if v.fixed {
		return
	}
	if g.chance(30) {
		more := g.name("m")
		g.line("%s := %s", more, g.sliceExpr(v.typ.elem, g.loops))
		g.line("if cap(%s)-len(%s) >= len(%s) {", name, name, more)
		g.line("\t%s = append(%s, %s...)", name, name, more)
		g.line("}")
		return
	}
	g.line("if len(%s) < cap(%s) {", name, name)
	g.line("\t%s = append(%s, %s)", name, name, g.expr(v.typ.elem, 2))
	g.line("}")
}

func (g *gen) rangeSlice(v *variable) bool {
	if v.typ.max*g.trips > maxTrips {
		return false
	}
	i, e := g.name("i"), g.name("e")
	counter := &variable{name: i, typ: intTypeInt, fixed: true}
	switch g.r.IntN(3) {
	case 0:
		g.loop(v.typ.max, fmt.Sprintf("for %s := range %s {", i, v.name), counter)
	case 1:
		g.loop(v.typ.max, fmt.Sprintf("for %s, %s := range %s {", i, e, v.name), counter, &variable{name: e, typ: v.typ.elem})
	default:
		g.loop(v.typ.max, fmt.Sprintf("for %s := 0; %s < len(%s); %s++ {", i, i, v.name, i), counter)
	}
	return true
}

// sliceToArray converts v to an array or a pointer to one.
func (g *gen) sliceToArray(v *variable) bool {
	n := g.r.IntN(v.typ.len + 1)
	if g.risk(20) {
		n = g.r.IntN(maxSlice)
	}
	if n == 0 {
		return false
	}
	t := arrayOf(v.typ.elem, n)
	name := g.name("v")
	if g.mayKeep() && g.chance(40) {
		g.line("%s := (*%s)(%s)", name, t.name, v.name)
		g.declare(name, pointerTo(t))
		return true
	}
	g.line("%s := %s(%s)", name, t.name, v.name)
	g.declare(name, t)
	return true
}

// lenExpr returns the length or capacity of something, converted to t, or "".
func (g *gen) lenExpr(t *typ) string {
	vars := g.variables(kindSlice)
	if len(vars) > 0 && g.chance(70) {
		return fmt.Sprintf("%s(%s(%s))", t.name, []string{"len", "cap"}[g.r.IntN(2)], vars[g.r.IntN(len(vars))].name)
	}
	if vars = g.variables(kindString); len(vars) > 0 {
		v := vars[g.r.IntN(len(vars))]
		if v.typ.len > 0 && g.chance(60) {
			return fmt.Sprintf("%s(%s[%s])", t.name, v.name, g.index(v.typ.len))
		}
		return fmt.Sprintf("%s(len(%s))", t.name, v.name)
	}
	return ""
}
