package jit_test

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// This file runs a host binary in a process of its own: where there is no Go
// installation, and where nothing is warm.

// A report is what testdata/host prints.
type report struct {
	Insns   int
	Elapsed time.Duration
	RSS     int
}

// buildHost builds testdata/host as a static binary.
func buildHost(t testing.TB, flags ...string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "host")
	cmd := exec.Command("go", append(append([]string{"build", "-o", bin}, flags...), "./testdata/host")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Fatal("the host binary is not static")
		}
	}
	return bin
}

// runHost runs the binary with a Go environment that leads nowhere.
func runHost(bin string, attr *syscall.SysProcAttr, args ...string) (r report, err error) {
	cmd := exec.Command(bin, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = attr
	for _, name := range []string{"PATH", "HOME", "GOROOT", "GOPATH", "GOCACHE", "GOMODCACHE"} {
		cmd.Env = append(cmd.Env, name+"=/nonexistent")
	}
	cmd.Env = append(cmd.Env, "GOFLAGS=-mod=nonexistent")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return r, json.Unmarshal(out, &r)
}

func TestHostWithoutGo(t *testing.T) {
	source, err := filepath.Abs("testdata/host/main.go")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	bin := buildHost(t)
	want, err := runHost(bin, nil)
	if err != nil || want.Insns == 0 {
		t.Fatal(want, err)
	}
	t.Run("load", func(t *testing.T) {
		r, err := runHost(bin, nil, "-load")
		if err != nil && strings.Contains(err.Error(), syscall.EPERM.Error()) {
			err = errors.Join(syscall.EPERM, err)
		}
		needPrivilege(t, err)
		if r.Insns != want.Insns {
			t.Errorf("%d instructions, want %d", r.Insns, want.Insns)
		}
	})
	t.Run("alone", func(t *testing.T) {
		// In a root directory with the binary and the user's source, there is
		// no other file to be read.
		root := t.TempDir()
		for name, content := range map[string][]byte{source: src, "/host": mustRead(t, bin)} {
			name = filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, content, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(root, source), old, old); err != nil {
			t.Fatal(err)
		}
		attr := &syscall.SysProcAttr{Chroot: root}
		r, err := runHost("/host", attr)
		needPrivilege(t, err)
		if r.Insns != want.Insns {
			t.Errorf("%d instructions, want %d", r.Insns, want.Insns)
		}
		if r, err := runHost("/host", attr, "-function", "imports"); err != nil || r.Insns == 0 {
			t.Errorf("standard library: %d instructions, %v", r.Insns, err)
		}
		const missing = `ring.New cannot be used in a kernel-side function: package "container/ring" is not among those that are built in, and there is no Go installation here`
		if _, err := runHost("/host", attr, "-function", "needsGo"); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("got error %v, want %s", err, missing)
		}
	})
	t.Run("unprivileged", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("skipped for want of privileges to be without them")
		}
		// Nobody may read what is in a temporary directory or in a home.
		dir := filepath.Dir(bin)
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), src, 0o644); err != nil {
			t.Fatal(err)
		}
		nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		_, err := runHost(bin, nobody, "-load", "-source", dir)
		if err == nil || !strings.Contains(err.Error(), "operation not permitted: run as root or with CAP_BPF") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("missing source", func(t *testing.T) {
		_, err := runHost(bin, nil, "-source", t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "cannot find source") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("trimpath", func(t *testing.T) {
		bin := buildHost(t, "-trimpath", "-ldflags=-s -w")
		if _, err := runHost(bin, nil); err == nil || !strings.Contains(err.Error(), "give the source with jit.WithSource") {
			t.Errorf("without source: %v", err)
		}
		r, err := runHost(bin, nil, "-source", filepath.Dir(source))
		if err != nil || r.Insns != want.Insns {
			t.Errorf("%d instructions, want %d; %v", r.Insns, want.Insns, err)
		}
	})
}

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// BenchmarkColdProcess is the cost of hello in a process that has compiled
// nothing yet, from the start of main to instructions or to the loaded program.
func BenchmarkColdProcess(b *testing.B) {
	bin := buildHost(b)
	for _, bench := range []struct {
		name string
		args []string
	}{{"asm", nil}, {"loaded", []string{"-load"}}} {
		b.Run(bench.name, func(b *testing.B) {
			var total time.Duration
			rss := 0
			for b.Loop() {
				r, err := runHost(bin, nil, bench.args...)
				if err != nil {
					b.Fatal(err)
				}
				total += r.Elapsed
				rss = max(rss, r.RSS)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms/compile")
			b.ReportMetric(float64(rss)/1024, "MB-RSS")
		})
	}
}
