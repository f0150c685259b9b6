package lower

import (
	"time"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/opt"
)

// A pass is a row of the pass table.
type pass struct {
	// name is unique: a function that runs several times has a label after it.
	name string
	run  func(*ir.Module, *opt.Config)
	// required passes do what later stages rely on; without the others the code
	// is merely slower.
	required bool
}

// passes is the optimiser: every pass in the order in which it runs. The
// reasons for the order are in passOrder.
var passes = []pass{
	{"simplifycfg/early", each(opt.SimplifyCFG), false},
	{"fold/early", each(opt.Fold), false},
	{"sroa/early", each(opt.SROA), false},
	{"mem2reg/early", each(opt.Mem2Reg), false},
	{"dce/early", each(opt.DCE), false},
	{"inline", opt.Inline, true},
	{"fold", each(opt.Fold), false},
	{"sroa", each(opt.SROA), false},
	{"mem2reg", each(opt.Mem2Reg), false},
	{"fold/values", each(opt.Fold), false},
	{"simplifycfg", each(opt.SimplifyCFG), false},
	{"abi", opt.ABI, true},
	{"simplifycfg/late", each(opt.SimplifyCFG), false},
	{"dce", each(opt.DCE), true},
}

// passOrder is what the order of passes must obey, and why.
var passOrder = []struct{ before, after, why string }{
	{"dce/early", "inline", "inlining decides by the size of bodies without their dead code"},
	{"inline", "sroa", "only in the caller does a variable whose address was passed stop escaping"},
	{"fold", "sroa", "sroa looks for constant offsets, which folding gathers"},
	{"sroa", "mem2reg", "mem2reg promotes whole slots only"},
	{"inline", "abi", "a lowered function cannot be inlined"},
	{"abi", "dce", "the convention leaves results behind that nobody reads"},
}

// each makes a module pass of a function pass.
func each(run func(*ir.Func, *opt.Config)) func(*ir.Module, *opt.Config) {
	return func(m *ir.Module, c *opt.Config) {
		for _, f := range m.Funcs {
			run(f, c)
		}
	}
}

// passHooks observe the passes; any may be nil.
type passHooks struct {
	before func(name string)
	after  func(name string, took time.Duration)
}

// runPasses runs the pass table on m, which the hooks may look at between
// passes. It stops after a pass that has reported diagnostics.
func runPasses(m *ir.Module, c *opt.Config, hooks passHooks) {
	for _, p := range passes {
		if hooks.before != nil {
			hooks.before(p.name)
		}
		start := time.Now()
		p.run(m, c)
		if hooks.after != nil {
			hooks.after(p.name, time.Since(start))
		}
		if c.Diags.Len() > 0 {
			return
		}
	}
}
