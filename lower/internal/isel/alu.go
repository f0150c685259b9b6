package isel

import (
	"math"
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file selects integer arithmetic but for divisions. BPF's operations are
// two-address: a copy of the first operand is made and changed. The allocator
// coalesces the copy where the operand is not needed any more.

var aluOps = [ir.NumOps]mir.Op{
	ir.OpAdd:  mir.OpAdd,
	ir.OpSub:  mir.OpSub,
	ir.OpMul:  mir.OpMul,
	ir.OpAnd:  mir.OpAnd,
	ir.OpOr:   mir.OpOr,
	ir.OpXor:  mir.OpXor,
	ir.OpShl:  mir.OpLsh,
	ir.OpLShr: mir.OpRsh,
	ir.OpAShr: mir.OpArsh,
}

func (s *selector) hasV4() bool { return s.target.Has(target.ISAv4) }

// binary selects an operation whose operands may be exchanged.
func (s *selector) binary(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	a, b := s.operands(v)
	s.moveTo(d, a)
	if c, ok := s.imm(b); ok {
		s.aluImm(aluOps[v.Op], w32, d, c)
		return
	}
	s.alu(aluOps[v.Op], w32, d, s.reg(b))
}

// operands returns the two operands of v, a commutative operation, in the better
// order: the second is the constant if there is one, and otherwise the first
// is one that need not be copied.
func (s *selector) operands(v *ir.Value) (a, b *ir.Value) {
	a, b = v.Args[0], v.Args[1]
	if _, ok := s.imm(b); ok {
		return a, b
	}
	if _, ok := s.imm(a); ok || s.prefersSecond(v) {
		return b, a
	}
	return a, b
}

// prefersSecond reports whether the sum, or whatever v is, is better made in the
// register of its second operand: the variable of a loop that the result will
// become, or else the operand that is not needed any more.
func (s *selector) prefersSecond(v *ir.Value) bool {
	a, b := s.values[v.Args[0].ID].root, s.values[v.Args[1].ID].root
	if to := s.values[v.ID].becomes; to != nil && (to == a || to == b) {
		return to != a
	}
	return !s.isLastUse(a) && s.isLastUse(b)
}

// sub selects differences of integers and of pointers.
func (s *selector) sub(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	s.moveTo(d, v.Args[0])
	switch c, ok := s.imm(v.Args[1]); {
	case ok && c != math.MinInt32:
		s.aluImm(mir.OpAdd, w32, d, -c)
	case ok:
		s.aluImm(mir.OpSub, w32, d, c)
	default:
		s.alu(mir.OpSub, w32, d, s.reg(v.Args[1]))
	}
}

// mul selects a shift where one operand is a power of two.
func (s *selector) mul(v *ir.Value) {
	_, b := s.operands(v)
	c, ok := s.constant(b)
	k, pow2 := log2(c, v.Type)
	if !ok || !pow2 {
		s.binary(v)
		return
	}
	a := v.Args[0]
	if a == b {
		a = v.Args[1]
	}
	s.moveTo(s.def(v), a)
	s.aluImm(mir.OpLsh, v.Type == ir.I32, s.def(v), k)
}

// log2 returns the logarithm of c, an unsigned constant of type t, if it is a
// power of two.
func log2(c int64, t ir.Type) (int64, bool) {
	u := uint64(c)
	if t == ir.I32 {
		u = uint64(uint32(c))
	}
	return int64(bits.TrailingZeros64(u)), bits.OnesCount64(u) == 1
}

// and selects 32-bit operations for masks of the low half of an I64: they need no
// register for the mask.
func (s *selector) and(v *ir.Value) {
	for i, m := range v.Args {
		c, ok := s.constant(m)
		if !ok || v.Type != ir.I64 || c <= math.MaxInt32 || c > math.MaxUint32 {
			continue
		}
		d, x := s.def(v), v.Args[1-i]
		if c == math.MaxUint32 {
			s.mov32(d, s.reg(x))
			return
		}
		s.moveTo(d, x)
		s.aluImm(mir.OpAnd, true, d, int64(int32(c)))
		return
	}
	s.binary(v)
}

// xor selects the opposite comparison for the negation of one.
func (s *selector) xor(v *ir.Value) {
	if x, not := s.testOf(v); x != nil && not && s.values[x.ID].uses == 1 {
		s.boolean(v)
		return
	}
	s.binary(v)
}

// shift selects shifts; a constant count is brought into range, and the machine
// does the same for one in a register.
func (s *selector) shift(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	s.moveTo(d, v.Args[0])
	if c, ok := s.constant(v.Args[1]); ok {
		s.aluImm(aluOps[v.Op], w32, d, c&int64(v.Type.Bits()-1))
		return
	}
	s.alu(aluOps[v.Op], w32, d, s.reg(v.Args[1]))
}

func (s *selector) neg(v *ir.Value) {
	s.moveTo(s.def(v), v.Args[0])
	s.negate(v.Type == ir.I32, s.def(v))
}

func (s *selector) trunc(v *ir.Value) { s.mov32(s.def(v), s.reg(v.Args[0])) }

// signExtend selects OpSExt and OpSExtIn. Two extensions in a row are one.
func (s *selector) signExtend(v *ir.Value) {
	a, bytes := v.Args[0], uint8(4)
	if v.Op == ir.OpSExtIn {
		bytes = uint8(v.Imm / 8)
	} else if a.Op == ir.OpSExtIn {
		a, bytes = a.Args[0], uint8(a.Imm/8)
	}
	if s.hasV4() {
		s.movSX(v.Type == ir.I32, s.def(v), s.reg(a), bytes)
		return
	}
	s.moveTo(s.def(v), a)
	s.extendInPlace(v.Type, s.def(v), bytes)
}

// movSX is dst = the low bytes of src, sign-extended (ISA v4).
func (s *selector) movSX(w32 bool, dst, src mir.Reg, bytes uint8) {
	s.emit(mir.Inst{Op: mir.OpMovSX, W32: w32, Width: bytes, Dst: dst, Src: src, Src2: mir.NoReg})
}

// extendInPlace sign-extends the low bytes of r to t.
func (s *selector) extendInPlace(t ir.Type, r mir.Reg, bytes uint8) {
	w32 := t == ir.I32
	if s.hasV4() {
		s.movSX(w32, r, r, bytes)
		return
	}
	k := int64(t.Bits()) - 8*int64(bytes)
	s.aluImm(mir.OpLsh, w32, r, k)
	s.aluImm(mir.OpArsh, w32, r, k)
}

// bswap selects the conversion to big endian, which swaps on the machines there
// is a target for and which every kernel has.
func (s *selector) bswap(v *ir.Value) {
	d := s.def(v)
	s.moveTo(d, v.Args[0])
	s.emit(mir.Inst{Op: mir.OpToBE, Width: uint8(v.Imm / 8), Dst: d, Src: mir.NoReg, Src2: mir.NoReg})
}

// boolean selects a comparison whose result is wanted as a number.
func (s *selector) boolean(v *ir.Value) {
	d, c := s.def(v), s.condition(v)
	if c.cc == mir.SLt && c.y == nil && c.imm == 0 {
		// The sign bit, without a branch.
		s.moveTo(d, c.x)
		s.aluImm(mir.OpRsh, c.w32, d, int64(c.x.Type.Bits()-1))
		return
	}
	in := mir.Inst{Op: mir.OpCSet, W32: c.w32, Cond: c.cc, Dst: d, Src: s.reg(c.x), Src2: mir.NoReg}
	if c.y != nil {
		in.Src2 = s.reg(c.y)
	} else {
		in.Imm = c.imm
	}
	s.emit(in)
	if c.negated {
		s.aluImm(mir.OpXor, true, d, 1)
	}
}
