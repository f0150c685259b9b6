package regalloc

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// Distances to the next use, counted in instructions, are what spilling decides
// by: the value whose next use is furthest away goes to memory (Belady 1966).
// Over the control flow graph the distance at a block's end is the smallest
// among its successors; leaving a loop counts as a long way, so that a value
// that is used in the loop always wins over one used behind it (Braun and Hack,
// "Register Spilling and Live-Range Splitting for SSA-Form Programs", 2009,
// section 4.1).
const (
	loopExit = 1 << 17 // added by an edge out of a loop
	dead     = 1 << 30 // no next use
	farAway  = dead - 1
)

// nextUses computes, parallel to in, the distances from the starts of the blocks
// to the next uses of what is live there.
func nextUses(g *graph, n int, in [][]int32) [][]int32 {
	dist := make([][]int32, len(g.blocks))
	local := make([]int32, n) // position of the first use in the block, plus one
	var touched []int32
	through := make([][]int32, len(g.blocks)) // indices in in[b] of variables not used in b
	o := newOperands()
	for b, blk := range g.blocks {
		for i := range blk.Insts {
			for _, op := range o.of(&blk.Insts[i]) {
				if v := op.reg; v.IsVirtual() && op.use&mir.Read != 0 && local[variable(v)] == 0 {
					local[variable(v)] = int32(i) + 1
					touched = append(touched, variable(v))
				}
			}
		}
		dist[b] = make([]int32, len(in[b]))
		for i, v := range in[b] {
			// What is live on entry is used before it is written, or not at all.
			if dist[b][i] = local[v] - 1; local[v] == 0 {
				dist[b][i] = farAway
				through[b] = append(through[b], int32(i))
			}
		}
		for _, v := range touched {
			local[v] = 0
		}
		touched = touched[:0]
	}

	out := newDistances(n)
	for changed := true; changed; {
		changed = false
		for b := len(g.blocks) - 1; b >= 0; b-- {
			if len(through[b]) == 0 {
				continue
			}
			out.atExit(g, in, dist, b)
			length := int32(len(g.blocks[b].Insts))
			for _, i := range through[b] {
				if d := min(out.of[in[b][i]]+length, farAway); d < dist[b][i] {
					dist[b][i] = d
					changed = true
				}
			}
		}
	}
	return dist
}

// distances holds the next use of every variable at one place, dead for those
// not in set.
type distances struct {
	of  []int32
	set []int32
}

func newDistances(n int) *distances {
	d := &distances{of: make([]int32, n)}
	for i := range d.of {
		d.of[i] = dead
	}
	return d
}

// lower makes the distance of v at most x.
func (d *distances) lower(v, x int32) {
	if d.of[v] == dead {
		d.set = append(d.set, v)
	}
	d.of[v] = min(d.of[v], x)
}

func (d *distances) reset() {
	for _, v := range d.set {
		d.of[v] = dead
	}
	d.set = d.set[:0]
}

// atExit sets d to the distances at the end of block b.
func (d *distances) atExit(g *graph, in, dist [][]int32, b int) {
	d.reset()
	for _, s := range g.succs[b] {
		penalty := loopExit * max(g.depth[b]-g.depth[s], 0)
		for i, v := range in[s] {
			d.lower(v, min(dist[s][i]+penalty, farAway))
		}
	}
}
