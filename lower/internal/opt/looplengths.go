package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds the numbers of a limited loop that the verifier must not forget: the
// lengths of slices whose pointers move, as in
//
//	for len(s) > 0 {
//		s = s[n:]
//	}
//
// where s is of a caller. Pointers into variables of the function itself have become
// offsets (objectoffsets.go), which are checked against the size of the variable where they
// are used (guard.go). Of what the caller's pointer points into no size is known, and
// that an access is in bounds follows from the length alone, of which the verifier knows
// what the caller has made it. Nor would it be of use to hide the length: the verifier does
// not widen pointers, so that it follows the loop for each place they come to.
//
// Method: what the way back gives a parameter of the loop's header is followed to that
// parameter, on any path through the loop. If something is added to a pointer there, it
// moves; if something is subtracted from a number of such a loop, it is
// taken for a length or a capacity.

// movesPointer reports whether a parameter of the loop's header is a pointer that goes on
// in the loop, in an object rather than in a packet, whose end pointers are compared with.
func (l *limiter) movesPointer(loop *ir.Loop) bool {
	for i, p := range loop.Header.Params {
		if p.Type.IsPtr() && p.Type != ir.PtrPacket && l.steps(loop, i, isPtrAdd) {
			return true
		}
	}
	return false
}

// shrinks reports whether parameter i of the loop's header is a number that the loop
// subtracts from.
func (l *limiter) shrinks(loop *ir.Loop, i int) bool {
	return loop.Header.Params[i].Type.IsInt() && l.steps(loop, i, isDecrease)
}

func isPtrAdd(v *ir.Value) bool { return v.Op == ir.OpPtrAdd }

// isDecrease reports whether v is its first operand less something.
func isDecrease(v *ir.Value) bool {
	if v.Op == ir.OpAdd {
		c, ok := v.Args[1].IsConst()
		return ok && c < 0
	}
	return v.Op == ir.OpSub
}

// steps reports whether parameter i of the loop's header is given, on some way back, what
// one or more steps make of it.
func (l *limiter) steps(loop *ir.Loop, i int, isStep func(*ir.Value) bool) bool {
	type place struct {
		v       *ir.Value
		stepped bool
	}
	seen := make(map[place]bool)
	var reaches func(v *ir.Value, stepped bool) bool
	reaches = func(v *ir.Value, stepped bool) bool {
		if v == loop.Header.Params[i] {
			return stepped
		}
		at := place{v, stepped}
		if seen[at] || !l.nest.Contains(loop, v.Block) {
			return false
		}
		seen[at] = true
		switch {
		case isStep(v):
			return reaches(v.Args[0], true)
		case v.Op == ir.OpPi, v.Op == ir.OpCheckNonNil, v.Op == ir.OpCheckIdx, v.Op == ir.OpCheckULe:
			return reaches(v.Args[0], stepped)
		case v.Op == ir.OpSelect:
			return reaches(v.Args[1], stepped) || reaches(v.Args[2], stepped)
		case v.Op == ir.OpParam && v.Block != loop.Header:
			k := slices.Index(v.Block.Params, v)
			return slices.ContainsFunc(l.dom.Preds()[v.Block.ID], func(p ir.Pred) bool { return reaches(p.Edge().Args[k], stepped) })
		}
		return false
	}
	return slices.ContainsFunc(loop.Latches, func(p ir.Pred) bool { return reaches(p.Edge().Args[i], false) })
}
