package lower

// This file is the unprivileged half of differential testing: generated Go
// programs run natively, in the interpreter of the IR before and after the
// passes, and in the interpreter of BPF, with all of the compiler's verifiers on.
// The half that needs a kernel is in package e2e.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/opt"
	"github.com/undergo-ebpf/undergo/lower/internal/vm"
)

var (
	diffPrograms = flag.Int("diff.programs", 400, "generated programs to compare")
	diffSeed     = flag.Uint64("diff.seed", 0, "seed of the first generated program")
	diffVerify   = flag.Uint64("diff.verify", 1, "verify after each step in the compilation of one in so many programs")
	diffFeatures = progen.DefaultFeatures()
)

func init() {
	flag.Var(&diffFeatures, "diff.features", "chance in percent of features to be in a generated program, such as all=0,slices=100")
}

// diffInputs is how many inputs each program gets.
const diffInputs = 6

// diffBatch is how many programs are compiled natively at a time.
const diffBatch = 1000

// diffWrong is how many wrong programs are enough.
const diffWrong = 20

// A variant is one way to compile a program.
type variant struct {
	target    Target
	registers int
	loopWork  uint64
	live      int
	doubt     bool
}

// variants are the ways in which programs are compiled. The oldest and a recent
// kernel differ in the instructions used; with three registers nearly
// everything is spilled. With little work for the verifier all loops are limited, as
// may_goto or bpf_loop does it. With few values that may live across calls most are in memory. In doubt all offsets are checked again.
var variants = []variant{
	{TargetFor(Version{Major: 6, Minor: 12}, "amd64"), 0, 0, 0, false},
	{TargetFor(Version{Major: 5, Minor: 10}, "amd64"), 3, 0, 0, false},
	{TargetFor(Version{Major: 6, Minor: 1}, "amd64"), 0, 1, 0, false},
	{TargetFor(Version{Major: 5, Minor: 10}, "amd64"), 0, 0, 0, false},
	{TargetFor(Version{Major: 6, Minor: 12}, "amd64"), 3, 0, 0, false},
	{TargetFor(Version{Major: 6, Minor: 12}, "amd64"), 0, 1, 0, false},
	{TargetFor(Version{Major: 6, Minor: 12}, "amd64"), 0, 0, 1, true},
	{TargetFor(Version{Major: 6, Minor: 1}, "amd64"), 3, 1, 1, false},
}

// TestDifferential compares generated programs, each compiled in one of the
// ways in turn.
func TestDifferential(t *testing.T) {
	n := *diffPrograms
	if testing.Short() {
		n = min(n, 60)
	}
	refused, wrong := 0, 0
	for first := 0; first < n && wrong < diffWrong; first += diffBatch {
		var cases []progen.Case
		for i := first; i < min(n, first+diffBatch); i++ {
			cases = append(cases, diffFeatures.New(*diffSeed+uint64(i)).Case(diffInputs))
		}
		native, err := progen.Native(cases)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range cases {
			seed := *diffSeed + uint64(first+i)
			v := variants[seed%uint64(len(variants))]
			err := comparePaths(c, native[i], v, seed%*diffVerify == 0)
			if differs(err) {
				why, failed := progen.Again(c, func(native []progen.Outcome) bool {
					again := comparePaths(c, native, v, true)
					if again == nil {
						err = nil
					}
					return again == nil
				})
				if failed != nil {
					t.Fatal(failed)
				}
				if err == nil {
					t.Logf("seed %d: the Go compiler is wrong %s", seed, why)
				}
			}
			if v.limits(err) {
				refused++
			} else if err != nil {
				wrong++
				t.Errorf("seed %d: %v\nreproduce: go test ./lower -run TestDifferential -diff.programs 1 -diff.seed %d", seed, err, seed)
			}
		}
	}
	t.Logf("%d of %d programs compared, %d refused for limits of the kernel, %d wrong", n-refused, n, refused, wrong)
	if refused > 5+n/20 {
		t.Errorf("%d of %d programs are refused", refused, n)
	}
}

// limits reports whether err is due to a limit of what v compiles for: loops that only
// newer kernels limit, and the stack of spilled values and results of calls, which cannot
// be in scratch memory; or of the compiler, which has no memory for variables of the body of a
// range over a function that deferred calls refer to.
func (v variant) limits(err error) bool {
	var d *Diagnostic
	if !errors.As(err, &d) {
		return false
	}
	return d.Code == diag.UnboundedLoop && !v.target.Has(LoopHelper) || d.Code == diag.StackOverflow || d.Code == diag.EscapingVariable
}

// differs reports whether err is about what a program computes.
func differs(err error) bool {
	var d *Diagnostic
	return err != nil && !errors.As(err, &d)
}

// comparePaths runs c in all interpreters, compiled as v says, and compares with native.
func comparePaths(c progen.Case, native []progen.Outcome, v variant, verify bool) error {
	in, err := programInput(token.NewFileSet(), c.Source, c.Name)
	if err != nil {
		return err
	}
	if err := compareVariant(in, c.Inputs, native, v, verify); err != nil {
		return fmt.Errorf("linux %v, %d registers: %w", v.target.Kernel, v.registers, err)
	}
	return nil
}

func compareVariant(in Input, inputs [][6]uint64, native []progen.Outcome, v variant, verify bool) error {
	var wrong error // what the interpreter of the IR found
	c := &compilation{in: in, target: v.target, opt: Options{Verify: verify, Registers: v.registers, LoopWork: v.loopWork, Live: v.live, Doubt: v.doubt}}
	c.observe = func(stage string, m *ir.Module) {
		if wrong != nil || stage != "build" && stage != passes[len(passes)-1].name {
			return
		}
		for i, input := range inputs {
			if err := compareOutcome(interpret(m, input), native[i]); err != nil {
				if stage != "build" {
					stage = firstWrongPass(in, v, input, native[i])
				}
				wrong = fmt.Errorf("interpreter after %s, input %v: %w", stage, input, err)
				return
			}
		}
	}
	unit, err := c.compile()
	if wrong != nil {
		return wrong
	}
	if err != nil {
		return err
	}
	for i, input := range inputs {
		if err := compareOutcome(execute(unit, v.target, input), native[i]); err != nil {
			return fmt.Errorf("BPF, input %v: %w", input, err)
		}
	}
	return nil
}

// firstWrongPass names the pass after which the outcome of the program changes.
func firstWrongPass(in Input, v variant, input [6]uint64, want progen.Outcome) string {
	var diags diag.List
	m := build.Build(in, v.target, &diags)
	wrong := "none" // that shows when it is interpreted alone
	name := ""
	runPasses(m, &opt.Config{Target: v.target, Diags: &diags, Fset: in.Fset, LoopWork: v.loopWork, Live: v.live, Doubt: v.doubt}, passHooks{
		before: func(n string) { name = n },
		after: func(string, time.Duration) {
			if wrong == "none" && compareOutcome(interpret(m, input), want) != nil {
				wrong = name
			}
		},
	})
	return wrong
}

// onlyUnsafe imports package unsafe.
type onlyUnsafe struct{}

func (onlyUnsafe) Import(path string) (*types.Package, error) {
	if path != "unsafe" {
		return nil, fmt.Errorf("import of %s", path)
	}
	return types.Unsafe, nil
}

// programInput makes an Input of the function name in a source text that imports nothing
// but package unsafe.
func programInput(fset *token.FileSet, src, name string) (Input, error) {
	f, err := parser.ParseFile(fset, "p.go", src, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return Input{}, err
	}
	conf := &types.Config{Sizes: types.SizesFor("gc", "amd64"), Importer: onlyUnsafe{}}
	pkg, _, err := ssautil.BuildPackage(conf, fset, types.NewPackage("p", f.Name.Name), []*ast.File{f}, ssa.InstantiateGenerics)
	if err != nil {
		return Input{}, err
	}
	return Input{Fset: fset, Entry: pkg.Func(name), Name: "p." + name, Type: "syscall", Shim: ShimCtx}, nil
}

// A result is an outcome, or the error of an interpreter: a defect.
type result struct {
	progen.Outcome
	err error
}

// Layout of the shim's buffer for progen.Signature.
const (
	shimResults = 6 * 8
	shimSize    = shimResults + 4*8
)

func shimBuffer(in [6]uint64) []byte {
	buf := make([]byte, shimSize)
	for i, v := range in {
		binary.LittleEndian.PutUint64(buf[8*i:], v)
	}
	return buf
}

func shimOutcome(buf []byte, panicked string) progen.Outcome {
	if panicked != "" {
		return progen.Outcome{Panic: panicked}
	}
	var o progen.Outcome
	for i := range o.Out {
		o.Out[i] = binary.LittleEndian.Uint64(buf[shimResults+8*i:])
	}
	return o
}

// garbage is what scratch memory holds before a run: what the last one left there.
func garbage(size int64) []byte { return bytes.Repeat([]byte{0xcc}, int(size)) }

// helpers returns the implementation of the helpers that generated programs call: that
// which finds the scratch memory of a program, and bpf_loop.
func helpers(m *ir.Module) func(*interp.Machine, *ir.Helper, []uint64) (uint64, error) {
	var addr uint64
	return func(vm *interp.Machine, h *ir.Helper, args []uint64) (uint64, error) {
		if h.Name == "loop" {
			return loopHelper(args, func(args ...uint64) (uint64, error) {
				o, _, err := vm.Object(args[0])
				if err != nil {
					return 0, err
				}
				results, err := vm.Call(o.Func, args[1:]...)
				if err != nil {
					return 0, err
				}
				return results[0], nil
			})
		}
		if o, _, err := vm.Object(args[0]); err != nil || o.Map == nil || o.Map.Name != ScratchMap {
			return 0, fmt.Errorf("%s of what is not scratch memory: %v", h.Name, err)
		}
		if addr == 0 {
			addr = vm.NewObject(interp.Object{Name: ScratchMap, Bytes: garbage(m.Scratch), Align: 8})
		}
		return addr, nil
	}
}

// loopHelper is bpf_loop with the given arguments, which calls a function by invoke.
func loopHelper(args []uint64, invoke func(...uint64) (uint64, error)) (uint64, error) {
	for i := range args[0] {
		stop, err := invoke(args[1], i, args[2])
		if err != nil {
			return 0, err
		}
		if stop > 1 {
			return 0, fmt.Errorf("callback of bpf_loop returned %d", stop)
		}
		if stop == 1 {
			return i + 1, nil
		}
	}
	return args[0], nil
}

func interpret(m *ir.Module, in [6]uint64) result {
	buf := shimBuffer(in)
	panicked, err := interpretBuffer(m, buf)
	return result{shimOutcome(buf, panicked), err}
}

// fuel is enough for loops of some 100,000 iterations, limited by bpf_loop.
const fuel = 16_000_000

// interpretBuffer runs the program m on the buffer of a shim, and returns the kind of its panic.
func interpretBuffer(m *ir.Module, buf []byte) (panicked string, err error) {
	_, site, err := interp.New(m, interp.Options{Helper: helpers(m), Unaligned: true, Fuel: fuel}).RunProgram(buf)
	if err != nil || site == nil {
		return "", err
	}
	return site.Kind.String(), nil
}

func execute(u *Unit, target Target, in [6]uint64) result {
	buf := shimBuffer(in)
	panicked, err := executeBuffer(u, buf, !target.Has(VarOffStack))
	return result{shimOutcome(buf, panicked), err}
}

// executeBuffer runs the program u on the buffer of a shim, and returns the kind of its panic.
// strict refuses accesses to the stack at variable offsets, even where a verifier that follows the
// program would know the offset.
func executeBuffer(u *Unit, buf []byte, strict bool) (panicked string, err error) {
	sections := map[string][]byte{}
	for _, d := range u.Data {
		sections[d.Name] = append([]byte(nil), d.Bytes...)
	}
	o := vm.Options{Ctx: buf, Sections: sections, StrictStack: strict, Fuel: fuel}
	o.Helpers = map[int32]vm.Helper{181: {Args: 4, Func: func(c *vm.Call) (uint64, error) {
		return loopHelper(c.Args[:], func(args ...uint64) (uint64, error) { return c.Invoke(args[0], args[1:]...) })
	}}}
	if u.Scratch > 0 {
		sections[ScratchMap] = garbage(int64(u.Scratch))
		o.Helpers[1] = vm.Helper{Args: 2, Func: func(c *vm.Call) (uint64, error) { return c.Section(ScratchMap) }}
	}
	r0, err := vm.Run(u.Insns, o)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, strings.TrimSpace(fmt.Sprint(u.Insns)))
	}
	if site := -int32(r0) - 1; site >= 0 {
		return u.Panics[site].Kind, nil
	}
	return "", nil
}

func compareOutcome(got result, want progen.Outcome) error {
	if got.err != nil {
		return got.err
	}
	if got.Outcome != want {
		return fmt.Errorf("got %+v, want %+v", got.Outcome, want)
	}
	return nil
}
