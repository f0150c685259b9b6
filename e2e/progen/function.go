package progen

import (
	"fmt"
	"strings"
)

// This file generates declared functions, methods and tables.

// integers is the constraint of type parameters.
const integers = "~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int | ~uint | ~uintptr"

// typeParameter returns the type that a generic function is written for: what
// it has of integer types is what all of them have. It may be signed.
func typeParameter() *typ {
	return &typ{kind: kindInt, name: "T", bits: 8, signed: true, param: true}
}

// substitute replaces the type parameter.
func substitute(list []*typ, t *typ) []*typ {
	out := make([]*typ, len(list))
	for i, old := range list {
		out[i] = substituteIn(old, t)
	}
	return out
}

func substituteIn(old, t *typ) *typ {
	switch {
	case old.param:
		return t
	case old.kind == kindArray:
		return arrayOf(substituteIn(old.elem, t), old.len)
	case old.kind == kindPointer:
		return pointerTo(substituteIn(old.elem, t))
	case old.kind == kindSlice:
		return sliceOf(substituteIn(old.elem, t), old.len, old.max)
	}
	return old
}

// function generates a helper function, or a method of a type unless that is nil.
func (g *gen) function(recv *typ) {
	f := &fn{recv: recv, pure: true}
	g.begin(g.size(3, 8) + g.r.IntN(g.size(4, 10)))
	head := ""
	if recv != nil {
		f.name = g.name("m") + "_" + g.suffix
		t := recv
		if g.chance(50) {
			f.ptrRecv, f.pure = true, false
			t = pointerTo(recv)
		}
		head = "(r " + t.name + ") "
		g.scope = append(g.scope, &variable{name: "r", typ: t})
	} else {
		f.name = g.name("f") + "_" + g.suffix
		f.generic = g.on[Generics] && g.chance(60)
	}
	tparams := ""
	if f.generic {
		g.tparam = typeParameter()
		tparams = "[T " + integers + "]"
	}
	head += f.name + tparams + "(" + strings.Join(g.parameters(f), ", ") + ")"
	g.line("func %s (%s) {", head, strings.Join(g.resultList(f), ", "))
	g.body()
	g.line("}\n")
	g.tparam = nil
	if recv != nil {
		g.methods = append(g.methods, f)
	} else {
		g.funcs = append(g.funcs, f)
	}
}

// parameters chooses the parameters of f and declares them.
func (g *gen) parameters(f *fn) []string {
	var list []string
	for i := range 1 + g.r.IntN(5) {
		t := g.anyType()
		switch {
		case i == 0 && f.generic:
			t = g.tparam
		case i == 0:
			t = g.plainInt() // so that there is always a variable to build on
		case g.chance(20):
			t, f.pure = pointerTo(t), false
		case g.on[Slices] && g.chance(25):
			t, f.pure = sliceOf(g.elemType(), 0, maxSlice), false
		case g.on[Strings] && g.chance(25):
			t = stringOf(0, maxString)
		}
		f.params = append(f.params, t)
		name := fmt.Sprintf("p%d", i)
		list = append(list, name+" "+t.name)
		g.scope = append(g.scope, &variable{name: name, typ: t})
	}
	return list
}

// resultList chooses the results of f and, if they have names, declares them.
func (g *gen) resultList(f *fn) []string {
	g.named = g.on[Defers] && g.chance(60)
	var list []string
	for i := range 1 + g.r.IntN(3) {
		t := g.anyType()
		f.results = append(f.results, t)
		if !g.named {
			list = append(list, t.name)
			continue
		}
		name := fmt.Sprintf("r%d", i)
		list = append(list, name+" "+t.name)
		g.scope = append(g.scope, &variable{name: name, typ: t})
	}
	g.results = f.results
	return list
}

// methodsOf generates methods of some of the types.
func (g *gen) methodsOf(types []*typ) {
	for _, t := range types {
		if g.chance(70) {
			g.function(t)
		}
	}
}

// tables declares package-level arrays that nothing changes.
func (g *gen) tables() {
	if !g.on[Tables] {
		return
	}
	for range 1 + g.r.IntN(2) {
		name := g.name("table") + "_" + g.suffix
		t := arrayOf(g.plainInt(), 1+g.r.IntN(20))
		g.line("var %s = %s{", name, t.name)
		for range t.len {
			g.line("\t%s,", g.literal(t.elem))
		}
		g.line("}\n")
		g.globals = append(g.globals, &variable{name: name, typ: t, fixed: true})
	}
}
