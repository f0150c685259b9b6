package bench

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

var compare = flag.Bool("compare", false, "measure, and print the table of ratios")

// A subject is a program as one compiler has made it.
type subject struct {
	prog  *cebpf.Program
	slots int
	load  time.Duration
}

// compiled is all programs of one compiler by name.
type compiled map[string]*subject

// undergo compiles and loads the programs with undergo.
func undergo(t *testing.T) compiled {
	t.Helper()
	text, err := source.ReadFile("programs.go")
	if err != nil {
		t.Fatal(err)
	}
	c, err := jit.CompileSource("programs.go", string(text))
	if err != nil {
		if os.Getuid() != 0 && os.Getenv("CI") != "true" {
			t.Skipf("needs privileges: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	subjects := make(compiled)
	for name, p := range c.Programs {
		s := &subject{prog: p.BPF(), slots: p.Stats().Insns}
		for _, stage := range p.Stats().Stages {
			if stage.Stage == "load" {
				s.load = stage.Time
			}
		}
		subjects[name] = s
	}
	return subjects
}

// clang compiles testdata/programs.c for a version of the instruction set and loads it. It
// returns nil, having said so, where clang is not installed.
func clang(t *testing.T, cpu string) compiled {
	t.Helper()
	if _, err := exec.LookPath("clang-19"); errors.Is(err, exec.ErrNotFound) {
		t.Log("without clang: apt-get install clang-19")
		return nil
	}
	object := filepath.Join(t.TempDir(), "programs.o")
	out, err := exec.Command("clang-19", "-O2", "-g", "-target", "bpf", "-mcpu="+cpu, "-c", "testdata/programs.c", "-o", object).CombinedOutput()
	if err != nil {
		t.Fatalf("clang-19: %v\n%s", err, out)
	}
	spec, err := cebpf.LoadCollectionSpec(object)
	if err != nil {
		t.Fatal(err)
	}
	subjects := make(compiled)
	slots := make(map[string]int)
	for name, p := range spec.Programs {
		slots[name] = int(p.Instructions.Size() / 8)
	}
	c, err := cebpf.NewCollection(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for name, p := range c.Programs {
		subjects[name] = &subject{prog: p, slots: slots[name]}
	}
	return subjects
}

// inputs returns packets for which the programs do not end at once.
func inputs() [][]byte {
	r := rand.New(rand.NewPCG(7, 8))
	var list [][]byte
	for n := range 300 {
		p := make([]byte, 128)
		if n%10 == 9 {
			p = p[: 14+r.IntN(64) : 128]
		}
		for i := range p {
			p[i] = byte(r.Uint32())
			if n%3 == 1 {
				p[i] &= 31
			}
		}
		if n%2 == 0 && len(p) > 62 {
			copy(p[12:], "\x08\x00\x45")
			p[23] = 17
			copy(p[42:], "\x03www\x07example\x03com\x00")
		}
		switch n % 7 * min(len(p)/40, 1) {
		case 1:
			copy(p[14:], "deadBEEF")
		case 2:
			copy(p[14:], "GET /index.html")
		case 3:
			copy(p[14:], "DELETE /index.html")
		case 4:
			p[12], p[13] = 0x81, 0
		}
		list = append(list, p)
	}
	return list
}

func run(t *testing.T, s *subject, packet []byte) (uint32, []byte) {
	t.Helper()
	o := cebpf.RunOptions{Data: packet, DataOut: make([]byte, len(packet)+1)}
	r, err := s.prog.Run(&o)
	if err != nil {
		t.Fatal(err)
	}
	return r, o.DataOut
}

// TestEqual compares the results of all programs, native and in the kernel.
func TestEqual(t *testing.T) {
	kinds := []struct {
		name string
		of   compiled
	}{{"undergo", undergo(t)}, {"clang v4", clang(t, "v4")}, {"clang v3", clang(t, "v3")}}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		t.Run(name, func(t *testing.T) {
			for _, packet := range inputs() {
				ctx := ebpf.NewXDP(slices.Clone(packet))
				want := programs[name](ctx)
				for _, kind := range kinds {
					s := kind.of[name]
					if s == nil {
						continue
					}
					if got, out := run(t, s, packet); got != want || !bytes.Equal(out, ctx.Packet()) {
						t.Fatalf("%s: packet %x: %#x, packet %x; natively %#x, packet %x", kind.name, packet, got, out, want, ctx.Packet())
					}
				}
			}
		})
	}
}

const (
	rounds  = 15
	repeats = 20_000
	// measurable is the nanoseconds from which on a program counts in the mean: the kernel
	// tells whole ones.
	measurable = 5
)

// nanoseconds returns the time of a run, less that of the empty program: the median over
// rounds in which each program runs once.
func nanoseconds(t *testing.T, subjects, empty *subject, packet []byte) float64 {
	t.Helper()
	var times []float64
	for range rounds {
		one := func(s *subject) float64 {
			_, d, err := s.prog.Benchmark(packet, repeats, nil)
			if err != nil {
				t.Fatal(err)
			}
			return float64(d.Nanoseconds())
		}
		times = append(times, one(subjects)-one(empty))
	}
	slices.Sort(times)
	return max(times[len(times)/2], 0.5)
}

// measured returns the bytes of machine code and the instructions that the verifier looked at.
func measured(t *testing.T, s *subject) (jited, verified float64) {
	t.Helper()
	info, err := s.prog.Info()
	if err != nil {
		t.Fatal(err)
	}
	size, err := info.JitedSize()
	if err != nil {
		t.Fatal(err)
	}
	n, _ := info.VerifiedInstructions()
	return float64(size), float64(n)
}

// benchPacket is what programs are timed with.
func benchPacket() []byte {
	p := make([]byte, 128)
	for i := range p {
		p[i] = byte(i * 37)
	}
	copy(p[12:], "\x08\x00\x45")
	p[22], p[23] = 64, 17
	copy(p[42:], "\x03www\x07example\x03com\x00")
	return p
}

// TestCompare prints how undergo's code compares with clang's.
func TestCompare(t *testing.T) {
	if !*compare {
		t.Skip("measures only with -compare")
	}
	ours := undergo(t)
	for _, cpu := range []string{"v4", "v3"} {
		theirs := clang(t, cpu)
		if theirs == nil {
			return
		}
		var text strings.Builder
		w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(w, "undergo / clang -mcpu=%s\tslots\t\tjited\tverified\tns\t\t\n", cpu)
		var logs, counts [4]float64
		for _, name := range slices.Sorted(maps.Keys(programs)) {
			a, b := ours[name], theirs[name]
			if b == nil || name == "empty" {
				continue
			}
			packet := benchPacket()
			if name == "hex" {
				copy(packet[14:], "deadBEEF")
			}
			jitedA, verifiedA := measured(t, a)
			jitedB, verifiedB := measured(t, b)
			nsA, nsB := nanoseconds(t, a, ours["empty"], packet), nanoseconds(t, b, theirs["empty"], packet)
			ratios := [4]float64{float64(a.slots) / float64(b.slots), jitedA / jitedB, verifiedA / verifiedB, nsA / nsB}
			for i, r := range ratios {
				if i == 3 && max(nsA, nsB) < measurable {
					continue
				}
				logs[i] += math.Log(r)
				counts[i]++
			}
			fmt.Fprintf(w, "%s\t%.2f\t%d/%d\t%.2f\t%.2f\t%.2f\t%.0f/%.0f\t\n", name, ratios[0], a.slots, b.slots, ratios[1], ratios[2], ratios[3], nsA, nsB)
		}
		fmt.Fprintf(w, "geometric mean\t%.3f\t\t%.3f\t%.3f\t%.3f\t\t\n", math.Exp(logs[0]/counts[0]), math.Exp(logs[1]/counts[1]), math.Exp(logs[2]/counts[2]), math.Exp(logs[3]/counts[3]))
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		t.Log("\n" + text.String())
	}
}
