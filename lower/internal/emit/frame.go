package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

const (
	// granule is the unit in which the verifier tracks what the stack holds:
	// BPF_REG_SIZE in include/linux/bpf_verifier.h. Slots do not share one, so that
	// a store to one never makes it forget the value of another.
	granule = 8

	// frameRound is what the kernel rounds frames up to when it sums them
	// along a call chain: round_up_stack_depth in kernel/bpf/verifier.c,
	// the larger value of those it uses with and without a JIT.
	frameRound = 32

	// maxFrames is the depth of calls the kernel takes: MAX_CALL_FRAMES in
	// include/linux/bpf_verifier.h.
	maxFrames = 8
)

// A frame is the layout of a function's stack frame. Slots that no instruction
// refers to have no place in it.
type frame struct {
	offsets []int32 // from R10, by slot index
	size    int     // bytes
	slots   []*mir.Slot
}

// layOutFrame places the slots that the blocks refer to: spill slots nearest to
// R10, the others below in order.
func layOutFrame(f *mir.Func, blocks []*mir.Block) frame {
	fr := frame{offsets: make([]int32, len(f.Slots))}
	used := make([]bool, len(f.Slots))
	for _, b := range blocks {
		for i := range b.Insts {
			if s := b.Insts[i].Slot; s != nil {
				used[s.Index] = true
			}
		}
	}
	for _, spill := range []bool{true, false} {
		for _, s := range f.Slots {
			if used[s.Index] && s.Spill == spill {
				fr.slots = append(fr.slots, s)
				fr.size += int(roundUp(s.Size, granule))
				fr.offsets[s.Index] = int32(-fr.size)
			}
		}
	}
	return fr
}

// A chain is the worst chain of calls that starts at some function.
type chain struct {
	weight int // sum over the functions
	funcs  []*function
}

// checkStack reports call chains that need more stack or frames than there are. As the
// kernel does, it counts a function whose address is taken as called.
func (e *emitter) checkStack() {
	deepest := e.worst(func(fn *function) int { return fn.frame.rounded() })
	e.out.Stack = deepest.weight
	if deepest.weight > e.in.Target.StackSize {
		e.reportStack(deepest)
	}
	longest := e.worst(func(*function) int { return 1 })
	if n := len(longest.funcs); n > maxFrames {
		e.reportf(diag.StackOverflow, longest.funcs[maxFrames].f.Pos, "let one of them do the work of the next",
			"calls are nested %d deep, BPF has %d frames: %v", n, maxFrames, longest)
	}
}

// rounded returns the size of the frame as the kernel counts it.
func (fr *frame) rounded() int { return int(roundUp(max(int64(fr.size), 1), frameRound)) }

// worst returns the call chain from the entry with the greatest sum of weight.
func (e *emitter) worst(weight func(*function) int) chain {
	memo := map[*function]chain{}
	active := map[*function]bool{}
	var visit func(fn *function) chain
	visit = func(fn *function) chain {
		if c, ok := memo[fn]; ok {
			return c
		}
		if active[fn] {
			panic(fmt.Sprintf("BUG: emit: %s is recursive", fn.f.Name))
		}
		active[fn] = true
		var worst chain
		for _, callee := range fn.callee {
			if c := visit(callee); c.weight > worst.weight {
				worst = c
			}
		}
		c := chain{worst.weight + weight(fn), append([]*function{fn}, worst.funcs...)}
		memo[fn] = c
		return c
	}
	return visit(e.order[0])
}

// String returns the names of the functions, caller first.
func (c chain) String() string {
	names := make([]string, len(c.funcs))
	for i, fn := range c.funcs {
		names[i] = fn.f.Name
	}
	return strings.Join(names, " -> ")
}

// reportStack names the largest variables of a call chain that needs too much.
func (e *emitter) reportStack(c chain) {
	var vars []*mir.Slot
	for _, fn := range c.funcs {
		vars = append(vars, fn.frame.slots...)
	}
	slices.SortStableFunc(vars, func(a, b *mir.Slot) int { return int(b.Size - a.Size) })
	pos := c.funcs[0].f.Pos
	if len(vars) > 0 && vars[0].Pos != 0 {
		pos = vars[0].Pos
	}
	var largest []string
	spilled := 0
	for _, s := range vars {
		if s.Spill {
			spilled++
		} else if len(largest) < 3 {
			largest = append(largest, fmt.Sprintf("%s (%d bytes)", s.Name, s.Size))
		}
	}
	remedy := "make the largest smaller, or keep it in a map: variables that hold pointers must be on the stack"
	if spilled > 0 {
		largest = append(largest, fmt.Sprintf("%d spilled values (%d bytes)", spilled, spilled*granule))
	}
	if spilled*granule > c.weight/2 {
		pos = c.mostSpilled().f.Pos
		remedy = "compute values closer to where they are used, or keep them in a map or an array with an index that is no constant: each value that is used behind a call takes 8 bytes until then"
	}
	e.reportf(diag.StackOverflow, pos, remedy, "%v: variables need %d bytes of stack, BPF has %d; largest: %s",
		c, c.weight, e.in.Target.StackSize, strings.Join(largest, ", "))
}

// mostSpilled returns the function with the most spilled values.
func (c chain) mostSpilled() *function {
	return slices.MaxFunc(c.funcs, func(a, b *function) int { return a.frame.spilled() - b.frame.spilled() })
}

// spilled returns the number of spilled values.
func (fr *frame) spilled() (n int) {
	for _, s := range fr.slots {
		if s.Spill {
			n++
		}
	}
	return n
}
