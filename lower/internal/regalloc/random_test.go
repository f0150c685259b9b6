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
	seeds := uint64(160)
	if testing.Short() {
		seeds = 40
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
				after, again := f.Clone(), f.Clone()
				Allocate(after, Config{Regs: regs})
				Allocate(again, Config{Regs: regs})
				if after.String() != again.String() {
					t.Errorf("not deterministic: %v\nand\n%v", after, again)
				}
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

// TestLarge allocates functions of extreme shapes, which take seconds where
// something is quadratic.
func TestLarge(t *testing.T) {
	for name, f := range map[string]*mir.Func{
		"random": generate(7, 20_000, 12),
		"hub":    hub(20_000),
		"wide":   wide(3_000),
	} {
		t.Run(name, func(t *testing.T) {
			if err := mir.VerifyFunc(f); err != nil {
				t.Fatal(err)
			}
			before := f.Clone()
			Allocate(f, Config{})
			if err := mir.VerifyAllocated(f); err != nil {
				t.Error(err)
			}
			if err := Check(before, f); err != nil {
				t.Error(err)
			}
		})
	}
}

// hub makes a function in which one variable is copied n times while another
// lives.
func hub(n int) *mir.Func {
	g := newGenerator(1, 2)
	v, x := g.vars[0], g.vars[1]
	for range n {
		t := g.f.NewReg()
		g.alu(mir.OpMov, t, v)
		g.alu(mir.OpAdd, t, x)
		g.alu(mir.OpAdd, x, t)
	}
	return g.finish()
}

// wide makes a function with n variables alive at once.
func wide(n int) *mir.Func {
	g := newGenerator(1, 1)
	a := g.vars[0]
	var vars []mir.Reg
	for range n {
		v := g.f.NewReg()
		g.emit(mir.Inst{Op: mir.OpLoad, Width: 8, Dst: v, Src: a, Src2: mir.NoReg})
		vars = append(vars, v)
	}
	for _, v := range vars {
		g.alu(mir.OpAdd, a, v)
	}
	return g.finish()
}
