package interp

import (
	"fmt"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// execMemory executes the operations on memory.
func (fr *frame) execMemory(v *ir.Value) error {
	addr := fr.arg(v, 0) + uint64(v.Imm)
	width := int64(v.Width)
	switch v.Op {
	case ir.OpLoad:
		return fr.execLoad(v, addr, width)
	case ir.OpStore:
		return fr.m.store(addr, width, fr.arg(v, 1))
	case ir.OpMemZero:
		if err := fr.m.burn(v.Size / 8); err != nil {
			return err
		}
		// Before the buffer is made: the size may be anything.
		if _, _, err := fr.m.span(addr, v.Size); err != nil {
			return err
		}
		return fr.m.Write(addr, make([]byte, v.Size))
	case ir.OpMemCopy:
		if err := fr.m.burn(v.Size / 8); err != nil {
			return err
		}
		if err := checkOverlap(addr, fr.arg(v, 1), v.Size); err != nil {
			return err
		}
		b, err := fr.m.Read(fr.arg(v, 1), v.Size)
		if err != nil {
			return err
		}
		return fr.m.Write(addr, b)
	default:
		return fr.execAtomic(v, addr, width)
	}
}

func (fr *frame) execLoad(v *ir.Value, addr uint64, width int64) error {
	if v.Type.IsPtr() {
		o, off, err := fr.m.Object(addr)
		if err != nil {
			return err
		}
		if p, ok := o.Pointers[off]; ok {
			fr.set(v, p)
			return nil
		}
	}
	x, err := fr.m.load(addr, width)
	if err != nil {
		return err
	}
	if v.Signed {
		x = signExtend(x, 8*width)
	}
	fr.set(v, x)
	return nil
}

// execAtomic executes v, which is atomic since nothing runs beside it.
func (fr *frame) execAtomic(v *ir.Value, addr uint64, width int64) error {
	old, err := fr.m.load(addr, width)
	if err != nil {
		return err
	}
	x := fr.arg(v, 1)
	op := v.Aux.(ir.AtomicOp)
	next := old
	switch op {
	case ir.AtomicAdd, ir.AtomicFetchAdd:
		next = old + x
	case ir.AtomicAnd, ir.AtomicFetchAnd:
		next = old & x
	case ir.AtomicOr, ir.AtomicFetchOr:
		next = old | x
	case ir.AtomicXor, ir.AtomicFetchXor:
		next = old ^ x
	case ir.AtomicXchg:
		next = x
	case ir.AtomicCmpXchg:
		if old == x {
			next = fr.arg(v, 2)
		}
	default:
		panic("BUG: interp does not know atomic " + op.String())
	}
	if op.Fetches() {
		fr.set(v, old)
	}
	return fr.m.store(addr, width, next)
}

// checkOverlap checks the precondition of a copy of n bytes.
func checkOverlap(dst, src uint64, n int64) error {
	if dst != src && dst < src+uint64(n) && src < dst+uint64(n) {
		return fmt.Errorf("copy of %d bytes between %#x and %#x, which overlap", n, src, dst)
	}
	return nil
}
