package progen

import (
	"fmt"
	"strings"
)

type kind int

const (
	kindInt kind = iota
	kindBool
	kindArray
	kindStruct
	kindPointer
	kindSlice
	kindString
	kindFunc
	kindFuncs // an array of function values
	kindIface
	kindIfaces // an array of values of interfaces
)

// A typ is a Go type of a generated program.
type typ struct {
	kind   kind
	name   string
	bits   int
	signed bool
	elem   *typ
	len    int // of a slice or string: at least
	max    int // of a slice: its capacity at most
	fields []field
	sig    *fn
	// param is set if this is the type parameter T, which stands for any integer type.
	param   bool
	nilable bool // a pointer that may be nil
}

type field struct {
	name     string
	typ      *typ
	embedded bool
}

func intType(name string, bits int, signed bool) *typ {
	return &typ{kind: kindInt, name: name, bits: bits, signed: signed}
}

var (
	uint64Type = intType("uint64", 64, false)
	intTypeInt = intType("int", 64, true)
	boolType   = &typ{kind: kindBool, name: "bool"}

	intTypes = []*typ{
		intType("int8", 8, true), intType("int16", 16, true), intType("int32", 32, true), intType("int64", 64, true),
		intType("uint8", 8, false), intType("uint16", 16, false), intType("uint32", 32, false), uint64Type,
		intTypeInt, intType("uint", 64, false), intType("uintptr", 64, false),
	}
)

func arrayOf(elem *typ, n int) *typ {
	return &typ{kind: kindArray, name: fmt.Sprintf("[%d]%s", n, elem.name), elem: elem, len: n}
}

func pointerTo(t *typ) *typ { return &typ{kind: kindPointer, name: "*" + t.name, elem: t} }

// types declares a few types.
func (g *gen) types() {
	if g.on[Methods] || g.on[Interfaces] {
		for range 1 + g.r.IntN(2) {
			t := *intTypes[g.r.IntN(len(intTypes))]
			underlying := t.name
			t.name = g.name("N") + "_" + g.suffix
			g.line("type %s %s\n", t.name, underlying)
			g.ints = append(g.ints, &t)
		}
	}
	for range g.r.IntN(3) {
		t := &typ{kind: kindStruct, name: g.name("T") + "_" + g.suffix}
		g.line("type %s struct {", t.name)
		for i := range 1 + g.r.IntN(5) {
			f := field{name: fmt.Sprintf("f%d", i), typ: g.memberType()}
			if i == 0 && len(g.structs) > 0 && g.on[Methods] && g.chance(50) {
				f.typ = g.structs[g.r.IntN(len(g.structs))]
				f.name, f.embedded = f.typ.name, true
			}
			t.fields = append(t.fields, f)
			if f.embedded {
				g.line("\t%s", f.name)
				continue
			}
			g.line("\t%s %s", f.name, f.typ.name)
		}
		g.line("}\n")
		g.structs = append(g.structs, t)
	}
}

// intType chooses an integer type; it may be the type parameter.
func (g *gen) intType() *typ {
	if g.tparam != nil && g.chance(40) {
		return g.tparam
	}
	return g.plainInt()
}

// plainInt chooses an integer type that the whole program knows.
func (g *gen) plainInt() *typ {
	if len(g.ints) > 0 && g.chance(15) {
		return g.ints[g.r.IntN(len(g.ints))]
	}
	return intTypes[g.r.IntN(len(intTypes))]
}

// memberType chooses the type of a struct field.
func (g *gen) memberType() *typ {
	switch n := g.r.IntN(10); {
	case n == 0:
		return boolType
	case n == 1:
		return arrayOf(g.intType(), 1+g.r.IntN(4))
	case n == 2 && len(g.structs) > 0:
		return g.structs[g.r.IntN(len(g.structs))]
	}
	return g.intType()
}

// anyType chooses the type of a variable.
func (g *gen) anyType() *typ {
	switch n := g.r.IntN(12); {
	case n == 0:
		return boolType
	case n == 1:
		return arrayOf(g.intType(), 1+g.r.IntN(8))
	case n == 2 && len(g.structs) > 0:
		return g.structs[g.r.IntN(len(g.structs))]
	case n == 3 && len(g.structs) > 0:
		return arrayOf(g.structs[g.r.IntN(len(g.structs))], 1+g.r.IntN(3))
	case n == 4:
		return arrayOf(arrayOf(g.intType(), 1+g.r.IntN(3)), 1+g.r.IntN(3))
	}
	return g.intType()
}

// leaves returns the integer and boolean parts of v, at constant indices.
func (v *variable) leaves() []*variable {
	switch v.typ.kind {
	case kindArray:
		var out []*variable
		for i := range v.typ.len {
			out = append(out, (&variable{name: fmt.Sprintf("%s[%d]", v.name, i), typ: v.typ.elem, fixed: v.fixed}).leaves()...)
		}
		return out
	case kindStruct:
		var out []*variable
		for _, f := range v.typ.fields {
			out = append(out, (&variable{name: v.name + "." + f.name, typ: f.typ, fixed: v.fixed}).leaves()...)
		}
		return out
	case kindPointer:
		if v.typ.nilable {
			return nil
		}
		return (&variable{name: "(*" + v.name + ")", typ: v.typ.elem, fixed: v.fixed}).leaves()
	case kindSlice:
		out := []*variable{{name: "len(" + v.name + ")", typ: intTypeInt}, {name: "cap(" + v.name + ")", typ: intTypeInt}}
		for i := range v.typ.len {
			out = append(out, (&variable{name: fmt.Sprintf("%s[%d]", v.name, i), typ: v.typ.elem}).leaves()...)
		}
		return out
	case kindString:
		return []*variable{{name: "len(" + v.name + ")", typ: intTypeInt}}
	case kindFunc, kindFuncs, kindIface, kindIfaces:
		return nil
	}
	return []*variable{v}
}

// literal returns a literal of an integer type that fits it, often near a
// boundary.
func (g *gen) literal(t *typ) string {
	v := boundary(g.r)
	if t.param {
		return fmt.Sprint(v % 128)
	}
	if t.signed {
		s := int64(v) << (64 - t.bits) >> (64 - t.bits)
		return fmt.Sprintf("%d", s)
	}
	return fmt.Sprintf("%d", v<<(64-t.bits)>>(64-t.bits))
}

// composite returns a composite literal of an array or struct type.
func (g *gen) composite(t *typ, depth int) string {
	var elems []string
	if t.kind == kindArray {
		for range g.r.IntN(t.len + 1) {
			elems = append(elems, g.expr(t.elem, depth-1))
		}
	} else {
		for _, f := range t.fields {
			if g.chance(70) {
				elems = append(elems, f.name+": "+g.expr(f.typ, depth-1))
			}
		}
	}
	return t.name + "{" + strings.Join(elems, ", ") + "}"
}
