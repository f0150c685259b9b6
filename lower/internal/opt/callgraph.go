package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// A callGraph is who calls whom in a module.
type callGraph struct {
	// order holds the functions that the entry leads to, callees before
	// callers. Recursion, which the front end refuses, does not confuse it.
	order []*ir.Func
	// sites counts the calls of each function.
	sites map[*ir.Func]int
	// taken holds the functions whose address is taken, for helpers to call.
	taken map[*ir.Func]bool
	// callbacks holds the functions whose address each function takes.
	callbacks map[*ir.Func][]*ir.Func
}

func newCallGraph(m *ir.Module) *callGraph {
	g := &callGraph{
		sites:     make(map[*ir.Func]int),
		taken:     make(map[*ir.Func]bool),
		callbacks: make(map[*ir.Func][]*ir.Func),
	}
	if len(m.Funcs) > 0 {
		g.visit(m.Funcs[0], make(map[*ir.Func]bool))
	}
	return g
}

func (g *callGraph) visit(f *ir.Func, seen map[*ir.Func]bool) {
	if seen[f] {
		return
	}
	seen[f] = true
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			switch v.Op {
			case ir.OpCall:
				g.sites[v.Callee()]++
				g.visit(v.Callee(), seen)
			case ir.OpFuncAddr:
				g.taken[v.Callee()] = true
				g.callbacks[f] = append(g.callbacks[f], v.Callee())
				g.visit(v.Callee(), seen)
			}
		}
	}
	g.order = append(g.order, f)
}

// removeUncalled removes the functions that the entry does not lead to. The
// others keep their order.
func removeUncalled(m *ir.Module) {
	left := newCallGraph(m).order
	m.Funcs = slices.DeleteFunc(m.Funcs, func(f *ir.Func) bool { return !slices.Contains(left, f) })
}

// calls returns the calls in f, in order.
func calls(f *ir.Func) []*ir.Value {
	var list []*ir.Value
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpCall {
				list = append(list, v)
			}
		}
	}
	return list
}
