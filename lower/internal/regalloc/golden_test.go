package regalloc

import (
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/golden"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// TestGolden compares allocations with those in testdata. A line "regs: ..." at
// the start of a file cuts the register set.
func TestGolden(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, file *golden.File) {
		var cfg Config
		if list, ok := strings.CutPrefix(file.Header, "regs:"); ok {
			for _, name := range strings.Fields(list) {
				cfg.Regs = append(cfg.Regs, mir.Reg(name[1]-'0'))
			}
		}
		f := parse(t, file.Input(t, "before"))
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
		file.Want(t, "after", f.String())
	})
}
