package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file replaces calls by the body of the callee.
//
// Inlining is the rule and a BPF subprogram the exception: a call costs moves to
// fixed registers and clobbers six of ten, the verifier follows static
// subprograms at each call anyway, and only in an inlined body does a check see
// what the caller knows of its operand.
//
// Method: functions are visited callees first, so that a body that is inlined
// has had its own calls inlined. A call stays if the callee is marked NoInline or
// is large, is called several times, and inlining it everywhere would make
// the program grow beyond a budget. Some functions cannot be subprograms, because
// the verifier lets no pointer into a stack frame be returned or stored in another
// frame, and because frames nest at most eight deep; they are inlined even so.
// Functions that nobody calls any more are removed.
//
// A variable of a callee whose call is in a loop comes into being more than once,
// so its slot is marked Looped.
//
// Precondition: the call graph has no cycles.
//
// Before:                          After:
//
//	func @f(v0 i32) (i32) {         func @f(v0 i32) (i32) {
//	v1 = call i32 @g(v0)            v1 = const i32 1
//	return v1                       v2 = add i32 v0, v1
//	func @g(v0 i32) (i32) {         return v2
//	v1 = const i32 1
//	v2 = add i32 v0, v1
//	return v2

const (
	// smallBody is the size up to which a body is always inlined: about what
	// the call and the moves around it cost.
	smallBody = 30
	// growthBudget is how much larger all calls of one function may make the
	// program.
	growthBudget = 400
	// callerBudget is the size of a caller above which only bodies that are
	// small or called once are inlined.
	callerBudget = 4000
	// maxFrames is the depth to which calls may nest: MAX_CALL_FRAMES in
	// include/linux/bpf_verifier.h.
	maxFrames = 8
)

// Inline inlines calls all over the module.
func Inline(m *ir.Module, c *Config) {
	in := &inliner{
		doubt: c.Doubt,
		graph: newCallGraph(m),
		size:  make(map[*ir.Func]int),
		depth: make(map[*ir.Func]int),
	}
	for _, f := range in.graph.order {
		in.visit(f)
	}
	removeUncalled(m)
}

type inliner struct {
	graph *callGraph
	doubt bool
	size  map[*ir.Func]int // of the functions visited
	depth map[*ir.Func]int // frames that a call of the function needs
}

// visit inlines the calls in f.
func (in *inliner) visit(f *ir.Func) {
	v := &visit{
		inliner: in,
		f:       f,
		size:    bodySize(f),
		frames:  1,
		repeats: repeatingBlocks(f),
		names:   newRenaming(f),
		results: make(map[*ir.Value][]*ir.Value),
	}
	for _, b := range slices.Clone(f.Blocks) {
		v.block(b)
	}
	for _, g := range in.graph.callbacks[f] { // a helper's call takes a frame, too
		v.frames = max(v.frames, 1+in.depth[g])
	}
	v.names.apply()
	if len(v.results) > 0 {
		simplifyCFG(f)
		f.Compact()
		v.size = bodySize(f)
	}
	in.size[f], in.depth[f] = v.size, v.frames
}

// A visit is the inlining of the calls in one function.
type visit struct {
	*inliner
	f       *ir.Func
	size    int                // of f, with what has been inlined
	frames  int                // that a call of f needs
	repeats map[*ir.Block]bool // the blocks that may run more than once
	names   *renaming
	results map[*ir.Value][]*ir.Value // of the calls that have been inlined
}

// block inlines the calls in b. What follows each is in a block of its own, to which an
// instruction is moved once, however many calls there are.
func (v *visit) block(b *ir.Block) {
	at, term := b, b.Term
	for i, w := range b.Instrs {
		results, isResult := []*ir.Value(nil), false
		if w.Op == ir.OpResult {
			results, isResult = v.results[w.Args[0]]
		}
		switch {
		case isResult:
			v.names.set(w, results[w.Imm])
		case w.Op == ir.OpCall && v.inlines(w):
			if at == b {
				b.Instrs = slices.Clip(b.Instrs[:i])
			}
			at = v.inlineCall(at, w, v.repeats[b])
		case at != b:
			at.Append(w)
		}
	}
	at.Term = term
}

// inlines reports whether to inline call, and accounts for what it will be.
func (v *visit) inlines(call *ir.Value) bool {
	g := call.Callee()
	if !v.shouldInline(g, v.size) && !v.passesTable(call) && !v.hidesOffset(call) {
		v.frames = max(v.frames, 1+v.depth[g])
		return false
	}
	v.size += v.inliner.size[g]
	return true
}

// shouldInline reports whether to inline g into a caller of the given size.
func (in *inliner) shouldInline(g *ir.Func, caller int) bool {
	size, visited := in.size[g]
	switch {
	case !visited: // recursion
		return false
	case !canBeSubprogram(g), in.depth[g] >= maxFrames:
		return true
	case g.NoInline:
		return false
	case size <= smallBody, in.graph.sites[g] == 1:
		return true
	}
	return size*(in.graph.sites[g]-1) <= growthBudget && caller+size <= callerBudget
}

// passesTable reports whether call passes the address of data that holds addresses, which are
// followed in the function that has the data (datatable.go).
func (in *inliner) passesTable(call *ir.Value) bool {
	_, visited := in.size[call.Callee()]
	return visited && slices.ContainsFunc(call.Args, func(a *ir.Value) bool {
		d, ok := placeOf(a, 0, 0).base.(*ir.Data)
		return ok && a.Type.IsPtr() && len(d.Refs) > 0
	})
}

// hidesOffset reports whether call, of a program that was refused, passes a pointer to somewhere
// in an object. In the function nothing is known of the object, so that guard.go could not
// tell the verifier where in it accesses are.
func (v *visit) hidesOffset(call *ir.Value) bool {
	size, visited := v.inliner.size[call.Callee()]
	if !v.doubt || !visited || call.Callee().NoInline || v.size+size > callerBudget {
		return false
	}
	return slices.ContainsFunc(call.Args, func(a *ir.Value) bool {
		return a.Type.IsPtr() && !isAnywhere(a) && a.Op != ir.OpSlotAddr
	})
}

// canBeSubprogram reports whether the verifier allows f to be called: "cannot
// return stack pointer to the caller" otherwise. Slices of packets must be
// seen together with the packet.
func canBeSubprogram(f *ir.Func) bool {
	return !slices.ContainsFunc(f.Results, func(t ir.Type) bool { return t == ir.PtrAny || t == ir.PtrStack || t == ir.PtrPacket }) &&
		!slices.ContainsFunc(f.Params(), isPacketPointer)
}

// bodySize estimates the number of instructions f becomes.
func bodySize(f *ir.Func) int {
	n := 0
	for _, b := range f.Blocks {
		n += blockSize(b)
	}
	return n
}

// blockSize estimates the number of instructions b becomes.
func blockSize(b *ir.Block) int {
	n := 1
	for _, v := range b.Instrs {
		switch v.Op {
		case ir.OpConst, ir.OpSlotAddr, ir.OpPi, ir.OpResult, ir.OpZExt:
		case ir.OpCall, ir.OpHelper:
			n += 1 + len(v.Args)
		case ir.OpMemZero, ir.OpMemCopy:
			n += int(v.Size+7) / 8
		default:
			n++
		}
	}
	return n
}

// repeatingBlocks returns the blocks of f that may run more than once.
func repeatingBlocks(f *ir.Func) map[*ir.Block]bool {
	repeats := make(map[*ir.Block]bool)
	nest := ir.Loops(ir.Dominators(f))
	for _, b := range f.Blocks {
		if nest.Depth(b) > 0 || len(nest.Irreducible) > 0 {
			repeats[b] = true
		}
	}
	return repeats
}

// inlineCall puts the body of call's callee behind b, which has no terminator yet and may
// run more than once if inLoop. What follows the call is to go to the block that it returns.
func (v *visit) inlineCall(b *ir.Block, call *ir.Value, inLoop bool) (rest *ir.Block) {
	f, callee := v.f, call.Callee()
	rest = f.NewBlock()
	results := make([]*ir.Value, len(callee.Results))
	for i, t := range callee.Results {
		results[i] = rest.AddParam(t, call.Pos)
	}
	if len(results) == 1 {
		v.names.set(call, results[0])
	}
	v.results[call] = results

	firstSlot := len(f.Slots)
	body := ir.CloneInto(f, callee)
	for _, s := range f.Slots[firstSlot:] {
		s.Looped = s.Looped || inLoop
	}
	b.Jump(call.Pos, body.Block(callee.Entry()), call.Args...)
	for _, from := range callee.Blocks {
		to := body.Block(from)
		if callee.API {
			to.Term.Pos = call.Pos
			for _, w := range to.Instrs {
				w.Pos = call.Pos
			}
		}
		if to.Term.Kind == ir.TermReturn {
			to.Jump(to.Term.Pos, rest, to.Term.Args...)
		}
	}
	return rest
}
