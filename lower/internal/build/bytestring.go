package build

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lowers conversions between strings and slices of bytes.
//
// A string does not change when the slice does that it was made from, so that the
// conversion copies; and there is no memory to copy to, whose size only the
// running program knows. But most strings that are made so are looked at and
// forgotten, as in
//
//	string(a) == string(b)		for range string(p)		strings.Index(string(p), ":")
//
// which gc, too, compiles without a copy where it sees it. The string is then the
// memory of the slice. The conditions are that all uses of the string are
// known, down to those of its parts, that it gets nowhere else, and that nothing on
// the way from the conversion to any of them may write to memory but that of
// variables which the slice is certainly not a part of.

// convertString lowers conversions between strings, bytes and runes.
func (fn *function) convertString(c *ssa.Convert) operand {
	switch {
	case isString(c.Type()) && isBytes(c.X.Type()):
		if o := fn.operand(c.X); o.isBad() || fn.b.onlyLookedAt(c) {
			if o = fn.settled(o); !o.isBad() {
				o = stringOf(o)
			}
			return o
		}
		return fn.copyBytes(c)
	case isBytes(c.Type()) && isString(c.X.Type()):
		if s, ok := fn.knownString(fn.operand(c.X)); ok && len(s) <= maxBuffer {
			return fn.bytesOfConst(c, s)
		}
		return fn.copyBytes(c)
	case isString(c.Type()):
		if _, ok := intTypeOf(c.X.Type()); ok {
			return fn.runeString(c)
		}
	}
	fn.fail(diag.UnsupportedExpr, "use an array of bytes and index it", "conversion from %s to %s", c.X.Type(), c.Type())
	return badOperand
}

// bytesOfConst returns the slice that c, a conversion of the constant s, makes.
func (fn *function) bytesOfConst(c *ssa.Convert, s string) operand {
	a := fn.variable(c, "bytes", frame{size: max(int64(len(s)), 1), align: 1, pos: c.Pos()})
	fn.memCopy(a, address{base: fn.stringAddr(s)}, int64(len(s)))
	n := fn.constant(ir.I64, int64(len(s)))
	return operand{vals: []*ir.Value{a.base, n, n}}.withLimit(int64(len(s)))
}

// isBytes reports whether t is a slice of bytes.
func isBytes(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	b, ok := s.Elem().Underlying().(*types.Basic)
	return ok && b.Kind() == types.Uint8
}

// onlyLookedAt reports whether the string that c makes of a slice need not be a
// copy.
func (b *builder) onlyLookedAt(c *ssa.Convert) bool {
	w := &bytesWatch{b: b, c: c, root: sliceRoot(c.X), seen: make(map[ssa.Value]bool)}
	if !w.follow(c) {
		return false
	}
	for _, use := range w.uses {
		if !w.quietUntil(use) {
			return false
		}
	}
	return true
}

// A bytesWatch is the state of one onlyLookedAt.
type bytesWatch struct {
	b    *builder
	c    *ssa.Convert
	root ssa.Value // what the slice is a part of
	seen map[ssa.Value]bool
	uses []ssa.Instruction
	// before is the blocks that are on the way to a use from their beginning on.
	before map[*ssa.BasicBlock]bool
}

// follow collects the uses of v, which is the string or holds a part of it. It
// returns false if one of them is not known.
func (w *bytesWatch) follow(v ssa.Value) bool {
	if w.seen[v] {
		return true
	}
	w.seen[v] = true
	for _, r := range *v.Referrers() {
		w.uses = append(w.uses, r)
		known := false
		switch r := r.(type) {
		case *ssa.BinOp, *ssa.Index, *ssa.Lookup, *ssa.DebugRef:
			known = true
		case *ssa.Convert:
			known = !isString(r.Type())
		case *ssa.Slice, *ssa.Phi, *ssa.Range, *ssa.ChangeType:
			known = w.follow(r.(ssa.Value))
		case *ssa.Next:
			known = true
		case *ssa.Extract:
			known = !hasPointers(r.Type()) || w.follow(r)
		case *ssa.Call:
			known = w.knownCall(r)
		}
		if !known {
			return false
		}
	}
	return true
}

func (w *bytesWatch) knownCall(c *ssa.Call) bool {
	if blt, ok := c.Call.Value.(*ssa.Builtin); ok {
		return blt.Name() == "len" || blt.Name() == "copy" || blt.Name() == "append"
	}
	f := c.Call.StaticCallee()
	if f == nil || !w.b.isQuiet(f) {
		return false
	}
	return !hasPointers(c.Type()) || w.follow(c)
}

// quietUntil reports whether nothing between the conversion and use may write
// to the slice.
func (w *bytesWatch) quietUntil(use ssa.Instruction) bool {
	if w.before == nil {
		w.before = make(map[*ssa.BasicBlock]bool)
	}
	work := []*ssa.BasicBlock{use.Block()}
	end := use
	for len(work) > 0 {
		blk := work[len(work)-1]
		work = work[:len(work)-1]
		reached := false
		for i := len(blk.Instrs) - 1; i >= 0 && !reached; i-- {
			instr := blk.Instrs[i]
			if end != nil { // in the block of the use
				if instr != end {
					continue
				}
				end = nil
			}
			if reached = instr == w.c; !reached && w.b.mayWrite(instr, w.root) {
				return false
			}
		}
		if reached {
			continue
		}
		for _, p := range blk.Preds {
			if !w.before[p] {
				w.before[p] = true
				work = append(work, p)
			}
		}
	}
	return true
}

// mayWrite reports whether instr may write to memory that the variable root, if
// that is what root is, is a part of.
func (b *builder) mayWrite(instr ssa.Instruction, root ssa.Value) bool {
	switch i := instr.(type) {
	case *ssa.Store:
		return !distinct(sliceRoot(i.Addr), root)
	case *ssa.MapUpdate, *ssa.Send, *ssa.Go, *ssa.Defer, *ssa.RunDefers, *ssa.Select:
		return true
	case *ssa.Call:
		if blt, ok := i.Call.Value.(*ssa.Builtin); ok {
			switch blt.Name() {
			case "copy", "append", "clear":
				return !distinct(sliceRoot(i.Call.Args[0]), root)
			}
			return false
		}
		f := i.Call.StaticCallee()
		return f == nil || !b.isQuiet(f)
	}
	return false
}

// sliceRoot returns what an address or a slice is a part of.
func sliceRoot(v ssa.Value) ssa.Value {
	for {
		switch x := v.(type) {
		case *ssa.FieldAddr:
			v = x.X
		case *ssa.IndexAddr:
			v = x.X
		case *ssa.Slice:
			v = x.X
		case *ssa.ChangeType:
			v = x.X
		default:
			return v
		}
	}
}

// distinct reports whether two roots are certainly different memory: a variable of
// this activation, and another or what the function was given.
func distinct(x, y ssa.Value) bool {
	_, xLocal := x.(*ssa.Alloc)
	_, yLocal := y.(*ssa.Alloc)
	given := func(v ssa.Value) bool {
		switch v.(type) {
		case *ssa.Parameter, *ssa.Global:
			return true
		}
		return false
	}
	return x != y && (xLocal && yLocal || xLocal && given(y) || yLocal && given(x))
}

// isQuiet reports whether f writes to no memory but that of its own variables, and
// neither do the functions it calls.
func (b *builder) isQuiet(f *ssa.Function) bool {
	var given ssa.Value = (*ssa.Parameter)(nil) // any memory that f does not declare
	if quiet, ok := b.quiet[f]; ok {
		return quiet
	}
	b.quiet[f] = false // if it is recursive
	quiet := len(f.Blocks) > 0 && b.directiveOf(f) == nil && f.Recover == nil
	for _, blk := range f.Blocks {
		for _, instr := range blk.Instrs {
			quiet = quiet && !b.mayWrite(instr, given)
		}
	}
	b.quiet[f] = quiet
	return quiet
}
