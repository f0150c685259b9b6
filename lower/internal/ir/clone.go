package ir

import "slices"

// A Clone maps the parts of a function to the copies that [CloneInto] made.
type Clone struct {
	blocks []*Block // by the original's ID
	values []*Value // by the original's ID
	slots  []*Slot  // by the original's Index
}

// Block returns the copy of b.
func (c *Clone) Block(b *Block) *Block { return c.blocks[b.ID] }

// Value returns the copy of v.
func (c *Clone) Value(v *Value) *Value { return c.values[v.ID] }

// Slot returns the copy of s.
func (c *Clone) Slot(s *Slot) *Slot { return c.slots[s.Index] }

// CloneInto appends copies of src's slots and blocks, unreachable ones too, to
// dst, a function of the same module. The copy of the entry keeps its
// parameters, and copies of returns are returns still: both are for the caller
// to connect. Src is unchanged and may be dst itself.
func CloneInto(dst, src *Func) *Clone {
	c := &Clone{
		blocks: make([]*Block, src.NumBlocks()),
		values: make([]*Value, src.NumValues()),
	}
	for _, s := range slices.Clone(src.Slots) {
		n := dst.NewSlot(s.Name, s.Size, s.Align, s.Pos)
		n.Looped, n.Loose = s.Looped, s.Loose
		c.slots = append(c.slots, n)
	}
	blocks := slices.Clone(src.Blocks)
	// Blocks and values first, since operands may refer to later ones.
	for _, b := range blocks {
		n := dst.NewBlock()
		c.blocks[b.ID] = n
		for _, v := range b.Params {
			c.values[v.ID] = n.AddParam(v.Type, v.Pos)
		}
		for _, v := range b.Instrs {
			c.values[v.ID] = n.Append(c.copyValue(dst, v))
		}
	}
	for _, b := range blocks {
		n := c.blocks[b.ID]
		for i, v := range b.Instrs {
			n.Instrs[i].Args = c.args(v.Args)
		}
		n.Term = b.Term
		n.Term.Args = c.args(b.Term.Args)
		n.Term.Succs = slices.Clone(b.Term.Succs)
		for i, e := range b.Term.Succs {
			n.Term.Succs[i] = Edge{To: c.Block(e.To), Args: c.args(e.Args)}
		}
	}
	return c
}

// copyValue returns a copy of v for dst, without operands.
func (c *Clone) copyValue(dst *Func, v *Value) *Value {
	n := dst.NewValue(v.Op, v.Type, v.Pos)
	n.Width, n.Signed, n.Imm, n.Size, n.Aux = v.Width, v.Signed, v.Imm, v.Size, v.Aux
	if s, ok := v.Aux.(*Slot); ok {
		n.Aux = c.Slot(s)
	}
	return n
}

func (c *Clone) args(args []*Value) []*Value {
	if len(args) == 0 {
		return nil
	}
	n := make([]*Value, len(args))
	for i, a := range args {
		n[i] = c.Value(a)
	}
	return n
}
