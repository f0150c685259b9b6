package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes offsets of the pointers into variables and data that move, as
// s = s[n:] in a loop moves the pointer of s.
//
// The verifier takes no sum of a pointer and a number of which it knows no bounds, and
// Go's checks, which are about lengths, give it none. Numbers may be anything until they
// are used: where a pointer differs between paths, its offset in the object takes its
// place, and guard.go checks that where it is used.
//
// Method: the parameters of blocks, and the selections, that are pointers are followed to
// the objects they point into, optimistically, until nothing changes. Those of an object
// of which at least one moves, by a variable offset or by a loop, are replaced. A nil
// pointer, of a slice that is empty, is as good as any if nobody asks whether it is one.
//
// Before:                            After:
//
//	v0 = slotaddr s0                  v0 = slotaddr s0
//	jump b1(v0)                       jump b1(v9)         (v9 = 0)
//	b1(v2 ptr.stack):                 b1(v8 i64):
//	                                  v7 = slotaddr s0
//	                                  v6 = ptradd v7, v8
//	v4 = ptradd v2, v3                v5 = add v8, v3
//	jump b1(v4)                       jump b1(v5)

// ObjectOffsets replaces pointers of f into variables and data by offsets where they
// move.
func ObjectOffsets(f *ir.Func, _ *Config) {
	refinePointers(f)
	o := &objectOffsets{f: f, dom: ir.Dominators(f), objects: make(map[*ir.Value]object), offsets: make(map[*ir.Value]*ir.Value)}
	o.findJoins()
	if len(o.joins) == 0 {
		return
	}
	o.replaceNils()
	o.findObjects()
	o.rewrite()
}

// An object is a variable or data, by an address of it.
type object struct {
	addr *ir.Value
	// mixed is set if there is more than one.
	mixed bool
}

func (o object) equal(p object) bool {
	return o.mixed == p.mixed && (o.addr == nil) == (p.addr == nil) &&
		(o.addr == nil || o.addr.Op == p.addr.Op && o.addr.Aux == p.addr.Aux)
}

// join returns an object that stands for both; the zero object stands for none.
func (o object) join(p object) object {
	switch {
	case o.addr == nil && !o.mixed:
		return p
	case p.addr == nil && !p.mixed, o.equal(p):
		return o
	}
	return object{mixed: true}
}

type objectOffsets struct {
	f       *ir.Func
	dom     *ir.DomTree
	joins   []*ir.Value // parameters and selections
	objects map[*ir.Value]object
	offsets map[*ir.Value]*ir.Value // of pointers, in their objects
}

// findJoins finds the pointers that are one of several.
func (o *objectOffsets) findJoins() {
	for _, b := range o.dom.Order() {
		if b != o.f.Entry() {
			for _, v := range b.Params {
				o.addJoin(v)
			}
		}
		for _, v := range b.Instrs {
			if v.Op == ir.OpSelect {
				o.addJoin(v)
			}
		}
	}
}

func (o *objectOffsets) addJoin(v *ir.Value) {
	if v.Type == ir.PtrStack || v.Type == ir.PtrData || v.Type == ir.PtrAny {
		o.joins = append(o.joins, v)
		o.objects[v] = object{}
	}
}

// sources returns what v is one of.
func (o *objectOffsets) sources(v *ir.Value) []*ir.Value {
	var list []*ir.Value
	for _, place := range o.places(v) {
		list = append(list, *place)
	}
	return list
}

// places returns where that is which v is one of.
func (o *objectOffsets) places(v *ir.Value) []**ir.Value {
	if v.Op == ir.OpSelect {
		return []**ir.Value{&v.Args[1], &v.Args[2]}
	}
	i := slices.Index(v.Block.Params, v)
	var list []**ir.Value
	for _, pred := range o.dom.Preds()[v.Block.ID] {
		list = append(list, &pred.Edge().Args[i])
	}
	return list
}

// baseOf returns what the pointer v was computed from, and whether an offset that is not
// constant has been added.
func baseOf(v *ir.Value) (base *ir.Value, constant, moved bool) {
	constant = true
	for {
		switch v.Op {
		case ir.OpPtrAdd:
			_, isConst := v.Args[1].IsConst()
			constant, moved = constant && isConst, true
		case ir.OpPi, ir.OpCheckNonNil:
		default:
			return v, constant, moved
		}
		v = v.Args[0]
	}
}

// findObjects finds the objects that the joins point into.
func (o *objectOffsets) findObjects() {
	asked := o.askedForNil()
	for changed := true; changed; {
		changed = false
		for _, v := range o.joins {
			old := o.objects[v]
			now := old
			for _, a := range o.sources(v) {
				base, _, _ := baseOf(a)
				if from, isJoin := o.objects[base]; isJoin {
					now = now.join(from)
				} else if base.Op == ir.OpSlotAddr || base.Op == ir.OpDataAddr {
					now = now.join(object{addr: base})
				} else if base.Op != ir.OpConst || asked[v] {
					now = object{mixed: true}
				}
			}
			if !now.equal(old) {
				o.objects[v], changed = now, true
			}
		}
	}
}

// askedForNil returns the joins of which, or of what is made of them, something depends on
// whether they are nil.
func (o *objectOffsets) askedForNil() map[*ir.Value]bool {
	asked := make(map[*ir.Value]bool)
	var work []*ir.Value
	ask := func(p *ir.Value) {
		base, _, _ := baseOf(p)
		if _, isJoin := o.objects[base]; isJoin && !asked[base] {
			asked[base] = true
			work = append(work, base)
		}
	}
	for _, b := range o.f.Blocks {
		for _, v := range b.Instrs {
			switch v.Op {
			case ir.OpCheckNonNil:
				if v.Site().Message != ir.ProofMessage { // it is not, then
					ask(v.Args[0])
				}
			case ir.OpEq, ir.OpNe:
				if v.Args[0].Type.IsPtr() {
					ask(v.Args[0])
					ask(v.Args[1])
				}
			}
		}
	}
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		for _, a := range o.sources(v) {
			ask(a)
		}
	}
	return asked
}

// moving returns the joins to replace: those into an object into which one of them moves.
func (o *objectOffsets) moving() []*ir.Value {
	var objects []object
	for _, v := range o.joins {
		at := o.objects[v]
		if at.addr == nil {
			continue
		}
		for _, a := range o.sources(v) {
			base, constant, moved := baseOf(a)
			if _, isJoin := o.objects[base]; !constant || moved && isJoin {
				objects = append(objects, at)
			}
		}
	}
	var list []*ir.Value
	for _, v := range o.joins {
		for _, at := range objects {
			if o.objects[v].equal(at) {
				list = append(list, v)
				break
			}
		}
	}
	return list
}

func (o *objectOffsets) rewrite() {
	list := o.moving()
	if len(list) == 0 {
		return
	}
	params := make(map[*ir.Block][]*ir.Value)
	for _, v := range list {
		if v.Op == ir.OpSelect {
			n := o.f.NewValue(ir.OpSelect, ir.I64, v.Pos, v.Args[0], nil, nil)
			insertAfter(v, n)
			o.offsets[v] = n
			continue
		}
		o.offsets[v] = v.Block.AddParam(ir.I64, v.Pos)
		params[v.Block] = append(params[v.Block], v)
	}
	for _, v := range list {
		if v.Op == ir.OpSelect {
			n := o.offsets[v]
			n.Args[1], n.Args[2] = o.offset(v.Args[1]), o.offset(v.Args[2])
			continue
		}
		for k, a := range o.sources(v) {
			e := o.dom.Preds()[v.Block.ID][k].Edge()
			e.Args = append(e.Args, o.offset(a))
		}
	}
	names := newRenaming(o.f)
	for _, v := range list {
		root := o.objects[v].addr
		addr := o.f.NewValue(root.Op, root.Type, v.Pos)
		addr.Aux = root.Aux
		p := o.f.NewValue(ir.OpPtrAdd, root.Type, v.Pos, addr, o.offsets[v])
		if v.Op == ir.OpSelect {
			insertAfter(o.offsets[v], addr, p)
		} else {
			v.Block.Insert(0, addr, p)
		}
		names.set(v, p)
	}
	names.apply()
	for _, b := range o.dom.Order() {
		if dead := params[b]; dead != nil {
			removeParams(b, o.dom.Preds()[b.ID], func(v *ir.Value) bool { return o.isReplaced(v) })
		}
	}
	removeDead(o.f)
}

func (o *objectOffsets) isReplaced(v *ir.Value) bool {
	_, isJoin := o.objects[v]
	return isJoin && o.offsets[v] != nil
}

// offset returns the offset of the pointer v in its object.
func (o *objectOffsets) offset(v *ir.Value) *ir.Value {
	if n := o.offsets[v]; n != nil {
		return n
	}
	var n *ir.Value
	switch v.Op {
	case ir.OpPi, ir.OpCheckNonNil:
		n = o.offset(v.Args[0])
	case ir.OpPtrAdd:
		n = o.f.NewValue(ir.OpAdd, ir.I64, v.Pos, o.offset(v.Args[0]), v.Args[1])
		insertAfter(v, n)
	case ir.OpDataAddr:
		n = o.constant(v.Imm)
	default: // the beginning of a variable, or nil
		n = o.constant(0)
	}
	o.offsets[v] = n
	return n
}

func (o *objectOffsets) constant(c int64) *ir.Value {
	n := constant(o.f, ir.I64, c)
	o.f.Entry().Insert(0, n)
	return n
}

// insertAfter puts values behind the instruction v.
func insertAfter(v *ir.Value, values ...*ir.Value) {
	for i, w := range v.Block.Instrs {
		if w == v {
			v.Block.Insert(i+1, values...)
			return
		}
	}
	panic("BUG: instruction is not in its block")
}
