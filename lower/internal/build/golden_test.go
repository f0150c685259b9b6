package build_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden builds in.go of each archive in testdata/golden and compares the
// text form of the module with ir. If there is a function prog, it is built as a
// program; otherwise the function f is built, and its shim left out.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no files: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			l := newLoader(t)
			pkg := l.loadText(t, "in.go", string(ar.Files[0].Data))
			var got string
			if prog := pkg.Func("prog"); prog != nil {
				got = l.mustBuild(t, prog, build.ShimNone, "", newest).String()
			} else {
				m := l.mustBuild(t, pkg.Func("f"), build.ShimCtx, "", newest)
				m.Funcs = m.Funcs[1:]
				got = m.String()
			}
			if *update {
				ar.Files = append(ar.Files[:1], txtar.File{Name: "ir", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(ar.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			parsed, err := ir.Parse(got)
			if err != nil {
				t.Fatal(err)
			}
			if again := parsed.String(); again != got {
				t.Errorf("printed again:\n%s\nwant:\n%s", again, got)
			}
		})
	}
}
