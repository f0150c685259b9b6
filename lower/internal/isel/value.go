package isel

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A value is what selection knows of an ir.Value.
type value struct {
	// root is the value in whose register this one is found, often itself. reg,
	// slot, off and wide are those of the root.
	root *ir.Value
	// reg is the register, or NoReg while no use has asked for it.
	reg mir.Reg
	// konst is the value if isConst, as ir.OpConst holds it.
	isConst bool
	konst   int64
	// slot and off are what the value is the address of, if slot is not nil;
	// off is within the slot or at its end.
	slot *mir.Slot
	off  int64
	// dirty marks an I32 whose register has an undefined upper half, which all
	// its users ignore.
	dirty bool
	// wide marks a sign-extending load of an I32 that is made as one of an I64.
	wide bool

	// becomes is a parameter that the value, a root, is moved to at the end of a
	// block.
	becomes *ir.Value

	uses     int // operands and edge arguments that are this value
	lowUses  int // uses that ignore the upper half of the register
	sextUses int // uses by OpSExt; they count as low uses as well
}

// prepare makes the decisions that need to look at all users of a value or that
// users rely on. order is the reachable blocks in reverse postorder, in which
// definitions come before uses.
func (s *selector) prepare(order []*ir.Block) {
	s.values = make([]value, s.fn.NumValues())
	into := make([]ir.Edge, s.fn.NumBlocks()) // the last edge to each block
	for _, b := range order {
		for _, v := range b.Instrs {
			for i := range v.Args {
				s.countUse(v, i)
			}
		}
		for _, a := range b.Term.Args {
			u := &s.values[a.ID]
			u.uses++
			if b.Term.Kind == ir.TermBranch {
				u.lowUses++
			}
		}
		for _, e := range b.Term.Succs {
			into[e.To.ID] = e
			for _, a := range e.Args {
				s.values[a.ID].uses++
			}
		}
	}
	for _, b := range order {
		for i, p := range b.Params {
			s.setRoot(p)
			if s.preds[b.ID] == 1 {
				s.share(p, into[b.ID].Args[i])
			}
		}
		for _, v := range b.Instrs {
			s.setRoot(v)
			s.classify(v)
		}
	}
}

func (s *selector) countUse(user *ir.Value, i int) {
	u := &s.values[user.Args[i].ID]
	u.uses++
	if readsLow(user, i) {
		u.lowUses++
	}
	if user.Op == ir.OpSExt {
		u.sextUses++
	}
}

// readsLow reports whether the code for user ignores the upper half of the
// register that holds operand i.
func readsLow(user *ir.Value, i int) bool {
	switch op := user.Op; op {
	case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpUDiv, ir.OpSDiv, ir.OpURem, ir.OpSRem,
		ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpShl, ir.OpLShr, ir.OpAShr, ir.OpNeg, ir.OpSExtIn, ir.OpBswap:
		return user.Type == ir.I32
	case ir.OpTrunc, ir.OpSExt, ir.OpCheck:
		return true
	case ir.OpSelect:
		return i == 0
	case ir.OpStore:
		return i == 1 && user.Width <= 4
	case ir.OpAtomic:
		return i > 0 && user.Width == 4
	default:
		return op.Is(ir.Compare) && user.Args[i].Type == ir.I32
	}
}

func (s *selector) setRoot(v *ir.Value) {
	s.values[v.ID].root = v
	s.values[v.ID].reg = mir.NoReg
}

// share makes v, which has the same bits as a, use a's register, or makes it the
// same constant.
func (s *selector) share(v, a *ir.Value) {
	to, from := &s.values[v.ID], &s.values[a.ID]
	to.root, to.isConst, to.konst = from.root, from.isConst, from.konst
}

// classify decides how v is represented: as a constant, in the register of
// another value, as an address in the frame, or in a register of its own.
func (s *selector) classify(v *ir.Value) {
	i := &s.values[v.ID]
	switch v.Op {
	case ir.OpConst:
		i.isConst, i.konst = true, v.Imm
	case ir.OpPi, ir.OpCheckIdx, ir.OpCheckULe, ir.OpCheckNonNil, ir.OpPtrToInt, ir.OpIntToPtr:
		s.share(v, v.Args[0])
	case ir.OpZExt:
		s.share(v, v.Args[0])
		i.konst = int64(uint32(i.konst))
	case ir.OpTrunc:
		switch from := &s.values[v.Args[0].ID]; {
		case from.isConst:
			i.isConst, i.konst = true, int64(int32(from.konst))
		case i.lowUses == i.uses:
			s.share(v, v.Args[0])
			i.dirty = true
		case s.hasZeroUpper(from.root):
			s.share(v, v.Args[0])
		}
	case ir.OpSExt:
		if from := &s.values[v.Args[0].ID]; from.isConst || v.Args[0].Op == ir.OpLoad && from.wide {
			s.share(v, v.Args[0])
		}
	case ir.OpLoad:
		if v.Type == ir.I32 && v.Signed && i.lowUses == i.uses && (i.sextUses > 0 || s.hasV4()) {
			i.wide, i.dirty = true, true
		}
	case ir.OpSlotAddr:
		i.slot = s.slots[v.Slot().Index]
	case ir.OpPtrAdd:
		base := s.root(v.Args[0])
		if c, ok := s.constant(v.Args[1]); ok && base.slot != nil {
			if off := base.off + c; off >= 0 && off <= base.slot.Size {
				i.slot, i.off = base.slot, off
			}
		}
	}
}

// hasZeroUpper reports whether the upper half of root's register is zero, in a
// way the kernel verifier sees.
func (s *selector) hasZeroUpper(root *ir.Value) bool {
	if root.Type == ir.I32 {
		return !s.values[root.ID].wide
	}
	switch root.Op {
	case ir.OpLoad:
		return root.Width <= 4 && !root.Signed
	case ir.OpLShr:
		c, ok := s.constant(root.Args[1])
		return ok && c&63 >= 32
	case ir.OpAnd:
		for _, a := range root.Args {
			if c, ok := s.constant(a); ok && c>>32 == 0 {
				return true
			}
		}
	}
	return false
}

// root returns what is known of the root of v.
func (s *selector) root(v *ir.Value) *value { return &s.values[s.values[v.ID].root.ID] }

// constant returns the value of v as ir.OpConst would hold it, if it is constant.
func (s *selector) constant(v *ir.Value) (int64, bool) {
	i := &s.values[v.ID]
	return i.konst, i.isConst
}

// imm returns the value of v if it is a constant that fits in an immediate
// operand.
func (s *selector) imm(v *ir.Value) (int64, bool) {
	c, ok := s.constant(v)
	return c, ok && fits32(c)
}

// reg returns a register that holds v: the one that all uses share, or, for what
// is made where it is needed, a new one that the code of the current value sets.
func (s *selector) reg(v *ir.Value) mir.Reg {
	r := s.root(v)
	if s.isMadeAnew(v) {
		t := s.out.NewReg()
		s.moveTo(t, v)
		return t
	}
	if r.reg == mir.NoReg {
		r.reg = s.out.NewReg()
	}
	return r.reg
}

// isMadeAnew reports whether v is computed at each of its uses, in one or two
// instructions without operands.
func (s *selector) isMadeAnew(v *ir.Value) bool {
	i := &s.values[v.ID]
	return i.isConst || s.root(v).slot != nil || i.root.Op == ir.OpMapRef || i.root.Op == ir.OpFuncAddr
}

// moveTo sets dst to v.
func (s *selector) moveTo(dst mir.Reg, v *ir.Value) {
	i, r := &s.values[v.ID], s.root(v)
	switch op := i.root.Op; {
	case i.isConst:
		s.movImm(dst, v.Type, i.konst)
	case r.slot != nil:
		s.frameAddr(dst, r.slot, r.off)
	case op == ir.OpMapRef:
		s.loadSym(dst, mir.Sym{Kind: mir.SymMap, Name: i.root.Map().Name}, 0)
	case op == ir.OpFuncAddr:
		s.loadSym(dst, mir.Sym{Kind: mir.SymFunc, Name: i.root.Callee().Name}, 0)
	case op == ir.OpDataAddr && r.uses == 1 && r.reg == mir.NoReg:
		s.loadSym(dst, dataSym(i.root), i.root.Imm)
	default:
		s.mov(dst, s.reg(v))
	}
}

// def returns the register that v, which is its own root, is to be set to.
func (s *selector) def(v *ir.Value) mir.Reg { return s.values[v.ID].reg }

// isLastUse reports whether the use of v by the current value is likely to be the
// last one on every path, so that a two-address instruction may overwrite v's
// register without a copy. Since code is selected backwards, no use has asked
// for the register yet; a value from outside of the loop is needed again in the
// next round. The answer affects the quality of the code only.
func (s *selector) isLastUse(v *ir.Value) bool {
	root := s.values[v.ID].root
	return !s.isMadeAnew(v) && s.values[root.ID].reg == mir.NoReg &&
		s.depth[root.Block.ID] == s.depth[s.block.ID]
}
