package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// The tests of this file compile for kernels and machines that the host need
// not be, and load nothing.

var updateFlag = flag.Bool("update", false, "accept the instructions that the compiler makes now")

// targetKernels are the kernels of the matrix.
var targetKernels = []lower.Version{{Major: 5, Minor: 10}, {Major: 6, Minor: 1}, {Major: 6, Minor: 12}, {Major: 7, Minor: 3}}

// TestTargets compiles a program for each kernel and machine and compares the
// instructions with those in testdata.
func TestTargets(t *testing.T) {
	const golden = "testdata/targets.txtar"
	archive, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	source := archive.Files[0]
	got := &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{source}}
	for _, arch := range []string{"amd64", "arm64"} {
		for _, kernel := range targetKernels {
			c, err := jit.CompileSource(source.Name, string(source.Data), jit.WithTarget(lower.TargetFor(kernel, arch)))
			if err != nil {
				t.Fatalf("Linux %v, %s: %v", kernel, arch, err)
			}
			var text strings.Builder
			for _, p := range c.All() {
				fmt.Fprintln(&text, strings.TrimSpace(fmt.Sprint(p.Unit().Insns)))
			}
			got.Files = append(got.Files, txtar.File{Name: fmt.Sprintf("%s %v", arch, kernel), Data: []byte(text.String())})
		}
	}
	text := txtar.Format(got)
	if *updateFlag {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := txtar.Format(archive); !bytes.Equal(text, want) {
		t.Errorf("the instructions are not those in %s: look at them, and run the test with -update if they are right\n%s", golden, text)
	}
}

// TestNothingNewer compiles generated programs for each kernel and looks for
// instructions that it has not.
func TestNothingNewer(t *testing.T) {
	n := 60
	if guest != "" {
		n = 5
	}
	for i := range n {
		p := progen.New(*diffSeed + uint64(i))
		source := strings.Replace(p.Source(), "package p", "package p\n\nimport \"github.com/undergo-ebpf/undergo/ebpf\"", 1) + fmt.Sprintf(`
//ebpf:section xdp
func program(ctx *ebpf.XDP) int {
	x := ctx.RxQueueIndex
	out := %s([6]uint64{uint64(x), uint64(x >> 8), uint64(int32(x)), uint64(int8(x)), 1 << (x & 63), -uint64(x)})
	return int(out[0] ^ out[1] ^ out[2] ^ out[3])
}
`, p.Name)
		for _, kernel := range targetKernels {
			target := lower.TargetFor(kernel, "amd64")
			c, err := jit.CompileSource("p.go", source, jit.WithTarget(target))
			if err != nil {
				t.Fatalf("seed %d, Linux %v: %v", p.Seed, kernel, err)
			}
			for _, ins := range c.All()[0].Unit().Insns {
				if err := available(ins, target); err != nil {
					t.Fatalf("seed %d, Linux %v: %v: %v", p.Seed, kernel, ins, err)
				}
			}
		}
	}
}

// available returns an error if the target has no such instruction.
func available(ins asm.Instruction, t lower.Target) error {
	op := ins.OpCode
	switch class := op.Class(); {
	case class.IsALU():
		switch op.ALUOp() {
		case asm.SDiv, asm.SMod, asm.MovSX8, asm.MovSX16, asm.MovSX32:
			return needs(t, lower.ISAv4)
		case asm.Swap:
			if class == asm.ALU64Class { // bswap; the older instruction is of the other class
				return needs(t, lower.ISAv4)
			}
		}
	case class == asm.LdXClass && op.Mode() == asm.MemSXMode:
		return needs(t, lower.ISAv4)
	case class == asm.Jump32Class && op.JumpOp() == asm.Ja:
		return needs(t, lower.ISAv4)
	case class == asm.StXClass && op.Mode() == asm.AtomicMode && op.AtomicOp() != asm.AddAtomic.OpCode(asm.DWord).AtomicOp():
		return needs(t, lower.AtomicFetch)
	}
	return nil
}

func needs(t lower.Target, f lower.Feature) error {
	if t.Has(f) {
		return nil
	}
	return errors.New("needs " + f.String())
}
