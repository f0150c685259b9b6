package build_test

import (
	"errors"

	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

var oldest = target.For(target.MinKernel, "amd64")

// TestErrors builds every function of the files in testdata/errors whose name
// starts with prog, as a program of type tracepoint for the oldest kernel, and
// compares the diagnostics with the comments
//
//	// want CODE "regexp" ...
//
// of the same line. Every diagnostic must have a position and say what to do.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".go"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			l := newLoader(t)
			pkg := l.loadText(t, file, string(text))
			wants := parseWants(t, string(text))
			for name, mem := range pkg.Members {
				f, ok := mem.(*ssa.Function)
				if !ok || !strings.HasPrefix(name, "prog") {
					continue
				}
				for _, d := range l.diagnose(t, f, build.ShimNone, oldest) {
					if d.Pos.Line == 0 || d.Fix == "" {
						t.Errorf("%v: no position or no fix", d)
					}
					if !wants.match(d) {
						t.Errorf("unexpected: %v", d)
					}
				}
			}
			for line, ws := range wants {
				for _, w := range ws {
					if !w.seen {
						t.Errorf("%s:%d: no diagnostic %s %q", file, line, w.code, w.re)
					}
				}
			}
		})
	}
}

// diagnose builds f and returns what is wrong with it.
func (l *loader) diagnose(t *testing.T, f *ssa.Function, shim build.Shim, tgt target.Target) []*diag.Diagnostic {
	t.Helper()
	var diags diag.List
	m := build.Build(build.Input{Fset: l.fset, Entry: f, Name: f.String(), Type: "tracepoint", Shim: shim}, tgt, &diags)
	err := diags.Err()
	if (m == nil) != (err != nil) {
		t.Errorf("%s: module %v with error %v", f, m, err)
	}
	var list diag.Error
	errors.As(err, &list)
	return list
}

// A want is an expected diagnostic.
type want struct {
	code string
	re   *regexp.Regexp
	seen bool
}

type wants map[int][]*want // by line

var wantComment = regexp.MustCompile(`// want (.*)$`)
var wantItem = regexp.MustCompile(`(U\d+) ("[^"]*")`)

func parseWants(t *testing.T, text string) wants {
	ws := make(wants)
	for i, line := range strings.Split(text, "\n") {
		c := wantComment.FindStringSubmatch(line)
		if c == nil {
			continue
		}
		for _, item := range wantItem.FindAllStringSubmatch(c[1], -1) {
			s, err := strconv.Unquote(item[2])
			if err != nil {
				t.Fatal(err)
			}
			ws[i+1] = append(ws[i+1], &want{code: item[1], re: regexp.MustCompile(s)})
		}
	}
	return ws
}

func (ws wants) match(d *diag.Diagnostic) bool {
	for _, w := range ws[d.Pos.Line] {
		if d.Code.String() == w.code && w.re.MatchString(d.Message) {
			w.seen = true
			return true
		}
	}
	return false
}

// TestAllErrors checks that the errors of one function and of those it calls
// are reported together, once, in source order.
func TestAllErrors(t *testing.T) {
	l := newLoader(t)
	pkg := l.loadText(t, "p.go", `package main
func helper(x int) int {
	go helper2()
	return x
}
func helper2() {}
func f(x int) int {
	y := 1.5 * float64(x)
	ch := make(chan int)
	ch <- int(y)
	return helper(1) + helper(2)
}
`)
	var lines []string
	for _, d := range l.diagnose(t, pkg.Func("f"), build.ShimCtx, newest) {
		lines = append(lines, strconv.Itoa(d.Pos.Line)+d.Code.String())
	}
	if got, want := strings.Join(lines, " "), "3U301 8U303 9U301"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestHelperTarget checks that a helper needs its kernel and program type.
func TestHelperTarget(t *testing.T) {
	l := newLoader(t)
	pkg := l.loadText(t, "p.go", `package main
import "github.com/undergo-ebpf/undergo/ebpf"
func cookie(ctx ebpf.Context) int { return int(ebpf.GetAttachCookie(ctx)) }
func redirect(ctx ebpf.Context) int { return int(ebpf.Redirect(1, 0)) }
func sleep(ctx ebpf.Context) int { var b [1]byte; _ = ebpf.CopyFromUser(b[:], 1); return int(b[0]) }
`)
	for _, tt := range []struct {
		name, typ string
		kernel    target.Version
		want      string
	}{
		{"cookie", "tracepoint", target.Version{Major: 5, Minor: 14}, "needs Linux 5.15"},
		{"cookie", "tracepoint", target.Version{Major: 5, Minor: 15}, ""},
		{"redirect", "tracepoint", target.Version{Major: 6, Minor: 1}, "cannot be called by a program of type tracepoint"},
		{"redirect", "xdp", target.Version{Major: 6, Minor: 1}, ""},
		{"sleep", "lsm", target.Version{Major: 6, Minor: 1}, "helper bpf_copy_from_user may sleep, and the program must not; call it in a program that may sleep"},
		{"sleep", "syscall", target.Version{Major: 6, Minor: 1}, ""},
	} {
		var diags diag.List
		build.Build(build.Input{Fset: l.fset, Entry: pkg.Func(tt.name), Type: tt.typ, MaySleep: tt.typ == "syscall"}, target.For(tt.kernel, "amd64"), &diags)
		err := diags.Err()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s on %s, Linux %s: %v, want %q", tt.name, tt.typ, tt.kernel, err, tt.want)
		}
	}
}
