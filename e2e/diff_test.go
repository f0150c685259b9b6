package e2e

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file is the half of differential testing that needs a kernel: generated
// Go programs run natively and in the kernel. The other half, with more
// programs and the interpreters, is in package lower.

var (
	diffPrograms = flag.Int("diff.programs", 200, "generated programs to compare; in a guest -kernel runs a quarter of them unless told")
	diffSeed     = flag.Uint64("diff.seed", 1<<32, "seed of the first generated program")
	diffFeatures = progen.DefaultFeatures()
)

func init() {
	flag.Var(&diffFeatures, "diff.features", "chance in percent of features to be in a generated program, such as all=0,slices=100")
}

// diffInputs is how many inputs each program gets.
const diffInputs = 6

// diffCases returns the generated programs.
func diffCases(n int) []progen.Case {
	cases := make([]progen.Case, n)
	for i := range cases {
		cases[i] = diffFeatures.New(*diffSeed + uint64(i)).Case(diffInputs)
	}
	return cases
}

// nativeProgram is the name of the binary that runs the generated programs
// natively, in guestPrograms.
const nativeProgram = "native"

// differenceFound begins the message about a program that computes something
// else in the kernel.
const differenceFound = "wrong in the kernel"

// TestDifferential runs generated programs natively and in the kernel and
// compares results and panics. The verifier must accept all that compile.
func TestDifferential(t *testing.T) {
	language.test(t)
	cases := diffCases(*diffPrograms)
	bin := filepath.Join(guestPrograms, nativeProgram)
	if guest == "" {
		bin = filepath.Join(t.TempDir(), nativeProgram)
		if err := progen.Build(bin, "", cases); err != nil {
			t.Fatal(err)
		}
	}
	native, err := progen.Run(bin)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i, c := range cases {
		f, err := jit.FuncSource[progen.Signature]("p.go", c.Source, c.Name)
		if i == 0 {
			language.require(t, err)
		}
		seed := *diffSeed + uint64(i)
		if limited(err) {
			refused++
			continue
		}
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		k, got := difference(f, c, native[i])
		if k >= 0 && guest == "" {
			why, err := progen.Again(c, func(native []progen.Outcome) bool {
				again, _ := difference(f, c, native)
				return again < 0
			})
			if err != nil {
				t.Fatal(err)
			}
			if why != "" {
				t.Logf("seed %d: the Go compiler is wrong %s", seed, why)
				continue
			}
		}
		if k >= 0 {
			t.Errorf(differenceFound+": seed %d, input %v: kernel %+v, native %+v\nreproduce: go test ./e2e -run TestDifferential -diff.programs 1 -diff.seed %d",
				seed, c.Inputs[k], got, native[i][k], seed)
		}
		if i%50 == 49 {
			runtime.GC() // releases programs
		}
	}
	t.Logf("%d of %d programs compared, %d refused", len(cases)-refused, len(cases), refused)
	if refused > 1+len(cases)/100 {
		t.Errorf("%d of %d programs are refused", refused, len(cases))
	}
}

// difference returns the first input of c with which the kernel does not do what it should, and
// what it does, or -1.
func difference(f progen.Signature, c progen.Case, want []progen.Outcome) (int, progen.Outcome) {
	for k, in := range c.Inputs {
		if got := run(f, in); got != want[k] {
			return k, got
		}
	}
	return -1, progen.Outcome{}
}

// limited reports whether err says that a program needs too much stack, for spilled
// values and results of calls, which cannot be in scratch memory, or that variables seem to
// be referred to after the iteration that declares them.
func limited(err error) bool {
	var d *lower.Diagnostic
	return errors.As(err, &d) && (d.Code == lower.StackOverflow || d.Code == lower.EscapingVariable)
}

// run runs a program in the kernel.
func run(f progen.Signature, in [6]uint64) (o progen.Outcome) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *jit.PanicError:
			o = progen.Outcome{Panic: r.Kind}
		default:
			o = progen.Outcome{Panic: fmt.Sprint(r)}
		}
	}()
	o.Out = f(in)
	return o
}
