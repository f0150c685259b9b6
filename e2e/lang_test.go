package e2e

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// corpusInputs is the number of arguments each function of the corpus is run
// with: fewer in guests, in which everything is ten times slower.
func corpusInputs() int {
	if guest != "" || testing.Short() {
		return 60
	}
	return 300
}

// TestLanguage runs each function of the corpus natively and in the kernel and
// compares results and panics.
func TestLanguage(t *testing.T) {
	language.test(t)
	for _, fn := range corpus.Funcs {
		native := reflect.ValueOf(fn)
		t.Run(kerneltest.FuncName(fn), func(t *testing.T) {
			inKernel, err := jit.Func(fn)
			if kerneltest.Limits[kerneltest.FuncName(fn)].Excludes(t, err) {
				return
			}
			language.require(t, err)
			for _, in := range corpus.Inputs(native.Type(), corpusInputs()) {
				compareCalls(t, native, reflect.ValueOf(inKernel), in)
			}
		})
	}
}

// TestTooComplex checks what is said of a function with 2^28 paths that make a
// difference.
func TestTooComplex(t *testing.T) {
	src := "package p\nfunc paths(n uint64) (sum uint64) {\n"
	for i := range 28 {
		src += fmt.Sprintf("if n>>%d&1 != 0 { sum += 3<<%d }\n", i, i)
	}
	src += "if sum == 12345 { sum = 0 }\nreturn sum\n}\n"
	_, err := jit.FuncSource[func(uint64) uint64]("paths.go", src, "paths")
	var rejected *jit.VerifierError
	if !errors.As(err, &rejected) {
		language.require(t, err)
		t.Fatal("the verifier has accepted it")
	}
	wantError(t, err, "it is too complex for this kernel", "make loops shorter")
}

// TestNilCopy copies to a slice that is nil or a part of an array that the source is a part of, too. The
// direction and the place are known to no verifier that does not learn from comparisons of two values.
func TestNilCopy(t *testing.T) {
	language.test(t)
	kernel, err := kerneltest.RunningRelease()
	if err != nil {
		t.Fatal(err)
	}
	if oldest := lower.BranchRanges.MinKernel(); !kernel.AtLeast(oldest) {
		t.Skipf("Linux %v is needed", oldest)
	}
	f, err := jit.FuncSource[func(uint8, uint8) [8]uint16]("copy.go", `package p
func move(n, m uint8) [8]uint16 {
	a := [8]uint16{1, 2, 3, 4, 5, 6, 7, 8}
	var to []uint16
	if n&1 == 0 {
		to = a[:m&3]
	}
	copy(to, a[n%8:])
	return a
}`, "move")
	language.require(t, err)
	for n := range uint8(8) {
		for m := range uint8(4) {
			want := [8]uint16{1, 2, 3, 4, 5, 6, 7, 8}
			if n&1 == 0 {
				copy(want[:m], want[n:])
			}
			if got := f(n, m); got != want {
				t.Errorf("move(%d, %d) = %v, want %v", n, m, got, want)
			}
		}
	}
}

// compareCalls calls two functions with the same arguments.
func compareCalls(t *testing.T, native, kernel reflect.Value, in []reflect.Value) {
	t.Helper()
	want, wantPanic := call(native, in)
	got, gotPanic := call(kernel, in)
	if !samePanic(gotPanic, wantPanic) {
		t.Fatalf("%v: panics with %v in the kernel, with %v natively", in, gotPanic, wantPanic)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i].Interface(), want[i].Interface()) {
			t.Fatalf("%v: result %d is %v in the kernel, %v natively", in, i, got[i], want[i])
		}
	}
}

// call calls a function and returns what it returns or panics with.
func call(fn reflect.Value, in []reflect.Value) (out []reflect.Value, panicked any) {
	defer func() { panicked = recover() }()
	return fn.Call(in), nil
}

// samePanic reports whether a panic in the kernel is the one that happened
// natively. The message in the kernel lacks numbers that are known only at
// run time.
func samePanic(kernel, native any) bool {
	if kernel == nil || native == nil {
		return kernel == native
	}
	var k *jit.PanicError
	if err, ok := kernel.(error); !ok || !errors.As(err, &k) {
		return false
	}
	text := strings.TrimPrefix(fmt.Sprint(native), "runtime error: ")
	switch k.Kind {
	case "index":
		return strings.HasPrefix(text, "index out of range")
	case "slice":
		return strings.HasPrefix(text, "slice bounds out of range") || text == k.Message
	case "convert":
		return strings.HasPrefix(text, "cannot convert slice")
	case "assert":
		return strings.HasPrefix(text, "interface conversion")
	case "explicit":
		return k.Message == "panic: "+text
	}
	return k.Message == text
}
