package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// benchPrograms are the programs of testdata/bench: each in Go and in C.
var benchPrograms = []string{"hello", "large"}

func benchSource(tb testing.TB, name string) string {
	src, err := os.ReadFile(filepath.Join("testdata/bench", name+".go"))
	if err != nil {
		tb.Fatal(err)
	}
	return string(src)
}

// BenchmarkCompile measures source text to instructions, and to a program in
// the kernel, in a process that has compiled before. Beside it, where clang is
// installed, stands what clang takes for the same program in C.
func BenchmarkCompile(b *testing.B) {
	target := lower.TargetFor(lower.Version{Major: 6, Minor: 12}, "amd64")
	for _, name := range benchPrograms {
		src := benchSource(b, name)
		b.Run(name+"/asm", func(b *testing.B) {
			b.ReportAllocs()
			var insns int
			for b.Loop() {
				c, err := jit.CompileSource(name+".go", src, jit.WithTarget(target))
				if err != nil {
					b.Fatal(err)
				}
				insns = c.Programs[name].Stats().Insns
			}
			b.ReportMetric(float64(insns), "insns")
		})
		b.Run(name+"/loaded", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := jit.CompileSource(name+".go", src)
				if errors.Is(err, os.ErrPermission) {
					b.Skip(err)
				}
				if err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
		})
		b.Run(name+"/clang", func(b *testing.B) { benchClang(b, name) })
	}
}

// benchClang runs clang -O2 -mcpu=v4 as a process, which is how it is used.
func benchClang(b *testing.B, name string) {
	clang, err := findClang()
	if err != nil {
		b.Skip(err)
	}
	obj := filepath.Join(b.TempDir(), "out.o")
	for b.Loop() {
		cmd := exec.Command(clang, "-O2", "-target", "bpf", "-mcpu=v4", "-c", "-o", obj, filepath.Join("testdata/bench", name+".c"))
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}

func findClang() (string, error) {
	for _, name := range []string{"clang-19", "clang"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("clang is not installed")
}

// BenchmarkColdProcess measures the first compilation of a new process, and the
// most memory that process ever had resident.
func BenchmarkColdProcess(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range benchPrograms {
		b.Run(name, func(b *testing.B) {
			var sum coldResult
			for b.Loop() {
				cmd := exec.Command(exe)
				cmd.Env = append(os.Environ(), coldEnv+"="+filepath.Join("testdata/bench", name+".go"))
				out, err := cmd.Output()
				if err != nil {
					b.Fatal(err)
				}
				var r coldResult
				if err := json.Unmarshal(out, &r); err != nil {
					b.Fatal(err)
				}
				sum.Compile += r.Compile
				sum.PeakRSS = max(sum.PeakRSS, r.PeakRSS)
			}
			b.ReportMetric(float64(sum.Compile.Microseconds())/float64(b.N)/1e3, "ms-to-asm")
			b.ReportMetric(float64(sum.PeakRSS)/(1<<20), "MB-peak-rss")
		})
	}
}

// coldEnv names the file that a process started by BenchmarkColdProcess
// compiles instead of running tests.
const coldEnv = "UNDERGO_COLD_COMPILE"

type coldResult struct {
	Compile time.Duration
	PeakRSS int64 // bytes
}

// coldCompile is the whole life of such a process.
func coldCompile(file string) error {
	start := time.Now()
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := jit.CompileSource(file, string(src), jit.WithTarget(lower.TargetFor(lower.Version{Major: 6, Minor: 12}, "amd64"))); err != nil {
		return err
	}
	r := coldResult{Compile: time.Since(start)}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); f[0] == "VmHWM:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return err
			}
			r.PeakRSS = kb << 10
		}
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
