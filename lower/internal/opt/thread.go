package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file threads jumps: an edge to a block that only computes where to go
// next, and whose answer follows from the arguments of the edge, or from a comparison
// that the edge has passed, goes there directly.
//
// Method: a block qualifies if it is short and pure and none of its values is
// used in another block. For one edge to it, its instructions are evaluated as
// far as the constants among the edge's arguments go, and comparisons of pointers with nil
// by which the edge, or the only way to it, was chosen already. If that decides the branch
// and all arguments of the edge taken are parameters or constants, the edge is
// led there.
//
// The comparisons matter for more than speed: a pointer that two tests find to be nil is tested
// once. Before Linux 5.17 the verifier forgets that a ring buffer's memory is not nil, and finds
// that a program which tests twice does not release it.
//
// Precondition: loop headers are left alone. An edge led past one would give
// the loop a second entry, and both the analyses here and the kernel's are at
// their best with reducible graphs.
//
// This is what remains of Go's && and ||, for which go/ssa merges a constant and
// a comparison and then branches on the merged value.
//
// Before:                          After:
//
//	branch v0, b1(), b2(v9)         branch v0, b1(), b4()   (v9 is 0)
//	b1: v1 = ult i32 v2, v3         b1: v1 = ult i32 v2, v3
//	    jump b2(v1)                     branch v1, b3(), b4()
//	b2(v4 i32): branch v4, b3(), b4()
//
// Reference: Muchnick, "Advanced Compiler Design and Implementation", 18.11
// (branch optimisations).

// maxThreaded is the number of instructions a block that is threaded through
// may have. Longer ones are rarely decided as a whole.
const maxThreaded = 8

type threader struct {
	f       *ir.Func
	escapes []bool // by Block.ID: values of the block are used in others
	header  []bool // by Block.ID: some edge to the block closes a loop
	// entry is, by Block.ID, the only edge to a block; nil if that must be looked for anew.
	entry []edgeFrom
}

// An edgeFrom is successor i of a block, or of none.
type edgeFrom struct {
	b *ir.Block
	i int
}

func newThreader(f *ir.Func) *threader {
	t := &threader{f: f, escapes: make([]bool, f.NumBlocks()), header: make([]bool, f.NumBlocks())}
	for _, b := range f.Blocks {
		uses := func(list []*ir.Value) {
			for _, a := range list {
				if a.Block != b {
					t.escapes[a.Block.ID] = true
				}
			}
		}
		for _, v := range b.Instrs {
			uses(v.Args)
		}
		uses(b.Term.Args)
		for _, e := range b.Term.Succs {
			uses(e.Args)
		}
	}
	position := make([]int, f.NumBlocks())
	for i, b := range ir.RPO(f) {
		position[b.ID] = i
		for _, e := range b.Term.Succs {
			if position[e.To.ID] > 0 || e.To == b { // a visited block that is not the entry
				t.header[e.To.ID] = true
			}
		}
	}
	return t
}

// thread leads successor i of b past the block it leads to, and reports
// whether it did.
func (t *threader) thread(b *ir.Block, i int) bool {
	e := &b.Term.Succs[i]
	via := e.To
	if t.escapes[via.ID] || len(via.Instrs) > maxThreaded {
		return false
	}
	known := t.evaluate(edgeFrom{b, i})
	if known == nil {
		return false
	}
	next := t.next(via, known)
	if next == nil || next.To == via || via.Term.Kind == ir.TermBranch && t.header[via.ID] {
		return false
	}
	args := make([]*ir.Value, len(next.Args))
	for n, a := range next.Args {
		if a.Block != via {
			args[n] = a
			continue
		}
		if args[n] = known[a]; args[n] == nil {
			return false
		}
	}
	for n, a := range args {
		if a.Block == nil {
			args[n] = b.Append(constant(t.f, a.Type, a.Imm))
		}
	}
	*e = ir.Edge{To: next.To, Args: args}
	t.entry = nil
	return true
}

// onlyEdge returns the edge that is the only one to b.
func (t *threader) onlyEdge(b *ir.Block) (e edgeFrom, ok bool) {
	if t.entry == nil {
		t.entry = make([]edgeFrom, t.f.NumBlocks())
		seen := make([]bool, t.f.NumBlocks())
		for _, from := range t.f.Blocks {
			for i, s := range from.Term.Succs {
				t.entry[s.To.ID] = edgeFrom{from, i}
				if seen[s.To.ID] {
					t.entry[s.To.ID] = edgeFrom{}
				}
				seen[s.To.ID] = true
			}
		}
	}
	e = t.entry[b.ID]
	return e, e.b != nil && b != t.f.Entry()
}

// maxPassed is how many edges are followed back from one.
const maxPassed = 16

func isZero(v *ir.Value) bool { return v.Op == ir.OpConst && v.Imm == 0 }

// isNil tells whether the pointer p is nil on the edge e, if a comparison says so that the
// only way to e goes through. Numbers are left alone: of another copy the verifier may know less.
func (t *threader) isNil(e edgeFrom, p *ir.Value) (isNil, known bool) {
	for range maxPassed {
		if e.b.Term.Kind == ir.TermBranch {
			cond := e.b.Term.Args[0]
			if (cond.Op == ir.OpEq || cond.Op == ir.OpNe) && cond.Args[0] == p && isZero(cond.Args[1]) {
				return (cond.Op == ir.OpEq) == (e.i == 0), true
			}
		}
		var ok bool
		if e, ok = t.onlyEdge(e.b); !ok {
			break
		}
	}
	return false, false
}

// next returns the edge by which via is left, given what is known of its
// values, or nil.
func (t *threader) next(via *ir.Block, known map[*ir.Value]*ir.Value) *ir.Edge {
	switch via.Term.Kind {
	case ir.TermJump:
		return &via.Term.Succs[0]
	case ir.TermBranch:
		cond := via.Term.Args[0]
		if k := known[cond]; k != nil {
			cond = k
		}
		if c, ok := cond.IsConst(); ok {
			return &via.Term.Succs[1-min(1, unsigned(ir.I32, c))]
		}
	}
	return nil
}

// evaluate returns what the values of the block are that e leads to, as
// far as that is one of its arguments or a constant; new constants are in no block. It
// returns nil if the block does more than compute.
func (t *threader) evaluate(e edgeFrom) map[*ir.Value]*ir.Value {
	via, args := e.b.Term.Succs[e.i].To, e.b.Term.Succs[e.i].Args
	if slices.ContainsFunc(via.Instrs, func(v *ir.Value) bool { return !v.Op.Is(ir.Pure) }) {
		return nil
	}
	known := make(map[*ir.Value]*ir.Value, len(via.Params)+len(via.Instrs))
	for n, p := range via.Params {
		known[p] = args[n]
	}
	look := func(a *ir.Value) *ir.Value {
		if k := known[a]; k != nil {
			return k
		}
		return a
	}
	for _, v := range via.Instrs {
		if v.Op == ir.OpConst {
			known[v] = &ir.Value{Op: ir.OpConst, Type: v.Type, Imm: v.Imm}
			continue
		}
		operands := make([]*ir.Value, len(v.Args))
		for i, a := range v.Args {
			operands[i] = look(a)
		}
		c, ok := evalConst(v, operands)
		if !ok && (v.Op == ir.OpEq || v.Op == ir.OpNe) && operands[0].Type.IsPtr() && isZero(operands[1]) && operands[0].Block != via {
			var isNil bool
			isNil, ok = t.isNil(e, operands[0])
			c = boolConst(isNil == (v.Op == ir.OpEq))
		}
		if ok {
			known[v] = &ir.Value{Op: ir.OpConst, Type: v.Type, Imm: c}
		}
	}
	return known
}

// evalConst returns the result of v, a pure operation on integers, given
// its operands, if they are constants.
func evalConst(v *ir.Value, args []*ir.Value) (int64, bool) {
	if !v.Op.Is(ir.Pure) || len(args) == 0 || !args[0].Type.IsInt() ||
		slices.ContainsFunc(args, func(a *ir.Value) bool { return a.Op != ir.OpConst }) {
		return 0, false
	}
	switch {
	case v.Op == ir.OpSelect:
		if args[0].Imm != 0 {
			return args[1].Imm, true
		}
		return args[2].Imm, true
	case v.Op.Is(ir.Compare):
		return boolConst(evalCompare(v.Op, args[0].Type, args[0].Imm, args[1].Imm)), true
	case len(args) == 1 && v.Type.IsInt():
		return evalUnary(v, args[0].Imm), true
	case len(args) == 2 && v.Type.IsInt():
		return evalBinary(v.Op, v.Type, args[0].Imm, args[1].Imm), true
	}
	return 0, false
}
