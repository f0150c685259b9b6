package e2e

import (
	"reflect"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/e2e/corpus/stdlib"
	"github.com/undergo-ebpf/undergo/jit"
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
		t.Run(funcName(fn), func(t *testing.T) {
			kernel, err := jit.Func(fn)
			if limits[funcName(fn)].excludes(t, err) {
				return
			}
			language.require(t, err)
			for _, in := range corpus.Inputs(native.Type(), corpusInputs()) {
				compareCalls(t, native, reflect.ValueOf(kernel), in)
			}
		})
	}
}
