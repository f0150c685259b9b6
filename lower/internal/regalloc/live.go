package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// An events takes the occurrences of variables, in registers or in memory, as
// liveness sees them.
type events struct {
	use func(v int32) // the value is needed
	def func(v int32) // the value is replaced
}

// liveIn computes, for every block, the variables live on entry, in increasing
// order. scan reports the occurrences in one block in order of execution.
//
// Every variable is followed from its upward exposed uses to its definitions,
// so that time and memory are proportional to the size of the result and not to
// blocks times variables (Boissinot et al., "Fast Liveness Checking for SSA-Form
// Programs", 2008, section 2, describe the method by way of comparison; it does
// not need SSA).
func liveIn(g *graph, n int, scan func(b int, e events)) [][]int32 {
	type pair struct{ v, b int32 }
	var exposed, killed []pair
	useMark := make([]int32, n)
	defMark := make([]int32, n)
	var block int32
	e := events{
		use: func(v int32) {
			if useMark[v] != block+1 && defMark[v] != block+1 {
				useMark[v] = block + 1
				exposed = append(exposed, pair{v, block})
			}
		},
		def: func(v int32) {
			if defMark[v] != block+1 {
				defMark[v] = block + 1
				killed = append(killed, pair{v, block})
			}
		},
	}
	for b := range g.blocks {
		block = int32(b)
		scan(b, e)
	}

	// Most variables live in one block only and have no exposed uses. The others
	// are numbered anew.
	var global []int32
	number := defMark
	for v := range int32(n) {
		if useMark[v] == 0 {
			number[v] = -1
			continue
		}
		number[v] = int32(len(global))
		global = append(global, v)
	}
	killed = slices.DeleteFunc(killed, func(p pair) bool { return number[p.v] < 0 })
	useBlocks := group(len(global), len(exposed), func(i int) (int32, int32) { return number[exposed[i].v], exposed[i].b })
	defBlocks := group(len(global), len(killed), func(i int) (int32, int32) { return number[killed[i].v], killed[i].b })

	inMark := make([]int32, len(g.blocks))
	killMark := make([]int32, len(g.blocks))
	found := make([]pair, 0, 2*len(exposed))
	var work []int32
	for k, v := range global {
		for _, b := range defBlocks[k] {
			killMark[b] = v + 1
		}
		for _, b := range useBlocks[k] {
			inMark[b] = v + 1
			found = append(found, pair{v, b})
			work = append(work, b)
		}
		for len(work) > 0 {
			b := work[len(work)-1]
			work = work[:len(work)-1]
			for _, p := range g.preds[b] {
				if inMark[p] != v+1 && killMark[p] != v+1 {
					inMark[p] = v + 1
					found = append(found, pair{v, p})
					work = append(work, p)
				}
			}
		}
	}
	return group(len(g.blocks), len(found), func(i int) (int32, int32) { return found[i].b, found[i].v })
}

// group sorts m values by n keys; values with equal keys stay in order.
func group(n, m int, at func(i int) (key, value int32)) [][]int32 {
	end := make([]int32, n+1)
	for i := range m {
		key, _ := at(i)
		end[key+1]++
	}
	for key := range n {
		end[key+1] += end[key]
	}
	values := make([]int32, m)
	groups := make([][]int32, n)
	for key := range n {
		groups[key] = values[end[key]:end[key]:end[key+1]]
	}
	for i := range m {
		key, value := at(i)
		groups[key] = append(groups[key], value)
	}
	return groups
}

// liveRegs computes the virtual registers live on entry to the blocks, as
// variables. n is the number of variables.
func liveRegs(g *graph, n int) [][]int32 {
	o := newOperands()
	return liveIn(g, n, func(b int, e events) {
		insts := g.blocks[b].Insts
		for i := range insts {
			ops := o.of(&insts[i])
			for _, op := range ops {
				if op.reg.IsVirtual() && op.use&mir.Read != 0 {
					e.use(variable(op.reg))
				}
			}
			for _, op := range ops {
				if op.reg.IsVirtual() && op.use&mir.Write != 0 {
					e.def(variable(op.reg))
				}
			}
		}
	})
}

// A sparseSet is a set of small integers with constant-time operations and
// iteration in order of insertion, but for deletions (Briggs and Torczon, "An
// Efficient Representation for Sparse Sets", 1993).
type sparseSet struct {
	list []int32
	pos  []int32
}

func newSparseSet(n int) *sparseSet { return &sparseSet{pos: make([]int32, n)} }

func (s *sparseSet) has(v int32) bool {
	p := s.pos[v]
	return int(p) < len(s.list) && s.list[p] == v
}

func (s *sparseSet) add(v int32) {
	if !s.has(v) {
		s.pos[v] = int32(len(s.list))
		s.list = append(s.list, v)
	}
}

func (s *sparseSet) remove(v int32) {
	if s.has(v) {
		last := s.list[len(s.list)-1]
		s.list[s.pos[v]] = last
		s.pos[last] = s.pos[v]
		s.list = s.list[:len(s.list)-1]
	}
}

func (s *sparseSet) clear() { s.list = s.list[:0] }

// addLiveOut adds to s what is live on exit from block b.
func (s *sparseSet) addLiveOut(g *graph, in [][]int32, b int) {
	for _, t := range g.succs[b] {
		for _, v := range in[t] {
			s.add(v)
		}
	}
}
