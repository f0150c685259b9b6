package mir

import "slices"

// Clone returns a copy of f that has its own blocks and instructions and shares
// the slots and symbols, so that what a pass does to f can be checked against
// the copy.
func (f *Func) Clone() *Func {
	c := *f
	c.Slots = slices.Clone(f.Slots)
	c.Blocks = make([]*Block, len(f.Blocks))
	copies := make(map[*Block]*Block, len(f.Blocks))
	for i, b := range f.Blocks {
		nb := *b
		nb.Insts = slices.Clone(b.Insts)
		c.Blocks[i] = &nb
		copies[b] = &nb
	}
	for _, b := range c.Blocks {
		for i := range b.Insts {
			in := &b.Insts[i]
			if in.To != nil {
				in.To = copies[in.To]
			}
			if in.Else != nil {
				in.Else = copies[in.Else]
			}
		}
	}
	return &c
}
