package lower

import (
	"flag"
	"fmt"
	"go/token"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/opt"
)

var reduceFlag = flag.Bool("diff.reduce", false, "shrink the program -diff.seed, which must fail, and print it")

// TestReduce shrinks a failing program to a small one that fails in the same
// way: compared with the IR as it was built or, if that is what is wrong, with
// native code.
func TestReduce(t *testing.T) {
	if !*reduceFlag {
		t.Skip("a tool: give -diff.reduce -diff.seed N")
	}
	p := diffFeatures.New(*diffSeed)
	why := failure
	switch {
	case failure(p.Source(), p) != "":
	case nativeFailure(p.Source(), p) != "":
		why = nativeFailure
	default:
		t.Fatalf("seed %d does not fail", p.Seed)
	}
	src := progen.Reduce(p.Source(), func(src string) bool { return why(src, p) != "" })
	t.Logf("%s\n%s", why(src, p), src)
}

// nativeFailure says in which way the IR as built differs from native code, or
// that building it fails. It takes about half a second.
func nativeFailure(src string, p *progen.Program) string {
	in, err := programInput(token.NewFileSet(), src, p.Name)
	if err != nil || in.Entry == nil {
		return ""
	}
	var diags diag.List
	m := build.Build(in, variants[0].target, &diags)
	if m == nil {
		return diags.Err().Error()
	}
	inputs := progen.Inputs(p.Seed, diffInputs)
	native, err := progen.Native([]progen.Case{{Name: p.Name, Source: src, Inputs: inputs}})
	if err != nil {
		return ""
	}
	for i, input := range inputs {
		if err := compareOutcome(interpret(m, input), native[0][i]); err != nil {
			return fmt.Sprintf("as built, input %v: %v", input, err)
		}
	}
	return ""
}

// failure says in which way the compiled program differs from the IR as built,
// or returns "" if it does not or is not valid.
func failure(src string, p *progen.Program) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprint(r)
		}
	}()
	in, err := programInput(token.NewFileSet(), src, p.Name)
	if err != nil || in.Entry == nil {
		return ""
	}
	for _, v := range variants {
		var diags diag.List
		m := build.Build(in, v.target, &diags)
		if m == nil {
			return ""
		}
		var native []progen.Outcome
		inputs := progen.Inputs(p.Seed, diffInputs)
		for _, input := range inputs {
			r := interpret(m, input)
			if r.err != nil {
				return ""
			}
			native = append(native, r.Outcome)
		}
		last := ""
		runPasses(m, &opt.Config{Target: v.target, Diags: &diags, Fset: in.Fset}, passHooks{
			before: func(name string) {
				if err := ir.Verify(m); err != nil {
					panic(fmt.Sprintf("invalid IR after %s: %v", last, err))
				}
				last = name
			},
		})
		for i, input := range inputs {
			if err := compareOutcome(interpret(m, input), native[i]); err != nil {
				return fmt.Sprintf("after pass %s, input %v: %v", firstWrongPass(in, v, input, native[i]), input, err)
			}
		}
		unit, err := Compile(in, v.target, Options{Verify: true, Registers: v.registers, LoopWork: v.loopWork, Live: v.live, Doubt: v.doubt})
		if v.limits(err) {
			continue
		}
		if err != nil {
			return err.Error()
		}
		for i, input := range inputs {
			if err := compareOutcome(execute(unit, v.target, input), native[i]); err != nil {
				return fmt.Sprintf("BPF with %d registers, input %v: %v", v.registers, input, err)
			}
		}
	}
	return ""
}
