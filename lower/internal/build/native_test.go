package build_test

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// maxInputs is the number of inputs a function of the corpus is run with.
const maxInputs = 1500

// TestNative runs every function of the corpus natively and, built from its
// source, in the interpreter, with boundary and random arguments, and compares
// results and panics.
func TestNative(t *testing.T) {
	l := newLoader(t)
	compareAll(t, l, l.load(t, corpus.Source()), corpus.Funcs)
}

// compareAll compares functions with what is built from their source, pkg.
func compareAll(t *testing.T, l *loader, pkg *ssa.Package, funcs []any) {
	fns := l.funcs(pkg)
	for _, fn := range funcs {
		name := funcName(fn)
		t.Run(name, func(t *testing.T) {
			f := fns[name]
			if f == nil {
				t.Fatalf("no function %s", name)
			}
			m := l.mustBuild(t, f, build.ShimCtx, "syscall", newest)
			size, args, results := build.Layout(f.Signature)
			c := &comparison{t: t, fn: reflect.ValueOf(fn), m: m, size: size, args: args, results: results}
			for _, in := range corpus.Inputs(c.fn.Type(), maxInputs) {
				c.compare(in)
			}
		})
	}
}

// funcName returns the name that the function fn was declared with.
func funcName(fn any) string {
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// A comparison runs a function both ways.
type comparison struct {
	t             *testing.T
	fn            reflect.Value
	m             *ir.Module
	size          int
	args, results []int64
}

func (c *comparison) compare(in []reflect.Value) {
	c.t.Helper()
	want, wantPanic := c.native(in)
	buf := make([]byte, c.size)
	for i, v := range in {
		copy(buf[c.args[i]:], corpus.Bytes(v))
	}
	vm := interp.New(c.m, interp.Options{})
	ret, site, err := vm.RunProgram(buf)
	if err != nil {
		c.t.Fatalf("%v: %v\n%s", in, err, c.m)
	}
	switch {
	case site != nil:
		if !samePanic(wantPanic, site) {
			c.t.Fatalf("%v: panic %q (%s), natively %q", in, site.Message, site.Kind, wantPanic)
		}
		return
	case wantPanic != "":
		c.t.Fatalf("%v: no panic, natively %q\n%s", in, wantPanic, c.m)
	case ret != 0:
		c.t.Fatalf("%v: program returned %d", in, ret)
	}
	for i, v := range want {
		got := reflect.NewAt(v.Type(), unsafe.Pointer(unsafe.SliceData(buf[c.results[i]:]))).Elem()
		if !bytes.Equal(corpus.Bytes(got), corpus.Bytes(v)) {
			c.t.Fatalf("%v: result %d is %v, natively %v\n%s", in, i, got, v, c.m)
		}
	}
}

// native calls the function, and returns its results or what it panicked with.
func (c *comparison) native(in []reflect.Value) (out []reflect.Value, panicked string) {
	defer func() {
		if r := recover(); r != nil {
			panicked = fmt.Sprint(r)
		}
	}()
	return c.fn.Call(in), ""
}

// samePanic compares what Go's runtime says with a site. The site's message lacks
// the numbers that are not known when compiling.
func samePanic(native string, site *ir.Site) bool {
	native = strings.TrimPrefix(native, "runtime error: ")
	switch site.Kind {
	case ir.PanicIndex:
		return strings.HasPrefix(native, "index out of range")
	case ir.PanicSlice:
		return strings.HasPrefix(native, "slice bounds out of range") || native == site.Message
	case ir.PanicConvert:
		return strings.HasPrefix(native, "cannot convert slice")
	case ir.PanicAssert:
		return strings.HasPrefix(native, "interface conversion")
	case ir.PanicExplicit:
		return "panic: "+native == site.Message
	}
	return native == site.Message
}
