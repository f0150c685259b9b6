package regalloc

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

// TestGolden compares allocations with those in testdata. A line "regs: ..." at
// the start of a file cuts the register set.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var cfg Config
			if line, _, _ := strings.Cut(string(ar.Comment), "\n"); strings.HasPrefix(line, "regs:") {
				for _, name := range strings.Fields(line)[1:] {
					cfg.Regs = append(cfg.Regs, mir.Reg(name[1]-'0'))
				}
			}
			f := parse(t, string(ar.Files[0].Data))
			if err := mir.VerifyFunc(f); err != nil {
				t.Fatal(err)
			}
			before := f.Clone()
			Allocate(f, cfg)
			if err := mir.VerifyAllocated(f); err != nil {
				t.Error(err)
			}
			if err := Check(before, f); err != nil {
				t.Error(err)
			}
			got := f.String()
			if *update {
				ar.Files = append(ar.Files[:1], txtar.File{Name: "after", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(ar.Files) < 2 || got != string(ar.Files[1].Data) {
				t.Errorf("got\n%s\nwant\n%s", got, ar.Files[len(ar.Files)-1].Data)
			}
		})
	}
}
