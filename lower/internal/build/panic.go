package build

import (
	"go/constant"
	"strconv"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers explicit panics.

// lowerPanic lowers panic(v). The message is as complete as is known when
// compiling.
func (fn *function) lowerPanic(p *ssa.Panic) {
	fn.cur.Panic(ir.Pos(fn.pos), fn.b.site(ir.PanicExplicit, panicMessage(p.X), fn.pos))
}

// panicMessage words the panic with value v as Go's runtime prints it: strings
// as they are, values of other types with their type.
func panicMessage(v ssa.Value) string {
	m, ok := v.(*ssa.MakeInterface)
	if !ok {
		return "panic: " + v.Type().String()
	}
	t := m.X.Type()
	if s, ok := constString(m.X); ok {
		if t.String() == "string" {
			return "panic: " + s
		}
		return "panic: " + t.String() + "(" + strconv.Quote(s) + ")"
	}
	c, ok := m.X.(*ssa.Const)
	if !ok || c.Value == nil {
		return "panic: " + t.String()
	}
	if n, ok := constInt(c); ok {
		return "panic: " + t.String() + "(" + strconv.FormatInt(n, 10) + ")"
	}
	if c.Value.Kind() == constant.Bool {
		return "panic: " + t.String() + "(" + c.Value.String() + ")"
	}
	return "panic: " + t.String()
}
