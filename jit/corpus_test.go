package jit_test

import (
	"reflect"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// TestCorpusThreeRegisters runs the corpus in the kernel, compiled for three
// registers, so that nearly every value is spilled at some time. Package e2e runs it
// with all registers.
func TestCorpusThreeRegisters(t *testing.T) { testCorpus(t, spilledLimits, jit.Registers(3)) }

// TestCorpusInMemory runs the corpus in the kernel, compiled so that nearly every number that
// lives across a call is in memory, on the stack if there is room.
func TestCorpusInMemory(t *testing.T) { testCorpus(t, nil, jit.Live(1)) }

// TestCorpusInDoubt runs the corpus in the kernel, compiled as if it had been refused.
func TestCorpusInDoubt(t *testing.T) { testCorpus(t, nil, jit.Doubt()) }

// testCorpus runs the corpus in the kernel. limits are what old kernels cannot run of it because
// of how it is compiled.
func testCorpus(t *testing.T, limits map[string]kerneltest.Limit, how jit.Option) {
	for _, fn := range corpus.Funcs {
		native := reflect.ValueOf(fn)
		t.Run(kerneltest.FuncName(fn), func(t *testing.T) {
			if kerneltest.Guest != "" && kerneltest.Heavy[kerneltest.FuncName(fn)] {
				t.Skip("takes the verifier minutes on an emulated machine")
			}
			k, err := jit.Func(fn, jit.Verify(), how)
			limit, ok := limits[kerneltest.FuncName(fn)]
			if !ok {
				limit = kerneltest.Limits[kerneltest.FuncName(fn)]
			}
			if limit.Excludes(t, err) {
				return
			}
			needPrivilege(t, err)
			inKernel := reflect.ValueOf(k)
			for _, in := range corpus.Inputs(native.Type(), 40) {
				want, wantPanic := outcome(native, in)
				got, gotPanic := outcome(inKernel, in)
				if (gotPanic == nil) != (wantPanic == nil) {
					t.Fatalf("%v: panics with %v in the kernel, with %v natively", in, gotPanic, wantPanic)
				}
				for i := range want {
					if !reflect.DeepEqual(got[i].Interface(), want[i].Interface()) {
						t.Fatalf("%v: result %d is %v in the kernel, %v natively", in, i, got[i], want[i])
					}
				}
			}
		})
	}
}

// spilledLimits is functions that old kernels cannot run with so few registers only: what
// their loops are about is in memory.
var spilledLimits = map[string]kerneltest.Limit{
	"insertionSort":  kerneltest.Boundless,
	"quickSelect":    {Kernel: lower.MayGoto.MinKernel(), Code: lower.UnboundedLoop},
	"liveAcrossLoop": {Kernel: lower.MayGoto.MinKernel(), Code: lower.UnboundedLoop},
}

// outcome calls fn and returns what it returns or panics with.
func outcome(fn reflect.Value, in []reflect.Value) (out []reflect.Value, panicked any) {
	defer func() { panicked = recover() }()
	return fn.Call(in), nil
}
