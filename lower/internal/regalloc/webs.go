package regalloc

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// A unionFind is a forest of disjoint sets of small integers.
type unionFind []int32

func (u *unionFind) add() int32 {
	n := int32(len(*u))
	*u = append(*u, n)
	return n
}

func (u unionFind) find(x int32) int32 {
	for u[x] != x {
		u[x] = u[u[x]]
		x = u[x]
	}
	return x
}

// union makes the smaller representative that of both.
func (u unionFind) union(x, y int32) {
	x, y = u.find(x), u.find(y)
	if x < y {
		u[y] = x
	} else {
		u[x] = y
	}
}

// splitWebs renames the virtual registers so that each stands for one web: a
// maximal set of definitions and uses connected by reaching definitions
// (Muchnick, "Advanced Compiler Design and Implementation", 16.3.3). Registers
// that isel or spilling used for several unrelated values become independent.
// n is the number of registers before. It returns the old register of each new
// one, in order of first occurrence, and the new registers live on entry to the
// blocks, in no particular order.
//
// A node of the union-find forest is a definition, or a variable live on entry
// to a block, which stands for the φ-function that SSA form would have there.
func splitWebs(g *graph, n int) (origin []int32, in [][]int32) {
	in = liveRegs(g, n)
	var uf unionFind
	var nodeVar []int32
	node := func(v int32) int32 {
		nodeVar = append(nodeVar, v)
		return uf.add()
	}
	base := make([]int32, len(g.blocks))
	for b := range g.blocks {
		base[b] = int32(len(uf))
		for _, v := range in[b] {
			node(v)
		}
	}
	o := newOperands()
	current := make([]int32, n)
	for b, blk := range g.blocks {
		for i, v := range in[b] {
			current[v] = base[b] + int32(i)
		}
		for i := range blk.Insts {
			for _, op := range o.of(&blk.Insts[i]) {
				if !op.reg.IsVirtual() {
					continue
				}
				v := variable(op.reg)
				if op.use&mir.Read == 0 {
					current[v] = node(v)
				}
				op.set(&blk.Insts[i], register(current[v]))
			}
		}
		for _, s := range g.succs[b] {
			for i, v := range in[s] {
				uf.union(current[v], base[s]+int32(i))
			}
		}
	}

	web := make([]int32, len(uf))
	for i := range web {
		web[i] = -1
	}
	for _, blk := range g.blocks {
		for i := range blk.Insts {
			for _, op := range o.of(&blk.Insts[i]) {
				if !op.reg.IsVirtual() {
					continue
				}
				root := uf.find(variable(op.reg))
				if web[root] < 0 {
					web[root] = int32(len(origin))
					origin = append(origin, nodeVar[root])
				}
				op.set(&blk.Insts[i], register(web[root]))
			}
		}
	}
	for b := range g.blocks {
		for i := range in[b] {
			in[b][i] = web[uf.find(base[b]+int32(i))]
		}
	}
	return origin, in
}
