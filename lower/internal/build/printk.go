package build

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file lowers ebpf.Printk to bpf_trace_printk, or to bpf_trace_vprintk if
// there are more arguments than registers. format.go translates the format.

const printkName = "printk"

const (
	// maxPrintkArgs is MAX_TRACE_PRINTK_VARARGS in kernel/trace/bpf_trace.c.
	maxPrintkArgs = 3
	// maxVprintkArgs is MAX_BPRINTF_VARARGS in include/linux/bpf.h.
	maxVprintkArgs = 12
)

// The helpers that print, see include/uapi/linux/bpf.h.
var (
	tracePrintk = &ir.Helper{
		ID: 6, Name: "trace_printk",
		Args:   []ir.ArgKind{ir.ArgMem, ir.ArgScalar, ir.ArgScalar, ir.ArgScalar, ir.ArgScalar},
		Sizes:  []int{1, -1, -1, -1, -1},
		Result: ir.I64, Flags: ir.ReadsMem,
	}
	traceVprintk = &ir.Helper{
		ID: 177, Name: "trace_vprintk",
		Args:   []ir.ArgKind{ir.ArgMem, ir.ArgScalar, ir.ArgMem, ir.ArgScalar},
		Sizes:  []int{1, -1, 3, -1},
		Result: ir.I64, Flags: ir.ReadsMem,
	}
)

func (fn *function) lowerPrintk(c *ssa.CallCommon) operand {
	format, ok := constString(c.Args[0])
	if !ok {
		format, ok = fn.knownString(fn.operand(c.Args[0]))
	}
	if !ok {
		fn.fail(diag.NonConstantFormat, "write the format as a constant, and what varies as arguments",
			"format of Printk is not a constant")
		return badOperand
	}
	var args []printkArg
	if slice, isConst := c.Args[1].(*ssa.Const); !isConst {
		elems, ok := fn.variadic[c.Args[1]]
		if !ok {
			fn.fail(diag.FormatMismatch, "pass the arguments one by one", "arguments of Printk are passed as a slice")
			return badOperand
		}
		for _, e := range elems {
			args = append(args, fn.printkArg(e))
		}
	} else if slice.Value != nil {
		panic("BUG: constant slice " + slice.String())
	}
	f := &formatter{fn: fn, args: args}
	if !f.translate(format) {
		return badOperand
	}
	fn.emitPrintk(f.text.String(), f.out)
	return operand{}
}

// emitPrintk prints args as the kernel's format text says.
func (fn *function) emitPrintk(text string, args []*ir.Value) {
	addr := fn.stringAddr(text)
	size := fn.constant(ir.I64, int64(len(text))+1)
	if len(args) <= maxPrintkArgs {
		call := fn.emit(ir.OpHelper, ir.I64, append([]*ir.Value{addr, size}, args...)...)
		call.Aux = tracePrintk
		return
	}
	if !fn.b.target.Has(target.TraceVprintk) {
		fn.fail(diag.TooManyArguments, "print in two calls",
			"Printk with %d arguments needs Linux %s; Linux %s takes %d", len(args),
			target.TraceVprintk.MinKernel(), fn.b.target.Kernel, maxPrintkArgs)
		return
	}
	if len(args) > maxVprintkArgs {
		fn.fail(diag.TooManyArguments, "print in two calls",
			"Printk with %d arguments; the kernel takes %d", len(args), maxVprintkArgs)
		return
	}
	data := fn.slotAddr(fn.f.NewSlot("printk", 8*int64(len(args)), 8, ir.Pos(fn.pos)))
	for i, a := range args {
		if a.Type == ir.I32 {
			a = fn.emit(ir.OpZExt, ir.I64, a)
		}
		fn.storeLeaf(data.plus(8*int64(i)), 8, a)
	}
	call := fn.emit(ir.OpHelper, ir.I64, addr, size, data.base, fn.constant(ir.I64, 8*int64(len(args))))
	call.Aux = traceVprintk
}

// A printkArg is an argument of Printk before its conversion to an interface.
type printkArg struct {
	src ssa.Value
	typ types.Type // nil if it is not known
	op  operand
}

func (fn *function) printkArg(v ssa.Value) printkArg {
	if m, ok := v.(*ssa.MakeInterface); ok {
		return printkArg{m.X, m.X.Type(), fn.operand(m.X)}
	}
	o := fn.operand(v)
	if o.dyn == nilType {
		return printkArg{v, nilType, o}
	}
	if o.dyn != nil {
		return printkArg{v, o.dyn, o.parts[0]}
	}
	return printkArg{v, nil, o}
}

// arrayOf returns the array type that the pointer type t points to.
func arrayOf(t types.Type) *types.Array {
	return elemType(t).Underlying().(*types.Array)
}

// hasPrintMethod returns the name of a method of t that package fmt would call.
func hasPrintMethod(t types.Type) string {
	ms := types.NewMethodSet(t)
	for _, name := range []string{"Format", "Error", "String"} {
		if ms.Lookup(nil, name) != nil {
			return name
		}
	}
	return ""
}

// printable reports whether the kernel takes every byte of s in a format.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		space := r == ' ' || '\t' <= r && r <= '\r'
		return !space && (r < ' ' || r > '~')
	}) < 0
}
