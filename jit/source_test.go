package jit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/undergo-ebpf/undergo/lower"
)

func TestFindIn(t *testing.T) {
	fsys := fstest.MapFS{
		"main.go":           {},
		"cmd/probe/main.go": {},
		"probe/prog.go":     {},
	}
	for _, test := range []struct{ name, want string }{
		{"/home/u/src/app/cmd/probe/main.go", "cmd/probe/main.go"},
		{"example.com/app/cmd/probe/main.go", "cmd/probe/main.go"}, // -trimpath
		{"example.com/app/main.go", "main.go"},
		{"example.com/app@v1.2.3/probe/prog.go", "probe/prog.go"},
		{"/home/u/app/other/prog.go", ""},
		{"probe", ""},
	} {
		tr, base, ok := findIn(fsys, test.name)
		if got := tr.path(base); ok && got != test.want || ok != (test.want != "") {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestReadDir(t *testing.T) {
	file := func(src string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(src)} }
	fsys := fstest.MapFS{
		"a.go":          file("package p"),
		"b.go":          file("package p"),
		"b_test.go":     file("package p"),
		"x_test.go":     file("package p_test"),
		"c_windows.go":  file("package p"),
		"c_linux.go":    file("package p"),
		"d.go":          file("//go:build ignore\n\npackage p"),
		"e.go":          file("//go:build linux && go1.18\n\npackage p"),
		"other.go":      file("package main"),
		"notes.txt":     file("package p"),
		"testdata/f.go": file("package p"),
	}
	for _, test := range []struct{ first, want string }{
		{"a.go", "a.go b.go c_linux.go e.go"},
		{"b_test.go", "a.go b.go b_test.go c_linux.go e.go"},
		{"x_test.go", "x_test.go"},
	} {
		f := newFront(nil)
		p, _ := f.openPackage(tree{fsys: fsys, dir: "."}, test.first)
		p.readRest()
		var names []string
		for _, file := range p.files {
			names = append(names, file.name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != test.want || f.diags.Len() > 0 {
			t.Errorf("%s: read %s, want %s; %v", test.first, got, test.want, f.diags.Err())
		}
	}
}

// stale is compiled from changed copies of this file.
func stale(n int) int {
	n = framed(n)
	return n + 1
}

//go:noinline
func framed(n int) int { return n * 2 }

func TestSourceChanged(t *testing.T) {
	src, err := os.ReadFile("source_test.go")
	if err != nil {
		t.Fatal(err)
	}
	const decl = "func stale(n int) int {\n\tn = framed(n)\n\treturn n + 1\n}"
	tests := []struct {
		name, src string
		want      string // in the error; none if empty
	}{
		{"unchanged", string(src), ""},
		{"line added before", "\n" + string(src), "source changed since this binary was built: there is no function jit.stale at this line; " + staleFix + " [U102]"},
		{"function removed", strings.Replace(string(src), decl, "\n\n\n", 1), "there is no function"},
		{"function shortened", strings.Replace(string(src), decl, "func stale(n int) int { return n }\n\n\n", 1), "jit.stale had code on this line"},
		{"function replaced", strings.Replace(string(src), decl, strings.Replace(decl, "stale", "other", 1), 1), "there is no function"},
		{"parameter added", strings.Replace(string(src), decl, strings.Replace(decl, "n int", "n, m int", 1), 1), "stale was of type func(int) int there"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFront([]Option{WithSource(fstest.MapFS{"source_test.go": {Data: []byte(test.src)}})})
			f.pure, f.opts.section = true, "syscall"
			roots, err := f.valueRoots(stale)
			if err != nil {
				t.Fatal(err)
			}
			f.programs(roots)
			err = f.diags.Err()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestSourceMissing(t *testing.T) {
	_, err := func() (*decl, error) {
		f := newFront([]Option{WithSource(fstest.MapFS{})})
		roots, err := f.valueRoots(stale)
		if err != nil || roots != nil {
			t.Fatal(roots, err)
		}
		return nil, f.diags.Err()
	}()
	if err == nil || !strings.Contains(err.Error(), "embed the source files of the package, as in //go:embed *.go [U101]") {
		t.Errorf("got %v", err)
	}
	for name, want := range map[string]string{
		"example.com/app/main.go": "-trimpath",
		"/no/such/dir/main.go":    "no such file",
	} {
		if _, _, err := sourceTree(new(options), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSourceNewerThanBinary(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.go")
	if err := os.WriteFile(name, []byte("package p"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		time  time.Time
		stale bool
	}{
		{builtAt().Add(-time.Second), false},
		{time.Now().Add(time.Hour), true},
	} {
		if err := os.Chtimes(name, test.time, test.time); err != nil {
			t.Fatal(err)
		}
		f := newFront(nil)
		f.checkAge(name)
		if got := f.diags.Len() == 1; got != test.stale {
			t.Errorf("file of %v, binary of %v: stale is %v", test.time, builtAt(), got)
		}
	}
}

// TestLibraryIsShared checks that compilations leave the shared syntax alone.
func TestLibraryIsShared(t *testing.T) {
	p, err := kernelLibrary.find(ebpfPath)
	if err != nil {
		t.Fatal(err)
	}
	before := len(p.files)
	if before == 0 || p.name != "ebpf" || p.decls["Context"] == nil {
		t.Fatalf("library has %d files, package %s", before, p.name)
	}
	for range 2 {
		f := newFront([]Option{WithTarget(lower.TargetFor(lower.MinKernel, "amd64"))})
		roots := f.sourceRoots("a.go", "package a\nimport \""+ebpfPath+"\"\n//ebpf:section xdp\nfunc f(ctx *ebpf.XDP) ebpf.XDPAction { return ebpf.XDPPass }")
		if s := f.programs(roots); len(s) != 1 || f.diags.Len() > 0 {
			t.Fatal(f.diags.Err())
		}
	}
	for f := range p.files {
		if p.files[f].syntax.Name.Name != "ebpf" {
			t.Error("shared syntax changed")
		}
	}
}
