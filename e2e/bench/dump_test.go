package bench

import (
	"flag"
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
)

var (
	dump  = flag.String("dump", "", "print what both compilers make of the program of this name")
	stage = flag.String("stage", "", "with -dump, print this stage of undergo's")
)

// TestDump prints the instructions of one program, undergo's and clang's.
func TestDump(t *testing.T) {
	if *dump == "" {
		t.Skip("prints with -dump=NAME")
	}
	if *stage != "" {
		text, err := compile(t, jit.WithDumps()).Programs[*dump].Dump(*stage)
		if err != nil {
			t.Fatal(err)
		}
		t.Log("\n" + text)
		return
	}
	for _, kind := range []struct {
		name string
		of   compiled
	}{{"undergo", undergo(t)}, {"clang v4", clang(t, "v4")}} {
		s := kind.of[*dump]
		if s == nil {
			t.Fatalf("%s: no program %s", kind.name, *dump)
		}
		info, err := s.prog.Info()
		if err != nil {
			t.Fatal(err)
		}
		insns, err := info.Instructions()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s\n%v", kind.name, insns)
	}
}
