package progen

import (
	"fmt"
	"strings"
)

// This file generates an interface that several types implement, and values of it
// in variables, arrays and results: which method is called is known only when the program
// runs.

// An iface is an interface type with one method.
type iface struct {
	typ   *typ
	impls []*fn // of each implementation, the method
}

// declareInterface generates methods of the same name of a few types.
func (g *gen) declareInterface() {
	types := g.declaredTypes()
	if !g.on[Interfaces] || len(types) == 0 || !g.chance(70) {
		return
	}
	g.r.Shuffle(len(types), func(i, j int) { types[i], types[j] = types[j], types[i] })
	name := "I_" + g.suffix
	i := &iface{typ: &typ{kind: kindIface, name: name}}
	sig := &fn{name: "M_" + g.suffix, params: []*typ{g.plainInt(), g.plainInt()}, results: []*typ{g.plainInt()}}
	for _, t := range types[:min(len(types), 2+g.r.IntN(2))] {
		i.impls = append(i.impls, g.implement(t, sig))
	}
	g.line("type %s interface {\n\t%s(%s) (%s)\n}\n", name, sig.name, strings.Join(sig.paramTypes(), ", "), typeNames(sig.results))
	g.iface = i
}

// implement generates a method of type t with the name and signature of sig.
func (g *gen) implement(t *typ, sig *fn) *fn {
	f := *sig
	f.recv, f.ptrRecv = t, g.chance(50)
	recv := t
	if f.ptrRecv {
		recv = pointerTo(t)
	}
	g.begin(1 + g.r.IntN(3))
	g.scope = append(g.scope, &variable{name: "r", typ: recv})
	params := make([]string, len(f.params))
	for i, p := range f.params {
		params[i] = fmt.Sprintf("p%d %s", i, p.name)
		g.scope = append(g.scope, &variable{name: fmt.Sprintf("p%d", i), typ: p})
	}
	g.results = f.results
	g.line("func (r %s) %s(%s) (%s) {", recv.name, f.name, strings.Join(params, ", "), typeNames(f.results))
	g.body()
	g.line("}\n")
	return &f
}

// implName is the type whose method f is: what a type switch says.
func (f *fn) implName() string {
	if f.ptrRecv {
		return "*" + f.recv.name
	}
	return f.recv.name
}

// implType is the type that implName names.
func (f *fn) implType() *typ {
	if f.ptrRecv {
		return pointerTo(f.recv)
	}
	return f.recv
}

// ifaceValue returns a value that implements the interface.
func (g *gen) ifaceValue() string {
	f := g.iface.impls[g.r.IntN(len(g.iface.impls))]
	if !f.ptrRecv {
		return g.expr(f.recv, 2)
	}
	return g.pointerExpr(f.implType(), 1)
}

// ifaceStmt generates a statement about values of the interface.
func (g *gen) ifaceStmt() bool {
	i := g.iface
	if i == nil || g.safe {
		return false
	}
	vars, arrays := g.variables(kindIface), g.variables(kindIfaces)
	if len(vars) == 0 || g.chance(20) {
		if !g.mayKeep() {
			return false
		}
		if g.chance(40) {
			elems := make([]string, 2+g.r.IntN(2))
			for k := range elems {
				elems[k] = g.ifaceValue()
			}
			name := g.name("xs")
			g.line("%s := [...]%s{%s}", name, i.typ.name, strings.Join(elems, ", "))
			g.declare(name, &typ{kind: kindIfaces, len: len(elems)})
			return true
		}
		name := g.name("x")
		g.line("var %s %s = %s", name, i.typ.name, g.ifaceValue())
		g.declare(name, i.typ)
		return true
	}
	v := vars[g.r.IntN(len(vars))]
	switch g.r.IntN(7) {
	case 0:
		if len(arrays) == 0 {
			return false
		}
		a := arrays[g.r.IntN(len(arrays))]
		return g.callResults(a.name+"["+g.index(a.typ.len)+"]."+i.impls[0].name, i.impls[0])
	case 1:
		if !g.mayKeep() || v.fixed {
			return false
		}
		g.line("if %s {", g.boolExpr(2))
		g.line("\t%s = %s", v.name, g.ifaceValue())
		g.line("}")
	case 2:
		g.typeSwitch(v)
	case 3:
		f := i.impls[g.r.IntN(len(i.impls))]
		y, ok := g.name("y"), g.name("ok")
		g.line("if %s, %s := %s.(%s); %s {", y, ok, v.name, f.implName(), ok)
		g.caseBlock(y, f.implType())
		g.line("}")
	case 4:
		w := vars[g.r.IntN(len(vars))]
		g.line("if %s %s %s {", v.name, comparisons[g.r.IntN(2)], []string{w.name, "nil"}[g.r.IntN(2)])
		g.block(1)
		g.line("}")
	case 5:
		if len(arrays) == 0 || g.trips > 4 {
			return false
		}
		a := arrays[g.r.IntN(len(arrays))]
		e := g.name("e")
		g.boundedLoop(a.typ.len, fmt.Sprintf("for _, %s := range %s {", e, a.name), &variable{name: e, typ: i.typ, fixed: true})
	default:
		return g.callResults(v.name+"."+i.impls[0].name, i.impls[0])
	}
	return true
}

// typeSwitch generates a type switch on v.
func (g *gen) typeSwitch(v *variable) {
	y := g.name("y")
	g.line("switch %s := %s.(type) {", y, v.name)
	for _, f := range g.iface.impls {
		if g.chance(70) {
			g.line("case %s:", f.implName())
			g.caseBlock(y, f.implType())
		}
	}
	g.line("default:")
	g.line("\t_ = %s", y)
	g.block(1)
	g.line("}")
}

// caseBlock generates a block in which name is a variable of type t.
func (g *gen) caseBlock(name string, t *typ) {
	outer := len(g.scope)
	g.indent++
	g.declare(name, t)
	g.indent--
	g.block(1)
	g.scope = g.scope[:outer]
}

// errorStmt generates a call of a function that may fail, and what depends on how.
func (g *gen) errorStmt() bool {
	if g.trips > 4 || g.safe {
		return false
	}
	t := g.plainInt()
	value, pointer, fail := "err_"+g.suffix, "errp_"+g.suffix, "fail"+t.name+"_"+g.suffix
	g.declareOnce(value, `type %[1]s uint8

func (e %[1]s) Error() string { return "value"[e&3:] }

type %[2]s struct {
	n   uint64
	err error
}

func (e *%[2]s) Error() string { return "pointer" }
`, value, pointer)
	g.declareOnce(fail, `func %[1]s(x %[2]s) (%[2]s, error) {
	if x > %[3]s {
		return x / 2, %[4]s(x)
	}
	if x&1 == 0 {
		return 1, &%[5]s{uint64(x), %[4]s(x >> 1)}
	}
	return x, nil
}
`, fail, t.name, g.literal(t), value, pointer)
	v, e := g.name("v"), g.name("e")
	g.line("%s, %s := %s(%s)", v, e, fail, g.intExpr(t, 2))
	g.declare(v, t)
	switch g.r.IntN(3) {
	case 0:
		g.line("if %s != nil {", e)
		g.line("\t%s += %s(len(%s.Error()))", v, t.name, e)
	case 1:
		y := g.name("y")
		g.line("switch %s := %s.(type) {", y, e)
		g.line("case %s:", value)
		g.line("\t%s ^= %s(%s)", v, t.name, y)
		g.line("case *%s:", pointer)
		g.line("\t%s ^= %s(%s.n)", v, t.name, y)
		g.line("\tif %s.err == %s(3) {", y, value)
		g.line("\t\t%s++", v)
		g.line("\t}")
	default:
		g.line("if %s == %s(5) {", e, value)
		g.block(1)
	}
	g.line("}")
	return true
}
