package opt

import (
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file moves variables that cannot be on the stack to scratch memory: the
// value of a per-CPU array with one entry, the map [ScratchMap].
//
// Method: which variables may move is found by following their addresses (see
// pointees.go). Of these there move
//
//   - those at variable offsets in which something is accessed, if the target's
//     verifier does not follow such accesses to the stack;
//   - as long as the deepest chain of calls needs too much stack, the largest
//     variable of the chain. Arguments and results of calls that find no register are
//     among the variables then (callmem.go).
//
// Each function with such variables looks its memory up on entry, which cannot
// fail but for the verifier, and has a region of its own there: functions do not call
// themselves, so that no region is in use twice at a time. Nothing is zeroed: a variable's
// content is undefined until it is written here as there.
//
// What the verifier knows of the stack it does not know of a map's value: it takes what
// is loaded from there for any number. Therefore variables of up to 8
// bytes, counters above all, stay where they are, and those that hold pointers must.
//
// Memory of the CPU is right as long as no run of the program is interrupted by another on the same
// CPU. Programs that sleep are, by runs for other tasks, unless something keeps these away: the
// recursion check of trampolines (__bpf_prog_enter_sleepable_recur in kernel/bpf/trampoline.c) from those of fentry and
// fexit, and who runs them from syscall programs. For the rest, on uprobes and LSM hooks, the program is
// refused.
//
// Preconditions: the bounds of accesses have been made known (guard.go), for which the
// sizes of variables are needed, and no variable's address outlives its function
// (escape.go). A lookup may panic, hence the calling convention (abi.go) comes later.
//
// Before:                          After:
//
//	                                v5 = slotaddr s1
//	                                store.4 v5 +0, 0
//	                                v6 = helper map_lookup_elem(@.scratch, v5)
//	                                v7 = checknonnil v6 !0
//	v1 = slotaddr s0                v1 = ptradd v7, 64
//	memzero 1024 v1                 memzero 1024 v1

const (
	// ScratchMap is the name of the map of scratch memory.
	ScratchMap = ".scratch"

	// maxScratch is the size of the largest value that a per-CPU map takes:
	// PCPU_MIN_UNIT_SIZE in include/linux/percpu.h.
	maxScratch = 32 << 10

	// spillMargin is the number of bytes that are left, once variables have to
	// move, for what register allocation spills.
	spillMargin = 64

	// frameRound and slotUnit are how frames and their objects are counted; see
	// package emit.
	frameRound = 32
	slotUnit   = 8

	// keySize is the size on the stack of what the lookup needs.
	keySize = slotUnit
)

// mapLookup is the helper bpf_map_lookup_elem.
var mapLookup = &ir.Helper{
	ID: 1, Name: "map_lookup_elem",
	Args: []ir.ArgKind{ir.ArgMap, ir.ArgMem}, Sizes: []int{-1, -1},
	Result: ir.PtrMapValue, Flags: ir.ReadsMem,
}

// Scratch moves variables of m to scratch memory until the others fit on the stack.
func Scratch(m *ir.Module, c *Config) {
	s := &scratch{module: m, config: c, graph: newCallGraph(m), moved: make(map[*ir.Slot]bool)}
	s.measure()
	limit := c.Target.StackSize - c.Spill
	anyOffset := c.Target.Has(target.VarOffStack)
	if s.depth[s.deepest()[0]] > limit && conveyInVariables(m, s.graph) {
		s.measure()
	}
	if chain := s.deepest(); anyOffset && s.depth[chain[0]] <= limit {
		return
	}
	s.pointees = findPointees(s.graph.order)
	for _, f := range s.graph.order {
		for _, slot := range s.slots[f] {
			if p := s.pointees[slot]; !anyOffset && p.variable && p.movable() {
				s.move(f, slot)
			}
		}
	}
	if chain := s.deepest(); s.depth[chain[0]] > limit {
		limit -= max(0, spillMargin-c.Spill)
		for s.depth[chain[0]] > limit && s.moveLargest(chain) {
			chain = s.deepest()
		}
	}
	if len(s.moved) > 0 {
		s.rewrite()
	}
}

type scratch struct {
	module   *ir.Module
	config   *Config
	graph    *callGraph
	pointees map[*ir.Slot]*pointee
	slots    map[*ir.Func][]*ir.Slot // that are referred to
	moved    map[*ir.Slot]bool
	frame    map[*ir.Func]int  // bytes of its variables on the stack
	depth    map[*ir.Func]int  // bytes of the deepest chain of calls from it
	keyed    map[*ir.Func]bool // looks scratch memory up
}

// measure finds the variables of all functions and the size of the frames.
func (s *scratch) measure() {
	s.slots = make(map[*ir.Func][]*ir.Slot)
	s.frame = make(map[*ir.Func]int)
	s.depth = make(map[*ir.Func]int)
	s.keyed = make(map[*ir.Func]bool)
	conventions := make(map[*ir.Func]*convention)
	for _, f := range s.graph.order {
		ir.RemoveUnreachable(f)
		s.frame[f] = callMemory(f, conventions)
		used := make([]bool, len(f.Slots))
		for _, b := range f.Blocks {
			for _, v := range b.Instrs {
				if v.Op == ir.OpSlotAddr {
					used[v.Slot().Index] = true
				}
			}
		}
		for _, slot := range f.Slots {
			if used[slot.Index] {
				s.slots[f] = append(s.slots[f], slot)
				s.frame[f] += onStack(slot)
			}
		}
	}
}

// onStack returns the bytes that slot takes in a frame.
func onStack(slot *ir.Slot) int { return int(roundUp(slot.Size, slotUnit)) }

func roundUp(n, align int64) int64 { return (n + align - 1) / align * align }

// deepest returns the chain of calls that needs the most stack, caller first. As the
// kernel does, it counts a function whose address is taken as called.
func (s *scratch) deepest() []*ir.Func {
	next := make(map[*ir.Func]*ir.Func)
	for _, f := range s.graph.order { // callees first
		below := 0
		visit := func(callee *ir.Func) {
			if d := s.depth[callee]; d > below {
				below, next[f] = d, callee
			}
		}
		for _, call := range calls(f) {
			visit(call.Callee())
		}
		for _, callback := range s.graph.callbacks[f] {
			visit(callback)
		}
		s.depth[f] = below + int(roundUp(max(int64(s.frame[f]), 1), frameRound))
	}
	var chain []*ir.Func
	for f := s.module.Funcs[0]; f != nil; f = next[f] {
		chain = append(chain, f)
	}
	return chain
}

// moveLargest moves the largest variable of the functions that may move, and reports
// whether there was one.
func (s *scratch) moveLargest(chain []*ir.Func) bool {
	var in *ir.Func
	var largest *ir.Slot
	for _, f := range chain {
		for _, slot := range s.slots[f] {
			if !s.moved[slot] && slot.Size > keySize && s.pointees[slot].movable() && (largest == nil || slot.Size > largest.Size) {
				in, largest = f, slot
			}
		}
	}
	if largest == nil {
		return false
	}
	s.move(in, largest)
	return true
}

// move decides that slot, a variable of f, moves.
func (s *scratch) move(f *ir.Func, slot *ir.Slot) {
	s.moved[slot] = true
	s.frame[f] -= onStack(slot)
	if !s.keyed[f] {
		s.keyed[f] = true
		s.frame[f] += keySize
	}
}

// rewrite lays the moved variables out and makes the module use them.
func (s *scratch) rewrite() {
	offsets := make(map[*ir.Slot]int64)
	size := int64(0)
	var largest *ir.Slot
	for _, f := range s.module.Funcs {
		for _, slot := range s.slots[f] {
			if s.moved[slot] {
				offsets[slot] = size
				size += roundUp(slot.Size, slotUnit)
				if largest == nil || slot.Size > largest.Size {
					largest = slot
				}
			}
		}
	}
	if size > maxScratch {
		s.config.Diags.Add(diag.StackOverflow, s.config.position(largest.Pos), "make it smaller or keep it in a map",
			"variables need %d bytes of memory that the stack does not have, a CPU has %d; the largest is %s (%d bytes)",
			size, maxScratch, largest.Name, largest.Size)
		return
	}
	if t := s.config.ProgramType; s.config.MaySleep && (t == "kprobe" || t == "lsm") {
		s.config.Diags.Add(diag.SharedScratch, s.config.position(largest.Pos),
			"make it smaller, keep it in a map such as an ebpf.TaskStorage, or write a program that does not sleep",
			"variables need %d bytes of memory that the stack does not have, and programs of type %s that sleep have no other of their own; the largest is %s (%d bytes)",
			size, t, largest.Name, largest.Size)
		return
	}
	s.module.Scratch = size
	m := &ir.Map{Name: ScratchMap}
	s.module.Maps = append(s.module.Maps, m)
	for _, f := range s.module.Funcs {
		if s.keyed[f] {
			base := s.lookUp(f, m)
			first := make(map[*ir.Value]*ir.Value)
			for _, b := range f.Blocks {
				s.rewriteBlock(b, base, offsets, first)
			}
			ir.ReplaceAll(f, first)
		}
	}
	// What pointed to the stack on all paths may not any more.
	for _, f := range s.graph.order {
		widenPointers(f)
		refinePointers(f)
	}
}

// lookUp inserts the lookup of scratch memory at the beginning of f and returns
// its address.
func (s *scratch) lookUp(f *ir.Func, m *ir.Map) *ir.Value {
	entry := f.Entry()
	rest := ir.SplitBlock(entry, 0)
	key := entry.Add(ir.OpSlotAddr, ir.PtrStack, f.Pos)
	key.Aux = f.NewSlot("key of scratch memory", 4, 4, f.Pos)
	store(entry, f.Pos, key, 0, 4, entry.Const(ir.I32, 0))
	ref := entry.Add(ir.OpMapRef, ir.MapRef, f.Pos)
	ref.Aux = m
	value := entry.Add(ir.OpHelper, ir.PtrMapValue, f.Pos, ref, key)
	value.Aux = mapLookup
	base := entry.Add(ir.OpCheckNonNil, ir.PtrMapValue, f.Pos, value)
	base.Aux = proofSite(s.module)
	entry.Jump(f.Pos, rest)
	return base
}

// rewriteBlock makes the addresses of moved variables in b offsets from base. Those of
// the variable at the very beginning go, and are to be replaced as first says.
func (s *scratch) rewriteBlock(b *ir.Block, base *ir.Value, offsets map[*ir.Slot]int64, first map[*ir.Value]*ir.Value) {
	old := b.Instrs
	b.Instrs = make([]*ir.Value, 0, len(old))
	for _, v := range old {
		if v.Op == ir.OpSlotAddr && s.moved[v.Slot()] {
			if offsets[v.Slot()] == 0 {
				first[v] = base
				continue
			}
			offset := b.Const(ir.I64, offsets[v.Slot()])
			v.Op, v.Type, v.Aux, v.Args = ir.OpPtrAdd, ir.PtrMapValue, nil, []*ir.Value{base, offset}
		}
		b.Append(v)
	}
}

// widenPointers forgets which pointers of f point to the stack, but for the
// addresses of its variables.
func widenPointers(f *ir.Func) {
	for _, b := range f.Blocks {
		for _, list := range [][]*ir.Value{b.Params, b.Instrs} {
			for _, v := range list {
				if v.Type == ir.PtrStack && v.Op != ir.OpSlotAddr {
					v.Type = ir.PtrAny
				}
			}
		}
	}
}

// movable reports whether p may be in the value of a map.
func (p *pointee) movable() bool { return !p.pinned && !p.pointers }

// isPointerAccess reports whether the load or store v is of a pointer.
func isPointerAccess(v *ir.Value) bool {
	if v.Op == ir.OpLoad {
		return v.Type.IsPtr()
	}
	x := v.Args[1]
	return x.Type.IsPtr() && x.Op != ir.OpConst
}
