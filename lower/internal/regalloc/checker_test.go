package regalloc

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

func parse(t *testing.T, text string) *mir.Func {
	t.Helper()
	m, err := mir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return m.Funcs[0]
}

// TestCheck gives the checker allocations made by hand.
func TestCheck(t *testing.T) {
	const header = "func f params=2\n\tslot s0 8 8 \"x\"\n"
	const spill = "\tslot s1 8 8 \"spill\" spill\n"
	tests := []struct {
		name          string
		before, after string
		want          string // part of the error, or empty
	}{{
		name:   "good",
		before: "b0:\n mov v16, r1\n callhelper h#1(0)\n add v16, r0\n mov r0, v16\n exit",
		after:  "b0:\n mov r6, r1\n callhelper h#1(0)\n add r0, r6\n exit",
	}, {
		name:   "wrong register",
		before: "b0:\n mov v16, r1\n mov v17, r2\n sub v16, v17\n mov r0, v16\n exit",
		after:  "b0:\n sub r2, r1\n mov r0, r2\n exit",
		want:   "r2 does not hold v16",
	}, {
		name:   "clobbered by a call",
		before: "b0:\n mov v16, r1\n callhelper h#1(1)\n mov r0, v16\n exit",
		after:  "b0:\n mov r3, r1\n callhelper h#1(1)\n mov r0, r3\n exit",
		want:   "exit: r0 does not hold r0",
	}, {
		name:   "argument lost",
		before: "b0:\n mov v16, r1\n mov v17, r2\n mov r1, v17\n callhelper h#1(1)\n mov r0, v16\n exit",
		after:  "b0:\n mov r6, r1\n callhelper h#1(1)\n mov r0, r6\n exit",
		want:   "r1 does not hold r1",
	}, {
		name:   "no store",
		before: "b0:\n mov v16, r1\n callhelper h#1(1)\n mov r0, v16\n exit",
		after:  "b0:\n callhelper h#1(1)\n load.8 r0, [s1+0]\n exit",
		want:   "r0 does not hold r0",
	}, {
		name:   "good spill",
		before: "b0:\n mov v16, r1\n callhelper h#1(1)\n mov r0, v16\n exit",
		after:  "b0:\n store.8 [s1+0], r1\n callhelper h#1(1)\n load.8 r0, [s1+0]\n exit",
	}, {
		name:   "stale spill",
		before: "b0:\n mov v16, r1\n add v16, 1\n callhelper h#1(1)\n mov r0, v16\n exit",
		after:  "b0:\n mov r6, r1\n store.8 [s1+0], r6\n add r6, 1\n callhelper h#1(1)\n load.8 r0, [s1+0]\n exit",
		want:   "r0 does not hold r0",
	}, {
		name:   "half a spill",
		before: "b0:\n mov v16, r1\n callhelper h#1(1)\n mov r0, v16\n exit",
		after:  "b0:\n store.4 [s1+0], r1\n callhelper h#1(1)\n load.8 r0, [s1+0]\n exit",
		want:   "not accessed as a whole",
	}, {
		name:   "copy from before the check",
		before: "b0:\n mov v16, r1\n check v16 ugt 9, panic 1\n callhelper h#1(0)\n mov r0, v16\n exit",
		after:  "b0:\n store.8 [s1+0], r1\n check r1 ugt 9, panic 1\n callhelper h#1(0)\n load.8 r0, [s1+0]\n exit",
		want:   "r0 does not hold r0",
	}, {
		name:   "copy from behind the check",
		before: "b0:\n mov v16, r1\n check v16 ugt 9, panic 1\n callhelper h#1(0)\n mov r0, v16\n exit",
		after:  "b0:\n check r1 ugt 9, panic 1\n store.8 [s1+0], r1\n callhelper h#1(0)\n load.8 r0, [s1+0]\n exit",
	}, {
		name:   "constant instead of what was checked",
		before: "b0:\n mov v16, 5\n check v16 eq r1, panic 1\n mov r0, v16\n exit",
		after:  "b0:\n mov r3, 5\n check r3 eq r1, panic 1\n mov r0, 5\n exit",
		want:   "r0 does not hold r0",
	}, {
		name:   "copy from before the branch",
		before: "b0:\n mov v16, r1\n br v16 ugt 9, b1, b2\nb1:\n mov v16, 0\n jmp b2\nb2:\n mov r0, v16\n exit",
		after:  "b0:\n store.8 [s1+0], r1\n br r1 ugt 9, b1, b2\nb1:\n mov r0, 0\n store.8 [s1+0], r0\n jmp b2\nb2:\n load.8 r0, [s1+0]\n exit",
		want:   "r0 does not hold r0",
	}, {
		name:   "constants that differ by path",
		before: "b0:\n br r1 eq 0, b1, b2\nb1:\n mov v16, 1\n jmp b3\nb2:\n mov v16, 2\n jmp b3\nb3:\n mov r0, v16\n exit",
		after:  "b0:\n br r1 eq 0, b1, b2\nb1:\n mov r0, 1\n jmp b3\nb2:\n mov r0, 2\n jmp b3\nb3:\n exit",
	}, {
		name:   "right on one path",
		before: "b0:\n mov v16, r1\n mov v17, r2\n br v16 eq v17, b1, b2\nb1:\n mov v16, v17\n jmp b2\nb2:\n mov r0, v16\n exit",
		after:  "b0:\n br r1 eq r2, b1, b2\nb1:\n jmp b2\nb2:\n mov r0, r1\n exit",
		want:   "b2: exit: r0 does not hold r0",
	}, {
		name:   "move on an edge of its own",
		before: "b0:\n mov v16, r1\n mov v17, r2\n br v16 eq v17, b1, b2\nb1:\n mov v16, v17\n jmp b2\nb2:\n mov r0, v16\n exit",
		after:  "b0:\n br r1 eq r2, b1, b3\nb1:\n mov r0, r2\n jmp b2\nb2:\n exit\nb3:\n mov r0, r1\n jmp b2",
	}, {
		name:   "jump to another block",
		before: "b0:\n br r1 eq r2, b1, b2\nb1:\n panic 1\nb2:\n unreachable",
		after:  "b0:\n br r1 eq r2, b2, b1\nb1:\n panic 1\nb2:\n unreachable",
		want:   "was br r1 eq r2, b1, b2",
	}, {
		name:   "another operation",
		before: "b0:\n mov v16, r1\n add v16, 1\n mov r0, v16\n exit",
		after:  "b0:\n mov r0, r1\n add32 r0, 1\n exit",
		want:   "was add v16, 1",
	}, {
		name:   "instruction gone",
		before: "b0:\n store.8 [s0+0], 1\n panic 1",
		after:  "b0:\n panic 1",
		want:   "was store.8 [s0+0], 1",
	}, {
		name:   "instruction too many",
		before: "b0:\n panic 1",
		after:  "b0:\n store.8 [s0+0], 1\n panic 1",
		want:   "was panic 1",
	}, {
		name:   "result in a source of cset",
		before: "b0:\n mov v16, r1\n cset v17, v16 eq 3\n mov r0, v17\n exit",
		after:  "b0:\n cset r1, r1 eq 3\n mov r0, r1\n exit",
		want:   "written before it is read",
	}, {
		name:   "commuted",
		before: "b0:\n mov v16, r1\n mov v17, r2\n add v16, v17\n mov r0, v16\n exit",
		after:  "b0:\n mov r0, r2\n add r0, r1\n exit",
	}, {
		name:   "not allocated",
		before: "b0:\n mov v16, r1\n add v16, 1\n mov r0, v16\n exit",
		after:  "b0:\n mov r0, r1\n add v16, 1\n exit",
		want:   "v16 is not allocated",
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, after := parse(t, header+tt.before), parse(t, header+spill+tt.after)
			err := Check(before, after)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("good allocation refused: %v", err)
			case tt.want != "" && err == nil:
				t.Error("bad allocation accepted")
			case tt.want != "" && !strings.Contains(err.Error(), tt.want):
				t.Errorf("error is %q, want %q", err, tt.want)
			}
		})
	}
}

// mutants are ways to break an allocation. Each changes instruction i of b, or
// returns false if it does not apply.
var mutants = []struct {
	name   string
	mutate func(b *mir.Block, i int, rnd *rand.Rand) bool
}{
	{"drop a store", func(b *mir.Block, i int, _ *rand.Rand) bool {
		return isSpillStore(&b.Insts[i]) && drop(b, i)
	}},
	{"drop a reload", func(b *mir.Block, i int, _ *rand.Rand) bool {
		return isSpillLoad(&b.Insts[i]) && drop(b, i)
	}},
	{"drop a move", func(b *mir.Block, i int, _ *rand.Rand) bool {
		return (isCopy(&b.Insts[i]) || isRemat(&b.Insts[i])) && drop(b, i)
	}},
	{"use another register", func(b *mir.Block, i int, rnd *rand.Rand) bool {
		ops := newOperands().of(&b.Insts[i])
		if len(ops) == 0 {
			return false
		}
		in := &b.Insts[i]
		ops[rnd.IntN(len(ops))].set(in, mir.Reg(rnd.IntN(10)))
		return in.Op != mir.OpCSet || in.Dst != in.Src && in.Dst != in.Src2
	}},
	{"keep a value in a clobbered register", func(b *mir.Block, i int, rnd *rand.Rand) bool {
		if !b.Insts[i].Clobbers() {
			return false
		}
		from, to := mir.R6+mir.Reg(rnd.IntN(4)), mir.R1+mir.Reg(rnd.IntN(5))
		for j := range b.Insts {
			for _, op := range newOperands().of(&b.Insts[j]) {
				if op.reg == from {
					op.set(&b.Insts[j], to)
				}
			}
		}
		return true
	}},
	{"swap neighbours", func(b *mir.Block, i int, _ *rand.Rand) bool {
		if i+2 >= len(b.Insts) {
			return false
		}
		b.Insts[i], b.Insts[i+1] = b.Insts[i+1], b.Insts[i]
		return true
	}},
}

func drop(b *mir.Block, i int) bool {
	b.Insts = slices.Delete(b.Insts, i, i+1)
	return true
}

// TestCheckMutants breaks random allocations at random. Whatever makes a
// function behave differently must be found; and as most of what goes unnoticed
// by running would go wrong on another path, most of all mutants must be.
func TestCheckMutants(t *testing.T) {
	for k, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			made, found, differ := 0, 0, 0
			for seed := range uint64(200) {
				rnd := rand.New(rand.NewPCG(seed, uint64(k)))
				before := generate(seed, 60, 8)
				good := before.Clone()
				Allocate(good, Config{Regs: registerSet(seed, 4+int(seed%7))})
				bad := good.Clone()
				applied := false
				for tries := 0; tries < 50 && !applied; tries++ {
					b := bad.Blocks[rnd.IntN(len(bad.Blocks))]
					applied = m.mutate(b, rnd.IntN(len(b.Insts)), rnd)
				}
				if !applied || bad.String() == good.String() {
					continue
				}
				made++
				refused := Check(before, bad) != nil
				if refused {
					found++
				}
				if safeRun(bad) != strings.Join(run(before), "\n") {
					differ++
					if !refused {
						t.Errorf("seed %d: accepted\nbefore:\n%v\ngood:\n%v\nbad:\n%v", seed, before, good, bad)
					}
				}
			}
			t.Logf("%d mutants, %d refused, %d behave differently", made, found, differ)
			if differ == 0 || 2*found < made {
				t.Errorf("of %d mutants %d were refused, %d behave differently: too few", made, found, differ)
			}
		})
	}
}

// safeRun is run for functions that may use wild addresses.
func safeRun(f *mir.Func) (trace string) {
	defer func() {
		if recover() != nil {
			trace = "crash"
		}
	}()
	return strings.Join(run(f), "\n")
}
