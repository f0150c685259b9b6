package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file lets guard.go check offsets from pointers that mean one of several objects in
// data, as that of the string that is chosen from a table does.
//
// Go's check of s[i] bounds i by the length of the string that s is. The verifier, which follows
// each choice by itself, knows that as well, unless the length has been in memory that it does not
// look into, or has been chosen elsewhere. Then i is bounded by nothing, or by the length
// of the longest of the strings at best.
//
// Method: the parameters of blocks and the selections that are pointers into data are followed to the
// objects that they mean, optimistically, until nothing changes. An offset is checked against the
// largest of them, which never fails since it is in bounds of the one that is meant. So that it
// is in bounds of what the verifier takes it to be an offset in, the loader leaves room behind the
// others (ir.Data.Room), which nobody reads.

// A dataJoin is the objects that a pointer may mean.
type dataJoin struct {
	objects []joinedObject
	unknown bool // there may be others
}

// A joinedObject is data that a pointer may be into, from the first to the last of the
// offsets that are known.
type joinedObject struct {
	data        *ir.Data
	first, last int64
}

// largest returns the bytes that there are behind the pointer if the object is the one of which there are most.
func (j *dataJoin) largest() int64 {
	var n int64
	for _, o := range j.objects {
		n = max(n, int64(len(o.data.Bytes))-o.first)
	}
	return n
}

// reserve makes room for n bytes behind the pointer, whichever object it means.
func (j *dataJoin) reserve(n int64) {
	for _, o := range j.objects {
		o.data.Room = max(o.data.Room, o.last+n-int64(len(o.data.Bytes)))
	}
}

// add adds an object, and reports whether that is news.
func (j *dataJoin) add(o joinedObject) bool {
	i := slices.IndexFunc(j.objects, func(have joinedObject) bool { return have.data == o.data })
	if i < 0 {
		j.objects = append(j.objects, o)
		return true
	}
	have := &j.objects[i]
	old := *have
	have.first, have.last = min(have.first, o.first), max(have.last, o.last)
	return *have != old
}

// joinedData returns the pointers of f that are joined of addresses in data and what they mean.
func joinedData(f *ir.Func, dom *ir.DomTree) map[*ir.Value]*dataJoin {
	o := &objectOffsets{f: f, dom: dom, objects: make(map[*ir.Value]object)}
	o.findJoins()
	return o.joinedData()
}

// joinedData returns what the joins of pointers into data mean where that is known.
func (o *objectOffsets) joinedData() map[*ir.Value]*dataJoin {
	joins := make(map[*ir.Value]*dataJoin)
	list := slices.DeleteFunc(slices.Clone(o.joins), func(v *ir.Value) bool { return v.Type != ir.PtrData })
	for _, v := range list {
		joins[v] = new(dataJoin)
	}
	for changed := true; changed; {
		changed = false
		for _, v := range list {
			for _, a := range o.sources(v) {
				changed = joins[v].source(a, joins) || changed
			}
		}
	}
	for v, j := range joins {
		if j.unknown || len(j.objects) == 0 {
			delete(joins, v)
		}
	}
	return joins
}

// source takes into account that the pointer may be p, and reports whether that is news.
func (j *dataJoin) source(p *ir.Value, joins map[*ir.Value]*dataJoin) bool {
	base, off, moved := dataOffset(p)
	from := joins[base]
	switch {
	case j.unknown, base.Op == ir.OpConst:
		return false
	case base.Op == ir.OpDataAddr:
		d := base.Data()
		o := joinedObject{d, off + base.Imm, off + base.Imm}
		if moved {
			o.first, o.last = 0, int64(len(d.Bytes))
		}
		return j.add(o.clipped())
	case from == nil || from.unknown:
		j.unknown = true
		return true
	}
	changed := false
	for _, o := range slices.Clone(from.objects) {
		if moved || off != 0 {
			// Around a loop there may be any number of such steps.
			o.last = int64(len(o.data.Bytes))
			if moved || off < 0 {
				o.first = 0
			}
		}
		changed = j.add(o.clipped()) || changed
	}
	return changed
}

// clipped returns o with offsets that are inside the object, or right behind it.
func (o joinedObject) clipped() joinedObject {
	size := int64(len(o.data.Bytes))
	o.first, o.last = min(max(o.first, 0), size), min(max(o.last, 0), size)
	return o
}

// dataOffset returns what p is computed from, the constant that has been added, and whether
// something else was added as well.
func dataOffset(p *ir.Value) (base *ir.Value, off int64, moved bool) {
	for {
		switch p.Op {
		case ir.OpPtrAdd:
			if c, ok := p.Args[1].IsConst(); ok {
				off += c
			} else {
				moved = true
			}
		case ir.OpPi, ir.OpCheckNonNil:
		default:
			return p, off, moved
		}
		p = p.Args[0]
	}
}
