package build

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// This file puts the checks of assignments where Go has them.
//
// In a[i][j] = f(), Go evaluates the operands a, i and j, then calls f, and only then
// finds that i is out of range: "The assignment proceeds in two phases. First, the operands of
// index expressions and pointer indirections on the left and the expressions on the
// right are all evaluated in the usual order. Second, the assignments are carried out in
// left-to-right order" (The Go Programming Language Specification, Assignment
// statements). go/ssa computes the address of a[i] before it calls f, if a is an array
// of arrays. So an address that
// is only stored to is computed when that is done, if something in between can tell the
// difference. An address that the source asks for, by &a[i], is an operand like others: it is
// computed where it stands, even if nothing is done with it but to store something later.

// sinks reports whether the address v is computed with the store to it.
func (fn *function) sinks(v ssa.Value) bool {
	if !mayFail(v) {
		return false
	}
	at := v.(ssa.Instruction)
	store := onlyStore(v)
	if store == nil || fn.isOperandOfAnd(v.Pos()) {
		return false
	}
	if store.Block() != at.Block() {
		return true
	}
	between := false
	rest := at.Block().Instrs
	if at.Block() == fn.at && rest[fn.n] == at {
		rest = rest[fn.n:]
	}
	for _, instr := range rest {
		switch {
		case instr == at:
			between = true
		case instr == ssa.Instruction(store):
			return false
		case between && noticeable(instr):
			return true
		}
	}
	return false
}

// isOperandOfAnd reports whether pos is in the X of an expression &X of the function, but for
// composite literals, whose parts are assigned to.
func (fn *function) isOperandOfAnd(pos token.Pos) bool {
	if fn.addressed == nil {
		fn.addressed = []ast.Expr{}
		if syntax := fn.src.Syntax(); syntax != nil {
			ast.Inspect(syntax, func(n ast.Node) bool {
				if u, ok := n.(*ast.UnaryExpr); ok && u.Op == token.AND {
					if _, isLit := ast.Unparen(u.X).(*ast.CompositeLit); !isLit {
						fn.addressed = append(fn.addressed, u.X)
					}
				}
				return true
			})
		}
	}
	return slices.ContainsFunc(fn.addressed, func(x ast.Expr) bool { return x.Pos() <= pos && pos < x.End() })
}

// mayFail reports whether v computes an address that may not exist.
func mayFail(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.IndexAddr:
		_, isConst := constInt(v.Index)
		_, isArray := v.X.Type().Underlying().(*types.Pointer)
		return !isConst || !isArray || mayBeNil(v.X)
	case *ssa.FieldAddr:
		return mayBeNil(v.X)
	}
	return false
}

// mayBeNil reports whether the pointer v may be nil or fails to be computed.
func mayBeNil(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Alloc, *ssa.Global, *ssa.FreeVar:
		return false
	case *ssa.FieldAddr, *ssa.IndexAddr:
		return mayFail(v)
	}
	return true
}

// onlyStore returns the store to v, or to a part of what v is the address of, if there
// is no other use.
func onlyStore(v ssa.Value) *ssa.Store {
	var store *ssa.Store
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.DebugRef:
			continue
		case *ssa.Store:
			if r.Addr != v || store != nil {
				return nil
			}
			store = r
		case *ssa.FieldAddr, *ssa.IndexAddr:
			if i, ok := r.(*ssa.IndexAddr); ok && i.X != v || store != nil {
				return nil
			}
			if store = onlyStore(r.(ssa.Value)); store == nil {
				return nil
			}
		default:
			return nil
		}
	}
	return store
}

// noticeable reports whether instr may panic, or see that something else has not.
func noticeable(instr ssa.Instruction) bool {
	switch i := instr.(type) {
	case *ssa.Call, *ssa.Store, *ssa.Slice, *ssa.Index, *ssa.Lookup, *ssa.TypeAssert, *ssa.SliceToArrayPointer, *ssa.MakeSlice:
		return true
	case *ssa.IndexAddr, *ssa.FieldAddr:
		return mayFail(i.(ssa.Value))
	case *ssa.UnOp:
		return i.Op == token.MUL && mayBeNil(i.X)
	case *ssa.BinOp:
		switch i.Op {
		case token.QUO, token.REM, token.SHL, token.SHR:
			_, isConst := constInt(i.Y)
			return !isConst
		}
	}
	return false
}

// lowerSunk computes the address v, and what it is a part of, if that was left to the
// store.
func (fn *function) lowerSunk(v ssa.Value) {
	if _, done := fn.vals[v]; done {
		return
	}
	switch v.(type) {
	case *ssa.IndexAddr, *ssa.FieldAddr:
	default:
		return
	}
	pos := fn.pos
	if p := v.Pos(); p.IsValid() {
		fn.pos = p
	}
	fn.define(v)
	fn.pos = pos
}
