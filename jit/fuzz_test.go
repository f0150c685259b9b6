package jit_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// FuzzCompileSource feeds the compiler arbitrary text. Whatever it is, the
// result is a program that all verifiers of the compiler accept, or diagnostics
// of bounded number with codes: never a panic, never a defect of the compiler.
func FuzzCompileSource(f *testing.F) {
	for _, pattern := range []string{"testdata/errors/*", "*_test.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatal(names, err)
		}
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(src))
		}
	}
	names, err := filepath.Glob("testdata/prune/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("//ebpf:section xdp\n" + string(ar.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, src string) {
		_, err := jit.CompileSource("fuzz.go", src, jit.WithTarget(linux618), jit.Verify())
		var list lower.DiagnosticError
		switch {
		case err == nil:
		case !errors.As(err, &list):
			t.Fatalf("%+v", err)
		case len(list) == 0 || len(list) > 21:
			t.Errorf("%d diagnostics", len(list))
		}
		for _, d := range list {
			if d.Code == 0 || d.Message == "" {
				t.Errorf("diagnostic without code or message: %v", d)
			}
		}
	})
}
