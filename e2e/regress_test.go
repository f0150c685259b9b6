package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/jit"
)

// TestRegress runs the programs of testdata/regress, each of which was once refused by the
// verifier, natively and in the kernel: a function F with progen's signature, and lines "// run" with
// its arguments.
func TestRegress(t *testing.T) {
	files, err := filepath.Glob("testdata/regress/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".go"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := progen.Case{Name: "F", Source: string(src)}
			for _, line := range runLine.FindAllStringSubmatch(string(src), -1) {
				var in [6]uint64
				if _, err := fmt.Sscan(line[1], &in[0], &in[1], &in[2], &in[3], &in[4], &in[5]); err != nil {
					t.Fatalf("%q: %v", line[0], err)
				}
				c.Inputs = append(c.Inputs, in)
			}
			native, err := progen.Native([]progen.Case{c})
			if err != nil {
				t.Fatal(err)
			}
			f, err := jit.FuncSource[progen.Signature]("p.go", c.Source, c.Name)
			language.require(t, err)
			if k, got := difference(f, c, native[0]); k >= 0 {
				t.Errorf("input %v: kernel %+v, native %+v", c.Inputs[k], got, native[0][k])
			}
		})
	}
}

var runLine = regexp.MustCompile(`(?m)^// run (.*)$`)
