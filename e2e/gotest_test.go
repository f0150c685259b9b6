package e2e

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/gotest"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file runs the programs of GOROOT/test in the kernel. The other half, with
// the interpreters, is in package lower.

var goTable = flag.Bool("gotest.update", false, "write what becomes of the programs of GOROOT/test into "+goTableFile)

const goTableFile = "testdata/gotest.txt"

// goImports is the packages that the programs may import.
var goImports = []string{
	"bytes", "cmp", "encoding/binary", "hash/crc32", "hash/fnv", "iter", "math/bits", "slices", "strings", "sync/atomic", "unicode/utf8",
}

// goDeviations is the programs that fail because undergo differs from the Go
// toolchain in what they test.
var goDeviations = map[string]string{
	"fixedbugs/issue72844.go": "go/ssa evaluates *p in for range *p, which Go does not",
	"zerosize.go":             "addresses of variables without size, which Go leaves open",
}

// noCapacity is the panic that stands for what an append would have allocated.
const noCapacity = "append beyond the capacity of the slice"

// TestGoPrograms runs the programs that Go tests itself with, as far as they
// import only what programs may, and compares what becomes of them with a table.
func TestGoPrograms(t *testing.T) {
	language.test(t)
	dir, err := gotest.Dir()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	programs, err := gotest.Programs(dir, goImports)
	if err != nil {
		t.Fatal(err)
	}
	table, err := gotest.ReadTable(goTableFile)
	if err != nil && !*goTable {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, r := range table {
		want[r.Name+" "+r.Sum] = r.Outcome
	}
	var rows []gotest.Row
	counts := make(map[string]int)
	for i, p := range programs {
		if testing.Short() && !*goTable && i%8 != 0 {
			continue
		}
		outcome := goOutcome(t, p)
		if outcome == lower.TypeError.String() {
			continue // its reports were all that used a variable
		}
		rows = append(rows, gotest.Row{Name: p.Name, Sum: p.Sum, Outcome: outcome})
		kind, _, _ := strings.Cut(outcome, " ")
		counts[kind]++
		old, known := want[p.Name+" "+p.Sum]
		if !*goTable && known && outcome != old {
			t.Errorf("%s: %s, want %s", p.Name, outcome, old)
		}
	}
	if !*goTable {
		return
	}
	slices.SortFunc(rows, func(a, b gotest.Row) int { return cmp.Compare(a.Name, b.Name) })
	var summary strings.Builder
	fmt.Fprintf(&summary, "What becomes of %d programs of GOROOT/test: go test ./e2e -run GoPrograms -gotest.update\n", len(rows))
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&summary, "%s %d\n", kind, counts[kind])
	}
	if err := gotest.WriteTable(goTableFile, strings.TrimSuffix(summary.String(), "\n"), rows); err != nil {
		t.Fatal(err)
	}
}

// goOutcome compiles and runs a program.
func goOutcome(t *testing.T, p gotest.Program) string {
	main, err := jit.FuncSource[func()](p.Name, p.Source, "main")
	var list lower.DiagnosticError
	if errors.As(err, &list) {
		return list[0].Code.String()
	}
	language.require(t, err)
	panicked := panicOf(main)
	why, deviates := goDeviations[p.Name]
	switch {
	case panicked == nil:
		return gotest.Pass
	case strings.HasSuffix(fmt.Sprint(panicked), noCapacity):
		return gotest.Deviation + " " + noCapacity
	case deviates:
		return gotest.Deviation + " " + why
	}
	t.Errorf("%s: %v", p.Name, panicked)
	return "wrong"
}

// panicOf returns what f panics with.
func panicOf(f func()) (panicked any) {
	defer func() { panicked = recover() }()
	f()
	return nil
}
