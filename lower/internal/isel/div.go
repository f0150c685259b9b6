package isel

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file selects divisions.
//
// Unsigned division is one instruction and total: x/0 is 0 and x%0 is x. The
// verifier refuses constant zero divisors, so those are folded here.
//
// Signed division exists from ISA v4 on. Elsewhere it is made of unsigned
// division on magnitudes, without a branch that the verifier would have to
// follow both ways. With the sign masks m = a >> 63 and n = b >> 63, which are 0
// or -1, (x ^ m) - m negates x exactly if m is -1, and
//
//	a / b = (q ^ s) - s   where q = |a| /u |b| and s = m ^ n
//	a % b = (r ^ m) - m   where r = |a| %u |b|
//
// The cases BPF defines specially come out right: for b = 0, q is 0 and r is |a|;
// the smallest integer is its own magnitude as an unsigned number, so that
// divided by -1 it gives itself, remainder 0.
//
// Signed division by powers of two is done by shifts on every target: adding
// 2^k - 1 to negative dividends makes the arithmetic shift round toward zero
// (Warren, "Hacker's Delight", 10-1).

// safeSDiv is the first release whose every kernel survives the division of the
// smallest integer by -1 in a register on amd64: 7dd34d7b7dcf "bpf: Fix a sdiv
// overflow issue".
var safeSDiv = target.Version{Major: 6, Minor: 12}

func (s *selector) udiv(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	c, ok := s.constant(v.Args[1])
	k, pow2 := log2(c, v.Type)
	switch {
	case ok && c == 0:
		s.movImm(d, v.Type, 0)
	case ok && pow2:
		s.moveTo(d, v.Args[0])
		s.aluImm(mir.OpRsh, w32, d, k)
	default:
		s.divide(mir.OpDiv, v)
	}
}

func (s *selector) urem(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	c, ok := s.constant(v.Args[1])
	_, pow2 := log2(c, v.Type)
	switch {
	case ok && c == 0:
		s.moveInt(d, v.Args[0])
	case ok && pow2 && fits32(c-1):
		s.moveTo(d, v.Args[0])
		s.aluImm(mir.OpAnd, w32, d, c-1)
	default:
		s.divide(mir.OpRem, v)
	}
}

func (s *selector) sdiv(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	c, ok := s.constant(v.Args[1])
	k, pow2 := log2(magnitude(c), v.Type)
	switch {
	case ok && c == 0:
		s.movImm(d, v.Type, 0)
	case ok && pow2 && k == 0:
		s.moveInt(d, v.Args[0])
	case ok && pow2:
		s.addBias(d, v.Args[0], k)
		s.aluImm(mir.OpArsh, w32, d, k)
	default:
		s.signedDivide(mir.OpSDiv, mir.OpDiv, v)
		return
	}
	if c < 0 {
		s.negate(w32, d)
	}
}

func (s *selector) srem(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	c, ok := s.constant(v.Args[1])
	k, pow2 := log2(magnitude(c), v.Type)
	switch {
	case ok && c == 0:
		s.moveInt(d, v.Args[0])
	case ok && pow2 && k == 0:
		s.movImm(d, v.Type, 0)
	case ok && pow2:
		// The dividend less the multiple of the divisor below it.
		t := s.out.NewReg()
		s.addBias(t, v.Args[0], k)
		if w32 || k < 32 {
			s.aluImm(mir.OpAnd, w32, t, int64(int32(-1)<<k))
		} else {
			s.aluImm(mir.OpRsh, false, t, k)
			s.aluImm(mir.OpLsh, false, t, k)
		}
		s.moveTo(d, v.Args[0])
		s.alu(mir.OpSub, w32, d, t)
	default:
		s.signedDivide(mir.OpSRem, mir.OpRem, v)
	}
}

// divide selects the instruction op as it is.
func (s *selector) divide(op mir.Op, v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	s.moveTo(d, v.Args[0])
	if c, ok := s.imm(v.Args[1]); ok {
		s.aluImm(op, w32, d, c)
		return
	}
	s.alu(op, w32, d, s.reg(v.Args[1]))
}

// signedDivide selects the signed instruction where there is one that is safe,
// and otherwise the unsigned one on magnitudes. The divisor is not the
// constant 0, 1 or -1.
func (s *selector) signedDivide(signed, unsigned mir.Op, v *ir.Value) {
	c, isConst := s.constant(v.Args[1])
	if s.hasV4() && (isConst || s.target.Kernel.AtLeast(safeSDiv)) {
		s.divide(signed, v)
		return
	}
	d, w32 := s.def(v), v.Type == ir.I32
	sign := s.signMask(v.Args[0])
	s.moveTo(d, v.Args[0])
	s.negateIf(sign, w32, d)
	if isConst {
		if m := magnitude(c); fits32(m) {
			s.aluImm(unsigned, w32, d, m)
		} else {
			t := s.out.NewReg()
			s.movImm(t, v.Type, m)
			s.alu(unsigned, w32, d, t)
		}
		s.negateIf(sign, w32, d)
		if signed == mir.OpSDiv && c < 0 {
			s.negate(w32, d)
		}
		return
	}
	other, t := s.signMask(v.Args[1]), s.out.NewReg()
	s.moveTo(t, v.Args[1])
	s.negateIf(other, w32, t)
	s.alu(unsigned, w32, d, t)
	if signed == mir.OpSDiv {
		s.alu(mir.OpXor, w32, sign, other)
	}
	s.negateIf(sign, w32, d)
}

// signMask returns a register with -1 if v is negative, else 0.
func (s *selector) signMask(v *ir.Value) mir.Reg {
	m := s.out.NewReg()
	s.moveTo(m, v)
	s.aluImm(mir.OpArsh, v.Type == ir.I32, m, int64(v.Type.Bits()-1))
	return m
}

// negateIf negates r if mask is -1 and leaves it if mask is 0.
func (s *selector) negateIf(mask mir.Reg, w32 bool, r mir.Reg) {
	s.alu(mir.OpXor, w32, r, mask)
	s.alu(mir.OpSub, w32, r, mask)
}

// addBias sets d to v, plus 2^k - 1 if v is negative, for a k greater than 0.
func (s *selector) addBias(d mir.Reg, v *ir.Value, k int64) {
	w32, width := v.Type == ir.I32, int64(v.Type.Bits())
	s.moveTo(d, v)
	if k > 1 {
		s.aluImm(mir.OpArsh, w32, d, width-1)
	}
	s.aluImm(mir.OpRsh, w32, d, width-k)
	s.alu(mir.OpAdd, w32, d, s.reg(v))
}

// moveInt sets d to v, an integer, and makes sure of its upper half.
func (s *selector) moveInt(d mir.Reg, v *ir.Value) {
	if s.values[v.ID].dirty {
		s.mov32(d, s.reg(v))
		return
	}
	s.moveTo(d, v)
}

// magnitude returns the absolute value of c as an unsigned number.
func magnitude(c int64) int64 {
	if c < 0 {
		return -c
	}
	return c
}
