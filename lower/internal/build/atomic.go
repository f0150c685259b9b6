package build

import (
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file lowers the functions of sync/atomic, which have no body in Go. The
// methods of its types are compiled from source and call these.
//
// The operations of BPF that fetch the old value are full barriers, as Go's
// memory model wants (Documentation/bpf/standardization/instruction-set.rst, and
// the "fully ordered" operations of Documentation/atomic_t.txt); so a load adds 0
// and a store exchanges. Before Linux 5.12 there is only an addition that
// fetches nothing.

// atomicFuncs gives the operation of the functions whose names start with the
// key and end in the name of an integer type.
var atomicFuncs = map[string]ir.AtomicOp{
	"Add":            ir.AtomicFetchAdd,
	"And":            ir.AtomicFetchAnd,
	"Or":             ir.AtomicFetchOr,
	"Swap":           ir.AtomicXchg,
	"Store":          ir.AtomicXchg,
	"Load":           ir.AtomicFetchAdd,
	"CompareAndSwap": ir.AtomicCmpXchg,
}

// atomicFunc returns which function of sync/atomic f is, if it is one of those
// on integers.
func atomicFunc(f *ssa.Function) (name string, ok bool) {
	if len(f.Blocks) != 0 || f.Signature.Recv() != nil || f.Pkg == nil || f.Pkg.Pkg.Path() != "sync/atomic" {
		return "", false
	}
	name = strings.TrimRight(strings.TrimSuffix(f.Name(), "ptr"), "0123456789")
	name = strings.TrimSuffix(strings.TrimSuffix(name, "Int"), "Uint")
	_, ok = atomicFuncs[name]
	return name, ok
}

// lowerAtomic lowers the call of f, function name of sync/atomic. c, which may
// be nil, tells whether the result is used.
func (fn *function) lowerAtomic(name string, f *ssa.Function, args []operand, c *ssa.Call) operand {
	p := fn.settled(args[0])
	i, ok := intTypeOf(elemType(f.Signature.Params().At(0).Type()))
	if p.isBad() || !ok {
		fn.failNoBody(f)
		return badOperand
	}
	addr := p.vals[0]
	if !p.nonnil {
		addr = fn.checkNonNil(addr)
	}
	t := i.irType()
	vals := []*ir.Value{addr}
	for _, a := range args[1:] {
		vals = append(vals, fn.scalarOf(a))
	}
	if name == "Load" {
		vals = append(vals, fn.constant(t, 0))
	}
	op := atomicFuncs[name]
	if name == "Add" && (c == nil || len(*c.Referrers()) == 0) {
		op = ir.AtomicAdd
	}
	if op != ir.AtomicAdd && !fn.b.target.Has(target.AtomicFetch) {
		fn.fail(diag.FeatureMissing, "use atomic.Add, without its result", "atomic.%s needs Linux %s, and the program is compiled for %s",
			f.Name(), target.AtomicFetch.MinKernel(), fn.b.target.Kernel)
		return badOperand
	}
	if !op.Fetches() {
		t = ir.Void
	}
	old := fn.emit(ir.OpAtomic, t, vals...)
	old.Aux, old.Width = op, uint8(i.bits/8)
	switch {
	case op == ir.AtomicAdd, name == "Store":
		return operand{}
	case name == "CompareAndSwap":
		return single(fn.emit(ir.OpEq, ir.I32, old, vals[1]))
	case name == "Add":
		return single(fn.emit(ir.OpAdd, t, old, vals[1]))
	}
	return single(old)
}
