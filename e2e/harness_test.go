package e2e

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file is what tests share: how they compile and load.

// guest is the name of the test kernel this process runs in, "" on the host.
var guest = kerneltest.Guest

// compile compiles and loads fn; the program is closed at the end of the test.
func (f *feature) compile(t *testing.T, fn any, opts ...jit.Option) *jit.Program {
	t.Helper()
	p, err := jit.Compile(fn, opts...)
	f.require(t, err)
	t.Cleanup(func() { p.Close() })
	return p
}

// compileSource compiles and loads a file, to which the package clause and the
// import of ebpf are added, and returns its only program.
func (f *feature) compileSource(t *testing.T, src string, opts ...jit.Option) *jit.Program {
	t.Helper()
	c, err := jit.CompileSource("probe.go", "package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\n"+src, opts...)
	f.require(t, err)
	t.Cleanup(func() { c.Close() })
	if len(c.All()) != 1 {
		t.Fatalf("%d programs, want 1", len(c.All()))
	}
	return c.All()[0]
}

// words returns the package-level variables of a program as 64-bit words.
func words(t *testing.T, p *jit.Program) []uint64 {
	t.Helper()
	m := p.Maps()[lower.DataSectionName]
	if m == nil {
		t.Fatal("the program has no variables")
	}
	data := make([]byte, m.ValueSize())
	if err := m.Lookup(uint32(0), data); err != nil {
		t.Fatal(err)
	}
	out := make([]uint64, len(data)/8)
	for i := range out {
		out[i] = binary.NativeEndian.Uint64(data[8*i:])
	}
	return out
}

// childEnv says in a child of inChild which test it is for.
const childEnv = "UNDERGO_TEST_CHILD"

// inChild runs the calling test in a child process with namespaces of its own
// (CLONE_NEW* flags), so that it may change them. It reports whether this is the
// child; in the parent it returns when the child is done, with its outcome.
func inChild(t *testing.T, namespaces uintptr) bool {
	t.Helper()
	if os.Getenv(childEnv) == t.Name() {
		return true
	}
	if !privileged() {
		if os.Getenv("CI") == "true" {
			t.Fatal("tests must run with privileges on CI")
		}
		t.Skip("needs privileges: namespaces of its own")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(t.Name()), "/", "$/^") + "$"
	cmd := exec.Command(exe, "-test.v", "-test.run="+pattern)
	cmd.Env = append(os.Environ(), childEnv+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: namespaces, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Fatalf("in its own namespaces: %v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("in its own namespaces:\n%s", out)
	case !bytes.Contains(out, []byte("--- PASS: "+t.Name())):
		t.Fatalf("in its own namespaces, the test did not run:\n%s", out)
	}
	return false
}

// guestPrograms is where programs of this module are in a guest.
const guestPrograms = "/test/programs"

// program returns the path of a build of a command of this module, such as
// examples/hello.
func program(t *testing.T, pkg string) string {
	t.Helper()
	if guest != "" {
		return filepath.Join(guestPrograms, filepath.Base(pkg))
	}
	out := filepath.Join(t.TempDir(), filepath.Base(pkg))
	build := exec.Command("go", "build", "-o", out, "../"+pkg)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// wantError checks that err is not nil and says all that is wanted.
func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error is %q, want one with %q", cmp.Or(fmt.Sprint(err), "nil"), w)
		}
	}
}
