package jit_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// linux618 is a target without a kernel.
var linux618 = lower.TargetFor(lower.Version{Major: 6, Minor: 18}, "amd64")

// TestBadInput compiles each file of testdata/errors and compares what is
// reported with its comments: // want "regexp" stands on the line of a
// diagnostic, // want-file "regexp" is for one without a line, and there may be
// several strings. All must be reported, with a code, and nothing else.
func TestBadInput(t *testing.T) {
	names, err := filepath.Glob("testdata/errors/*")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = jit.CompileSource(name, string(src), jit.WithTarget(linux618))
			var list lower.DiagnosticError
			if !errors.As(err, &list) {
				t.Fatalf("got %v, want diagnostics", err)
			}
			wants := expectations(t, string(src))
			if len(src) == 0 {
				wants = append(wants, expectation{0, regexp.MustCompile("the source is empty")})
			}
			for _, d := range list {
				if d.Code == 0 || d.Pos.Filename != name {
					t.Errorf("%v: no code or wrong file", d)
				}
				found := false
				for i, w := range wants {
					if w.line == d.Pos.Line && w.re.MatchString(d.Error()) {
						wants = append(wants[:i], wants[i+1:]...)
						found = true
						break
					}
				}
				if !found {
					t.Errorf("unexpected: %v", d)
				}
			}
			for _, w := range wants {
				t.Errorf("%s:%d: nothing like %q was reported", name, w.line, w.re)
			}
		})
	}
}

type expectation struct {
	line int // 0: none
	re   *regexp.Regexp
}

var wantComment = regexp.MustCompile(`// want(-file)?( ".*")$`)

func expectations(t *testing.T, src string) (list []expectation) {
	for i, line := range strings.Split(src, "\n") {
		if m := wantComment.FindStringSubmatch(line); m != nil {
			for want := range strings.SplitSeq(strings.Trim(m[2], ` "`), `" "`) {
				e := expectation{i + 1, regexp.MustCompile(want)}
				if m[1] != "" {
					e.line = 0
				}
				list = append(list, e)
			}
		}
	}
	return list
}

// TestTooManyErrors checks that the number of reported errors is bounded.
func TestTooManyErrors(t *testing.T) {
	var b strings.Builder
	b.WriteString("package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\n//ebpf:section xdp\nfunc f(ctx *ebpf.XDP) int {\n")
	for range 1000 {
		b.WriteString("undefined()\n")
	}
	b.WriteString("return 0 }\n")
	garbage := strings.Repeat("\x00}{ func \"` 'x' 0x", 1<<16)
	for name, src := range map[string]string{
		"types":        b.String(),
		"garbage":      garbage,
		"more garbage": "package p\n" + garbage,
		"nesting":      "package p; var x = " + strings.Repeat("(", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jit.CompileSource(name, src, jit.WithTarget(linux618))
			var list lower.DiagnosticError
			if !errors.As(err, &list) {
				t.Fatalf("got %v, want diagnostics", err)
			}
			if n := len(list); n == 0 || n > 21 || n == 21 && list[20].Code != lower.TooManyErrors {
				t.Errorf("%d diagnostics, the last is %v", n, list[n-1])
			}
		})
	}
}

// TestCodes checks codes of errors that only func values and options have.
func TestCodes(t *testing.T) {
	n := 0
	for _, test := range []struct {
		fn   any
		opts []jit.Option
		want lower.Code
	}{
		{func(ctx ebpf.Context) int { n++; return n }, []jit.Option{jit.As("xdp")}, lower.UnsuitableCapture},
		{func(ctx ebpf.Context) int { return 0 }, nil, lower.UnknownProgramType},
		{func(ctx ebpf.Context) int { return 0 }, []jit.Option{jit.As("xdp"), jit.WithConst("prot", 1)}, lower.UnknownConst},
	} {
		_, err := jit.Compile(test.fn, append(test.opts, jit.WithTarget(linux618))...)
		var d *lower.Diagnostic
		if !errors.As(err, &d) || d.Code != test.want {
			t.Errorf("got %v, want code %v", err, test.want)
		}
	}
}

// TestExcerpt checks that %+v shows the source lines.
func TestExcerpt(t *testing.T) {
	const src = "package p\n\n//ebpf:section xdp\nfunc prog() int {\n\tgo work() // one\n\treturn \"ä\" + n\n}\n\nfunc work() {}\n"
	_, err := jit.CompileSource("p.go", src, jit.WithTarget(linux618))
	const want = `p.go:5:2: go statement; a BPF program has no goroutines; pass data to the host through a map [U301]
		go work() // one
		^
p.go:6:16: undefined: n [U202]
		return "ä" + n
		             ^`
	if got := fmt.Sprintf("%+v", err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
