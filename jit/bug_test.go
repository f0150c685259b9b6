package jit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower"
)

// TestBug checks that a panic of the front end is an error that names the stage
// and the function, and that the source's errors come before it.
func TestBug(t *testing.T) {
	compile := func(f *front) (err error) {
		defer f.rescue(&err)
		roots := f.sourceRoots("p.go", "package p\n//ebpf:section xdp\nfunc prog() int { return 0 }\n")
		f.programs(roots)
		var s *section
		return errors.New(s.name)
	}
	err := compile(newFront(nil))
	const want = "BUG in undergo's front end: lower, compiling prog: runtime error: invalid memory address or nil pointer dereference"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if full := fmt.Sprintf("%+v", err); !strings.HasPrefix(full, want) || !strings.Contains(full, "bug_test.go:") {
		t.Errorf("%%+v has no stack:\n%s", full)
	}
	err = compile(newFront([]Option{WithConst("n", 1)}))
	var d *lower.Diagnostic
	if !errors.As(err, &d) || d.Code != lower.UnknownConst {
		t.Errorf("got %v, want a diagnostic", err)
	}
}
