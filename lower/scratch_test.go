package lower

import (
	"fmt"
	"go/token"
	"strings"
	"testing"
)

// manyLive returns a function that keeps an array of the given size, and a number of
// values at a time.
func manyLive(size, values int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package p\n\nfunc F(in [6]uint64) (out [4]uint64) {\n\tvar a [%d]byte\n\ta[in[0]%%%d] = byte(in[1])\n", size, size)
	for i := range values {
		fmt.Fprintf(&b, "\tx%d := in[%d]*%d ^ in[%d]\n", i, i%6, i+3, (i+1)%6)
	}
	for i := range values {
		fmt.Fprintf(&b, "\tout[%d] += x%d ^ x%d\n", i%4, i, (i*7+3)%values)
	}
	fmt.Fprintf(&b, "\tout[0] += uint64(a[in[2]%%%d])\n\treturn out\n}\n", size)
	return b.String()
}

// TestScratch compiles functions whose variables do or do not fit on the stack, by
// themselves or together with what is spilled.
func TestScratch(t *testing.T) {
	tests := []struct {
		size, values int
		registers    int
		scratch      int
	}{
		{400, 4, 0, 0},
		{600, 4, 0, 600},
		{400, 16, 3, 400},
		{32 << 10, 4, 0, 32 << 10},
	}
	for _, test := range tests {
		in, err := programInput(token.NewFileSet(), manyLive(test.size, test.values), "F")
		if err != nil {
			t.Fatal(err)
		}
		target := TargetFor(Version{Major: 6, Minor: 12}, "amd64")
		unit, err := Compile(in, target, Options{Verify: true, Registers: test.registers})
		if err != nil {
			t.Errorf("array of %d bytes, %d values: %v", test.size, test.values, err)
			continue
		}
		if unit.Scratch != test.scratch || unit.Stats.Stack > target.StackSize {
			t.Errorf("array of %d bytes, %d values: %d bytes of scratch memory and %d of stack, want %d of scratch memory",
				test.size, test.values, unit.Scratch, unit.Stats.Stack, test.scratch)
		}
	}
}
