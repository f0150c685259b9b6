package lower

import (
	"go/token"
	"reflect"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/opt"
)

// rows returns the positions in the table of what name means in passOrder.
func rows(name string) []int {
	var list []int
	for i, p := range passes {
		base, _, _ := strings.Cut(p.name, "/")
		if p.name == name || base == name {
			list = append(list, i)
		}
	}
	return list
}

func TestPassOrder(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range passes {
		if seen[p.name] {
			t.Errorf("two passes are named %s", p.name)
		}
		seen[p.name] = true
	}
	for _, o := range passOrder {
		before, after := rows(o.before), rows(o.after)
		if len(before) == 0 || len(after) == 0 {
			t.Errorf("%s before %s: no such pass", o.before, o.after)
			continue
		}
		if before[len(before)-1] > after[0] {
			t.Errorf("%s must run before %s: %s", o.before, o.after, o.why)
		}
	}
}

// TestRequiredPasses compiles programs with the required passes only, which must
// do for the rest of the compiler and change no result.
func TestRequiredPasses(t *testing.T) {
	target := TargetFor(Version{Major: 6, Minor: 12}, "amd64")
	for seed := range uint64(30) {
		p := progen.New(seed)
		c := p.Case(4)
		in, err := programInput(token.NewFileSet(), c.Source, c.Name)
		if err != nil {
			t.Fatal(err)
		}
		var diags diag.List
		m := build.Build(in, target, &diags)
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		var want []result
		for _, input := range c.Inputs {
			want = append(want, interpret(m, input))
		}
		runPasses(m, &opt.Config{Target: target, Diags: &diags, Fset: in.Fset}, passHooks{requiredOnly: true})
		if err := diags.Err(); err != nil {
			t.Logf("seed %d: %v", seed, err) // only the other passes show that an address does not escape
			continue
		}
		if err := ir.Verify(m); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, input := range c.Inputs {
			if got := interpret(m, input); !reflect.DeepEqual(got, want[i]) {
				t.Errorf("seed %d, input %v: got %+v, want %+v", seed, input, got, want[i])
			}
		}
	}
}
