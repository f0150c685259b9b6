package opt

import "github.com/undergo-ebpf/undergo/lower/internal/ir"

// A slotRef is an address: byte off of slot. The zero slotRef is no address of
// a slot that is known.
type slotRef struct {
	slot *ir.Slot
	off  int64
}

// slotRefs tells which values are addresses of slots at constant offsets, and
// which slots are only reached by such addresses.
type slotRefs struct {
	ref []slotRef // by Value.ID
	// exposed, by Slot.Index, marks the slots that are also reached otherwise:
	// whose address is stored, passed on, merged, compared or offset by a
	// variable, or that are accessed out of bounds.
	exposed []bool
}

func findSlotRefs(f *ir.Func) *slotRefs {
	r := &slotRefs{ref: make([]slotRef, f.NumValues()), exposed: make([]bool, len(f.Slots))}
	for _, b := range ir.RPO(f) {
		for _, v := range b.Instrs {
			r.visit(v)
		}
		r.expose(b.Term.Args)
		for _, e := range b.Term.Succs {
			r.expose(e.Args)
		}
	}
	return r
}

// of returns the address that v is.
func (r *slotRefs) of(v *ir.Value) slotRef {
	if int(v.ID) >= len(r.ref) {
		return slotRef{}
	}
	return r.ref[v.ID]
}

// expose gives up the slots that args are addresses of.
func (r *slotRefs) expose(args []*ir.Value) {
	for _, a := range args {
		if s := r.ref[a.ID].slot; s != nil {
			r.exposed[s.Index] = true
		}
	}
}

func (r *slotRefs) visit(v *ir.Value) {
	switch v.Op {
	case ir.OpSlotAddr:
		r.ref[v.ID] = slotRef{v.Slot(), 0}
	case ir.OpPi, ir.OpCheckNonNil:
		r.ref[v.ID] = r.ref[v.Args[0].ID]
	case ir.OpPtrAdd:
		base := r.ref[v.Args[0].ID]
		c, ok := constArg(v, 1)
		if base.slot == nil {
			return
		}
		if !ok || c < -base.slot.Size || c > base.slot.Size {
			r.expose(v.Args)
			return
		}
		r.ref[v.ID] = slotRef{base.slot, base.off + c}
	case ir.OpLoad:
		r.access(v.Args[0], v.Imm, int64(v.Width))
	case ir.OpStore:
		r.access(v.Args[0], v.Imm, int64(v.Width))
		r.expose(v.Args[1:])
	case ir.OpMemZero:
		r.access(v.Args[0], v.Imm, v.Size)
	case ir.OpMemCopy:
		r.access(v.Args[0], 0, v.Size)
		r.access(v.Args[1], 0, v.Size)
	default:
		r.expose(v.Args)
	}
}

// access exposes the slot that is accessed if the access is not inside it.
func (r *slotRefs) access(p *ir.Value, disp, size int64) {
	ref := r.ref[p.ID]
	if ref.slot != nil && (ref.off+disp < 0 || ref.off+disp+size > ref.slot.Size) {
		r.exposed[ref.slot.Index] = true
	}
}
