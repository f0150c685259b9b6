package isel

import (
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/golden"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/ir/irtest"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// targets are the sections of a golden file that pin the code for a target.
var targets = map[string]target.Target{
	"mir":    target.For(target.Version{Major: 5, Minor: 15}, "amd64"),
	"mir.v4": target.For(target.Version{Major: 6, Minor: 12}, "amd64"),
}

func parse(t *testing.T, text string) *ir.Module {
	t.Helper()
	m, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGolden compares the code of the functions in testdata with what is
// pinned there: section mir for the instructions that all kernels have, mir.v4
// for those of ISA v4.
func TestGolden(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, file *golden.File) {
		m := parse(t, file.Input(t, "ir"))
		for _, name := range file.Names() {
			on, ok := targets[name]
			if !ok {
				t.Fatalf("unknown section %s", name)
			}
			got := Select(m, on)
			if err := mir.Verify(got); err != nil {
				t.Errorf("%s: %v\n%s", name, err, got)
			}
			file.Want(t, name, got.String())
		}
	})
}

// TestEveryOp selects a sample of every operation for every target.
func TestEveryOp(t *testing.T) {
	for op := ir.OpInvalid + 1; int(op) < ir.NumOps; op++ {
		if (rules[op] == nil) != (op == ir.OpParam) {
			t.Errorf("%s: no rule, or one too many", op)
		}
		if op == ir.OpResult {
			continue // the calling convention leaves none
		}
		for name, on := range targets {
			m := parse(t, irtest.OpSamples[op])
			for _, f := range Select(m, on).Funcs {
				f.Entry = false // the samples' functions take any parameters
				if err := mir.VerifyFunc(f); err != nil {
					t.Errorf("%s, %s: %v\n%s", op, name, err, f)
				}
			}
		}
	}
}

func TestSelectPanics(t *testing.T) {
	for name, text := range map[string]string{
		"several results": irtest.OpSamples[ir.OpResult],
		"same data name": `data @d size 1 align 1 ro
data @d#2 size 1 align 1 ro
func @f(v0 ptr.ctx) (i32) {
b0:
	unreachable
}
`,
	} {
		m := parse(t, text)
		for _, d := range m.Data {
			d.Name = "d"
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Select(m, targets["mir"])
		}()
	}
}
