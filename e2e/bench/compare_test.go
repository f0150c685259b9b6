package bench

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	cebpf "github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

var (
	compare = flag.Bool("compare", false, "measure, and print the table of ratios")
	only    = flag.String("programs", "", "measure only those programs, whose names are separated by commas")
)

const (
	// instances is how often each program is loaded: where its code happens to lie has an
	// influence on its time.
	instances = 5
	// rounds is how often each instance is timed, in turns with its twin.
	rounds = 7
	// longEnough is the nanoseconds from which on a time is more than what calling the program
	// happens to cost.
	longEnough = 5.0
)

// timeRun returns the mean nanoseconds of a run of p, which is repeated as the program of that
// name is, as the kernel's statistics have it: those of a test run itself are rounded to
// whole ones.
func timeRun(t *testing.T, name string, p *cebpf.Program) float64 {
	t.Helper()
	before, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	repeat(t, name, p)
	after, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return float64(after.Runtime-before.Runtime) / float64(after.RunCount-before.RunCount)
}

// timeTwins returns the nanoseconds of a run, less that of the empty program, of two twins:
// the medians over all instances and rounds, in which each of the four runs in turn.
func timeTwins(t *testing.T, name string, ours, theirs []compiled) (a, b float64) {
	t.Helper()
	for i := range instances {
		fill(t, ours[i][name])
		fill(t, theirs[i][name])
	}
	var times [2][]float64
	for range rounds {
		for i := range instances {
			for side, of := range [2]compiled{ours[i], theirs[i]} {
				times[side] = append(times[side], timeRun(t, name, of[name].prog)-timeRun(t, name, of["empty"].prog))
			}
		}
	}
	return median(times[0]), median(times[1])
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// sizes returns the bytes of machine code and the instructions that the verifier looked at.
func sizes(t *testing.T, s *subject) (jited, verified float64) {
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

// loadTime returns the microseconds that it takes to load s, whose maps are there: to verify
// and translate it, besides what the kernel wants to know of its types and lines.
func loadTime(t *testing.T, s *subject) float64 {
	t.Helper()
	var times []float64
	for range rounds {
		start := time.Now()
		c, err := cebpf.NewCollectionWithOptions(s.spec, cebpf.CollectionOptions{MapReplacements: s.maps})
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1000)
		c.Close()
	}
	return median(times)
}

// TestCompare prints how undergo's code compares with clang's.
func TestCompare(t *testing.T) {
	if !*compare {
		t.Skip("measures only with -compare")
	}
	stats, err := cebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		t.Fatal(err)
	}
	defer stats.Close()
	for _, cpu := range []string{"v4", "v3"} {
		var ours, theirs []compiled
		for range instances {
			ours, theirs = append(ours, undergo(t)), append(theirs, clang(t, cpu))
		}
		if theirs[0] == nil {
			return
		}
		t.Log("\n" + table(t, cpu, ours, theirs))
	}
}

// table measures the programs and returns the table of ratios.
func table(t *testing.T, cpu string, ours, theirs []compiled) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "undergo / clang -mcpu=%s\tslots\t\tjited\tverified\tload\tµs\trun\tns\t\n", cpu)
	var logs, counts [6]float64 // the last is of times that are long enough
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		a, b := ours[0][name], theirs[0][name]
		if b == nil || name == "empty" || *only != "" && !slices.Contains(strings.Split(*only, ","), name) {
			continue
		}
		jitedA, verifiedA := sizes(t, a)
		jitedB, verifiedB := sizes(t, b)
		loadA, loadB := loadTime(t, a), loadTime(t, b)
		nsA, nsB := timeTwins(t, name, ours, theirs)
		nsA, nsB = max(nsA, 0.1), max(nsB, 0.1) // where it is lost in the empty program's
		ratios := [...]float64{float64(a.slots) / float64(b.slots), jitedA / jitedB, verifiedA / verifiedB, loadA / loadB, nsA / nsB}
		for i, r := range ratios {
			logs[i] += math.Log(r)
			counts[i]++
		}
		if min(nsA, nsB) >= longEnough {
			logs[5] += math.Log(ratios[4])
			counts[5]++
		}
		fmt.Fprintf(w, "%s\t%.2f\t%d/%d\t%.2f\t%.2f\t%.2f\t%.0f/%.0f\t%.2f\t%.1f/%.1f\t\n", name,
			ratios[0], a.slots, b.slots, ratios[1], ratios[2], ratios[3], loadA, loadB, ratios[4], nsA, nsB)
	}
	mean := func(i int) float64 { return math.Exp(logs[i] / counts[i]) }
	fmt.Fprintf(w, "geometric mean\t%.3f\t\t%.3f\t%.3f\t%.3f\t\t%.3f\t\t\n", mean(0), mean(1), mean(2), mean(3), mean(4))
	fmt.Fprintf(w, "of %.0f ns and more\t\t\t\t\t\t\t%.3f\t\t\n", longEnough, mean(5))
	w.Flush()
	return text.String()
}
