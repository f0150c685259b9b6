package emit

import (
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// TestHolds compares numbers with 2, by which the test of a loop is decided for its first
// iteration.
func TestHolds(t *testing.T) {
	tests := []struct {
		cond  mir.Cond
		below bool // of 1
		equal bool // of 2
		above bool // of 5, which has no bit of 2
	}{
		{mir.Eq, false, true, false},
		{mir.Ne, true, false, true},
		{mir.ULt, true, false, false},
		{mir.SLt, true, false, false},
		{mir.ULe, true, true, false},
		{mir.SLe, true, true, false},
		{mir.UGt, false, false, true},
		{mir.SGt, false, false, true},
		{mir.UGe, false, true, true},
		{mir.SGe, false, true, true},
		{mir.Set, false, true, false},
	}
	for _, test := range tests {
		if got := holds(test.cond, 1, 2); got != test.below {
			t.Errorf("1 %v 2 is %v", test.cond, got)
		}
		if got := holds(test.cond, 2, 2); got != test.equal {
			t.Errorf("2 %v 2 is %v", test.cond, got)
		}
		if got := holds(test.cond, 5, 2); got != test.above {
			t.Errorf("5 %v 2 is %v", test.cond, got)
		}
	}
}
