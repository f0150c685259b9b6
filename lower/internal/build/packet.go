package build

import (
	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers the packet that a context refers to.
//
// A packet is a slice like any other: a pointer, a length and a capacity. Its length is
// the distance between the pointers to its end and to its beginning, which the kernel
// gives a program instead of a number. The optimiser keeps sight of this, so that a
// comparison of the length becomes one of pointers, the only proof that the
// verifier takes; see opt/packetproof.go.

// packetPrefix begins the names of the intrinsics that return the packet.
const packetPrefix = "packet."

// overlayName is the name of the intrinsic that views bytes as a struct.
const overlayName = "overlay"

// A packetLayout is where a context has the bounds of its packet, and the width of the fields that
// hold them, in bytes.
type packetLayout struct {
	data, end int64
	width     uint8
}

// packetLayouts is by what follows packetPrefix.
var packetLayouts = map[string]packetLayout{
	"xdp":      {xdpData, xdpDataEnd, 4},
	"xdp.meta": {xdpDataMeta, xdpData, 4},
	// data, data_end and data_meta of struct __sk_buff in linux/bpf.h.
	"skb":      {76, 80, 4},
	"skb.meta": {140, 76, 4},
	// data and data_end of struct sk_msg_md.
	"msg": {0, 8, 8},
}

// lowerPacket lowers a method of a context that returns its packet.
func (fn *function) lowerPacket(name string, c *ssa.CallCommon) operand {
	if fn.b.in.Type == "socket_filter" {
		fn.fail(diag.ContextAccess, "copy what is needed with Load", "programs of type socket_filter cannot access packet data")
		return badOperand
	}
	if name == "packet.skb.meta" && fn.b.in.Type != "sched_cls" && fn.b.in.Type != "sched_act" {
		fn.fail(diag.ContextAccess, "read it in a TC program, and pass it on in Mark or CB", "programs of type %s cannot access the metadata of a packet", fn.b.in.Type)
		return badOperand
	}
	l := packetLayouts[name[len(packetPrefix):]]
	ctx := fn.deref(c.Args[0])
	if ctx.base.Type != ir.PtrCtx {
		fn.fail(diag.UnsupportedExpr, "use the context itself", "packet of a copy of the context")
		return badOperand
	}
	data, end := fn.packetBounds(ctx, l)
	n := fn.emit(ir.OpPtrDiff, ir.I64, end, data)
	return operand{vals: []*ir.Value{data, n, n}, nonnil: true}
}

// packetBounds loads the bounds of the packet. The kernel makes pointers of these
// fields, of 32 bits too.
func (fn *function) packetBounds(ctx address, l packetLayout) (data, end *ir.Value) {
	data = fn.loadLeaf(ctx.plus(l.data), leaf{typ: ir.PtrPacket, width: l.width})
	end = fn.loadLeaf(ctx.plus(l.end), leaf{typ: ir.PtrPacketEnd, width: l.width})
	return data, end
}

// lowerOverlay lowers ebpf.Overlay[T](p): the beginning of p as a T.
func (fn *function) lowerOverlay(callee *ssa.Function, c *ssa.CallCommon) operand {
	t := elemType(callee.Signature.Results().At(0).Type())
	if _, err := fn.b.layoutOf(t); err != nil {
		fn.failType(err)
		return badOperand
	}
	if hasPointers(t) {
		fn.fail(diag.UnsupportedExpr, "use integers, and arrays and structs of them", "overlay of type %s, which has pointers", t)
		return badOperand
	}
	o := fn.operand(c.Args[0])
	size := fn.constant(ir.I64, sizes.Sizeof(t))
	fn.checkBound(size, o.vals[1])
	return fn.notEmpty(o, size.Imm)
}
