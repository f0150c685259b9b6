package isel

import (
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// choose selects OpSelect. The result starts as one of the two values and is
// changed to the other if the condition says so:
//
//   - by a conditional move, if the condition compares with an immediate and the
//     other value is a register or a small constant, so that the instruction has
//     at most three register operands;
//   - else by a branch around a move.
func (s *selector) choose(v *ir.Value) {
	c := s.condition(v.Args[0])
	first, other := v.Args[1], v.Args[2] // first if c holds
	if c.negated {
		first, other, c.negated = other, first, false
	}
	if s.startWithOther(c, first, other) {
		if cc, ok := c.cc.Negated(); ok {
			first, other, c.cc = other, first, cc
		}
	}
	d := s.def(v)
	s.moveTo(d, first)
	if c.y != nil || s.isMadeAnew(other) && !s.isSmall(other) {
		s.moveUnless(c, d, other)
		return
	}
	in := mir.Inst{Op: mir.OpCMov, W32: c.w32, Cond: c.cc, Dst: d, Imm: c.imm, Src2: mir.NoReg}
	if imm, ok := s.constant(other); ok {
		in.Off = int32(imm)
	} else {
		in.Src2 = s.reg(other)
	}
	in.Src = s.reg(c.x)
	s.emit(in)
}

// startWithOther reports whether it is better to begin with the value chosen if
// the condition does not hold.
func (s *selector) startWithOther(c cond, first, other *ir.Value) bool {
	if c.y == nil {
		if a, b := s.isSmall(first), s.isSmall(other); a != b {
			return a
		}
	}
	if a, b := s.isMadeAnew(first), s.isMadeAnew(other); a != b {
		return b
	}
	return !s.isLastUse(first) && s.isLastUse(other)
}

// isSmall reports whether v can be the immediate that OpCMov moves: a constant
// that is the same when sign-extended from 32 to 64 bits.
func (s *selector) isSmall(v *ir.Value) bool {
	c, ok := s.constant(v)
	return ok && c <= math.MaxInt32 && (c >= 0 || c >= math.MinInt32 && v.Type != ir.I32)
}

// moveUnless sets d to v if c does not hold.
func (s *selector) moveUnless(c cond, d mir.Reg, v *ir.Value) {
	depth := s.depth[s.block.ID]
	move, join := s.newBlock(depth), s.newBlock(depth)
	s.branchIf(c, join, move)
	s.label(move)
	s.moveTo(d, v)
	s.jump(join)
	s.label(join)
}
