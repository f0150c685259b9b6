package opt

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file folds: it replaces operations by simpler ones that are equal, looking
// at an operation and a few levels of its operands. The rules are in the files
// fold_*.go, a function for each operation; knownbits.go tells them which bits of
// a value are certain.
//
// Method: blocks are visited in reverse postorder, so that operands have been
// simplified when a rule sees them, and a rule is applied again to its own result
// until nothing more is found. Only what loops carry, and rules that ask
// whether an operand has another use, need further rounds; there are at most
// maxFoldRounds.
//
// Canonical form, which rules may rely on and must not undo: constants stand
// right; a subtraction of a constant is an addition; <= and > against a constant
// are < and >= where the constant allows it; displacements are in the memory
// operation.
//
// What the verifier sees: a rule may change the operands of a comparison only
// if the comparison is their only user, because a comparison may be the proof
// for another use of the same value; and no rule takes an index apart, because
// the sum that was checked is the sum that must be added to the pointer.
//
// Before:                          After:
//
//	v2 = add i32 v0, v1   (v1 is 3) v5 = add i32 v0, v4   (v4 is 8)
//	v3 = add i32 v2, v9   (v9 is 5) v6 = and i32 v5, v8   (v8 is 7)
//	v5 = urem i32 v3, v7  (v7 is 8)

// maxFoldRounds bounds the rounds. A third round rarely finds anything.
const maxFoldRounds = 4

// Fold simplifies the operations of f one by one.
func Fold(f *ir.Func, _ *Config) {
	for range maxFoldRounds {
		s := newFolder(f)
		for _, b := range ir.RPO(f) {
			s.foldBlock(b)
		}
		s.names.apply()
		if !s.changed {
			return
		}
	}
}

// A folder is the state of one round.
type folder struct {
	f       *ir.Func
	names   *renaming
	uses    []int32 // by Value.ID: at least the number of uses
	changed bool

	b   *ir.Block
	out []*ir.Value // the instructions of b so far
	pos ir.Pos      // of the instruction that is being simplified
}

func newFolder(f *ir.Func) *folder {
	s := &folder{f: f, names: newRenaming(f), uses: make([]int32, f.NumValues())}
	for _, b := range f.Blocks {
		b.EachUse(func(u ir.Use) { s.uses[u.Get().ID]++ })
	}
	return s
}

// A foldRule simplifies v, whose operands are simplified already. It returns
// nil if it finds nothing, v if it changed v in place, and otherwise the value
// that replaces v.
type foldRule func(s *folder, v *ir.Value) *ir.Value

// foldRules has the rules by operation. It is filled by init because rules
// lead to others by way of folder.emit.
var foldRules [ir.NumOps]foldRule

func init() {
	foldRules = [ir.NumOps]foldRule{
		ir.OpAdd: foldAdd, ir.OpSub: foldSub, ir.OpMul: foldMul, ir.OpNeg: foldNeg,
		ir.OpUDiv: foldUDiv, ir.OpURem: foldURem, ir.OpSDiv: foldSDiv, ir.OpSRem: foldSRem,

		ir.OpAnd: foldAnd, ir.OpOr: foldOr, ir.OpXor: foldXor,
		ir.OpShl: foldShl, ir.OpLShr: foldLShr, ir.OpAShr: foldAShr,
		ir.OpSExtIn: foldSExtIn, ir.OpTrunc: foldTrunc, ir.OpZExt: foldZExt, ir.OpSExt: foldSExt,
		ir.OpBswap: foldBswap,

		ir.OpEq: foldCompare, ir.OpNe: foldCompare,
		ir.OpULt: foldCompare, ir.OpULe: foldCompare, ir.OpUGt: foldCompare, ir.OpUGe: foldCompare,
		ir.OpSLt: foldCompare, ir.OpSLe: foldCompare, ir.OpSGt: foldCompare, ir.OpSGe: foldCompare,
		ir.OpSelect: foldSelect, ir.OpCheck: foldCheck,

		ir.OpPtrAdd: foldPtrAdd, ir.OpPtrDiff: foldPtrDiff,
		ir.OpLoad: foldLoad, ir.OpStore: foldStore, ir.OpAtomic: foldDisp, ir.OpMemZero: foldDisp,
		ir.OpCheckIdx: foldCheckBound, ir.OpCheckULe: foldCheckBound, ir.OpCheckNonNil: foldCheckNonNil,
		ir.OpPi: foldPi,
	}
}

func (s *folder) foldBlock(b *ir.Block) {
	old := b.Instrs
	s.b, s.out = b, make([]*ir.Value, 0, len(old))
	for _, v := range old {
		s.names.args(v.Args)
		s.pos = v.Pos
		if w := s.simplify(v); w == v {
			s.out = append(s.out, v)
		} else {
			s.replace(v, w)
		}
	}
	s.names.term(&b.Term)
	if b.Term.Kind == ir.TermBranch {
		s.pos = b.Term.Pos
		s.foldBranch(&b.Term)
	}
	b.Instrs = s.out
}

// simplify applies the rules for v until none applies, and returns v or what
// replaces it.
func (s *folder) simplify(v *ir.Value) *ir.Value {
	for {
		if c, ok := evalConst(v, v.Args); ok && v.Type.IsInt() {
			s.changed = true
			return s.constant(v.Type, c)
		}
		rule := foldRules[v.Op]
		if rule == nil {
			return v
		}
		w := rule(s, v)
		if w == nil {
			return v
		}
		s.changed = true
		if w != v {
			return w
		}
	}
}

// replace notes that w stands for v from now on.
func (s *folder) replace(v, w *ir.Value) {
	if v.Type == ir.Void {
		return // a check that always holds: w says so and nobody asks
	}
	if !canReplace(v, w) && w.Op == ir.OpConst {
		w = s.constant(v.Type, w.Imm)
	}
	s.names.set(v, w)
	s.addUses(w, s.useCount(v))
}

// constant returns a new constant in the current block.
func (s *folder) constant(t ir.Type, c int64) *ir.Value {
	v := constant(s.f, t, c)
	v.Block = s.b
	s.out = append(s.out, v)
	return v
}

// emit returns a op b..., simplified, adding to the current block what it needs.
func (s *folder) emit(op ir.Op, t ir.Type, args ...*ir.Value) *ir.Value {
	return s.add(s.f.NewValue(op, t, s.pos, args...))
}

// emitImm is emit for operations with an immediate.
func (s *folder) emitImm(op ir.Op, t ir.Type, imm int64, args ...*ir.Value) *ir.Value {
	v := s.f.NewValue(op, t, s.pos, args...)
	v.Imm = imm
	return s.add(v)
}

func (s *folder) add(v *ir.Value) *ir.Value {
	for _, a := range v.Args {
		s.addUses(a, 1)
	}
	w := s.simplify(v)
	if w == v {
		v.Block = s.b
		s.out = append(s.out, v)
	}
	return w
}

// become turns v into op with args in place, and returns it.
func (s *folder) become(v *ir.Value, op ir.Op, args ...*ir.Value) *ir.Value {
	v.Op, v.Args, v.Imm = op, args, 0
	for _, a := range args {
		s.addUses(a, 1)
	}
	return v
}

// becomeImm is become for operations with an immediate.
func (s *folder) becomeImm(v *ir.Value, op ir.Op, imm int64, args ...*ir.Value) *ir.Value {
	s.become(v, op, args...)
	v.Imm = imm
	return v
}

func (s *folder) addUses(v *ir.Value, n int32) {
	for int(v.ID) >= len(s.uses) {
		s.uses = append(s.uses, 0)
	}
	s.uses[v.ID] += n
}

func (s *folder) useCount(v *ir.Value) int32 {
	if int(v.ID) >= len(s.uses) {
		return 0
	}
	return s.uses[v.ID]
}

// single reports whether v has certainly no more than one use.
func (s *folder) single(v *ir.Value) bool { return s.useCount(v) <= 1 }

// constRight exchanges the operands of the commutative v if only the left one
// is constant.
func constRight(v *ir.Value) bool {
	if v.Args[0].Op != ir.OpConst || v.Args[1].Op == ir.OpConst {
		return false
	}
	v.Args[0], v.Args[1] = v.Args[1], v.Args[0]
	return true
}

// constArg returns operand i of v if that is a constant.
func constArg(v *ir.Value, i int) (int64, bool) { return v.Args[i].IsConst() }
