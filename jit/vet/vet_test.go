package vet

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// root returns the directory of the module, which has the packages in testdata.
func root(t *testing.T) string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAnalyzer(t *testing.T) {
	analysistest.Run(t, root(t), newAnalyzer(), "./jit/vet/testdata/a", "./jit/vet/testdata/hostside")
}

// TestKernel checks that the flag decides which kernel it is.
func TestKernel(t *testing.T) {
	a := newAnalyzer()
	if err := a.Flags.Set("kernel", "5.10"); err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, root(t), a, "./jit/vet/testdata/old")
	for _, bad := range []string{"5", "new", "2.6"} {
		s := settings{kernel: bad, arch: "amd64"}
		if _, err := s.target(); err == nil || !strings.Contains(err.Error(), "-kernel="+bad) {
			t.Errorf("kernel %s: got %v", bad, err)
		}
	}
}

// TestGoVet runs the command as people do.
func TestGoVet(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "undergo-vet")
	if out, err := exec.Command("go", "build", "-o", tool, "./cmd/undergo-vet").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	vet := func(args ...string) (string, error) {
		out, err := exec.Command("go", append([]string{"vet", "-vettool=" + tool}, args...)...).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), err
	}
	if out, err := vet("./testdata/old", "./testdata/hostside"); err != nil {
		t.Errorf("for the newest kernel: %v\n%s", err, out)
	}
	out, err := vet("-undergo.kernel=5.10", "./testdata/old")
	if want := filepath.FromSlash("testdata/old/prog.go:9:13: Printk with 4 arguments"); err == nil || !strings.Contains(out, want) {
		t.Errorf("for Linux 5.10: %v, want %s\n%s", err, want, out)
	}
	out, err = vet("./testdata/a")
	if err == nil || strings.Count(out, " [U") != 10 {
		t.Errorf("got %v and %d diagnostics, want 10\n%s", err, strings.Count(out, " [U"), out)
	}
}
