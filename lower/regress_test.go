package lower

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/progen"
)

// TestRegress runs the programs of testdata/regress, each of which was once
// compiled wrongly, in all the ways of TestDifferential: a function F with
// progen's signature, and lines "// run" with its arguments.
func TestRegress(t *testing.T) {
	files, err := filepath.Glob("testdata/regress/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var cases []progen.Case
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := progen.Case{Name: "F", Source: string(src)}
		for _, line := range runLine.FindAllStringSubmatch(string(src), -1) {
			var in [6]uint64
			if _, err := fmt.Sscan(line[1], &in[0], &in[1], &in[2], &in[3], &in[4], &in[5]); err != nil {
				t.Fatalf("%s: %q: %v", file, line[0], err)
			}
			c.Inputs = append(c.Inputs, in)
		}
		if len(c.Inputs) == 0 {
			t.Fatalf("%s has no line // run", file)
		}
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".go"))
		cases = append(cases, c)
	}
	native, err := progen.Native(cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		t.Run(names[i], func(t *testing.T) {
			for _, v := range variants {
				if err := comparePaths(c, native[i], v, true); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

var runLine = regexp.MustCompile(`(?m)^// run (.*)$`)
