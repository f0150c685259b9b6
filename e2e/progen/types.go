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
)

// A typ is a Go type of a generated program.
type typ struct {
	kind   kind
	name   string
	bits   int
	signed bool
	elem   *typ
	len    int
	fields []field
}

type field struct {
	name string
	typ  *typ
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

// types declares a few struct types.
func (g *gen) types() {
	for range g.r.IntN(3) {
		t := &typ{kind: kindStruct, name: g.name("T") + "_" + g.suffix}
		g.line("type %s struct {", t.name)
		for i := range 1 + g.r.IntN(5) {
			f := field{name: fmt.Sprintf("f%d", i), typ: g.memberType()}
			t.fields = append(t.fields, f)
			g.line("\t%s %s", f.name, f.typ.name)
		}
		g.line("}\n")
		g.structs = append(g.structs, t)
	}
}

func (g *gen) intType() *typ { return intTypes[g.r.IntN(len(intTypes))] }

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
		return (&variable{name: "(*" + v.name + ")", typ: v.typ.elem, fixed: v.fixed}).leaves()
	}
	return []*variable{v}
}

// literal returns a literal of an integer type that fits it, often near a
// boundary.
func (g *gen) literal(t *typ) string {
	v := boundary(g.r)
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
