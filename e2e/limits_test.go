package e2e

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file declares which functions of the corpora old kernels cannot run. Such a kernel
// is never asked: the compiler says so, with a diagnostic of the declared code.

// A limit is the first kernel release that can run a function, and the code of what the
// compiler says of it for older ones.
type limit struct {
	kernel lower.Version
	code   lower.Code
}

var (
	// boundless is loops whose end no verifier proves, ended by bpf_loop.
	boundless = limit{lower.LoopHelper.MinKernel(), lower.UnboundedLoop}
	// movingSlice is boundless loops that bpf_loop cannot run: a slice gets shorter from
	// iteration to iteration, and with it a pointer moves.
	movingSlice = limit{lower.MayGoto.MinKernel(), lower.UnboundedLoop}
	// twoRanges is loops that end with i == x, both known by their range only.
	twoRanges = limit{lower.BranchRanges.MinKernel(), lower.UnboundedLoop}
	// fetching is atomic operations with a result.
	fetching = limit{lower.AtomicFetch.MinKernel(), lower.FeatureMissing}
)

// limits is the limits of functions of packages corpus and stdlib, by name.
var limits = map[string]limit{
	"collatz":         boundless,
	"labels":          twoRanges,
	"sliceSort":       boundless,
	"sliceSortStable": boundless,
	"validRune":       movingSlice,
	"atomicFuncs32":   fetching,
	"atomicFuncs64":   fetching,
	"atomicTypes":     fetching,
	"atomicBits":      fetching,
	"atomicBool":      fetching,
}

// funcName returns the name of a function without its package.
func funcName(fn any) string {
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// excludes reports whether the running kernel is too old, by l, for a function that was
// compiled with err. The error must say so then, and nothing else.
func (l limit) excludes(t *testing.T, err error) bool {
	t.Helper()
	kernel, releaseErr := runningRelease()
	if releaseErr != nil {
		t.Fatal(releaseErr)
	}
	if kernel.AtLeast(l.kernel) {
		return false
	}
	var list lower.DiagnosticError
	if !errors.As(err, &list) {
		t.Fatalf("Linux %v cannot run it, and the error is %v", kernel, err)
	}
	for _, d := range list {
		if d.Code != l.code {
			t.Errorf("Linux %v cannot run it, and the error is not %s: %v", kernel, l.code, d)
		}
	}
	return true
}
