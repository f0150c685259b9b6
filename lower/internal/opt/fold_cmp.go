package opt

import (
	"math"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file folds comparisons and what is decided by them: select, check and
// branch.

func foldCompare(s *folder, v *ir.Value) *ir.Value {
	if v.Args[0].Op == ir.OpConst && v.Args[1].Op != ir.OpConst {
		v.Op = v.Op.Swapped()
		v.Args[0], v.Args[1] = v.Args[1], v.Args[0]
		return v
	}
	x, y := v.Args[0], v.Args[1]
	switch {
	case x == y:
		return s.constant(ir.I32, boolConst(evalCompare(v.Op, ir.I64, 0, 0)))
	case !x.Type.IsInt():
		return foldComparePointers(s, v)
	}
	if holds, ok := decideByRange(v); ok {
		return s.constant(ir.I32, boolConst(holds))
	}
	if op := unsignedForm(v.Op); op != v.Op && isNonNegative(x) && isNonNegative(y) {
		return s.become(v, op, x, y)
	}
	c, ok := y.IsConst()
	if !ok {
		return foldCompareExtended(s, v)
	}
	if w := foldStrict(s, v, c); w != nil {
		return w
	}
	if v.Op == ir.OpEq || v.Op == ir.OpNe {
		return foldEqualConst(s, v, c)
	}
	return foldCompareExtended(s, v)
}

// foldComparePointers decides comparisons of addresses that are known.
func foldComparePointers(s *folder, v *ir.Value) *ir.Value {
	if v.Op != ir.OpEq && v.Op != ir.OpNe {
		return nil
	}
	x, y := v.Args[0], v.Args[1]
	differ := isConst(y, 0) && isNonNil(x)
	if x.Op == ir.OpSlotAddr && y.Op == ir.OpSlotAddr {
		if x.Slot() == y.Slot() {
			return s.constant(ir.I32, boolConst(v.Op == ir.OpEq))
		}
		// Variables of size 0 may or may not have the same address.
		differ = x.Slot().Size > 0 && y.Slot().Size > 0
	}
	if differ {
		return s.constant(ir.I32, boolConst(v.Op == ir.OpNe))
	}
	return nil
}

// isNonNil reports whether the pointer v is certainly not nil.
func isNonNil(v *ir.Value) bool {
	for range maxBitsDepth {
		switch {
		case v.Op == ir.OpConst:
			return false
		case v.Op == ir.OpSlotAddr, v.Op == ir.OpDataAddr, v.Op == ir.OpCheckNonNil:
			return true
		case v.Op == ir.OpPi: // of which it has been found out
			return true
		case v.Type == ir.PtrCtx, isPacketStart(v), v.Type == ir.PtrPacketEnd:
			return true
		case v.Op != ir.OpPtrAdd:
			return false
		}
		v = v.Args[0]
	}
	return false
}

// decideByRange decides v if the ranges of its operands do not meet.
func decideByRange(v *ir.Value) (holds, ok bool) {
	x, y := v.Args[0], v.Args[1]
	switch v.Op {
	case ir.OpEq, ir.OpNe:
		zx, ox := knownBits(x)
		zy, oy := knownBits(y)
		if zx&oy|ox&zy != 0 {
			return v.Op == ir.OpNe, true
		}
	case ir.OpSLt, ir.OpSLe, ir.OpSGt, ir.OpSGe:
		if v.Args[1].Op != ir.OpConst {
			return false, false
		}
		lo, hi := signedRange(x)
		a := evalCompare(v.Op, ir.I64, lo, y.Imm)
		b := evalCompare(v.Op, ir.I64, hi, y.Imm)
		return a, a == b
	}
	xlo, xhi := unsignedRange(x)
	ylo, yhi := unsignedRange(y)
	switch v.Op {
	case ir.OpULt:
		return xhi < ylo, xhi < ylo || xlo >= yhi
	case ir.OpULe:
		return xhi <= ylo, xhi <= ylo || xlo > yhi
	case ir.OpUGt:
		return xlo > yhi, xlo > yhi || xhi <= ylo
	case ir.OpUGe:
		return xlo >= yhi, xlo >= yhi || xhi < ylo
	case ir.OpEq, ir.OpNe:
		return v.Op == ir.OpNe, xhi < ylo || xlo > yhi
	}
	return false, false
}

// signedRange returns bounds of v as a signed number.
func signedRange(v *ir.Value) (lo, hi int64) {
	if isNonNegative(v) {
		_, u := unsignedRange(v)
		return 0, int64(u)
	}
	n := uint(64 - v.Type.Bits() + signBits(v))
	return math.MinInt64 >> (n - 1), math.MaxInt64 >> (n - 1)
}

// unsignedForm returns the unsigned comparison that agrees with op on numbers
// that are not negative.
func unsignedForm(op ir.Op) ir.Op {
	switch op {
	case ir.OpSLt:
		return ir.OpULt
	case ir.OpSLe:
		return ir.OpULe
	case ir.OpSGt:
		return ir.OpUGt
	case ir.OpSGe:
		return ir.OpUGe
	}
	return op
}

// foldStrict brings comparisons with the constant c to their canonical form.
func foldStrict(s *folder, v *ir.Value, c int64) *ir.Value {
	x := v.Args[0]
	u := unsigned(x.Type, c)
	// An immediate of 64-bit operations is 32 bits and signed.
	fits := c != math.MaxInt32 && c != math.MaxInt64
	switch {
	case v.Op == ir.OpULt && u == 1, v.Op == ir.OpULe && u == 0:
		return s.become(v, ir.OpEq, x, s.constant(x.Type, 0))
	case v.Op == ir.OpUGt && u == 0, v.Op == ir.OpUGe && u == 1:
		return s.become(v, ir.OpNe, x, s.constant(x.Type, 0))
	case v.Op == ir.OpULe && fits && u != typeMask(x.Type):
		return s.become(v, ir.OpULt, x, s.constant(x.Type, c+1))
	case v.Op == ir.OpUGt && fits && u != typeMask(x.Type):
		return s.become(v, ir.OpUGe, x, s.constant(x.Type, c+1))
	case v.Op == ir.OpSLe && fits:
		return s.become(v, ir.OpSLt, x, s.constant(x.Type, c+1))
	case v.Op == ir.OpSGt && fits:
		return s.become(v, ir.OpSGe, x, s.constant(x.Type, c+1))
	}
	return nil
}

// foldEqualConst folds equality with the constant c.
func foldEqualConst(s *folder, v *ir.Value, c int64) *ir.Value {
	x := v.Args[0]
	equal := v.Op == ir.OpEq
	if _, hi := unsignedRange(x); hi <= 1 { // x is a truth value; c is 0 or 1
		switch {
		case equal == (c == 1) && x.Type == ir.I32:
			return x
		case x.Op.Is(ir.Compare):
			return s.become(v, x.Op.Negated(), x.Args[0], x.Args[1])
		}
	}
	if x.Op == ir.OpZExt && s.single(x) { // c fits, or the ranges did not meet
		return s.become(v, v.Op, x.Args[0], s.constant(ir.I32, c))
	}
	if x.Op == ir.OpSExt && s.single(x) && c == int64(int32(c)) {
		return s.become(v, v.Op, x.Args[0], s.constant(ir.I32, c))
	}
	if len(x.Args) != 2 || !s.single(x) {
		return nil
	}
	d, isConst := constArg(x, 1)
	switch {
	case x.Op == ir.OpAdd && isConst:
		return s.become(v, v.Op, x.Args[0], s.constant(x.Type, c-d))
	case x.Op == ir.OpXor && isConst:
		return s.become(v, v.Op, x.Args[0], s.constant(x.Type, c^d))
	case c == 0 && (x.Op == ir.OpSub || x.Op == ir.OpXor):
		return s.become(v, v.Op, x.Args[0], x.Args[1])
	}
	return nil
}

// foldCompareExtended compares what was extended to 64 bits on 32 bits, if
// nothing else looks at the extended values.
func foldCompareExtended(s *folder, v *ir.Value) *ir.Value {
	x, y := v.Args[0], v.Args[1]
	if x.Op != ir.OpZExt && x.Op != ir.OpSExt || !s.single(x) {
		return nil
	}
	op := v.Op
	switch c, isConst := y.IsConst(); {
	case isConst && x.Op == ir.OpZExt && uint64(c)>>32 == 0:
		op = unsignedForm(op)
		y = s.constant(ir.I32, c)
	case isConst && x.Op == ir.OpSExt && c == int64(int32(c)):
		y = s.constant(ir.I32, c)
	case y.Op == x.Op && s.single(y):
		if x.Op == ir.OpZExt {
			op = unsignedForm(op)
		}
		y = y.Args[0]
	default:
		return nil
	}
	return s.become(v, op, x.Args[0], y)
}

// truth returns a condition that is 0 exactly if v is not (negated) or is
// (not negated) 0, with comparisons against 0 left out.
func truth(v *ir.Value) (cond *ir.Value, negated bool) {
	for v.Op == ir.OpEq || v.Op == ir.OpNe {
		if x := v.Args[0]; x.Type != ir.I32 || !isConst(v.Args[1], 0) {
			break
		}
		negated = negated != (v.Op == ir.OpEq)
		v = v.Args[0]
	}
	return v, negated
}

func foldSelect(s *folder, v *ir.Value) *ir.Value {
	cond, yes, no := v.Args[0], v.Args[1], v.Args[2]
	if c, ok := cond.IsConst(); ok {
		chosen := yes
		if c == 0 {
			chosen = no
		}
		return s.as(v, chosen)
	}
	if sameValue(yes, no) {
		return s.as(v, yes)
	}
	if base, negated := truth(cond); base != cond {
		if negated {
			yes, no = no, yes
		}
		return s.become(v, ir.OpSelect, base, yes, no)
	}
	if !v.Type.IsInt() || yes.Op != ir.OpConst || no.Op != ir.OpConst {
		return nil
	}
	if _, hi := unsignedRange(cond); hi > 1 {
		return nil
	}
	switch {
	case yes.Imm == 1 && no.Imm == 0:
		return s.widened(v, cond)
	case yes.Imm == 0 && no.Imm == 1:
		not := s.emit(ir.OpXor, ir.I32, cond, s.constant(ir.I32, 1))
		return s.widened(v, not)
	}
	return nil
}

// as returns w where v stood: itself, if its type allows it.
func (s *folder) as(v, w *ir.Value) *ir.Value {
	if canReplace(v, w) || w.Op == ir.OpConst {
		return w
	}
	return nil
}

// widened returns the I32 truth value w as v's type has it.
func (s *folder) widened(v, w *ir.Value) *ir.Value {
	if v.Type == ir.I32 {
		return w
	}
	return s.become(v, ir.OpZExt, w)
}

func foldCheck(s *folder, v *ir.Value) *ir.Value {
	if c, ok := constArg(v, 0); ok && c != 0 {
		return v.Args[0]
	}
	if base, negated := truth(v.Args[0]); base != v.Args[0] && !negated {
		return s.become(v, ir.OpCheck, base)
	}
	return nil
}

// foldBranch simplifies the condition of the branch t.
func (s *folder) foldBranch(t *ir.Term) {
	base, negated := truth(t.Args[0])
	if base == t.Args[0] {
		return
	}
	s.changed = true
	t.Args[0] = base
	s.addUses(base, 1)
	if negated {
		t.Succs[0], t.Succs[1] = t.Succs[1], t.Succs[0]
	}
}
