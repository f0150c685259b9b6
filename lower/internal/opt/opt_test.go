package opt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/golden"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// A namedPass is a pass under the name that goldens call it by.
type namedPass struct {
	name string
	run  func(*ir.Module, *Config)
}

func funcs(run func(*ir.Func, *Config)) func(*ir.Module, *Config) {
	return func(m *ir.Module, c *Config) {
		for _, f := range m.Funcs {
			run(f, c)
		}
	}
}

// scratchAll moves all variables that Scratch ever moves.
func scratchAll(m *ir.Module, c *Config) {
	all := *c
	all.Spill = c.Target.StackSize
	Scratch(m, &all)
}

// allPasses is every pass there is, in an order that makes sense.
var allPasses = []namedPass{
	{"inline", Inline},
	{"constparams", ConstParams},
	{"simplifycfg", funcs(SimplifyCFG)},
	{"fold", funcs(Fold)},
	{"unroll", funcs(Unroll)},
	{"pointertables", funcs(PointerTables)},
	{"datatables", funcs(DataTables)},
	{"sroa", funcs(SROA)},
	{"mem2reg", funcs(Mem2Reg)},
	{"refinepointers", funcs(RefinePointers)},
	{"gvn", funcs(GVN)},
	{"forward", funcs(Forward)},
	{"deadstores", funcs(DeadStores)},
	{"ranges", funcs(Ranges)},
	{"loopbounds", funcs(LoopBounds)},
	{"limitloops", funcs(LimitLoops)},
	{"release", funcs(Release)},
	{"checkelim", funcs(CheckElim)},
	{"guard", funcs(Guard)},
	{"releaseproofs", funcs(ReleaseProofs)},
	{"packetoffsets", funcs(PacketOffsets)},
	{"objectoffsets", funcs(ObjectOffsets)},
	{"packetproofs", funcs(PacketProofs)},
	{"licm", funcs(LICM)},
	{"settle", funcs(Settle)},
	{"remainders", funcs(Remainders)},
	{"ifconvert", funcs(IfConvert)},
	{"combine", funcs(Combine)},
	{"escape", Escape},
	{"dce", funcs(DCE)},
	{"scratch", scratchAll},
	{"forget", funcs(Forget)},
	{"outline", Outline},
	{"abi", ABI},
}

func passNamed(t *testing.T, name string) namedPass {
	t.Helper()
	for _, p := range allPasses {
		if p.name == name {
			return p
		}
	}
	t.Fatalf("no pass %q", name)
	return namedPass{}
}

func testConfig() *Config {
	return &Config{Target: target.For(target.Version{Major: 6, Minor: 12}, "amd64"), Diags: new(diag.List)}
}

// parse returns the valid module with the given text.
func parse(t testing.TB, text string) *ir.Module {
	t.Helper()
	m, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGolden runs the passes that the first line of each file names, separated
// by spaces, on its section in, and compares with its section out. Diagnostics
// are expected in the section diags. A version of Linux among the names makes it
// the target of the passes after it; "again" is for the passes after it what they do when
// the kernel has refused the program once.
func TestGolden(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, f *golden.File) {
		m := parse(t, f.Input(t, "in"))
		c := testConfig()
		for _, name := range strings.Fields(f.Header) {
			var kernel target.Version
			if n, _ := fmt.Sscanf(name, "%d.%d", &kernel.Major, &kernel.Minor); n == 2 {
				c.Target = target.For(kernel, "amd64")
				continue
			}
			if name == "again" {
				c.LoopWork = 1
				continue
			}
			passNamed(t, name).run(m, c)
			if err := ir.Verify(m); err != nil {
				t.Fatalf("after %s: %v\n%s", name, err, m)
			}
		}
		f.Want(t, "out", m.String())
		diags := ""
		if err := c.Diags.Err(); err != nil {
			diags = err.Error() + "\n"
		}
		f.Want(t, "diags", diags)
	})
}
