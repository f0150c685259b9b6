package ir_test

import (
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/ir/irtest"
)

// TestEveryOp holds printer, parser and verifier against the table: each
// operation has a sample that goes through all three. The interpreter's tests
// run the same samples.
func TestEveryOp(t *testing.T) {
	for op := ir.OpInvalid + 1; int(op) < ir.NumOps; op++ {
		t.Run(op.String(), func(t *testing.T) {
			text, ok := irtest.OpSamples[op]
			if !ok {
				t.Fatal("no sample in irtest.OpSamples")
			}
			m, err := ir.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if !contains(m, op) {
				t.Errorf("the sample does not contain the operation")
			}
			if got := m.String(); got != text {
				t.Errorf("printed differently:\n%s\nwant:\n%s", got, text)
			}
			if err := ir.Verify(m); err != nil {
				t.Error(err)
			}
		})
	}
}

func contains(m *ir.Module, op ir.Op) bool {
	for _, f := range m.Funcs {
		for _, b := range f.Blocks {
			for _, v := range append(b.Params[:len(b.Params):len(b.Params)], b.Instrs...) {
				if v.Op == op {
					return true
				}
			}
		}
	}
	return false
}

// TestOpInfo checks what the rows of the table must agree on.
func TestOpInfo(t *testing.T) {
	names := make(map[string]bool)
	for op := ir.OpInvalid + 1; int(op) < ir.NumOps; op++ {
		info := op.Info()
		if info.Name == "" || names[info.Name] || strings.ContainsAny(info.Name, ". ") {
			t.Errorf("operation %d has the name %q", op, info.Name)
		}
		names[info.Name] = true
		if op.Is(ir.Pure) && info.Flags&(ir.ReadsMem|ir.WritesMem|ir.MayPanic|ir.Proof) != 0 {
			t.Errorf("%s is pure and has flags %b", op, info.Flags)
		}
		if op.Is(ir.Commutative) && info.Args != 2 {
			t.Errorf("%s is commutative with %d operands", op, info.Args)
		}
		if op.Is(ir.MayPanic) && info.Aux != ir.AuxSite && op != ir.OpCall {
			t.Errorf("%s may panic and has no site", op)
		}
		if op.Is(ir.Compare) {
			if op.Negated().Negated() != op || op.Swapped().Swapped() != op {
				t.Errorf("Negated or Swapped of %s is no involution", op)
			}
		}
	}
}
