package regalloc

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// registerSet returns a set of n registers, a different one for each seed.
func registerSet(seed uint64, n int) []mir.Reg {
	var regs []mir.Reg
	for _, r := range rand.New(rand.NewPCG(seed, 2)).Perm(10)[:n] {
		regs = append(regs, mir.Reg(r))
	}
	slices.Sort(regs)
	return regs
}

// TestRandom allocates random functions with register sets of all sizes and
// checks the results by the verifier, by the checker and by running them.
func TestRandom(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		f := generate(seed, 20+int(seed%8)*40, 4+int(seed%5)*4)
		if err := mir.VerifyFunc(f); err != nil {
			t.Fatalf("seed %d: generator: %v", seed, err)
		}
		want := run(f)
		for n := 3; n <= 10; n++ {
			regs := registerSet(seed, n)
			t.Run(fmt.Sprintf("%d/%v", seed, regs), func(t *testing.T) {
				after := f.Clone()
				Allocate(after, Config{Regs: regs})
				if err := mir.VerifyAllocated(after); err != nil {
					t.Fatalf("%v\n%v", err, after)
				}
				if err := Check(f, after); err != nil {
					t.Fatalf("%v\nbefore:\n%v\nafter:\n%v", err, f, after)
				}
				if got := run(after); !slices.Equal(got, want) {
					t.Fatalf("trace is\n%v\nwant\n%v\nbefore:\n%v\nafter:\n%v", got, want, f, after)
				}
			})
		}
	}
}
