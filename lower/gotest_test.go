package lower

import (
	"errors"
	"go/token"
	"io/fs"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/gotest"
	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
)

// TestGoPrograms runs those programs of GOROOT/test in the interpreters, in all the ways
// of TestDifferential, that import nothing and end as they should in the kernel.
// Package e2e has the table of what becomes of all of them.
func TestGoPrograms(t *testing.T) {
	dir, err := gotest.Dir()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	table, err := gotest.ReadTable("../e2e/testdata/gotest.txt")
	if err != nil {
		t.Fatal(err)
	}
	passes := make(map[string]bool)
	for _, r := range table {
		passes[r.Name+" "+r.Sum] = r.Outcome == gotest.Pass
	}
	programs, err := gotest.Programs(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := 0
	for i, p := range programs {
		if !passes[p.Name+" "+p.Sum] || testing.Short() && i%8 != 0 {
			continue
		}
		run++
		v := variants[i%len(variants)]
		in, err := programInput(token.NewFileSet(), p.Source, "main")
		if err == nil {
			err = compareVariant(in, make([][6]uint64, 1), make([]progen.Outcome, 1), v, true)
		}
		if err != nil && !v.limits(err) && !errors.Is(err, interp.ErrFuel) {
			t.Errorf("%s, linux %v, %d registers: %v", p.Name, v.target.Kernel, v.registers, err)
		}
	}
	t.Logf("%d programs", run)
}
