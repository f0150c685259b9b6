package progen

import "fmt"

// This file generates loops of many iterations, or of a number of them that depends on the
// input: those that a compiler cannot unroll and a verifier may not be able to follow to the end.

// maxLongTrips bounds the product of the trip counts of nested loops where one is long.
const maxLongTrips = 3000

// longLoopStmt generates a loop that is not nested in another but for one of few iterations.
func (g *gen) longLoopStmt() bool {
	if g.trips > 4 {
		return false
	}
	most := maxLongTrips / g.trips
	i := g.name("i")
	t := g.plainInt()
	counter := &variable{name: i, typ: t, fixed: true}
	n := 30 + g.r.IntN(min(most, 1<<(min(t.bits, 16)-1))-30) // 30 to 127 for int8
	switch g.r.IntN(7) {
	case 0:
		g.boundedLoop(n, fmt.Sprintf("for %[1]s := %[2]s(0); %[1]s < %[3]d; %[1]s++ {", i, t.name, n), counter)
	case 1:
		g.boundedLoop(n, fmt.Sprintf("for %s := range %s(%d) {", i, t.name, n), counter)
	case 2: // the input says how many
		mask := 1<<(4+g.r.IntN(7)) - 1
		counter.typ = intTypeInt
		g.loop(min(mask, most), fmt.Sprintf("for %[1]s := 0; %[1]s < int(%[2]s)&%[3]d && %[1]s < %[4]d; %[1]s++ {", i, g.leafOf(g.intType()), mask, most), counter)
	case 3: // in steps, down
		step := 1 + g.r.IntN(5)
		counter.typ = intTypeInt
		g.boundedLoop(n/step+1, fmt.Sprintf("for %[1]s := %[2]d; %[1]s >= 0; %[1]s -= %[3]d {", i, n, step), counter)
	case 4: // the bits of a number
		u := intTypes[4+g.r.IntN(4)]
		counter.typ = u
		g.loop(u.bits, fmt.Sprintf("for %[1]s := %[2]s; %[1]s != 0; %[1]s >>= 1 {", i, g.intExpr(u, 1)), counter)
	case 5: // Euclid's algorithm
		u := intTypes[4+g.r.IntN(4)]
		x, y := g.name("x"), g.name("y")
		g.line("%s, %s := %s, %s", x, y, g.intExpr(u, 2), g.intExpr(u, 2))
		g.line("for range 100 {\n\tif %[2]s == 0 {\n\t\tbreak\n\t}\n\t%[1]s, %[2]s = %[2]s, %[1]s%%%[2]s\n}", x, y)
		g.declare(x, u)
	default:
		g.longArray(i, most)
	}
	return true
}

// longArray declares an array of many elements, which leaves the stack if it is large, fills it
// in a loop and finds an element in another.
func (g *gen) longArray(i string, most int) {
	elem := g.plainInt()
	t := arrayOf(elem, 20+g.r.IntN(min(180, most-20)))
	name := g.name("a")
	g.line("var %s %s", name, t.name)
	g.line("for %s := range %s {", i, name)
	g.line("\t%s[%s] = %s(%s)*%s + %s", name, i, elem.name, i, g.leafOf(elem), g.literal(elem))
	g.line("}")
	g.declare(name, t)
	lo, hi, mid := g.name("lo"), g.name("hi"), g.name("mid")
	if g.chance(50) { // where the elements are not sorted, somewhere
		g.line("%s, %s := 0, len(%s)", lo, hi, name)
		g.line("for %s < %s {\n\t%s := int(uint(%s+%s) >> 1)", lo, hi, mid, lo, hi)
		g.line("\tif %s[%s] < %s {\n\t\t%s = %s + 1\n\t} else {\n\t\t%s = %s\n\t}\n}", name, mid, g.leafOf(elem), lo, mid, hi, mid)
		g.declare(lo, intTypeInt)
		return
	}
	e := g.name("e")
	g.boundedLoop(t.len, fmt.Sprintf("for %s, %s := range %s {", i, e, name),
		&variable{name: i, typ: intTypeInt, fixed: true}, &variable{name: e, typ: elem})
}
