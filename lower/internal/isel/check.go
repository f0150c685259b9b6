package isel

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file selects checks. Their results have the register of the operand that
// they check, see [selector.classify].

// check selects OpCheck with the opposite of the condition that must hold.
func (s *selector) check(v *ir.Value) {
	c := s.condition(v.Args[0])
	switch cc, ok := c.cc.Negated(); {
	case ok:
		c.cc = cc
	case c.negated:
		c.negated = false
	default:
		// No bit of x in the mask is set: there is no such comparison.
		t := s.out.NewReg()
		s.moveTo(t, c.x)
		if c.y != nil {
			s.alu(mir.OpAnd, c.w32, t, s.reg(c.y))
		} else {
			s.aluImm(mir.OpAnd, c.w32, t, c.imm)
		}
		s.emit(mir.Inst{Op: mir.OpCheck, Cond: mir.Eq, W32: c.w32, Dst: t, Src: mir.NoReg, Src2: mir.NoReg, Site: v.Site().Index})
		return
	}
	s.panicIf(c, v.Site())
}

// panicIf panics at site if c holds, which is not negated.
func (s *selector) panicIf(c cond, site *ir.Site) {
	in := mir.Inst{Op: mir.OpCheck, W32: c.w32, Cond: c.cc, Dst: s.reg(c.x), Src: mir.NoReg, Src2: mir.NoReg, Site: site.Index}
	if c.y != nil {
		in.Src = s.reg(c.y)
	} else {
		in.Imm = c.imm
	}
	s.emit(in)
}

func (s *selector) checkIdx(v *ir.Value) {
	s.panicIf(s.compare(ir.OpUGe, v.Args[0], v.Args[1]), v.Site())
}

func (s *selector) checkULe(v *ir.Value) {
	s.panicIf(s.compare(ir.OpUGt, v.Args[0], v.Args[1]), v.Site())
}

// checkNonNil needs no code for the addresses of variables.
func (s *selector) checkNonNil(v *ir.Value) {
	if s.root(v).slot != nil || s.values[v.ID].root.Op == ir.OpDataAddr {
		return
	}
	s.panicIf(cond{cc: mir.Eq, x: v.Args[0]}, v.Site())
}

func (s *selector) loopLimit(v *ir.Value) { s.simple(mir.OpLoopLimit, v.Site().Index) }

// opaque adds what the verifier takes for any number, and is 0. The upper half of an
// I32 is cleared where the verifier sees it.
func (s *selector) opaque(v *ir.Value) {
	d, w32 := s.def(v), v.Type == ir.I32
	s.emit(mir.Inst{Op: mir.OpOpaque, Dst: d, Src: mir.NoReg, Src2: mir.NoReg})
	switch c, ok := s.imm(v.Args[0]); {
	case ok && c != 0:
		s.aluImm(mir.OpAdd, w32, d, c)
	case !ok:
		s.alu(mir.OpAdd, w32, d, s.reg(v.Args[0]))
	case w32:
		s.mov32(d, d)
	}
}
