package lower

import (
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/progen"
)

// FuzzDifferential compiles generated programs, in each of the ways of
// TestDifferential, and compares what they do with the IR as it was built.
// TestDifferential in turn compares that with native code.
func FuzzDifferential(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		p := progen.New(seed)
		if why := failure(p.Source(), p); why != "" {
			t.Errorf("seed %d: %s", seed, why)
		}
	})
}
