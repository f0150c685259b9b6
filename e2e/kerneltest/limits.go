package kerneltest

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file declares which functions of the corpora old kernels cannot run. Such a kernel
// is not asked: the compiler says so, with a diagnostic of the declared code. A loop that
// the compiler takes for one that the verifier gets to the end of may turn out not to be
// one; the error is that the program is too complex then.

// A Limit is the first kernel release that can run a function, and the code of what the
// compiler says of it for older ones; without a code, their verifiers give
// up, or find a loop endless.
type Limit struct {
	Kernel lower.Version
	Code   lower.Code
}

var (
	// Boundless is loops whose end no verifier proves, ended by bpf_loop.
	Boundless = Limit{lower.LoopHelper.MinKernel(), lower.UnboundedLoop}
	// spilledCounter is bounded loops in which so much is live that the verifier loses count.
	spilledCounter = Limit{lower.MayGoto.MinKernel(), lower.UnboundedLoop}
	// TooManyPaths is boundless loops that seem to be bounded.
	TooManyPaths = Limit{Kernel: lower.LoopHelper.MinKernel()}
	// fetching is atomic operations with a result.
	fetching = Limit{lower.AtomicFetch.MinKernel(), lower.FeatureMissing}
)

// Limits is the limits of functions of packages corpus and stdlib, by name.
var Limits = map[string]Limit{
	"collatz":           Boundless,
	"sliceAdvance":      Boundless,
	"stringAdvance":     Boundless,
	"stringPart":        Boundless,
	"tailCalls":         Boundless,
	"leastRecentlyUsed": TooManyPaths,
	"ringOfSamples":     Boundless,
	"labels":            TooManyPaths, // by i*j > 30, where i may be 0
	"loopVarCaptured":   Boundless,
	"madeByLimit":       Boundless, // by the runes of a string that it makes
	"sliceHalves":       Boundless,
	"sliceHalving":      Boundless,
	"searchSlices":      Boundless,
	"euclid":            Boundless,
	"euclidMinus":       Boundless,
	"collatzMax":        Boundless,
	"storeElement":      Boundless,
	"storeEither":       Boundless,
	"listWalk":          Boundless,
	"parseTLV":          Boundless,
	"quickSelect":       Boundless,
	"findRoot":          Boundless,
	"squareRoot":        Boundless,
	"stringFields":      Boundless,
	"bubbleSort":        Boundless,
	"heapSort":          Boundless,
	"shellSort":         Boundless,
	"treeWalk":          Boundless,
	"shortestPath":      Boundless,
	"primeFactors":      Boundless,
	"recoverOuter":      Boundless,
	"tailPairs":         Boundless,
	"sliceSortLong":     Boundless,
	"sortStable":        Boundless,
	"wideResults":       spilledCounter,
	"listReverse":       TooManyPaths,
	"ringQueue":         TooManyPaths,
	"stackMachine":      TooManyPaths,
	"quickSort":         TooManyPaths,
	"inflate":           TooManyPaths,
	"brackets":          TooManyPaths,
	"flood":             TooManyPaths,
	"atomicFuncs32":     fetching,
	"atomicFuncs64":     fetching,
	"atomicTypes":       fetching,
	"atomicBits":        fetching,
	"atomicBool":        fetching,
}

// Heavy is the functions of package corpus that the verifier gives up after a million instructions,
// so that they are compiled again. On an emulated machine that takes minutes: tests that run the
// corpus in other ways than package e2e's leave them to the host's kernel there.
var Heavy = map[string]bool{
	"mergeSort": true, "brackets": true, "stackMachine": true, "inflate": true, "primeFactors": true,
	"quickSort": true, "ringQueue": true, "stringFields": true,
}

// FuncName returns the name of a function without its package.
func FuncName(fn any) string {
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// Excludes reports whether the running kernel is too old, by l, for a function that was
// compiled with err. The error must say so then, and nothing else.
func (l Limit) Excludes(t testing.TB, err error) bool {
	t.Helper()
	kernel, releaseErr := RunningRelease()
	if releaseErr != nil {
		t.Fatal(releaseErr)
	}
	if kernel.AtLeast(l.Kernel) {
		return false
	}
	if l.Code == 0 {
		if err == nil || !strings.Contains(err.Error(), "it is too complex for this kernel") && !strings.Contains(err.Error(), lower.UnboundedLoop.String()) {
			t.Errorf("Linux %v cannot run it, and the error is %v", kernel, err)
		}
		return true
	}
	var list lower.DiagnosticError
	if !errors.As(err, &list) {
		t.Fatalf("Linux %v cannot run it, and the error is %v", kernel, err)
	}
	for _, d := range list {
		if d.Code != l.Code {
			t.Errorf("Linux %v cannot run it, and the error is not %v: %v", kernel, l.Code, d)
		}
	}
	return true
}
