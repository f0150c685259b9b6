package progen

import (
	"fmt"
	"strings"
)

// This file generates calls of methods, in all the ways there are: by value and by
// address, of a field's and of an embedded field's, as values, and through interfaces.

// receiver returns an operand whose method f can be called, or "".
func (g *gen) receiver(f *fn) string {
	place := ""
	if f.ptrRecv {
		place = g.addressable(f.recv)
	} else {
		place = g.place(f.recv)
	}
	switch {
	case place == "" && f.ptrRecv && f.recv.kind == kindStruct && g.mayKeep():
		place = "(&" + g.composite(f.recv, 2) + ")"
	case place == "" && !f.ptrRecv && f.recv.kind == kindStruct:
		place = g.composite(f.recv, 2)
	case place == "":
		return ""
	case strings.HasPrefix(place, "*"):
		place = "(" + place + ")"
	}
	if cut := strings.TrimSuffix(place, "."+f.recv.name); cut != place && g.chance(50) {
		return cut // promoted: the field is embedded
	}
	return place
}

// addressable returns a place of type t without anything that may panic, or "": go/ssa
// takes p for &*p, which panics in Go if p is nil.
func (g *gen) addressable(t *typ) string {
	risked := g.risked
	g.risked = true
	place := g.assignable(t)
	g.risked = risked
	return place
}

// someMethod chooses a method, or returns nil if there is none.
func (g *gen) someMethod() *fn {
	if len(g.methods) == 0 {
		return nil
	}
	return g.methods[g.r.IntN(len(g.methods))]
}

func (g *gen) methodStmt() bool {
	f := g.someMethod()
	if f == nil || g.trips > 4 || g.safe {
		return false
	}
	recv := g.receiver(f)
	if recv == "" {
		return false
	}
	switch g.r.IntN(5) {
	case 0: // method value: a copy of the receiver, or its address
		if f.ptrRecv && !g.mayKeep() {
			return false
		}
		name := g.name("fn")
		g.line("%s := %s.%s", name, recv, f.name)
		g.declare(name, funcType(f)).fixed = true
		return true
	case 1: // method expression
		if f.ptrRecv {
			place := g.addressable(f.recv)
			if place == "" {
				return false
			}
			args := g.arguments(f, 2)
			args[0] = "&" + place
			return g.keep(fmt.Sprintf("(*%s).%s(%s)", f.recv.name, f.name, strings.Join(args, ", ")), f.results)
		}
		args := g.arguments(f, 2)
		args[0] = g.expr(f.recv, 2)
		return g.keep(fmt.Sprintf("%s.%s(%s)", f.recv.name, f.name, strings.Join(args, ", ")), f.results)
	}
	return g.callResults(recv+"."+f.name, f)
}

// arguments returns arguments for f, after room for the receiver.
func (g *gen) arguments(f *fn, depth int) []string {
	return append(make([]string, 1), g.operands(f, depth-1)...)
}

// keep makes a call and keeps its results.
func (g *gen) keep(call string, results []*typ) bool {
	names := g.newNames(results)
	g.line("%s := %s", strings.Join(names, ", "), call)
	g.declareAll(names, results)
	g.budget -= 3
	return true
}

// interfaceStmt generates a call through an interface, or a type switch.
func (g *gen) interfaceStmt() bool {
	switch g.r.IntN(4) {
	case 0, 1:
		return g.ifaceStmt()
	case 2:
		return g.errorStmt()
	}
	if f := g.someMethod(); f != nil && g.chance(60) && !f.ofGeneric && g.trips <= 4 && !g.safe {
		recv := g.receiver(f)
		if recv == "" || f.ptrRecv && !g.mayKeep() {
			return false
		}
		iface := strings.ToUpper(f.name[:1]) + f.name[1:]
		g.declareOnce(iface, "type %s interface {\n\t%s(%s) (%s)\n}\n", iface, f.name, strings.Join(f.paramTypes(), ", "), typeNames(f.results))
		x := g.name("x")
		if f.ptrRecv && !strings.HasPrefix(recv, "(&") {
			recv = "&" + recv
		}
		g.line("var %s %s = %s", x, iface, recv)
		return g.callResults(x+"."+f.name, f)
	}
	v := g.scope[g.r.IntN(len(g.scope))]
	switch v.typ.kind {
	case kindInt, kindBool, kindStruct, kindArray:
	default:
		return false
	}
	other := g.plainInt()
	if v.typ.param || other.name == v.typ.name {
		return false
	}
	y := g.name("y")
	g.line("switch %s := any(%s).(type) {", y, v.name)
	for _, t := range []*typ{other, v.typ} {
		g.line("case %s:", t.name)
		outer := len(g.scope)
		g.indent++
		g.declare(y, t)
		g.indent--
		g.block(1)
		g.scope = g.scope[:outer]
	}
	if g.chance(50) {
		g.line("default:")
		g.block(1)
	}
	g.line("}")
	return true
}

// nilPointerStmt generates a pointer that is nil on some paths.
func (g *gen) nilPointerStmt() bool {
	var nilable []*variable
	for _, v := range g.variables(kindPointer) {
		if v.typ.nilable {
			nilable = append(nilable, v)
		}
	}
	if len(nilable) > 0 && g.chance(60) {
		v := nilable[g.r.IntN(len(nilable))]
		g.line("if %s != nil {", v.name)
		outer := len(g.scope)
		g.scope = append(g.scope, &variable{name: v.name, typ: pointerTo(v.typ.elem), loops: v.loops, fixed: true})
		g.block(1 + g.r.IntN(3))
		g.scope = g.scope[:outer]
		g.line("}")
		return true
	}
	if !g.mayKeep() {
		return false
	}
	t := pointerTo(g.anyType())
	target := g.pointerExpr(t, 2)
	name := g.name("q")
	g.line("var %s %s", name, t.name)
	g.line("if %s {", g.boolExpr(2))
	g.line("\t%s = %s", name, target)
	g.line("}")
	t.nilable = true
	g.declare(name, t)
	return true
}
