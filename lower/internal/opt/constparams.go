package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file replaces parameters by the constant that all calls pass for them.
//
// What a function would do with other arguments goes away then, above all loops: one over a slice that is always
// nil has no bound that the verifier could know, and if it stores through the pointer, of which nothing is known,
// kernels that limit loops by a helper could not limit it either.
//
// Method: functions are visited callers first, so that constants are passed on. The parameters stay, and
// with them the convention of the call.
//
// Precondition: what is inlined has been; constants are folded.
//
// Reference: Callahan, Cooper, Kennedy, Torczon, "Interprocedural Constant Propagation", SIGPLAN 1986: its
// literal jump functions.
//
// Before:                          After:
//
//	func @f(v0 i64, v1 ptr) {       func @f(v0 i64, v1 ptr) {
//	...                             v2 = const ptr 0
//	v3 = eq i32 v1, v2              v3 = eq i32 v2, v2

// ConstParams makes constants of the parameters that are always the same.
func ConstParams(m *ir.Module, _ *Config) {
	graph := newCallGraph(m)
	passed := make(map[*ir.Func][][]*ir.Value) // arguments of the calls of each function
	for _, f := range slices.Backward(graph.order) {
		if sites := passed[f]; len(sites) > 0 && !graph.taken[f] {
			fixParams(f, sites)
		}
		for _, c := range calls(f) {
			passed[c.Callee()] = append(passed[c.Callee()], c.Args)
		}
	}
}

// fixParams replaces the parameters of f, which is called with the lists of arguments in sites.
func fixParams(f *ir.Func, sites [][]*ir.Value) {
	names := newRenaming(f)
	var known []*ir.Value
	for i, p := range f.Params() {
		first := sites[0][i]
		if first.Op != ir.OpConst || slices.ContainsFunc(sites, func(args []*ir.Value) bool { return !sameValue(args[i], first) }) {
			continue
		}
		c := constant(f, p.Type, first.Imm)
		known = append(known, c)
		names.set(p, c)
	}
	f.Entry().Insert(0, known...)
	names.apply()
}
