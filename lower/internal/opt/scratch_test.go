package opt

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// chainOf makes a program of functions that each call the next and have one
// variable of each of the given sizes.
func chainOf(frames ...[]int) string {
	var b strings.Builder
	for i, sizes := range frames {
		fmt.Fprintf(&b, "func @f%d(v0 i64) (i64) noinline {\n", i)
		for n, size := range sizes {
			fmt.Fprintf(&b, "\tslot s%d \"x%d\" size %d align 8\n", n, n, size)
		}
		b.WriteString("b0:\n")
		for n := range sizes {
			fmt.Fprintf(&b, "\tv%d = slotaddr ptr.stack s%d\n\tstore.8 v%d +0, v0\n", n+2, n, n+2)
		}
		if i+1 < len(frames) {
			fmt.Fprintf(&b, "\tv1 = call i64 @f%d(v0)\n\treturn v1\n}\n", i+1)
		} else {
			b.WriteString("\treturn v0\n}\n")
		}
	}
	return b.String()
}

// moved returns the names of the functions and variables that are not on the stack.
func moved(before, after *ir.Module) []string {
	var list []string
	for i, f := range before.Funcs {
		left := make(map[string]bool)
		for _, b := range after.Funcs[i].Blocks {
			for _, v := range b.Instrs {
				if v.Op == ir.OpSlotAddr {
					left[v.Slot().Name] = true
				}
			}
		}
		for _, s := range f.Slots {
			if !left[s.Name] {
				list = append(list, f.Name+"."+s.Name)
			}
		}
	}
	return list
}

func TestScratchChoice(t *testing.T) {
	tests := []struct {
		frames  [][]int
		spill   int
		want    string
		scratch int64
	}{
		{[][]int{{512}}, 0, "", 0},
		{[][]int{{513}}, 0, "f0.x0", 520},
		{[][]int{{480}, {32}}, 0, "", 0},
		{[][]int{{480}, {40}}, 0, "f0.x0", 480},
		// The margin for spilled values counts only when something has to move.
		{[][]int{{100, 300, 104}}, 0, "", 0},
		{[][]int{{100, 300, 120}}, 0, "f0.x1", 304},
		{[][]int{{200, 160, 168}}, 0, "f0.x0", 200},
		{[][]int{{240, 220, 228}}, 0, "f0.x0 f0.x2", 472},
		{[][]int{{100, 300, 108}}, 128, "f0.x1", 304},
		{[][]int{{100, 300, 8}}, 512, "f0.x0 f0.x1", 408},
		{[][]int{{200}, {200}, {200}}, 0, "f0.x0 f1.x0", 400},
	}
	for _, test := range tests {
		text := chainOf(test.frames...)
		m := parse(t, text)
		c := testConfig()
		c.Spill = test.spill
		Scratch(m, c)
		if err := ir.Verify(m); err != nil {
			t.Fatalf("%v: %v\n%s", test.frames, err, m)
		}
		if got := strings.Join(moved(parse(t, text), m), " "); got != test.want || m.Scratch != test.scratch {
			t.Errorf("%v with %d bytes for spilled values: moved %q, %d bytes; want %q, %d", test.frames, test.spill, got, m.Scratch, test.want, test.scratch)
		}
	}
}

// TestScratchVariableOffset moves what is accessed at variable offsets only
// where the verifier does not follow it.
func TestScratchVariableOffset(t *testing.T) {
	const text = `site !0 index "index out of range"

func @f0(v0 i64) (i32) {
	slot s0 "indexed" size 8 align 1
	slot s1 "other" size 16 align 1
b0:
	v1 = slotaddr ptr.stack s0
	memzero 8 v1 +0
	v2 = const i64 8
	v3 = checkidx i64 v0, v2 !0
	v4 = ptradd ptr.stack v1, v3
	v5 = load.1 i32 v4 +0
	v6 = slotaddr ptr.stack s1
	store.1 v6 +1, v5
	return v5
}
`
	for _, test := range []struct {
		kernel target.Version
		want   []string
	}{
		{target.Version{Major: 5, Minor: 10}, []string{"f0.indexed"}},
		{target.Version{Major: 5, Minor: 12}, nil},
	} {
		m := parse(t, text)
		c := testConfig()
		c.Target = target.For(test.kernel, "amd64")
		Scratch(m, c)
		if got := moved(parse(t, text), m); !slices.Equal(got, test.want) {
			t.Errorf("Linux %v: moved %q, want %q", test.kernel, got, test.want)
		}
	}
}

func TestScratchLimit(t *testing.T) {
	m := parse(t, chainOf([]int{20000, 12768}))
	c := testConfig()
	Scratch(m, c)
	if err := c.Diags.Err(); err != nil || m.Scratch != maxScratch {
		t.Errorf("%d bytes: %v", m.Scratch, err)
	}
	Scratch(parse(t, chainOf([]int{20000, 12776})), c)
	const want = "variables need 32776 bytes of memory that the stack does not have, a CPU has 32768; the largest is x0 (20000 bytes); make it smaller or keep it in a map [U501]"
	if err := c.Diags.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
