package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds out which pointers into constant data that holds addresses are used for the numbers
// in it alone, which are there in the kernel too:
//
//	for i := range table {
//		if e := &table[i]; e.name == name {
//			return e.value
//		}
//	}
//
// Behind the loop e is a parameter of a block, which joins addresses of elements. The numbers can be
// loaded through it if at none of the places that it may point to there is an address where
// they are.

// numberUses is what is known of the uses of a function's values.
type numberUses struct {
	uses  *ir.UseLists
	preds [][]ir.Pred
}

// only reports whether the pointer p, and what it is joined with in the parameters of blocks, is only used to
// load integers. The parameters in seen have been looked at.
func (n *numberUses) only(p *ir.Value, seen map[*ir.Value]bool) bool {
	for _, u := range n.uses.Of(p) {
		v := u.User
		switch {
		case v == nil && u.Succ < 0:
			return false
		case v == nil:
			param := u.Block.Term.Succs[u.Succ].To.Params[u.Index]
			if !seen[param] {
				seen[param] = true
				if !n.only(param, seen) {
					return false
				}
			}
		case v.Op == ir.OpPtrAdd, v.Op.Is(ir.Proof):
			if !n.only(v, seen) {
				return false
			}
		case !v.Op.Is(ir.Compare) && !loadsNumber(v) && !n.loadsJoined(v):
			return false
		}
	}
	return true
}

// loadsJoined is loadsNumber through a pointer that is joined.
func (n *numberUses) loadsJoined(v *ir.Value) bool {
	if v.Op != ir.OpLoad || v.Type.IsPtr() {
		return false
	}
	l := placeOf(v.Args[0], v.Imm, int64(v.Width))
	j := &joinedPlaces{preds: n.preds, busy: make(map[*ir.Value]bool)}
	if l.root.Op != ir.OpParam || l.anchor != nil || !j.add(l.root, l.off) || j.moved && j.cyclic {
		return false
	}
	for _, p := range j.list {
		if holdsRef(p.data, p.off, l.size) {
			return false
		}
	}
	return len(j.list) > 0
}

// joinedPlaces is the places in data that a pointer may be of.
type joinedPlaces struct {
	preds [][]ir.Pred
	busy  map[*ir.Value]bool
	list  []dataPlace
	// cyclic is set if a parameter depends on itself, and moved if one is another plus an offset:
	// with both there are more places than are found.
	cyclic, moved bool
}

type dataPlace struct {
	data *ir.Data
	off  int64
}

// add adds the places off bytes behind p. It returns false if they are not known.
func (j *joinedPlaces) add(p *ir.Value, off int64) bool {
	if c, ok := p.IsConst(); ok && c == 0 {
		return true // nil, which is not loaded from
	}
	l := placeOf(p, off, 0)
	if d, ok := l.base.(*ir.Data); ok {
		return j.addElements(d, l)
	}
	if l.root.Op != ir.OpParam || l.anchor != nil {
		return false
	}
	blk := l.root.Block
	k := slices.Index(blk.Params, l.root)
	if blk == blk.Func.Entry() {
		return false
	}
	j.moved = j.moved || l.off != off
	if j.busy[l.root] {
		j.cyclic = true
		return true
	}
	j.busy[l.root] = true
	for _, pred := range j.preds[blk.ID] {
		if !j.add(pred.Edge().Args[k], l.off) {
			return false
		}
	}
	return len(j.list) <= maxDataTable
}

// addElements adds the place l in d, or those that it may be if its offset is a multiple of a number.
func (j *joinedPlaces) addElements(d *ir.Data, l place) bool {
	if l.anchor == nil {
		j.list = append(j.list, dataPlace{d, l.off})
		return true
	}
	base := placeOf(l.anchor.Args[0], 0, 0)
	stride, ok := scaled(l.anchor.Args[1])
	if !ok || stride <= 0 || base.anchor != nil || int64(len(d.Bytes)) > stride*maxDataTable {
		return false
	}
	for off := base.off + l.off; off < int64(len(d.Bytes)); off += stride {
		j.list = append(j.list, dataPlace{d, off})
	}
	return true
}
