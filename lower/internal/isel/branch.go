package isel

import (
	"fmt"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file selects comparisons that are folded into their users, and the ends
// of blocks.

// A cond is a comparison of x with y, or with imm if y is nil, as conditional
// instructions make it.
type cond struct {
	cc   mir.Cond
	w32  bool
	x, y *ir.Value
	imm  int64
	// negated says that the condition holds if the comparison does not. It
	// occurs with mir.Set only, which has no opposite.
	negated bool
}

var conds = [ir.NumOps]mir.Cond{
	ir.OpEq:  mir.Eq,
	ir.OpNe:  mir.Ne,
	ir.OpULt: mir.ULt,
	ir.OpULe: mir.ULe,
	ir.OpUGt: mir.UGt,
	ir.OpUGe: mir.UGe,
	ir.OpSLt: mir.SLt,
	ir.OpSLe: mir.SLe,
	ir.OpSGt: mir.SGt,
	ir.OpSGe: mir.SGe,
}

// condition returns the condition that v, an I32, is not 0. A comparison is
// folded even if its result is wanted as a number too, since the verifier learns
// from a comparison of the values themselves.
func (s *selector) condition(v *ir.Value) cond {
	op := ir.OpNe
	for {
		x, not := s.testOf(v)
		if x == nil {
			break
		}
		if v = x; not {
			op = op.Negated()
		}
	}
	if v.Op.Is(ir.Compare) {
		if op == ir.OpNe {
			op = v.Op
		} else {
			op = v.Op.Negated()
		}
		return s.compare(op, v.Args[0], v.Args[1])
	}
	c := cond{cc: conds[op], x: v}
	s.foldMask(&c)
	s.reword(&c)
	c.w32 = s.compareLow(&c)
	return c
}

// testOf returns the I32 x if v is not 0 exactly when x is not 0, or if not is
// set, when x is 0. Otherwise x is nil.
func (s *selector) testOf(v *ir.Value) (x *ir.Value, not bool) {
	switch v.Op {
	case ir.OpEq, ir.OpNe:
		x = v.Args[0]
		if c, ok := s.constant(v.Args[1]); ok && c == 0 && x.Type == ir.I32 {
			return x, v.Op == ir.OpEq
		}
	case ir.OpXor:
		x = v.Args[0]
		if c, ok := s.constant(v.Args[1]); ok && c == 1 && x.Op.Is(ir.Compare) {
			return x, true
		}
	}
	return nil, false
}

// compare returns the condition that op holds for a and b.
func (s *selector) compare(op ir.Op, a, b *ir.Value) cond {
	_, constA := s.constant(a)
	if _, constB := s.constant(b); constA && !constB {
		op, a, b = op.Swapped(), b, a
	}
	c := cond{cc: conds[op], x: a, y: b}
	if imm, ok := s.imm(b); ok {
		c.y, c.imm = nil, imm
	}
	s.foldMask(&c)
	s.reword(&c)
	c.w32 = s.compareLow(&c)
	return c
}

// foldMask turns the comparison of a mask with 0 into a test of bits.
func (s *selector) foldMask(c *cond) {
	x := c.x
	if c.y != nil || c.imm != 0 || c.cc != mir.Eq && c.cc != mir.Ne ||
		x.Op != ir.OpAnd || s.values[x.ID].uses != 1 {
		return
	}
	c.negated = c.cc == mir.Eq
	c.cc = mir.Set
	c.x, c.y = s.operands(x)
	if imm, ok := s.imm(c.y); ok {
		c.y, c.imm = nil, imm
	}
}

// compareLow reports whether c has to compare the low halves only. Where the
// upper halves are known to be zero, unsigned comparisons are made on 64 bits, see
// the package comment.
func (s *selector) compareLow(c *cond) bool {
	if c.x.Type != ir.I32 {
		return false
	}
	if c.cc >= mir.SLt && c.cc <= mir.SGe || c.imm < 0 || s.values[c.x.ID].dirty {
		return true
	}
	if c.y == nil {
		return false
	}
	// A constant that is no immediate is not an I32.
	return s.values[c.y.ID].dirty
}

// branchIf ends a block with a branch to yes if c holds, else to no.
func (s *selector) branchIf(c cond, yes, no *mir.Block) {
	if c.negated {
		yes, no = no, yes
	}
	in := mir.Inst{Op: mir.OpBr, W32: c.w32, Cond: c.cc, Dst: s.reg(c.x), Src: mir.NoReg, Src2: mir.NoReg, To: yes, Else: no}
	if c.y != nil {
		in.Src = s.reg(c.y)
	} else {
		in.Imm = c.imm
	}
	s.emit(in)
}

// terminator selects the end of the current block.
func (s *selector) terminator(t *ir.Term) {
	switch t.Kind {
	case ir.TermJump:
		e := t.Succs[0]
		s.parallelMove(s.edgeMoves(e))
		s.jump(s.blocks[e.To.ID])
	case ir.TermBranch:
		yes, no := s.edgeBlock(t.Succs[0]), s.edgeBlock(t.Succs[1])
		s.branchIf(s.condition(t.Args[0]), yes, no)
	case ir.TermReturn:
		s.results(t.Args)
	case ir.TermPanic:
		s.panic(t)
	case ir.TermUnreachable:
		s.simple(mir.OpUnreachable, 0)
	default:
		panic(fmt.Sprintf("BUG: isel: block without terminator in %s", s.fn.Name))
	}
}
