package bind

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseCPUs(t *testing.T) {
	for _, c := range []struct {
		list string
		want int
		ok   bool
	}{{"0", 1, true}, {"0-3", 4, true}, {"0,2-7", 8, true}, {"0-3,9", 10, true}, {"", 1, false}, {"x", 1, false}} {
		if n, ok := parseCPUs(c.list); ok != c.ok || ok && n != c.want {
			t.Errorf("%q: %d, %t, want %d", c.list, n, ok, c.want)
		}
	}
	if PossibleCPUs() < 1 {
		t.Error("no CPU is possible")
	}
}

func TestKind(t *testing.T) {
	for k, name := range kindNames {
		if got, ok := ParseKind(name); got != k || !ok || k.String() != name {
			t.Errorf("%s: %d, %t", name, got, ok)
		}
	}
	if _, ok := ParseKind("map type 99"); ok || Kind(99).String() != "map type 99" {
		t.Errorf("kind 99 is %s", Kind(99))
	}
}

func TestCompatible(t *testing.T) {
	want := Spec{Kind: Hash, KeySize: 4, ValueSize: 8, MaxEntries: 10, Flags: 1}
	for _, c := range []struct {
		change func(*Spec)
		want   string // in the error, or "" for none
	}{
		{func(*Spec) {}, ""},
		{func(s *Spec) { s.MaxEntries++ }, ""},
		{func(s *Spec) { s.MaxEntries-- }, "room for 9 entries, want 10"},
		{func(s *Spec) { s.KeySize = 8 }, "key size 8, want 4"},
		{func(s *Spec) { s.ValueSize = 4 }, "value size 4, want 8"},
		{func(s *Spec) { s.Flags = 0 }, "flags 0, want 1"},
		{func(s *Spec) { s.Kind = LRUHash }, "a lru_hash, want a hash"},
	} {
		have := want
		c.change(&have)
		err := want.Compatible(&have)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestValueBytes(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		size uint32
		want int
	}{{Hash, 3, 3}, {PerCPUHash, 3, 8 * PossibleCPUs()}, {PerCPUArray, 12, 16 * PossibleCPUs()}} {
		s := Spec{Kind: c.kind, ValueSize: c.size}
		if got := s.ValueBytes(); got != c.want {
			t.Errorf("%s of %d bytes: %d, want %d", c.kind, c.size, got, c.want)
		}
	}
}

// The types of package ebpf are found by their names, which a type of another
// package may have too. Package ebpf tests that they are found.
func TestKernelFields(t *testing.T) {
	type SpinLock struct{ Word uint32 }
	if f := KernelFields(reflect.TypeFor[struct{ L SpinLock }]()); len(f) != 0 {
		t.Errorf("a type of another package is taken for the kernel's: %v", f)
	}
	if want := "github.com/undergo-ebpf/undergo/ebpf"; ebpfPath != want {
		t.Errorf("path is %s, want %s", ebpfPath, want)
	}
}
