package emit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

const annotated = `func main.f entry params=1 @10
b0:
	mov r6, r1 @21
	mov r1, 1 @22
	callfn main.(*T).g(1) @30
	mov r7, 4294967296 @31
	check r0 eq 0, panic 1 @40
	mov r0, 0
	exit @21
func "main.(*T).g" params=1 @50
b0:
	mov r0, r1
	exit @60
`

func annotatedOutput(t *testing.T) *Output {
	t.Helper()
	return emit(t, parse(t, strings.Replace(annotated, "callfn main.(*T).g", `callfn "main.(*T).g"`, 1)), testInput(v4Kernel))
}

// line puts ten positions on each line.
func line(pos mir.Pos) SourceLine {
	return SourceLine{File: "/src/prog.go", Line: int(pos) / 10, Col: int(pos)%10 + 1, Text: fmt.Sprintf("text of line %d", pos/10)}
}

func TestLines(t *testing.T) {
	out := annotatedOutput(t)
	want := []Line{{0, 21}, {1, 22}, {2, 30}, {3, 31}, {5, 40}, {7, 21}, {8, 40}, {14, 50}, {15, 60}}
	if fmt.Sprint(out.Lines) != fmt.Sprint(want) {
		t.Errorf("lines %v, want %v", out.Lines, want)
	}
}

func TestAnnotate(t *testing.T) {
	out := annotatedOutput(t)
	plain := marshal(t, out.Insns)
	if err := out.Annotate(line); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(marshal(t, out.Insns), plain) {
		t.Error("annotations change the code")
	}
	var got []string
	for iter := out.Insns.Iterate(); iter.Next(); {
		if fn := btf.FuncMetadata(iter.Ins); fn != nil {
			proto := fn.Type.(*btf.FuncProto)
			got = append(got, fmt.Sprintf("%d: %s(%s %v) %v", iter.Offset, fn.Name, proto.Params[0].Name, proto.Params[0].Type, fn.Linkage))
		}
		if src := iter.Ins.Source(); src != nil {
			l := src.(*btf.Line)
			got = append(got, fmt.Sprintf("%d: %s:%d:%d %s", iter.Offset, l.FileName(), l.LineNumber(), l.LineColumn(), l))
		}
	}
	want := []string{
		`0: main_f(ctx Pointer[target=Void]) static`,
		`0: /src/prog.go:2:2 text of line 2`,
		`2: /src/prog.go:3:1 text of line 3`,
		`5: /src/prog.go:4:1 text of line 4`,
		`7: /src/prog.go:2:2 text of line 2`,
		`8: /src/prog.go:4:1 text of line 4`,
		`14: main___T__g(r1 Int:"u64"[unsigned size=8]) static`,
		`14: /src/prog.go:5:1 text of line 5`,
		`15: /src/prog.go:6:1 text of line 6`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// What the loader makes of it.
	b, err := btf.NewBuilder(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	funcs, lines, err := btf.MarshalExtInfos(out.Insns, b)
	if err != nil || len(funcs) != 2*8 || len(lines) != 7*16 {
		t.Errorf("%d bytes of functions, %d bytes of lines, %v", len(funcs), len(lines), err)
	}
}

// TestAnnotateLimits checks values that the format has no room for.
func TestAnnotateLimits(t *testing.T) {
	out := annotatedOutput(t)
	err := out.Annotate(func(pos mir.Pos) SourceLine {
		return SourceLine{File: "a\x00b", Line: 1 << 30, Col: 1 << 20, Text: "zero\x00byte"}
	})
	if err != nil {
		t.Fatal(err)
	}
	l := out.Insns[0].Source().(*btf.Line)
	if l.FileName() != "a" || l.String() != "zero" || l.LineNumber() != 1<<22-1 || l.LineColumn() != 1023 {
		t.Errorf("got %q %q %d %d", l.FileName(), l, l.LineNumber(), l.LineColumn())
	}
}

func TestUniqueSymbol(t *testing.T) {
	taken := map[string]bool{}
	for _, test := range []struct{ name, want string }{
		{"main.onWrite", "main_onWrite"},
		{"main_onWrite", "main_onWrite_2"},
		{"main.onWrite", "main_onWrite_3"},
		{"example.com/a/p.(*T).M", "p___T__M"},
		{"example.com/p.f[example.com/q.T]", "p_f_example_com_q_T_"},
		{"größe", "gr____e"},
		{"1.f", "_1_f"},
		{"", "_"},
		{strings.Repeat("x", 300), strings.Repeat("x", maxSymbol)},
		{strings.Repeat("x", 301), strings.Repeat("x", maxSymbol) + "_2"},
	} {
		if got := uniqueSymbol(test.name, taken); got != test.want {
			t.Errorf("%q: %q, want %q", test.name, got, test.want)
		}
	}
}

func marshal(t testing.TB, insns asm.Instructions) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := insns.Marshal(&buf, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

const hello = `func main.onWrite entry params=1 @10
b0:
	callhelper get_current_pid_tgid#14(0) @20
	rsh r0, 32
	br r0 eq 0, b2, b1 @30
b1:
	loadsym r1, data hello+0 @41
	mov r2, 6
	mov r3, r0
	callhelper trace_printk#6(3)
	jmp b2
b2:
	mov r0, 0 @50
	exit
`

// BenchmarkEmit measures hello, without and with what goes to BTF.
func BenchmarkEmit(b *testing.B) {
	m := parse(b, hello)
	b.Run("code", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Emit(m, testInput(v4Kernel))
		}
	})
	b.Run("annotated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := Emit(m, testInput(v4Kernel)).Annotate(line); err != nil {
				b.Fatal(err)
			}
		}
	})
}
