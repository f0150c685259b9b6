package ir

import "slices"

// ReplaceAll makes every use of a key of repl in f a use of the value that the
// key maps to. Values may map to keys in turn, but not in a cycle; ReplaceAll
// shortens such chains in repl. The replaced values stay where they are.
//
// To replace a check or pi by its operand is only right where nothing relies on
// its fact, see the package comment.
func ReplaceAll(f *Func, repl map[*Value]*Value) {
	if len(repl) == 0 {
		return
	}
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			replaceArgs(v.Args, repl)
		}
		replaceArgs(b.Term.Args, repl)
		for _, e := range b.Term.Succs {
			replaceArgs(e.Args, repl)
		}
	}
}

func replaceArgs(args []*Value, repl map[*Value]*Value) {
	for i, a := range args {
		if _, ok := repl[a]; ok {
			args[i] = Resolve(repl, a)
		}
	}
}

// Resolve returns the value at the end of v's chain of replacements, which is v
// itself if it has none, and makes every value of the chain map to it.
func Resolve(repl map[*Value]*Value, v *Value) *Value {
	end := v
	for {
		next, ok := repl[end]
		if !ok {
			break
		}
		end = next
	}
	for v != end {
		v, repl[v] = repl[v], end
	}
	return end
}

// RemoveUnreachable removes the blocks of f that cannot be reached from the
// entry, and reports whether there were any. The others keep their order.
func RemoveUnreachable(f *Func) bool {
	reachable := make([]bool, f.NumBlocks())
	for _, b := range RPO(f) {
		reachable[b.ID] = true
	}
	before := len(f.Blocks)
	f.Blocks = slices.DeleteFunc(f.Blocks, func(b *Block) bool { return !reachable[b.ID] })
	return len(f.Blocks) < before
}

// SplitEdge puts a new block on the edge p, which carries the edge's arguments
// on, and returns it. It is the last of Func.Blocks.
func SplitEdge(p Pred) *Block {
	e := p.Edge()
	mid := p.Block.Func.NewBlock()
	mid.Jump(p.Block.Term.Pos, e.To, e.Args...)
	*e = Edge{To: mid}
	return mid
}

// SplitBlock moves the instructions of b from position i on, and its
// terminator, to a new block, and returns it. It is the last of Func.Blocks; b
// is left without a terminator.
func SplitBlock(b *Block, i int) *Block {
	rest := b.Func.NewBlock()
	for _, v := range b.Instrs[i:] {
		rest.Append(v)
	}
	rest.Term, b.Term = b.Term, Term{}
	b.Instrs = slices.Delete(b.Instrs, i, len(b.Instrs))
	return rest
}

// Insert puts values into b before position i.
func (b *Block) Insert(i int, values ...*Value) {
	for _, v := range values {
		v.Block = b
	}
	b.Instrs = slices.Insert(b.Instrs, i, values...)
}

// RemoveFunc removes the instructions of b for which dead returns true, and
// reports whether there were any.
func (b *Block) RemoveFunc(dead func(*Value) bool) bool {
	before := len(b.Instrs)
	b.Instrs = slices.DeleteFunc(b.Instrs, dead)
	return len(b.Instrs) < before
}

// RemoveParam removes parameter i of b, and argument i of each of preds, which
// must be all incoming edges of b.
func (b *Block) RemoveParam(i int, preds []Pred) {
	b.Params = slices.Delete(b.Params, i, i+1)
	for _, p := range preds {
		e := p.Edge()
		e.Args = slices.Delete(e.Args, i, i+1)
	}
}

// Compact numbers the values and blocks of f anew, without the gaps that those removed have
// left and in the order of their numbers. Passes have lists by number, which are as long as the
// largest.
func (f *Func) Compact() {
	values := make([]*Value, f.nextValue)
	blocks := make([]*Block, f.nextBlock)
	for _, b := range f.Blocks {
		blocks[b.ID] = b
		for _, v := range b.Params {
			values[v.ID] = v
		}
		for _, v := range b.Instrs {
			values[v.ID] = v
		}
	}
	f.nextValue, f.nextBlock = 0, 0
	for _, v := range values {
		if v != nil {
			v.ID = f.nextValue
			f.nextValue++
		}
	}
	for _, b := range blocks {
		if b != nil {
			b.ID = f.nextBlock
			f.nextBlock++
		}
	}
}
