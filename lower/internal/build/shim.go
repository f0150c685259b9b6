package build

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes the entry function of the module: a program as the kernel
// calls it, or the wrapper through which a pure function is called.

// A Shim says how a pure function becomes a program. It reads the arguments from
// a buffer and writes the results to it, laid out as [Layout] says, and returns 0.
type Shim int

const (
	// ShimNone is a program function.
	ShimNone Shim = iota
	// ShimCtx takes the context of a syscall program for the buffer.
	ShimCtx
	// ShimPacket takes the packet of an XDP program for the buffer.
	ShimPacket
)

// maxBuffer is the size of the largest buffer: a page, as the kernel allows for
// the packet of a test run (bpf_prog_test_run_xdp).
const maxBuffer = 4096

// shortPacket is what a ShimPacket program returns, without having called the
// function, if the packet is smaller than the buffer.
const shortPacket = -1 << 31

// Offsets of the fields data, data_end and data_meta of struct xdp_md in linux/bpf.h.
const (
	xdpData     = 0
	xdpDataEnd  = 4
	xdpDataMeta = 8
)

// buildProgram builds a program function: it takes nothing or the context and
// returns nothing or one integer.
func (b *builder) buildProgram() {
	src := b.in.Entry
	sig := src.Signature
	fn := b.newEntry()
	ctx := fn.f.Entry().AddParam(ir.PtrCtx, ir.Pos(src.Pos()))
	args, ok := fn.captured()
	if !ok {
		return
	}
	switch {
	case len(src.Params) == 1 && isContext(src.Params[0].Type()):
		args = append(args, operand{vals: []*ir.Value{ctx}, nonnil: true})
	case len(src.Params) != 0:
		fn.pos = src.Params[0].Pos()
		fn.fail(diag.UnsuitableSignature, "take the context, such as ctx ebpf.Context, and nothing else",
			"parameters of program %s", b.in.Name)
		return
	}
	var result intType
	if n := sig.Results().Len(); n > 0 {
		result, ok = intTypeOf(sig.Results().At(0).Type())
		if !ok || n > 1 {
			fn.fail(diag.UnsuitableSignature, "return one integer", "results of program %s", b.in.Name)
			return
		}
	}
	r := fn.call(src, args, nil)
	if r.isBad() {
		return
	}
	v := fn.constant(ir.I32, 0)
	if len(r.vals) == 1 {
		// The kernel looks at the low 32 bits.
		v = fn.convertInt(r.vals[0], result, intType{32, true})
	}
	fn.f.Results = []ir.Type{ir.I32}
	fn.cur.Return(ir.Pos(fn.pos), v)
}

// newEntry makes the entry function of the module.
func (b *builder) newEntry() *function {
	fn := &function{b: b, src: b.in.Entry, pos: b.in.Entry.Pos(), vals: make(map[ssa.Value]operand)}
	fn.inst = &instance{src: b.in.Entry}
	fn.f = b.newFunc(b.in.Name, fn.pos)
	fn.inst.f = fn.f
	fn.cur = fn.f.NewBlock()
	return fn
}

// isContext reports whether t is the type of a context: a pointer to a struct,
// or a struct of one pointer.
func isContext(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		_, ok := u.Elem().Underlying().(*types.Struct)
		return ok
	case *types.Struct:
		return u.NumFields() == 1 && isPointer(u.Field(0).Type())
	}
	return false
}

// captured returns the variables that the entry captures, with the values of
// the input.
func (fn *function) captured() (args []operand, ok bool) {
	for _, v := range fn.src.FreeVars {
		t := v.Type()
		byRef := fn.src.Synthetic == ""
		if byRef {
			t = elemType(t)
		}
		l, err := fn.b.layoutOf(t)
		fn.pos = v.Pos()
		if err != nil {
			fn.failType(err)
			return nil, false
		}
		mem := fn.b.in.Captures[v]
		if int64(len(mem)) != l.size || hasPointers(t) || l.size > maxBuffer {
			fn.fail(diag.UnsupportedExpr, "pass it through a package-level variable or a constant",
				"captured variable %s of type %s has no value in the kernel", v.Name(), t)
			return nil, false
		}
		slot := fn.tempSlot(t)
		fn.storeBytes(slot, mem)
		if byRef {
			args = append(args, operand{vals: []*ir.Value{slot.base}, nonnil: true})
		} else {
			args = append(args, fn.load(slot, t, false))
		}
	}
	fn.pos = fn.src.Pos()
	return args, true
}

// storeBytes writes constant bytes to a, in units that keep its alignment.
func (fn *function) storeBytes(a address, mem []byte) {
	align := a.base.Slot().Align
	for off := int64(0); off < int64(len(mem)); {
		w := align
		for w > int64(len(mem))-off {
			w /= 2
		}
		var c int64
		for i := range w {
			c |= int64(mem[off+i]) << (8 * i)
		}
		t := ir.I32
		if w == 8 {
			t = ir.I64
		}
		fn.storeLeaf(a.plus(off), uint8(w), fn.constant(t, c))
		off += w
	}
}

// buildShim builds the wrapper of a pure function.
func (b *builder) buildShim() {
	src := b.in.Entry
	fn := b.newEntry()
	ctx := fn.f.Entry().AddParam(ir.PtrCtx, ir.Pos(src.Pos()))
	if !fn.checkPure() {
		return
	}
	size, argOffs, resultOffs := Layout(src.Signature)
	if size > maxBuffer {
		fn.fail(diag.UnsuitableSignature, "pass less", "arguments and results of %d bytes; at most %d can be passed", size, maxBuffer)
		return
	}
	args, ok := fn.captured()
	if !ok {
		return
	}
	buf := address{base: ctx}
	if b.in.Shim == ShimPacket && size > 0 {
		buf = fn.packetBuffer(ctx, int64(size))
	}
	for i, p := range src.Params {
		args = append(args, fn.load(buf.plus(argOffs[i]), p.Type(), false))
	}
	r := fn.call(src, args, nil)
	if r.isBad() {
		return
	}
	parts := r.parts
	if src.Signature.Results().Len() == 1 {
		parts = []operand{r}
	}
	for i, off := range resultOffs {
		fn.store(buf.plus(off), src.Signature.Results().At(i).Type(), parts[i])
	}
	fn.f.Results = []ir.Type{ir.I32}
	fn.cur.Return(ir.Pos(fn.pos), fn.constant(ir.I32, 0))
}

// checkPure reports an error for parameters and results that cannot be copied
// into the kernel.
func (fn *function) checkPure() bool {
	ok := true
	check := func(what string, t types.Type, pos token.Pos) {
		fn.pos = pos
		if _, err := fn.b.layoutOf(t); err != nil {
			fn.failType(err)
			ok = false
		} else if hasPointers(t) {
			fn.fail(diag.UnsuitableSignature, "use integers, bools, and structs and arrays of them",
				"%s of type %s cannot be passed to the kernel", what, t)
			ok = false
		}
	}
	for _, p := range fn.src.Params {
		check("parameter "+p.Name(), p.Type(), p.Pos())
	}
	for r := range fn.src.Signature.Results().Variables() {
		check("result", r.Type(), r.Pos())
	}
	fn.pos = fn.src.Pos()
	return ok
}

// packetBuffer returns the address of size bytes of packet data, having ended
// the program if there are fewer.
func (fn *function) packetBuffer(ctx *ir.Value, size int64) address {
	data := fn.loadLeaf(address{ctx, xdpData}, leaf{typ: ir.PtrPacket, width: 4})
	end := fn.loadLeaf(address{ctx, xdpDataEnd}, leaf{typ: ir.PtrPacketEnd, width: 4})
	enough := fn.emit(ir.OpULe, ir.I32, fn.ptrAdd(data, size), end)
	body, short := fn.f.NewBlock(), fn.f.NewBlock()
	fn.cur.Branch(ir.Pos(fn.pos), enough, ir.Edge{To: body}, ir.Edge{To: short})
	fn.cur = short
	short.Return(ir.Pos(fn.pos), fn.constant(ir.I32, shortPacket))
	fn.cur = body
	return address{base: data}
}
