package regalloc

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// This file spills what colouring could not place. Pressure is within limits
// then, so this is about the few webs that form an odd cycle, or live across calls
// in a pattern that four registers do not colour and cutting did not help. A web
// that fails is split into parts that live in one block and not across calls, each
// of which is reloaded once; a part that fails again into one part for each
// instruction.

// respill splits the failed webs.
func (a *allocator) respill(failed []int32) {
	r := &respiller{
		allocator: a,
		target:    make([]spillLevel, len(a.homeOf)),
		part:      make([]int32, len(a.homeOf)),
		learned:   make([]mir.Inst, len(a.g.blocks)),
		o:         newOperands(),
	}
	for _, v := range failed {
		r.target[v] = max(a.level[v]+1, regional)
	}
	for b := range a.g.blocks {
		r.block(b)
	}
	ed := newEdgeEditor(a.g)
	for b := range a.g.blocks {
		for i, p := range a.g.preds[b] {
			if l := r.learned[p]; l.Op != mir.OpInvalid {
				ed.insert(p, int32(b), i, []mir.Inst{l})
			}
		}
	}
	if ed.finish() {
		a.g = newGraph(a.f)
	}
}

// A respiller rewrites the uses of some webs.
type respiller struct {
	*allocator
	target []spillLevel // by web: what to make of it, whole to leave it alone
	part   []int32      // by web: its current part, 0 if it is in memory only
	open   []int32      // webs with a current part
	code   []mir.Inst
	o      *operands

	// By block: the store to make on the edges out of it, because the branch at
	// its end tells the verifier about a failed web; see place.go.
	learned []mir.Inst
}

func (r *respiller) failed(x mir.Reg) bool {
	return x.IsVirtual() && int(variable(x)) < len(r.target) && r.target[variable(x)] != whole
}

// fresh starts a new part of web v.
func (r *respiller) fresh(v int32) {
	r.part[v] = int32(len(r.homeOf))
	r.homeOf = append(r.homeOf, r.homeOf[v])
	r.level = append(r.level, r.target[v])
	r.open = append(r.open, v)
}

// close ends all parts.
func (r *respiller) close() {
	for _, v := range r.open {
		r.part[v] = 0
	}
	r.open = r.open[:0]
}

func (r *respiller) block(b int) {
	blk := r.g.blocks[b]
	r.code = r.code[:0]
	for i := range blk.Insts {
		in := &blk.Insts[i]
		if in.Clobbers() {
			r.close()
		}
		v := learns(in)
		r.inst(in)
		if v != mir.NoReg && r.failed(v) && r.remat[variable(v)] == nil {
			r.learned[b] = r.store(variable(v), r.code[len(r.code)-1].Dst)
		}
	}
	r.close()
	blk.Insts = append(blk.Insts[:0], r.code...)
}

// inst appends in with its failed operands replaced, the reloads it needs before
// it and the stores after it.
func (r *respiller) inst(in *mir.Inst) {
	switch {
	case isSpillStore(in) && r.failed(in.Src) && r.remat[variable(in.Src)] == nil, r.failed(in.Dst) && (isSpillLoad(in) || r.remat[variable(in.Dst)] != nil && isRemat(in)):
		return // memory holds the value already, or it is computed again
	case isCopy(in) && in.Dst.IsPhys() && r.failed(in.Src) && r.part[variable(in.Src)] == 0:
		r.code = append(r.code, r.reload(variable(in.Src), in.Dst))
		return
	case isCopy(in) && in.Src.IsPhys() && r.failed(in.Dst):
		v := variable(in.Dst)
		r.code = append(r.code, r.store(v, in.Src))
		r.part[v] = 0
		return
	}
	ops := r.o.of(in)
	var stores []mir.Inst
	for _, op := range ops {
		if !r.failed(op.reg) {
			continue
		}
		v := variable(op.reg)
		if op.use&mir.Read != 0 {
			if r.part[v] == 0 {
				r.fresh(v)
				r.code = append(r.code, r.reload(v, register(r.part[v])))
			}
		} else {
			r.fresh(v)
		}
		part := register(r.part[v])
		op.set(in, part)
		if op.use&mir.Write != 0 {
			stores = append(stores, r.store(v, part))
		}
	}
	r.code = append(r.code, *in)
	r.code = append(r.code, stores...)
	r.closeMinimal()
}

// closeMinimal ends the parts that must not outlive their instruction.
func (r *respiller) closeMinimal() {
	kept := r.open[:0]
	for _, v := range r.open {
		if r.target[v] == minimal {
			r.part[v] = 0
		} else {
			kept = append(kept, v)
		}
	}
	r.open = kept
}
