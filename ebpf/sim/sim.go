// Package sim sets what helpers do when kernel-side code runs natively, as it does
// under go test:
//
//	func TestSlow(t *testing.T) {
//		now := uint64(1000)
//		defer sim.Replace(ebpf.KtimeGetNs, func() uint64 { return now })()
//		...
//	}
//
// Without it, helpers about the current task, clocks, random numbers and memory
// do what they do in the kernel, with the running test as the task; the others
// panic with a message that names this package.
//
// Replacements hold for the whole process: tests that use them must not run in
// parallel with each other. The functions may be called concurrently.
package sim

import (
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"runtime"
	"strings"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
)

// Replace makes calls of a helper, named by its function in package ebpf, call
// fake instead, until restore is called. Restore in the opposite order of
// replacing.
//
// It panics if helper is not a helper.
func Replace[F any](helper, fake F) (restore func()) {
	return host.Replace(nameOf(helper), fake)
}

// SetOutput directs what [ebpf.Printk] prints natively to w, until restore is
// called. At first it goes to standard error. Calls of w.Write do not overlap.
func SetOutput(w io.Writer) (restore func()) {
	return host.SetOutput(w)
}

// nameOf returns the name in package ebpf of a func value.
func nameOf(helper any) string {
	v := reflect.ValueOf(helper)
	if v.Kind() != reflect.Func || v.IsNil() {
		panic(fmt.Sprintf("sim.Replace: %T is not a function of package ebpf", helper))
	}
	full := runtime.FuncForPC(v.Pointer()).Name()
	name, ok := strings.CutPrefix(full, reflect.TypeFor[ebpf.Context]().PkgPath()+".")
	if !ok || !isHelper(name) {
		panic(fmt.Sprintf("sim.Replace: %s is not a helper of package ebpf", full))
	}
	return name
}

// isHelper reports whether a function of package ebpf is a helper: has the
// directive in the source that the compiler reads.
func isHelper(name string) bool {
	src, err := fs.ReadFile(ebpf.Source(), "stub_gen.go")
	if err != nil {
		panic(fmt.Sprintf("BUG: %v", err))
	}
	before, _, ok := strings.Cut(string(src), "\nfunc "+name+"(")
	return ok && strings.HasPrefix(before[strings.LastIndexByte(before, '\n')+1:], "//ebpf:helper ")
}
