package progen

import (
	"fmt"
	"strings"
)

// This file generates declared functions and methods.

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

// function generates a helper function.
func (g *gen) function() {
	f := &fn{name: g.name("f") + "_" + g.suffix, pure: !g.on[Globals]}
	g.begin(g.size(2, 8) + g.r.IntN(g.size(3, 10)))
	tparams := ""
	if g.on[Generics] && g.chance(60) {
		f.generic = true
		g.tparam = typeParameter()
		tparams = "[T " + integers + "]"
	}
	g.rest("func "+f.name+tparams, f)
	g.funcs = append(g.funcs, f)
}

// method generates a method of type recv, which has the type parameter param or, if that
// is nil, none.
func (g *gen) method(recv, param *typ) {
	f := &fn{name: g.name("m") + "_" + g.suffix, recv: recv, pure: !g.on[Globals], ofGeneric: param != nil}
	g.begin(g.size(1, 6) + g.r.IntN(g.size(3, 8)))
	g.tparam = param
	t := recv
	if g.chance(50) {
		f.ptrRecv, f.pure = true, false
		t = pointerTo(recv)
	}
	g.scope = append(g.scope, &variable{name: "r", typ: t})
	g.rest("func (r "+t.name+") "+f.name, f)
	g.methods = append(g.methods, f)
}

// rest generates the parameters, results and body of f after head.
func (g *gen) rest(head string, f *fn) {
	g.line("%s(%s) (%s) {", head, strings.Join(g.parameters(f), ", "), strings.Join(g.resultList(f), ", "))
	g.body()
	g.line("}\n")
	g.tparam = nil
}

// parameters chooses the parameters of f and declares them.
func (g *gen) parameters(f *fn) []string {
	var list []string
	n := 1 + g.r.IntN(4)
	for i := range n {
		t := g.anyType()
		switch {
		case i == 0 && g.tparam != nil:
			t = g.tparam
		case i == 0:
			t = g.plainInt() // so that there is always a variable to build on
		case g.chance(20):
			t, f.pure = pointerTo(t), false
		case g.on[Slices] && g.chance(25):
			t, f.pure = sliceOf(g.elemType(), 0, maxSlice), false
			f.variadic = i == n-1 && g.chance(60)
		case g.on[Strings] && g.chance(25):
			t = stringOf(0)
		}
		f.params = append(f.params, t)
		name := fmt.Sprintf("p%d", i)
		g.scope = append(g.scope, &variable{name: name, typ: t})
	}
	for i, t := range f.paramTypes() {
		list = append(list, fmt.Sprintf("p%d %s", i, t))
	}
	return list
}

// paramTypes returns the types of the parameters as a signature has them.
func (f *fn) paramTypes() []string {
	var list []string
	for i, p := range f.params {
		name := p.name
		if f.variadic && i == len(f.params)-1 {
			name = "..." + p.elem.name
		}
		list = append(list, name)
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

// declaredTypes returns the types of the program but for instances of a generic one.
func (g *gen) declaredTypes() []*typ {
	list := append([]*typ(nil), g.ints...)
	for _, t := range g.structs {
		if !strings.HasSuffix(t.name, "]") {
			list = append(list, t)
		}
	}
	return list
}

// declareMethods generates methods of some of the types, and the interface.
func (g *gen) declareMethods() {
	g.genericType()
	if g.on[Methods] || g.on[Interfaces] {
		for _, t := range g.declaredTypes() {
			if g.chance(40) {
				g.method(t, nil)
			}
		}
	}
	g.declareInterface()
}
