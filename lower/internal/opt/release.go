package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes panics give back what the program holds: memory reserved in ring buffers,
// references to sockets, spin locks. The verifier refuses a program that leaves with one of
// these. A function that returns with one on all paths to the place is an error.
//
// Method: a forward analysis finds what is held for certain at each place. What a helper
// returned may be held until it is compared with nil, and is or is not afterwards. Where
// control flow merges it is held if it is on all ways, or if a block parameter is what is held
// or nil; other things that are held on some ways only are left to the verifier, which follows
// each. A check at which something is held becomes a branch to a block that gives it back and
// panics; a check that is also a proof is left behind it, for checkelim to turn into one. Functions
// that are called and may panic are seen to once the abi pass has made branches of that. What is
// returned with is found by following each way, see leak.go.
//
// Precondition: it runs before checkelim and after the last pass that makes checks, but for guard,
// after which it runs again.
//
// Before:                                After:
//
//	v2 = helper ringbuf_reserve(...)      v2 = helper ringbuf_reserve(...)
//	branch (v2 == 0), b2(), b1()          branch (v2 == 0), b2(), b1()
//	b1: v4 = checkidx v3, 8 !0            b1: v5 = ult v3, 8
//	                                          branch v5, b3(), b4()
//	                                      b3: v4 = checkidx v3, 8 !0
//	                                      b4: helper ringbuf_discard(v2, 0)
//	                                          panic !0

// An obligation is what it means to hold something.
type obligation struct {
	what    string     // for people
	how     string     // what they are to do
	release *ir.Helper // gives it back; the first argument is the pointer
	ends    []string   // helpers that end it, by name
}

var (
	reservation = &obligation{
		what: "the record reserved at %v is neither submitted nor discarded", how: "call Submit or Discard on every path, or defer one of them",
		release: &ir.Helper{ID: 133, Name: "ringbuf_discard", Args: []ir.ArgKind{ir.ArgKernel, ir.ArgScalar}, Sizes: []int{-1, -1}, Result: ir.Void},
		ends:    []string{"ringbuf_submit", "ringbuf_discard"},
	}
	socket = &obligation{
		what: "the socket looked up at %v is not released", how: "call ebpf.SkRelease on every path",
		release: &ir.Helper{ID: 86, Name: "sk_release", Args: []ir.ArgKind{ir.ArgKernel}, Sizes: []int{-1}, Result: ir.I64},
		ends:    []string{"sk_release"},
	}
	locked = &obligation{
		what: "the lock taken at %v is not given back", how: "call Unlock on every path, or defer it",
		release: &ir.Helper{ID: 94, Name: "spin_unlock", Args: []ir.ArgKind{ir.ArgOut}, Sizes: []int{-1}, Result: ir.Void, Flags: ir.ReadsMem | ir.WritesMem},
		ends:    []string{"spin_unlock"},
	}
)

// acquiring is the helpers whose result must be given back.
var acquiring = map[string]*obligation{
	"ringbuf_reserve": reservation, "sk_lookup_tcp": socket, "sk_lookup_udp": socket, "skc_lookup_tcp": socket,
}

// A holding is something that is held.
type holding struct {
	*obligation
	at *ir.Value // the call that got it, or a parameter that is that or nil
	is certainty
}

// A certainty says whether what a helper returned is held. Until it is compared with nil, it may be
// nil, or not.
type certainty uint8

const (
	perhaps certainty = iota
	surely
	isNil
)

// pointer returns what the helper that gives it back takes.
func (x holding) pointer() *ir.Value {
	if x.obligation == locked {
		return x.at.Args[0]
	}
	return x.at
}

// held is what is held at a place, each from another call.
type held []holding

// find returns the place in h of what the call at got, or -1.
func (h held) find(at *ir.Value) int {
	return slices.IndexFunc(h, func(x holding) bool { return x.at == at })
}

// without returns h without what the call at got.
func (h held) without(at *ir.Value) held {
	return slices.DeleteFunc(h, func(x holding) bool { return x.at == at })
}

// Release makes f's panics release what is held, and reports what is not released otherwise.
func Release(f *ir.Func, c *Config) {
	if !acquires(f) {
		return
	}
	ir.RemoveUnreachable(f)
	r := newReleaser(f)
	(&leakSearch{releaser: r, config: c}).run()
	for _, b := range slices.Clone(f.Blocks) { // and not those made now
		r.rewrite(b)
	}
}

// ReleaseProofs makes the proofs that [Guard] has put in release what is held: they never fail, but the
// verifier follows what happens if they do.
func ReleaseProofs(f *ir.Func, _ *Config) {
	if !acquires(f) {
		return
	}
	ir.RemoveUnreachable(f)
	r := newReleaser(f)
	r.proofs = true
	for _, b := range slices.Clone(f.Blocks) {
		r.rewrite(b)
	}
}

// ReleaseCalls makes the panics of functions that f calls release what f holds.
//
// Precondition: it runs after abi, which makes branches of them.
func ReleaseCalls(f *ir.Func, _ *Config) {
	if !acquires(f) {
		return
	}
	ir.RemoveUnreachable(f)
	r := newReleaser(f)
	for _, b := range slices.Clone(f.Blocks) {
		for i, e := range b.Term.Succs {
			if t := e.To.Term; t.Kind != ir.TermPanic || t.Site != nil || r.out[b.ID] == nil {
				continue
			}
			h := r.onEdge(b, i)
			if len(h.leavings()) == 0 {
				continue
			}
			cold := f.NewBlock()
			b.Term.Succs[i] = ir.Edge{To: cold}
			r.release(cold, h, b.Term.Pos).Jump(b.Term.Pos, e.To, e.Args...)
		}
	}
}

func acquires(f *ir.Func) bool {
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpHelper && (acquiring[v.Helper().Name] != nil || v.Helper().Name == "spin_lock") {
				return true
			}
		}
	}
	return false
}

type releaser struct {
	f       *ir.Func
	dom     *ir.DomTree
	in, out []held // by Block.ID; nil is not known yet
	proofs  bool   // checks are not needed any more behind the branches that do their work
}

// newReleaser finds what is held at the beginning and the end of each block of f.
func newReleaser(f *ir.Func) *releaser {
	r := &releaser{f: f, dom: ir.Dominators(f), in: make([]held, f.NumBlocks()), out: make([]held, f.NumBlocks())}
	for changed := true; changed; {
		changed = false
		for _, b := range r.dom.Order() {
			in := r.entering(b)
			if r.in[b.ID] != nil && slices.Equal(r.in[b.ID], in) {
				continue
			}
			changed = true
			r.in[b.ID] = in
			out := slices.Clone(in)
			for _, v := range b.Instrs {
				out = out.after(v)
			}
			r.out[b.ID] = append(held{}, out...)
		}
	}
	return r
}

// entering returns what is held on all ways to b that are known.
func (r *releaser) entering(b *ir.Block) held {
	all := held{}
	first := true
	var before []ir.Pred
	for _, p := range r.dom.Preds()[b.ID] {
		if r.out[p.Block.ID] == nil {
			continue
		}
		h := r.onEdge(p.Block, p.Succ)
		for _, x := range all {
			if h.find(x.at) < 0 && passesNil(p, x.at) {
				x.is = isNil
				h = append(h, x)
			}
		}
		for _, x := range h {
			if all.find(x.at) < 0 && !first && !slices.ContainsFunc(before, func(p ir.Pred) bool { return !passesNil(p, x.at) }) {
				x.is = isNil
				all = append(all, x)
			}
		}
		if first {
			all, first = h, false
		} else {
			all = both(all, h)
		}
		before = append(before, p)
	}
	return all
}

// passesNil reports whether nil is what p passes for v, a parameter of the block it leads to.
func passesNil(p ir.Pred, v *ir.Value) bool {
	i := slices.Index(p.Edge().To.Params, v)
	return i >= 0 && isZero(p.Edge().Args[i])
}

// both returns what is held in a and in b.
func both(a, b held) held {
	h := held{}
	for _, x := range a {
		if i := b.find(x.at); i >= 0 {
			if b[i].is != x.is {
				x.is = perhaps
			}
			h = append(h, x)
		}
	}
	return h
}

// after returns what is held after v, if h is before. It changes h.
func (h held) after(v *ir.Value) held {
	switch v.Op {
	case ir.OpHelper:
		name := v.Helper().Name
		switch o := acquiring[name]; {
		case o != nil:
			return append(h.without(v), holding{o, v, perhaps})
		case name == "spin_lock":
			return append(h.without(v), holding{locked, v, surely})
		case len(v.Args) > 0:
			return h.ended(name, withoutProofs(v.Args[0]))
		}
	case ir.OpCheckNonNil:
		h.settle(withoutProofs(v), surely)
	case ir.OpCall, ir.OpStore: // which may give it to somebody
		for i, a := range v.Args {
			if v.Op == ir.OpCall || i > 0 { // not the address of a store
				h = h.without(withoutProofs(a))
			}
		}
	}
	return h
}

// withoutProofs returns the pointer that p is another name of.
func withoutProofs(p *ir.Value) *ir.Value {
	for p.Op == ir.OpPi || p.Op == ir.OpCheckNonNil {
		p = p.Args[0]
	}
	return p
}

// ended returns what is held after the call of a helper with the pointer p. There is one lock at
// most, and what p is that comes from several places is not known.
func (h held) ended(helper string, p *ir.Value) held {
	known := h.find(p) >= 0
	return slices.DeleteFunc(h, func(x holding) bool {
		return slices.Contains(x.ends, helper) && (x.at == p || x.obligation == locked || !known && p.Op != ir.OpHelper)
	})
}

// settle is the outcome of comparing p with nil.
func (h held) settle(p *ir.Value, is certainty) {
	if i := h.find(p); i >= 0 {
		h[i].is = is
	}
}

// onEdge returns what is held on successor i of b. What is known there only by the name of a
// parameter has that name.
func (r *releaser) onEdge(b *ir.Block, i int) held {
	h := slices.Clone(r.out[b.ID])
	h.decide(b, i)
	e := b.Term.Succs[i]
	for j, a := range e.Args {
		if k := h.find(withoutProofs(a)); k >= 0 && !r.dom.Dominates(h[k].at.Block, e.To) {
			h[k].at = e.To.Params[j]
		}
	}
	return h
}

// decide is the outcome of the branch that ends b, if it is to successor i.
func (h held) decide(b *ir.Block, i int) {
	if b.Term.Kind != ir.TermBranch {
		return
	}
	cond := b.Term.Args[0]
	if (cond.Op == ir.OpEq || cond.Op == ir.OpNe) && isZero(cond.Args[1]) {
		is := surely
		if (cond.Op == ir.OpEq) == (i == 0) {
			is = isNil
		}
		h.settle(withoutProofs(cond.Args[0]), is)
	}
}

// rewrite makes the panics in b release what is held there.
func (r *releaser) rewrite(b *ir.Block) {
	if r.in[b.ID] == nil {
		return
	}
	h := slices.Clone(r.in[b.ID])
	for i := 0; i < len(b.Instrs); i++ {
		v := b.Instrs[i]
		leaving := slices.Clone(h)
		if v.Op == ir.OpCheckNonNil {
			leaving.settle(withoutProofs(v), isNil)
		}
		if site, ok := v.Aux.(*ir.Site); ok && v.Op != ir.OpLoopLimit && len(leaving.leavings()) > 0 {
			rest := ir.SplitBlock(b, i)
			cold := r.f.NewBlock()
			b.Branch(v.Pos, condition(b, v), ir.Edge{To: rest}, ir.Edge{To: cold})
			r.release(cold, leaving, v.Pos).Panic(v.Pos, site)
			b, i = rest, 0
			if v.Op == ir.OpCheck {
				b.Instrs = b.Instrs[1:]
				i = -1
			} else if r.proofs {
				v.Op, v.Args, v.Aux = ir.OpPi, v.Args[:1], nil
			}
		}
		h = h.after(v)
	}
	if t := b.Term; t.Kind == ir.TermPanic {
		b.Term = ir.Term{}
		r.release(b, h, t.Pos).Term = t
	}
}

// condition returns what the check v is of, computed at the end of b.
func condition(b *ir.Block, v *ir.Value) *ir.Value {
	switch v.Op {
	case ir.OpCheckIdx:
		return b.Add(ir.OpULt, ir.I32, v.Pos, v.Args[0], v.Args[1])
	case ir.OpCheckULe:
		return b.Add(ir.OpULe, ir.I32, v.Pos, v.Args[0], v.Args[1])
	case ir.OpCheckNonNil:
		return b.Add(ir.OpNe, ir.I32, v.Pos, v.Args[0], b.Const(v.Type, 0))
	}
	return v.Args[0]
}

// leavings returns what is or may be held, latest first.
func (h held) leavings() []holding {
	all := slices.DeleteFunc(slices.Clone(h), func(x holding) bool { return x.is == isNil })
	slices.Reverse(all)
	return all
}

// release gives back all of h at the end of b, and returns the block where that is done.
func (r *releaser) release(b *ir.Block, h held, pos ir.Pos) *ir.Block {
	for _, x := range h.leavings() {
		next := b
		if x.is == perhaps {
			give := r.f.NewBlock()
			next = r.f.NewBlock()
			b.Branch(pos, b.Add(ir.OpNe, ir.I32, pos, x.at, b.Const(x.at.Type, 0)), ir.Edge{To: give}, ir.Edge{To: next})
			b = give
		}
		args := []*ir.Value{x.pointer()}
		if len(x.obligation.release.Args) > 1 {
			args = append(args, b.Const(ir.I64, 0)) // flags
		}
		b.Add(ir.OpHelper, x.obligation.release.Result, pos, args...).Aux = x.obligation.release
		if next != b {
			b.Jump(pos, next)
		}
		b = next
	}
	return b
}
