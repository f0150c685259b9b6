package e2e

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/e2e/corpus/stdlib"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// TestStandardLibrary runs functions that call the standard library natively and
// in the kernel and compares results and panics.
func TestStandardLibrary(t *testing.T) {
	language.test(t)
	funcs := stdlib.Funcs
	if guest == "" { // where there is no Go installation
		funcs = append(funcs[:len(funcs):len(funcs)], stdlib.WithGo...)
	}
	for _, fn := range funcs {
		native := reflect.ValueOf(fn)
		name := runtime.FuncForPC(native.Pointer()).Name()
		t.Run(name[strings.LastIndexByte(name, '.')+1:], func(t *testing.T) {
			kernel, err := jit.Func(fn)
			if release, rerr := runningRelease(); missing(err) && rerr == nil && !release.AtLeast(lower.AtomicFetch.MinKernel()) {
				t.Skip(err)
			}
			language.require(t, err)
			for _, in := range corpus.Inputs(native.Type(), corpusInputs()) {
				compareCalls(t, native, reflect.ValueOf(kernel), in)
			}
		})
	}
}

// missing reports whether err says that the kernel lacks what a function needs.
func missing(err error) bool {
	var d *lower.Diagnostic
	return errors.As(err, &d) && d.Code == lower.FeatureMissing
}
