package ir_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

func TestLoops(t *testing.T) {
	tests := []struct {
		name, edges string
		want        string // header<parent[blocks], outer first
		irreducible string
	}{
		{"none", "0>1 2, 1>3, 2>3", "", ""},
		{"self", "0>1, 1>1 2", "1<-[1]", ""},
		{"while", "0>1, 1>2 3, 2>1", "1<-[1 2]", ""},
		{"nested", "0>1, 1>2 5, 2>3 4, 3>2, 4>1", "1<-[1 2 3 4] 2<1[2 3]", ""},
		{"shared header", "0>1, 1>2 4, 2>1 3, 3>1", "1<-[1 2 3]", ""},
		{"siblings", "0>1, 1>1 2, 2>2 3", "1<-[1] 2<-[2]", ""},
		{"inner loop leaves both", "0>1, 1>2 4, 2>3 4, 3>2 1", "1<-[1 2 3] 2<1[2 3]", ""},
		{"two entries", "0>1 2, 1>2, 2>1 3", "", "1>2"},
		{"two entries in a loop", "0>4, 4>1 2, 1>2, 2>1 3, 3>4 5", "4<-[4 2 1 3]", "1>2"},
		{"unreachable latch", "0>1, 1>2, 3>1", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := graph(t, tt.edges)
			n := ir.Loops(ir.Dominators(f))
			var got []string
			for _, l := range n.Loops {
				parent := "-"
				if l.Parent != nil {
					parent = fmt.Sprint(l.Parent.Header.ID)
				}
				got = append(got, fmt.Sprintf("%d<%s[%s]", l.Header.ID, parent, blockList(l.Blocks)))
				for _, b := range f.Blocks {
					in := strings.Contains(" "+blockList(l.Blocks)+" ", fmt.Sprintf(" %d ", b.ID))
					if n.Contains(l, b) != in {
						t.Errorf("Contains(%d, %d) = %t", l.Header.ID, b.ID, !in)
					}
				}
				if d := n.Depth(l.Header); d != l.Depth || n.Innermost(l.Header) != l {
					t.Errorf("header %d has depth %d, its loop %d", l.Header.ID, d, l.Depth)
				}
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("loops %s, want %s", got, tt.want)
			}
			got = nil
			for _, p := range n.Irreducible {
				got = append(got, fmt.Sprintf("%d>%d", p.Block.ID, p.Edge().To.ID))
			}
			if got := strings.Join(got, " "); got != tt.irreducible {
				t.Errorf("irreducible %s, want %s", got, tt.irreducible)
			}
		})
	}
}

// TestLoopsFindAllCycles checks on random graphs that what is left of a graph
// without back edges of loops and irreducible edges has no cycle.
func TestLoopsFindAllCycles(t *testing.T) {
	rnd := rand.New(rand.NewSource(2))
	for range 200 {
		n := 2 + rnd.Intn(8)
		succs := make([][]int, n)
		for i := range succs {
			for range rnd.Intn(3) {
				succs[i] = append(succs[i], 1+rnd.Intn(n-1))
			}
		}
		f := graphOf(succs)
		nest := ir.Loops(ir.Dominators(f))
		closing := append([]ir.Pred(nil), nest.Irreducible...)
		for _, l := range nest.Loops {
			closing = append(closing, l.Latches...)
		}
		removed := make(map[ir.Pred]bool)
		for _, p := range closing {
			removed[p] = true
		}
		state := make([]int, n)
		var visit func(b int) bool
		visit = func(b int) bool {
			state[b] = 1
			for i, s := range succs[b] {
				if removed[ir.Pred{Block: f.Blocks[b], Succ: i}] {
					continue
				}
				if state[s] == 1 || state[s] == 0 && !visit(s) {
					return false
				}
			}
			state[b] = 2
			return true
		}
		if !visit(0) {
			t.Fatalf("%v: a cycle is neither loop nor irreducible", succs)
		}
	}
}
