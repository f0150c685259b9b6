package build_test

import (
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/golden"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// TestGolden builds in.go of each archive in testdata/golden and compares the
// text form of the module with ir. If there is a function prog, it is built as a
// program; otherwise the function f is built, and its shim left out.
func TestGolden(t *testing.T) {
	golden.Run(t, "testdata/golden/*.txtar", func(t *testing.T, f *golden.File) {
		l := newLoader(t)
		pkg := l.loadText(t, "in.go", f.Input(t, "in.go"))
		var got string
		if prog := pkg.Func("prog"); prog != nil {
			got = l.mustBuild(t, prog, build.ShimNone, "", newest).String()
		} else {
			m := l.mustBuild(t, pkg.Func("f"), build.ShimCtx, "", newest)
			m.Funcs = m.Funcs[1:]
			got = m.String()
		}
		f.Want(t, "ir", got)
		parsed, err := ir.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if again := parsed.String(); again != got {
			t.Errorf("printed again:\n%s\nwant:\n%s", again, got)
		}
	})
}
