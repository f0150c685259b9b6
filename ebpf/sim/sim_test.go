package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/sim"
)

func TestReplace(t *testing.T) {
	outer := sim.Replace(ebpf.GetPrandomU32, func() uint32 { return 4 })
	inner := sim.Replace(ebpf.GetPrandomU32, func() uint32 { return 5 })
	if got := ebpf.GetPrandomU32(); got != 5 {
		t.Errorf("replaced twice: %d, want 5", got)
	}
	inner()
	if got := ebpf.GetPrandomU32(); got != 4 {
		t.Errorf("restored once: %d, want 4", got)
	}
	outer()
	seen := make(map[uint32]bool)
	for range 8 {
		seen[ebpf.GetPrandomU32()] = true
	}
	if len(seen) == 1 {
		t.Errorf("restored: not random: %v", seen)
	}
}

// panicText returns what f panics with.
func panicText(t *testing.T, f func()) (text string) {
	t.Helper()
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	t.Error("no panic")
	return
}

func TestNoBehaviour(t *testing.T) {
	text := panicText(t, func() { ebpf.GetCurrentCgroupId() })
	if want := "sim.Replace(ebpf.GetCurrentCgroupId, ...)"; !strings.Contains(text, want) {
		t.Errorf("panic %q does not say %q", text, want)
	}
	defer sim.Replace(ebpf.GetCurrentCgroupId, func() uint64 { return 1 })()
	if got := ebpf.GetCurrentCgroupId(); got != 1 {
		t.Errorf("replaced: %d, want 1", got)
	}
}

func TestReplaceNoHelper(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"an intrinsic", func() { sim.Replace(ebpf.Printk, func(string, ...any) {}) }},
		{"a closure", func() { sim.Replace(func() {}, func() {}) }},
		{"a method", func() { sim.Replace((*ebpf.RawTracepoint).Arg, func(*ebpf.RawTracepoint, int) uint64 { return 0 }) }},
		{"nil", func() { sim.Replace[func()](nil, func() {}) }},
		{"no function", func() { sim.Replace(1, 2) }},
	} {
		if text := panicText(t, c.f); !strings.HasPrefix(text, "sim.Replace: ") {
			t.Errorf("%s: panic %q", c.name, text)
		}
	}
}

func Example() {
	now := uint64(1000)
	defer sim.Replace(ebpf.KtimeGetNs, func() uint64 { return now })()

	start := ebpf.KtimeGetNs()
	now += 42
	fmt.Println(ebpf.KtimeGetNs() - start)
	// Output: 42
}
