package emit

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
	"github.com/undergo-ebpf/undergo/lower/internal/vm"
)

// A maze is a function whose blocks continue at one of two others, so that no
// order of them avoids far jumps, with a check in each.
type maze struct {
	next   [2][]int // of each block, where the hash is even and odd
	steps  int      // blocks to pass before leaving
	filler int      // instructions that do nothing, in each block
}

func newMaze(blocks, steps, filler int) *maze {
	r := rand.New(rand.NewPCG(1, 2))
	return &maze{next: [2][]int{r.Perm(blocks), r.Perm(blocks)}, steps: steps, filler: filler}
}

// text returns the function. It returns a hash of the blocks that it passed, or
// panics at the site of the block whose hash is r8.
func (m *maze) text() string {
	var b strings.Builder
	n := len(m.next[0])
	fmt.Fprintf(&b, "func f entry params=1\nb0:\n\tload.8 r8, [r1+0]\n\tmov r0, 0\n\tmov r6, %d\n\tmov r7, 0\n\tjmp b1\n", m.steps)
	for i := range n {
		fmt.Fprintf(&b, "b%d:\n\tmul32 r0, 31\n\tadd32 r0, %d\n\tcheck r0 eq r8, panic %d\n", i+1, i, i)
		b.WriteString(strings.Repeat("\tadd r7, 1\n", m.filler))
		fmt.Fprintf(&b, "\tsub r6, 1\n\tbr r6 set -1, b%d, b%d\n", n+1+i, 2*n+1)
		fmt.Fprintf(&b, "b%d:\n\tbr r0 set 1, b%d, b%d\n", n+1+i, m.next[1][i]+1, m.next[0][i]+1)
	}
	fmt.Fprintf(&b, "b%d:\n\texit\n", 2*n+1)
	return b.String()
}

// run returns what the function does, given r8.
func (m *maze) run(stop uint32) (r0 uint64) {
	hash, i := uint32(0), 0
	for range m.steps {
		hash = hash*31 + uint32(i)
		if hash == stop {
			return uint64(int64(-1 - i))
		}
		i = m.next[hash&1][i]
	}
	return uint64(hash)
}

// TestJumps emits functions that are too large for short jumps, for targets with
// and without long ones, and runs them.
func TestJumps(t *testing.T) {
	long := false
	for _, test := range []struct{ blocks, filler int }{
		{50, 0}, {100, 400}, {20, 3000},
	} {
		m := newMaze(test.blocks, test.blocks+20, test.filler)
		module := parse(t, m.text())
		for _, kernel := range []target.Version{{Major: 5, Minor: 10}, v4Kernel} {
			in := testInput(kernel)
			in.ReturnSite = true
			out := emit(t, module, in)
			long = long || strings.Contains(Disassemble(out.Insns), "gotol")
			p, err := vm.Load(out.Insns)
			if err != nil {
				t.Errorf("%d blocks, %v: %v", test.blocks, kernel, err)
				continue
			}
			// Leave regularly, or by the panic of the last block but one.
			early := *m
			early.steps--
			for _, stop := range []uint32{1<<32 - 1, uint32(early.run(1<<32 - 1))} {
				ctx := []byte{byte(stop), byte(stop >> 8), byte(stop >> 16), byte(stop >> 24), 0, 0, 0, 0}
				got, err := p.Run(vm.Options{Ctx: ctx, Fuel: 10_000_000})
				if want := m.run(stop); err != nil || got != want {
					t.Errorf("%d blocks of %d, %v: got %#x, %v, want %#x", test.blocks, test.filler, kernel, got, err, want)
				}
			}
		}
	}
	if !long {
		t.Error("no function needed a long jump")
	}
}

// TestJumpTooFar checks that a function is refused if islands would have to be too
// large: here every block branches to two others anywhere.
func TestJumpTooFar(t *testing.T) {
	const blocks = 120_000
	f := &mir.Func{Name: "f", Entry: true, Params: 1}
	for range blocks {
		f.NewBlock()
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, b := range f.Blocks {
		b.Insts = []mir.Inst{{
			Op: mir.OpBr, Cond: mir.Eq, Dst: mir.R1, Src: mir.NoReg, Src2: mir.NoReg,
			To: f.Blocks[r.IntN(blocks)], Else: f.Blocks[r.IntN(blocks)],
		}}
	}
	m := &mir.Module{Funcs: []*mir.Func{f}}
	in := testInput(target.MinKernel)
	if Emit(m, in) != nil {
		t.Fatal("emitted")
	}
	if err := in.Diags.Err(); err == nil || !strings.Contains(err.Error(), "is too far") || !strings.Contains(err.Error(), "U502") {
		t.Errorf("diagnostics: %v", err)
	}
	emit(t, m, testInput(v4Kernel))
}

func TestTooManyInsns(t *testing.T) {
	in := testInput(v4Kernel)
	in.Target.MaxInsns = 10
	if Emit(parse(t, newMaze(10, 1, 1).text()), in) != nil {
		t.Fatal("emitted")
	}
	if err := in.Diags.Err(); err == nil || !strings.Contains(err.Error(), "Linux 6.12 takes 10") {
		t.Errorf("diagnostics: %v", err)
	}
}

// TestLayoutCycle checks that an endless loop of blocks that only jump is kept.
func TestLayoutCycle(t *testing.T) {
	const text = "func f entry params=1\nb0:\n\tbr r1 eq 0, b1, b3\nb1:\n\tjmp b2\nb2:\n\tjmp b1\nb3:\n\tmov r0, 0\n\texit\n"
	out := emit(t, parse(t, text), testInput(v4Kernel))
	if _, err := vm.Load(out.Insns); err != nil {
		t.Errorf("%v in\n%s", err, Disassemble(out.Insns))
	}
	if _, err := vm.Run(out.Insns, vm.Options{}); err != nil {
		t.Error(err)
	}
}

// TestModuleUnchanged checks that emitting leaves its input alone and gives the same
// code every time.
func TestModuleUnchanged(t *testing.T) {
	m := parse(t, newMaze(20, 5, 2).text())
	before := m.String()
	first := describe(emit(t, m, testInput(v4Kernel)))
	if m.String() != before {
		t.Error("module has changed")
	}
	again, err := mir.Parse(before)
	if err != nil {
		t.Fatal(err)
	}
	if describe(emit(t, again, testInput(v4Kernel))) != first {
		t.Error("code differs")
	}
}
