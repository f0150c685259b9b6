package emit

import (
	"bytes"
	"fmt"
	"go/token"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/golden"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// parse reads a module after register allocation and verifies it.
func parse(t testing.TB, text string) *mir.Module {
	t.Helper()
	m, err := mir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Funcs {
		if err := mir.VerifyAllocated(f); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// testInput is what most tests emit with.
func testInput(kernel target.Version) Input {
	return Input{
		Target:       target.For(kernel, "amd64"),
		Fset:         token.NewFileSet(),
		Sites:        4,
		PanicSection: ".data.panics",
		OnPanic:      2,
		Diags:        &diag.List{},
		Data: []Data{
			{Name: "unused", Bytes: []byte("unused"), Section: ".rodata"},
			{Name: "hello", Bytes: []byte("hello\x00"), Align: 1, Section: ".rodata"},
			{Name: "table", Bytes: make([]byte, 16), Align: 8, Section: ".rodata"},
			{Name: "counter", Bytes: make([]byte, 8), Align: 8, Section: ".data"},
		},
	}
}

var v4Kernel = target.Version{Major: 6, Minor: 12}

// emit emits a module that is in order.
func emit(t testing.TB, m *mir.Module, in Input) *Output {
	t.Helper()
	out := Emit(m, in)
	if err := in.Diags.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestGolden compares the code for the module in each file's section mir with its
// section asm. The comment's word "shim" selects ReturnSite.
func TestGolden(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, file *golden.File) {
		in := testInput(v4Kernel)
		in.ReturnSite = strings.Contains(file.Comment, "shim")
		file.Want(t, "asm", describe(emit(t, parse(t, file.Input(t, "mir")), in)))
	})
}

// TestRoom checks that a section ends where an object of it that needs room behind it says.
func TestRoom(t *testing.T) {
	m := parse(t, "func main.f entry params=1\nb0:\n\tloadsym r1, data hello+0\n\tloadsym r1, data table+0\n\tmov r0, 0\n\texit\n")
	for _, test := range []struct {
		room int64 // behind the 6 bytes of hello, which 18 follow
		size int
	}{{0, 25}, {18, 25}, {19, 25}, {20, 26}} {
		in := testInput(v4Kernel)
		in.Data[1].Room = test.room
		if out := emit(t, m, in); len(out.Sections) != 1 || len(out.Sections[0].Bytes) != test.size {
			t.Errorf("room %d: sections %v, want one of %d bytes", test.room, out.Sections, test.size)
		}
	}
}

// describe returns the code and whatever goes with it.
func describe(out *Output) string {
	var b bytes.Buffer
	b.WriteString(Disassemble(out.Insns))
	for _, s := range out.Sections {
		fmt.Fprintf(&b, "section %s %q\n", s.Name, s.Bytes)
	}
	if len(out.Maps) > 0 {
		fmt.Fprintf(&b, "maps %s\n", strings.Join(out.Maps, " "))
	}
	if out.Stack > frameRound {
		fmt.Fprintf(&b, "stack %d\n", out.Stack)
	}
	return b.String()
}
