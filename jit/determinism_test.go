package jit_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/jit"
)

// TestSameFromAllInputs compiles one function from a func value, from source
// text and as part of a package: the instructions are the same, whatever else
// is in the source and however often it is compiled.
func TestSameFromAllInputs(t *testing.T) {
	const name = "Syscalls_SysEnterWrite"
	src, err := os.ReadFile("load_test.go")
	if err != nil {
		t.Fatal(err)
	}
	target := jit.WithTarget(linux618)
	fromValue, err := jit.Compile(Syscalls_SysEnterWrite, target)
	if err != nil {
		t.Fatal(err)
	}
	want := code(fromValue)
	if len(want) == 0 {
		t.Fatal("no instructions")
	}
	for i := range 10 {
		fromSource, err := jit.CompileSource("load_test.go", string(src), target)
		if err != nil {
			t.Fatal(err)
		}
		// Ten packages with the file in another place each.
		pkg := fstest.MapFS{fmt.Sprintf("p/f%d.go", i): {Data: src}}
		for j := range i {
			pkg[fmt.Sprintf("p/f%d.go", j)] = &fstest.MapFile{Data: fmt.Appendf(nil, "package jit_test\n\nfunc f%d() int { return %d }\n", j, j)}
		}
		fromPackage, err := jit.CompilePackage("p", target, jit.WithSource(pkg))
		if err != nil {
			t.Fatal(err)
		}
		for input, c := range map[string]*jit.Collection{"source": fromSource, "package": fromPackage} {
			if got := code(c.Programs[name]); !slices.Equal(got, want) {
				t.Errorf("from %s:\n%v\nwant\n%v", input, got, want)
			}
		}
	}
}

// code returns the instructions of a program without the names in them.
func code(p *jit.Program) []asm.Instruction {
	insns := slices.Clone(p.Unit().Insns)
	for i := range insns {
		insns[i].Metadata = asm.Metadata{}
	}
	return insns
}

func TestCompilePackage(t *testing.T) {
	target := jit.WithTarget(linux618)
	for _, path := range []string{"../examples/hello", "github.com/undergo-ebpf/undergo/examples/hello"} {
		c, err := jit.CompilePackage(path, target)
		if err != nil {
			t.Fatal(err)
		}
		if all := c.All(); len(all) != 1 || all[0].Name() != "Syscalls_SysEnterWrite" {
			t.Errorf("%s: programs %v", path, c.Programs)
		}
	}
	if _, err := jit.CompilePackage("no/such/package", target); err == nil {
		t.Error("no error for a package that does not exist")
	}
}
