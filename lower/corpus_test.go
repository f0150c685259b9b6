package lower

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// corpusArguments is how many arguments each function of the corpus gets in the interpreters.
const corpusArguments = 40

// TestCorpus runs each function of the corpus natively and in both interpreters, of the IR
// before and after the passes and of BPF, compiled in each of the ways of TestDifferential. Package
// e2e runs them in the kernel.
func TestCorpus(t *testing.T) {
	fset := token.NewFileSet()
	pkg := corpusPackage(t, fset)
	for i, fn := range corpus.Funcs {
		v := reflect.ValueOf(fn)
		name := runtime.FuncForPC(v.Pointer()).Name()
		name = name[strings.LastIndexByte(name, '.')+1:]
		t.Run(name, func(t *testing.T) {
			in := Input{Fset: fset, Entry: pkg.Func(name), Name: "corpus." + name, Type: "syscall", Shim: ShimCtx}
			calls := nativeCalls(v)
			for k, way := range variants {
				if testing.Short() && k != i%len(variants) {
					continue
				}
				err := runCorpus(in, way, calls)
				// A recent kernel with all registers can run all of it. What old ones
				// cannot is a table of package kerneltest, which the matrix checks.
				limited := way.limits(err) || way.loopWork != 0 && hasCode(err, UnboundedLoop)
				if err != nil && (k == 0 || !limited) {
					t.Errorf("linux %v, %d registers: %v", way.target.Kernel, way.registers, err)
				}
			}
		})
	}
}

// corpusPackage builds the functions of the corpus from their source.
func corpusPackage(t *testing.T, fset *token.FileSet) *ssa.Package {
	var files []*ast.File
	err := fs.WalkDir(corpus.Source(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(corpus.Source(), name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution|parser.ParseComments)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	conf := &types.Config{Sizes: types.SizesFor("gc", "amd64"), Importer: onlyUnsafe{}}
	pkg, _, err := ssautil.BuildPackage(conf, fset, types.NewPackage("corpus", "corpus"), files, ssa.InstantiateGenerics|ssa.BareInits)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// A nativeCall is what a call takes and does.
type nativeCall struct {
	in       []reflect.Value
	out      []reflect.Value
	panicked string // the kind of the panic
}

func nativeCalls(fn reflect.Value) []nativeCall {
	var calls []nativeCall
	for _, in := range corpus.Inputs(fn.Type(), corpusArguments) {
		out, panicked := callRecovered(fn, in)
		c := nativeCall{in: in, out: out}
		if panicked != nil {
			c.panicked = progen.PanicKind(fmt.Sprint(panicked))
		}
		calls = append(calls, c)
	}
	return calls
}

func hasCode(err error, code Code) bool {
	var d *Diagnostic
	return errors.As(err, &d) && d.Code == code
}

func callRecovered(fn reflect.Value, in []reflect.Value) (out []reflect.Value, panicked any) {
	defer func() { panicked = recover() }()
	return fn.Call(in), nil
}

// runCorpus compiles a function as v says and compares what it does with the calls.
func runCorpus(in Input, v variant, calls []nativeCall) error {
	var wrong error // what the interpreter of the IR found
	c := &compilation{in: in, target: v.target, opt: Options{Verify: true, Registers: v.registers, LoopWork: v.loopWork, Live: v.live, Doubt: v.doubt}}
	c.observe = func(stage string, m *ir.Module) {
		if wrong == nil && (stage == "build" || stage == LastPass()) {
			wrong = compareCalls("interpreter after "+stage, in.Entry.Signature, calls, func(buf []byte) (string, error) { return interpretBuffer(m, buf) })
		}
	}
	unit, err := c.compile()
	if err := cmp.Or(wrong, err); err != nil {
		return err
	}
	return compareCalls("BPF", in.Entry.Signature, calls, func(buf []byte) (string, error) { return executeBuffer(unit, buf, false) })
}

// compareCalls compares what run does to the buffer of a shim with the calls.
func compareCalls(where string, sig *types.Signature, calls []nativeCall, run func(buf []byte) (panicked string, err error)) error {
	size, args, results := build.Layout(sig)
	for _, c := range calls {
		buf := make([]byte, size)
		for i, v := range c.in {
			copy(buf[args[i]:], corpus.Bytes(v))
		}
		panicked, err := run(buf)
		if err != nil || panicked != c.panicked {
			return fmt.Errorf("%s, arguments %v: panic %q, natively %q: %w", where, c.in, panicked, c.panicked, err)
		}
		for i, want := range c.out {
			got := reflect.NewAt(want.Type(), unsafe.Pointer(unsafe.SliceData(buf[results[i]:]))).Elem()
			if !bytes.Equal(corpus.Bytes(got), corpus.Bytes(want)) {
				return fmt.Errorf("%s, arguments %v: result %d is %v, natively %v", where, c.in, i, got, want)
			}
		}
	}
	return nil
}
