package e2e

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/e2e/corpus/stdlib"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/e2e/progen"
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
		t.Run(kerneltest.FuncName(fn), func(t *testing.T) {
			kernel, err := jit.Func(fn)
			if kerneltest.Limits[kerneltest.FuncName(fn)].Excludes(t, err) {
				return
			}
			language.require(t, err)
			for _, in := range corpus.Inputs(native.Type(), corpusInputs()) {
				compareCalls(t, native, reflect.ValueOf(kernel), in)
			}
		})
	}
}

// TestStandardLibraryRefused checks that calls of the standard library which cannot be
// compiled are refused, with the code of the reason: those of packages that are not in the table
// of TestStandardCalls.
func TestStandardLibraryRefused(t *testing.T) {
	for _, tt := range []struct{ pkg, body, code string }{
		{"sort", "sort.Slice(in[:], func(i, j int) bool { return in[i] < in[j] }); out[0] = in[0]", "U403"},
		{"math/big", "var x big.Int; out[0] = uint64(x.BitLen())", "U410"},
		{"fmt", "out[0] = uint64(len(fmt.Sprint(in[0])))", "U410"},
		{"sync", "var mu sync.Mutex; mu.Lock()", "U410"},
		{"math", "out[0] = uint64(math.Sqrt(2))", "U303"},
	} {
		t.Run(tt.pkg, func(t *testing.T) {
			src := fmt.Sprintf("package p\n\nimport %q\n\nfunc F(in [6]uint64) (out [4]uint64) { %s; return out }\n", tt.pkg, tt.body)
			_, err := jit.FuncSource[progen.Signature]("p.go", src, "F")
			wantError(t, err, "["+tt.code+"]")
		})
	}
}
