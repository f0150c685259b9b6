package emit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
)

// chainOf returns a module of functions that call each other, each with one
// variable of the given size.
func chainOf(sizes ...int) string {
	var b strings.Builder
	for i, size := range sizes {
		name, params := fmt.Sprintf("f%d", i), "params=0"
		if i == 0 {
			params = "entry params=1"
		}
		fmt.Fprintf(&b, "func %s %s\n\tslot s0 %d 8 \"buf%d\"\nb0:\n\tstore.1 [s0+0], 1\n", name, params, size, i)
		if i+1 < len(sizes) {
			fmt.Fprintf(&b, "\tcallfn f%d(0)\n", i+1)
		}
		b.WriteString("\tmov r0, 0\n\texit\n")
	}
	return b.String()
}

// TestStack checks sums of frames against the kernel's limit, with the rounding
// that is the kernel's.
func TestStack(t *testing.T) {
	tests := []struct {
		sizes []int
		stack int    // if it fits
		want  string // if not
	}{
		{[]int{512}, 512, ""},
		{[]int{1}, 32, ""},
		{[]int{500, 1}, 0, "f0 -> f1: variables need 544 bytes of stack, BPF has 512; largest: buf0 (500 bytes), buf1 (1 bytes); make the largest smaller, or keep it in a map: variables that hold pointers must be on the stack [U501]"},
		{[]int{513}, 0, "f0: variables need 544 bytes"},
		{[]int{240, 240}, 512, ""},
		{[]int{240, 240, 1}, 0, "f0 -> f1 -> f2: variables need 544 bytes"},
		{[]int{1, 2, 3, 4, 5, 6, 7, 8}, 256, ""},
		{[]int{1, 1, 1, 1, 1, 1, 1, 1, 1}, 0, "calls are nested 9 deep, BPF has 8 frames: f0 -> f1 -> f2 -> f3 -> f4 -> f5 -> f6 -> f7 -> f8; let one of them do the work of the next [U501]"},
	}
	for _, test := range tests {
		in := testInput(v4Kernel)
		out := Emit(parse(t, chainOf(test.sizes...)), in)
		err := in.Diags.Err()
		switch {
		case test.want == "" && (err != nil || out == nil):
			t.Errorf("%v: %v", test.sizes, err)
		case test.want == "" && out.Stack != test.stack:
			t.Errorf("%v: %d bytes of stack, want %d", test.sizes, out.Stack, test.stack)
		case test.want != "" && (out != nil || err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%v: %v, want %q", test.sizes, err, test.want)
		}
	}
}

// TestStackPosition checks that the diagnostic points to the largest variable.
func TestStackPosition(t *testing.T) {
	in := testInput(v4Kernel)
	file := in.Fset.AddFile("prog.go", -1, 100)
	file.SetLines([]int{0, 10, 20, 30})
	const text = "func f entry params=1 @3\n\tslot s0 64 8 \"small\" @12\n\tslot s1 600 8 \"big\" @25\n" +
		"\tslot s2 8 8 \"spill\" spill\nb0:\n\tstore.1 [s0+0], 1\n\tstore.1 [s1+0], 1\n\tstore.8 [s2+0], 1\n\tmov r0, 0\n\texit\n"
	Emit(parse(t, text), in)
	diags, ok := in.Diags.Err().(diag.Error)
	if !ok || len(diags) != 1 {
		t.Fatalf("diagnostics: %v", in.Diags.Err())
	}
	if got, want := diags[0].Pos.String(), "prog.go:3:5"; got != want {
		t.Errorf("position %s, want %s", got, want)
	}
	if want := "largest: big (600 bytes), small (64 bytes), 1 spilled values (8 bytes)"; !strings.Contains(diags[0].Message, want) {
		t.Errorf("message %q, want %q in it", diags[0].Message, want)
	}
}

// TestStackOfSpills checks that the diagnostic speaks of spilled values, and points to the
// function that has them, where they are what is too much.
func TestStackOfSpills(t *testing.T) {
	in := testInput(v4Kernel)
	file := in.Fset.AddFile("prog.go", -1, 100)
	file.SetLines([]int{0, 10, 20, 30})
	var slots, stores strings.Builder
	for i := range 62 {
		fmt.Fprintf(&slots, "\tslot s%d 8 8 \"spill\" spill\n", i)
		fmt.Fprintf(&stores, "\tstore.8 [s%d+0], 1\n", i)
	}
	text := "func f entry params=1 @3\n\tslot s0 64 8 \"small\" @12\nb0:\n\tstore.1 [s0+0], 1\n\tcallfn g(0)\n\tmov r0, 0\n\texit\n" +
		"func g params=0 @25\n" + slots.String() + "b0:\n" + stores.String() + "\tmov r0, 0\n\texit\n"
	Emit(parse(t, text), in)
	const want = "prog.go:3:5: f -> g: variables need 576 bytes of stack, BPF has 512; largest: small (64 bytes), 62 spilled values (496 bytes); compute values closer to where they are used"
	if err := in.Diags.Err(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
