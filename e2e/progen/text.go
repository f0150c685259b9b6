package progen

import "fmt"

// This file generates strings: constants and parts of them, and slices of bytes
// for as long as nothing changes these.

// stringOf returns the type of strings of at least n bytes.
func stringOf(n int) *typ { return &typ{kind: kindString, name: "string", len: n} }

func (g *gen) stringStmt() bool {
	vars := g.variables(kindString)
	if g.mayKeep() && g.chance(20) {
		return g.newString()
	}
	if len(vars) == 0 || g.chance(30) {
		name := g.name("s")
		text, n := g.stringExpr()
		if g.chance(30) {
			n = 0 // may be assigned
		}
		g.line("%s := %s", name, text)
		g.declare(name, stringOf(n))
		return true
	}
	v := vars[g.r.IntN(len(vars))]
	switch g.r.IntN(4) {
	case 0:
		if v.fixed || v.typ.len > 0 {
			return false
		}
		text, _ := g.stringExpr()
		g.line("%s = %s", v.name, text)
	case 1:
		return g.rangeString(v)
	case 2:
		g.switchString(v)
	default:
		bytes := g.bytes()
		if bytes == "" {
			return false
		}
		g.line("if string(%s) %s %s {", bytes, comparisons[g.r.IntN(6)], v.name)
		g.block(1 + g.r.IntN(2))
		g.line("}")
	}
	return true
}

// maxString is the length that strings have at most.
const maxString = 16

// shortString returns a string and the length it has at least. Of those that are
// no constants the compiler knows the length it has at most.
func (g *gen) shortString() (string, int) {
	vars := g.variables(kindString)
	if len(vars) == 0 || g.chance(40) {
		s := g.stringConst()
		return fmt.Sprintf("%q", s[:min(len(s), maxString/2)]), min(len(s), maxString/2)
	}
	v := vars[g.r.IntN(len(vars))]
	return fmt.Sprintf("%[1]s[:min(len(%[1]s), %[2]d)]", v.name, maxString/2), min(v.typ.len, maxString/2)
}

// newString declares a string that is put together, or bytes that are copied from one.
func (g *gen) newString() bool {
	name := g.name("s")
	x, n := g.shortString()
	switch g.r.IntN(4) {
	case 0:
		bytes := g.bytes()
		if bytes == "" {
			return false
		}
		g.line("%s := string(%s)", name, bytes)
		n = 0
	case 1:
		g.line("%s := []byte(%s)", name, x)
		g.line("%[1]s = %[1]s[:len(%[1]s):len(%[1]s)]", name) // Go leaves the capacity open
		g.declare(name, sliceOf(intTypes[4], n, maxString))
		return true
	case 2:
		g.line("%s := string([]byte{%s, %s})", name, g.intExpr(intTypes[4], 2), g.intExpr(intTypes[4], 1))
		n = 2
	default:
		y, m := g.shortString()
		g.line("%s := %s + %s", name, x, y)
		n += m
	}
	g.declare(name, stringOf(n))
	return true
}

// stringExpr returns a string and the length it has at least.
func (g *gen) stringExpr() (string, int) {
	vars := g.variables(kindString)
	if len(vars) == 0 || g.chance(40) {
		s := g.stringConst()
		return fmt.Sprintf("%q", s), len(s)
	}
	v := vars[g.r.IntN(len(vars))]
	lo := g.r.IntN(v.typ.len + 1)
	switch g.r.IntN(5) {
	case 0:
		return fmt.Sprintf("%s[%d:]", v.name, lo), v.typ.len - lo
	case 1:
		return fmt.Sprintf("%s[:%d]", v.name, lo), lo
	case 2:
		return fmt.Sprintf("%s[min(%d, len(%s)):]", v.name, g.r.IntN(maxString), v.name), 0
	case 3:
		if g.risk(60) {
			return fmt.Sprintf("%s[%s:%s]", v.name, g.leafOf(g.intType()), g.leafOf(g.intType())), 0
		}
	}
	return v.name, v.typ.len
}

// bytes returns a slice of bytes, or "".
func (g *gen) bytes() string {
	s := g.sliceExpr(intTypes[4], g.loops)
	if s == "[]uint8(nil)" {
		return ""
	}
	return s
}

func (g *gen) rangeString(v *variable) bool {
	if g.trips > 1 {
		return false
	}
	i, r := g.name("i"), g.name("r")
	g.loop(maxString, fmt.Sprintf("for %s, %s := range %s {", i, r, v.name),
		&variable{name: i, typ: intTypeInt, fixed: true}, &variable{name: r, typ: intTypes[2]})
	return true
}

func (g *gen) switchString(v *variable) {
	g.line("switch %s {", v.name)
	seen := map[string]bool{}
	for range 1 + g.r.IntN(3) {
		if s := g.stringConst(); !seen[s] {
			seen[s] = true
			g.line("case %q:", s)
			g.block(1 + g.r.IntN(2))
		}
	}
	if g.chance(50) {
		g.line("default:")
		g.block(1)
	}
	g.line("}")
}

// stringCompare returns a comparison of strings.
func (g *gen) stringCompare() string {
	x, _ := g.stringExpr()
	vars := g.variables(kindString)
	if len(vars) == 0 {
		return fmt.Sprintf("(%s == %q[:%s])", x, g.stringConst(), g.index(2))
	}
	return fmt.Sprintf("(%s %s %s)", x, comparisons[g.r.IntN(6)], vars[g.r.IntN(len(vars))].name)
}
