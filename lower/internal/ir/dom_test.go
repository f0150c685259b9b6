package ir_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// graph builds a function from a list of edges, "0>1 2, 1>3, 2>3": block 0
// is the entry, and blocks without successors return.
func graph(t testing.TB, edges string) *ir.Func {
	t.Helper()
	succs := make(map[int][]int)
	n := 0
	for _, part := range strings.Split(edges, ",") {
		from, tos, ok := strings.Cut(strings.TrimSpace(part), ">")
		if !ok {
			t.Fatalf("malformed edge %q", part)
		}
		var a int
		fmt.Sscan(from, &a)
		n = max(n, a)
		for _, s := range strings.Fields(tos) {
			var b int
			fmt.Sscan(s, &b)
			n = max(n, b)
			succs[a] = append(succs[a], b)
		}
	}
	table := make([][]int, n+1)
	for i := range table {
		table[i] = succs[i]
	}
	return graphOf(table)
}

func graphOf(succs [][]int) *ir.Func {
	f := new(ir.Module).NewFunc("f", 0)
	for range succs {
		f.NewBlock()
	}
	for i, b := range f.Blocks {
		to := make([]ir.Edge, len(succs[i]))
		for j, s := range succs[i] {
			to[j].To = f.Blocks[s]
		}
		switch len(to) {
		case 0:
			b.Return(0)
		case 1:
			b.Jump(0, to[0].To)
		default:
			b.Branch(0, b.Const(ir.I32, 1), to[0], to[1])
		}
	}
	return f
}

func blockList(blocks []*ir.Block) string {
	var s []string
	for _, b := range blocks {
		s = append(s, fmt.Sprint(b.ID))
	}
	return strings.Join(s, " ")
}

func TestRPO(t *testing.T) {
	tests := []struct{ edges, want string }{
		{"0>", "0"},
		{"0>1 2, 1>3, 2>3", "0 1 2 3"},
		{"0>2 1, 1>3, 2>3", "0 2 1 3"},
		// A loop's body stands between its header and what follows.
		{"0>1, 1>2 3, 2>1", "0 1 2 3"},
		// Block 3 is unreachable.
		{"0>1, 3>1, 1>2", "0 1 2"},
	}
	for _, tt := range tests {
		if got := blockList(ir.RPO(graph(t, tt.edges))); got != tt.want {
			t.Errorf("RPO(%s) = %s, want %s", tt.edges, got, tt.want)
		}
	}
}

func TestPreds(t *testing.T) {
	f := graph(t, "0>1 1, 1>2, 3>2")
	preds := ir.Preds(f)
	var got []string
	for id, list := range preds {
		for _, p := range list {
			got = append(got, fmt.Sprintf("%d.%d>%d", p.Block.ID, p.Succ, id))
			if p.Edge().To.ID != ir.ID(id) {
				t.Errorf("Edge of %v leads to %d", p, p.Edge().To.ID)
			}
		}
	}
	if got, want := strings.Join(got, " "), "0.0>1 0.1>1 1.0>2 3.0>2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDominators(t *testing.T) {
	tests := []struct{ edges, idoms string }{
		{"0>", "-"},
		{"0>1 2, 1>3, 2>3", "- 0 0 0"},
		{"0>1, 1>2 3, 2>1, 3>", "- 0 1 1"},
		// The irreducible graph of figure 4 of Cooper, Harvey and Kennedy.
		{"0>1 2, 1>5, 2>4 3, 3>4, 4>5 3, 5>4", "- 0 0 0 0 0"},
		// Block 3 is unreachable and does not count as a predecessor.
		{"0>1, 1>2, 3>2", "- 0 1 -"},
	}
	for _, tt := range tests {
		f := graph(t, tt.edges)
		d := ir.Dominators(f)
		var got []string
		for _, b := range f.Blocks {
			if p := d.Idom(b); p != nil {
				got = append(got, fmt.Sprint(p.ID))
			} else {
				got = append(got, "-")
			}
		}
		if got := strings.Join(got, " "); got != tt.idoms {
			t.Errorf("immediate dominators of %s: %s, want %s", tt.edges, got, tt.idoms)
		}
	}
}

// TestDominatesByDefinition compares the tree with the definition on random
// graphs: a dominates b if b is not reachable once a is taken away.
func TestDominatesByDefinition(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	for range 200 {
		n := 2 + rnd.Intn(10)
		succs := make([][]int, n)
		for i := range succs {
			for range rnd.Intn(3) {
				succs[i] = append(succs[i], 1+rnd.Intn(n-1))
			}
		}
		f := graphOf(succs)
		d := ir.Dominators(f)
		all := reachable(succs, -1)
		for a := range n {
			without := reachable(succs, a)
			for b := range n {
				want := a == b || all[a] && all[b] && !without[b]
				if got := d.Dominates(f.Blocks[a], f.Blocks[b]); got != want {
					t.Fatalf("%v: Dominates(%d, %d) = %t", succs, a, b, got)
				}
				if got := d.StrictlyDominates(f.Blocks[a], f.Blocks[b]); got != (want && a != b) {
					t.Fatalf("%v: StrictlyDominates(%d, %d) = %t", succs, a, b, got)
				}
			}
			if got := d.Reachable(f.Blocks[a]); got != all[a] {
				t.Fatalf("%v: Reachable(%d) = %t", succs, a, got)
			}
			for _, kid := range d.Children(f.Blocks[a]) {
				if d.Idom(kid) != f.Blocks[a] {
					t.Fatalf("%v: child %d of %d has another dominator", succs, kid.ID, a)
				}
			}
		}
	}
}

// reachable returns the blocks that can be reached from block 0 without block
// avoid.
func reachable(succs [][]int, avoid int) []bool {
	seen := make([]bool, len(succs))
	var visit func(b int)
	visit = func(b int) {
		if b == avoid || seen[b] {
			return
		}
		seen[b] = true
		for _, s := range succs[b] {
			visit(s)
		}
	}
	visit(0)
	return seen
}
