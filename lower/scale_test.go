package lower

import (
	"fmt"
	"go/token"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file measures how compilation scales with the size of a function.

// scaleShapes generates bodies of functions with about n operations each, that each are
// something else for a pass to have much of.
var scaleShapes = []struct {
	name string
	body func(b *strings.Builder, n int)
}{
	{"straight", func(b *strings.Builder, n int) {
		for i := range n / 3 {
			fmt.Fprintf(b, "x = x*%d ^ y>>%d\n", i|1, i%63)
			if i%2 == 0 {
				b.WriteString("x, y = y, x\n")
			}
		}
	}},
	{"blocks", func(b *strings.Builder, n int) {
		for i := range n / 6 {
			fmt.Fprintf(b, "if x&%d == y {\nx += y*%d\n} else {\ny ^= in[%d]\n}\n", i*7+1, i|1, i%6)
		}
	}},
	{"loops", func(b *strings.Builder, n int) {
		for i := range n / 20 {
			fmt.Fprintf(b, "for i := range uint64(%d) {\nfor j := i; j < 9; j += x & 3 | 1 {\nx += y ^ j\n}\ny += x << %d\n}\n", i%5+3, i%9)
		}
	}},
	{"calls", func(b *strings.Builder, n int) {
		for i := range n / 20 {
			fmt.Fprintf(b, "x, y = mix%d(x, y, in[%d])\n", i%scaleCallees, i%6)
		}
	}},
	{"live", func(b *strings.Builder, n int) {
		width := min(50, n/10) // a small function is to be more than its first and last values
		for i := range width {
			fmt.Fprintf(b, "v%d := in[%d] * %d\n", i, i%6, i+3)
		}
		for i := range n / 3 {
			fmt.Fprintf(b, "v%d = v%d*%d + v%d\n", i%width, (i*7+1)%width, i|1, (i*11+5)%width)
		}
		for i := range width {
			fmt.Fprintf(b, "x ^= v%d\n", i)
		}
	}},
	{"memory", func(b *strings.Builder, n int) {
		b.WriteString("var a [16]uint64\n")
		for i := range n / 8 {
			fmt.Fprintf(b, "a[x&15] = y + %d\na[%d] ^= x\nx += a[y&15]\n", i, i%16)
		}
	}},
}

// scaleCallees is the number of functions that are called: few, so that those of a small
// program are called more than once as well.
const scaleCallees = 2

// scaleSource returns a program of the shape with about n operations.
func scaleSource(body func(*strings.Builder, int), n int) string {
	var b strings.Builder
	b.WriteString("package p\n\nfunc F(in [6]uint64) (out [4]uint64) {\nx, y := in[0], in[1]\n")
	body(&b, n)
	b.WriteString("out[0], out[1] = x, y\nreturn out\n}\n")
	for i := range scaleCallees {
		fmt.Fprintf(&b, "\nfunc mix%d(a, b, c uint64) (uint64, uint64) {\nfor range c & 7 {\na = a*%d ^ b\nif a > c {\nb += a >> 3\n}\nb ^= c\n}\nif a&1 == 0 {\nreturn b - c, a\n}\nreturn a, b + c<<2\n}\n", i, 2*i+3)
	}
	return b.String()
}

// countInsns returns the number of instructions of m.
func countInsns(m *ir.Module) (n int) {
	for _, f := range m.Funcs {
		for _, b := range f.Blocks {
			n += len(b.Instrs)
		}
	}
	return n
}

// cpuTime returns the time that the process has had of all processors, for the garbage
// collector too. Other processes disturb it little.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkScale measures the time that a compilation takes for each instruction: of
// what the front end makes, or of what inlining makes of that.
func BenchmarkScale(b *testing.B) {
	target := TargetFor(Version{Major: 6, Minor: 12}, "amd64")
	for _, s := range scaleShapes {
		for _, n := range []int{100, 1000, 10_000, 50_000} {
			b.Run(fmt.Sprintf("%s/%d", s.name, n), func(b *testing.B) {
				src := scaleSource(s.body, n)
				insns := 0
				count := func(stage string, m *ir.Module) {
					if stage == "build" || stage == "inline" {
						insns = max(insns, countInsns(m))
					}
				}
				var cpu time.Duration
				for b.Loop() {
					b.StopTimer()
					in, err := programInput(token.NewFileSet(), src, "F")
					if err != nil {
						b.Fatal(err)
					}
					c := &compilation{in: in, target: target, observe: count}
					start := cpuTime()
					b.StartTimer()
					if _, err := c.compile(); err != nil {
						b.Fatal(err)
					}
					cpu += cpuTime() - start
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(insns), "ns/insn")
				b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N)/float64(insns), "cpu-ns/insn")
				b.ReportMetric(float64(insns), "insns")
			})
		}
	}
}

// TestScale checks that what a compilation allocates grows with the size of the function as
// the function does. Time cannot be tested, but what is made for each loop, each call or each
// move and is as large as the function shows in memory as well.
func TestScale(t *testing.T) {
	target := TargetFor(Version{Major: 6, Minor: 12}, "amd64")
	for _, s := range scaleShapes {
		perInsn := func(n int) float64 {
			in, err := programInput(token.NewFileSet(), scaleSource(s.body, n), "F")
			if err != nil {
				t.Fatal(err)
			}
			insns := 0
			c := &compilation{in: in, target: target, observe: func(stage string, m *ir.Module) {
				if stage == "build" || stage == "inline" {
					insns = max(insns, countInsns(m))
				}
			}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := c.compile(); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc-before.TotalAlloc) / float64(insns)
		}
		small, large := perInsn(1000), perInsn(8000)
		t.Logf("%s: %.0f and %.0f bytes per instruction", s.name, small, large)
		if large > 1.5*small {
			t.Errorf("%s: %.0f bytes per instruction of a function eight times as large as one of which it is %.0f", s.name, large, small)
		}
	}
}

// TestTooLarge checks the limit of what the kernel takes, to the instruction.
func TestTooLarge(t *testing.T) {
	compile := func(limit int) (*Unit, error) {
		in, err := programInput(token.NewFileSet(), scaleSource(scaleShapes[0].body, 1000), "F")
		if err != nil {
			t.Fatal(err)
		}
		target := TargetFor(Version{Major: 6, Minor: 12}, "amd64")
		if target.MaxInsns != 1_000_000 { // BPF_COMPLEXITY_LIMIT_INSNS in include/linux/bpf.h
			t.Errorf("a program has up to %d instructions", target.MaxInsns)
		}
		if limit > 0 {
			target.MaxInsns = limit
		}
		return Compile(in, target, Options{})
	}
	u, err := compile(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compile(u.Stats.Insns); err != nil {
		t.Errorf("with as many instructions as the kernel takes: %v", err)
	}
	want := fmt.Sprintf("p.go:3:6: the program has %d instructions, Linux 6.12 takes %d; make it smaller", u.Stats.Insns, u.Stats.Insns-1)
	if _, err := compile(u.Stats.Insns - 1); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "U502") {
		t.Errorf("with one more: %v, want %s", err, want)
	}
}
