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
	// Each function by itself, so that inlining copies little.
	{"simplifycfg/early", each(opt.SimplifyCFG), false},
	{"fold/early", each(opt.Fold), false},
	{"sroa/early", each(opt.SROA), false},
	{"mem2reg/early", each(opt.Mem2Reg), false},
	{"dce/early", each(opt.DCE), false},

	{"inline", opt.Inline, true},
	{"constparams", opt.ConstParams, false},

	// Memory to values, twice: a pointer in a variable hides what it points to.
	{"fold/inlined", each(opt.Fold), false},
	{"pointertables", each(opt.PointerTables), true},
	{"datatables", each(opt.DataTables), true},
	{"sroa/inlined", each(opt.SROA), false},
	{"mem2reg/inlined", each(opt.Mem2Reg), false},
	{"fold/pointees", each(opt.Fold), false},
	{"simplifycfg/pointees", each(opt.SimplifyCFG), false},
	{"unroll", each(opt.Unroll), false},
	{"sroa/pointees", each(opt.SROA), false},
	{"mem2reg/pointees", each(opt.Mem2Reg), false},
	{"fold/values", each(opt.Fold), false},
	{"simplifycfg/values", each(opt.SimplifyCFG), false},
	{"datatables/values", each(opt.FinishDataTables), true},
	{"packetoffsets", each(opt.PacketOffsets), true},
	{"objectoffsets", each(opt.ObjectOffsets), true},

	// Redundant values, loads, stores and decisions.
	{"gvn/values", each(opt.GVN), false},
	{"forward", each(opt.Forward), false},
	{"deadstores", each(opt.DeadStores), false},
	{"fold/forwarded", each(opt.Fold), false},
	{"ranges", each(opt.Ranges), false},
	{"simplifycfg/decided", each(opt.SimplifyCFG), false},
	{"ifconvert", each(opt.IfConvert), false},
	{"simplifycfg/selects", each(opt.SimplifyCFG), false},
	{"fold/decided", each(opt.Fold), false},
	{"combine", each(opt.Combine), false},
	{"gvn/decided", each(opt.GVN), false},
	{"licm", each(opt.LICM), false},
	{"settle", each(opt.Settle), false},

	// From here on a comparison may be a proof.
	{"loopbounds", each(opt.LoopBounds), true},
	{"limitloops", each(opt.LimitLoops), true},
	{"release", each(opt.Release), true},
	{"checkelim", each(opt.CheckElim), false},
	{"fold/proven", each(opt.Fold), false},
	{"guard", each(opt.Guard), true},
	{"releaseproofs", each(opt.ReleaseProofs), true},
	{"packetproofs", each(opt.PacketProofs), true},
	{"remainders", each(opt.Remainders), false},
	{"dce/proven", each(opt.DCE), false},
	{"escape", opt.Escape, true},
	{"demote", opt.Demote, true},
	{"scratch", opt.Scratch, true},
	{"forget", each(opt.Forget), true},
	{"outline", opt.Outline, true},
	{"abi", opt.ABI, true},
	{"releasecalls", each(opt.ReleaseCalls), true},
	{"simplifycfg/late", each(opt.SimplifyCFG), false},
	{"dce/late", each(opt.DCE), true},
}

// passOrder is what the order of passes must obey, and why: every row that the
// first name means precedes every row that the second means. A name without label
// means all runs of the pass. TestPassOrder holds the table against it.
var passOrder = []struct{ before, after, why string }{
	{"dce/early", "inline", "inlining decides by the size of what is left of a body"},
	{"inline", "constparams", "what is inlined needs no parameters"},
	{"fold/early", "constparams", "an argument is seen to be a constant"},
	{"constparams", "fold/inlined", "what depends on a parameter is folded"},
	{"inline", "sroa/inlined", "only in the caller does a variable whose address was passed stop escaping"},
	{"fold/early", "sroa/early", "sroa looks for constant offsets, which folding gathers"},
	{"fold/inlined", "sroa/inlined", "sroa looks for constant offsets, which folding gathers"},
	{"fold/pointees", "sroa/pointees", "sroa looks for constant offsets, which folding gathers"},
	{"fold/inlined", "pointertables", "a table is recognised by its constant stride"},
	{"pointertables", "sroa/inlined", "a table that is searched at constant offsets can be split"},
	{"fold/inlined", "datatables", "a table is recognised by its constant stride"},
	{"mem2reg/pointees", "datatables/values", "a pointer in memory is not followed"},
	{"datatables/values", "objectoffsets", "what comes from a table points into data"},
	{"datatables/values", "guard", "an access is guarded in the object that it is to"},
	{"sroa/early", "mem2reg/early", "mem2reg promotes whole slots only"},
	{"sroa/inlined", "mem2reg/inlined", "mem2reg promotes whole slots only"},
	{"sroa/pointees", "mem2reg/pointees", "mem2reg promotes whole slots only"},
	{"mem2reg/inlined", "unroll", "a loop is counted by values"},
	{"unroll", "sroa/pointees", "elements of an array at constant indices are variables"},
	{"unroll", "mem2reg/pointees", "values of the loop go through variables"},
	{"mem2reg", "gvn", "what is in memory has no number"},
	{"gvn/values", "forward", "two addresses are equal if they are one value"},
	{"forward", "deadstores", "a store dies when its loads have been forwarded"},
	{"forward", "combine", "bytes that are forwarded need no access"},
	{"combine", "gvn/decided", "values with a common part each get a load of their own"},
	{"combine", "guard", "it is the combined access that is guarded"},
	{"simplifycfg/decided", "ifconvert", "a branch is converted when its arms have become empty"},
	{"gvn", "checkelim", "a proof holds where an operand is computed, and gvn may compute it further up"},
	{"licm", "checkelim", "a proof holds where an operand is computed, and licm computes it further up"},
	{"ranges", "checkelim", "a fact that is merely true must not remove a comparison that is a proof"},
	{"ranges", "loopbounds", "comparisons of counters are brought to their final form"},
	{"loopbounds", "limitloops", "whether a loop stays as it is depends on the bounds that the verifier knows"},
	{"limitloops", "checkelim", "in a loop that is limited the verifier knows less of the counter"},
	{"loopbounds", "checkelim", "what the verifier is told may make a check superfluous"},
	{"packetoffsets", "settle", "places in a packet are sums"},
	{"settle", "limitloops", "whether a loop stays as it is depends on how many ways lead out of those inside"},
	{"licm", "release", "what is held at a check depends on where it is"},
	{"limitloops", "release", "loops are recognised by their form, which has no ways out for panics"},
	{"release", "checkelim", "a check behind the branch that does its work is a proof and no more"},
	{"checkelim", "guard", "a guard is a check that never fails, and the verifier needs it all the same"},
	{"fold", "guard", "what is known of an index decides whether it needs a guard"},
	{"mem2reg/pointees", "packetoffsets", "a slice in memory is no pointer and length that change together"},
	{"mem2reg/pointees", "objectoffsets", "a pointer in memory is not followed"},
	{"objectoffsets", "gvn", "offsets are numbers, which have numbers"},
	{"objectoffsets", "limitloops", "in a loop that is limited the verifier takes no pointer that moves"},
	{"objectoffsets", "guard", "offsets are checked where they are used"},
	{"packetoffsets", "gvn", "offsets are numbers, which have numbers"},
	{"packetoffsets", "ifconvert", "offsets are selected, not pointers"},
	{"packetoffsets", "limitloops", "in a loop that is limited the verifier takes no pointer that moves"},
	{"packetoffsets", "packetproofs", "pointers are the beginning of the packet plus an offset"},
	{"checkelim", "packetproofs", "what is left to check is compared as pointers"},
	{"combine", "packetproofs", "it is the combined access that is proven"},
	{"packetproofs", "dce/proven", "the lengths are left behind"},
	{"packetproofs", "outline", "a proof and what it is for stay in one function"},
	{"guard", "releaseproofs", "a proof is a way out, too"},
	{"guard", "dce/proven", "the unguarded address is left behind"},
	{"guard", "remainders", "what is known of a remainder decides whether it needs a guard"},
	{"packetproofs", "remainders", "what is known of a remainder decides how it is bounded"},
	{"deadstores", "escape", "an address that nobody reads does not escape"},
	{"mem2reg", "escape", "an address in a promoted variable is followed"},
	{"limitloops", "outline", "the loops that are limited become functions if the kernel has no instruction for it"},
	{"escape", "outline", "variables of the original function are stored in the context of the new one"},
	{"scratch", "outline", "a variable that has moved is no variable of the stack any more"},
	{"scratch", "forget", "the verifier does not look into scratch memory"},
	{"mem2reg", "forget", "what is promoted need not be forgotten"},
	{"forget", "outline", "loops that become functions take care of their own variables"},
	{"outline", "abi", "the new function reads its arguments"},
	{"abi", "releasecalls", "abi makes branches of the panics of functions that are called"},
	{"escape", "abi", "the convention stores addresses of variables that do not escape"},
	{"guard", "scratch", "a guard is made of the size of a variable, of which scratch memory has none"},
	{"guard", "demote", "a proof is of a value in a register"},
	{"limitloops", "demote", "whether a loop ends must be known if it is not limited"},
	{"mem2reg", "demote", "a variable of values would become values again"},
	{"demote", "scratch", "the variables with the values are to move"},
	{"escape", "scratch", "only variables are followed"},
	{"pointertables", "scratch", "a table of pointers cannot move, what is left of its elements need not"},
	{"mem2reg", "scratch", "promoted variables need no memory"},
	{"scratch", "abi", "a function with scratch memory may panic"},
	{"inline", "abi", "a lowered function cannot be inlined"},
	{"abi", "dce/late", "the convention leaves results behind that nobody reads"},
}

// each makes a module pass of a function pass.
func each(run func(*ir.Func, *opt.Config)) func(*ir.Module, *opt.Config) {
	return func(m *ir.Module, c *opt.Config) {
		for _, f := range m.Funcs {
			if c.Visit != nil {
				c.Visit(f)
			}
			run(f, c)
		}
	}
}

// passHooks observe the passes; any may be nil.
type passHooks struct {
	before func(name string)
	after  func(name string, took time.Duration)
	// requiredOnly leaves out the passes that only make the code better.
	requiredOnly bool
}

// runPasses runs the pass table on m, which the hooks may look at between
// passes. It stops after a pass that has reported diagnostics.
func runPasses(m *ir.Module, c *opt.Config, hooks passHooks) {
	for _, p := range passes {
		if hooks.requiredOnly && !p.required {
			continue
		}
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
