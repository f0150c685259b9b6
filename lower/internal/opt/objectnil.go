package opt

import "github.com/undergo-ebpf/undergo/lower/internal/ir"

// This file spares the verifier nil where a pointer into data is one of several, as that of a string
// is of which a variable of type string is set on some paths only.
//
// The pointer of an empty string or slice is not used, but to see that, the verifier would have to know
// the length of it as well, which may be in memory that it does not look into: then an
// access through nil is an error. Where nobody can see the difference an address of an object
// that the pointer means on other paths takes nil's place.

// replaceNils replaces nil among what the pointers of o are one of.
func (o *objectOffsets) replaceNils() {
	joins := o.joinedData()
	if len(joins) == 0 {
		return
	}
	uses := ir.Uses(o.f)
	addrs := make(map[*ir.Data]*ir.Value)
	for _, v := range o.joins {
		j := joins[v]
		if j == nil || !onlyAccessed(uses, v, make(map[*ir.Value]bool)) {
			continue
		}
		d := j.objects[0].data
		for _, place := range o.places(v) {
			if (*place).Op != ir.OpConst {
				continue
			}
			if addrs[d] == nil {
				addr := o.f.NewValue(ir.OpDataAddr, ir.PtrData, v.Pos)
				addr.Aux = d
				o.f.Entry().Insert(0, addr)
				addrs[d] = addr
			}
			*place = addrs[d]
		}
	}
}

// onlyAccessed reports whether p, and what it is joined with, is used for nothing but to load and store what it
// points to.
func onlyAccessed(uses *ir.UseLists, p *ir.Value, seen map[*ir.Value]bool) bool {
	if seen[p] {
		return true
	}
	seen[p] = true
	for _, u := range uses.Of(p) {
		v := u.User
		switch {
		case v == nil && u.Succ < 0:
			return false
		case v == nil:
			v = u.Block.Term.Succs[u.Succ].To.Params[u.Index]
		case v.Op == ir.OpLoad, v.Op == ir.OpAtomic, v.Op == ir.OpMemCopy, v.Op == ir.OpMemZero, v.Op == ir.OpStore && u.Index == 0:
			continue
		case v.Op != ir.OpPtrAdd && v.Op != ir.OpPi && v.Op != ir.OpSelect:
			return false
		}
		if !onlyAccessed(uses, v, seen) {
			return false
		}
	}
	return true
}
