package bind

import (
	"fmt"
	"reflect"
)

// A Spec describes a map: what a loader needs to create it in the kernel.
type Spec struct {
	Kind Kind
	// Name is what the map is called, or "" for a name made of the variable's.
	Name string
	// Key and Value are the Go types of entries, or nil if the kind has none
	// that are plain data. The kernel gets BTF of them. Of fields of the types
	// ebpf.SpinLock and ebpf.Timer it takes possession.
	Key, Value reflect.Type
	// KeySize and ValueSize are what the kernel is told, in bytes. Values of
	// a Go type without size have one byte.
	KeySize, ValueSize uint32
	// MaxEntries is the number of entries, the bytes of a ring buffer, or 0
	// for one per CPU.
	MaxEntries uint32
	Flags      uint32 // BPF_F_... of the map
	// Extra is map_extra: the number of hash functions of a Bloom filter.
	Extra uint64
	// NUMANode is where the map's memory should be, if Flags has BPF_F_NUMA_NODE.
	NUMANode uint32
	// Pin is the path in a BPF file system at which the map is found or put, or "".
	Pin string
	// Inner describes the maps that are the values of a map of maps. Values
	// that backends of such a map get and return are the IDs of maps, see [Map.ID].
	Inner *Spec
}

// ValueStride is the number of bytes from one CPU's value to the next.
func (s *Spec) ValueStride() int { return (int(s.ValueSize) + 7) &^ 7 }

// ValueBytes is the number of bytes of a value as backends get and return it:
// values of all CPUs, each at a multiple of [Spec.ValueStride], if the kind has several.
func (s *Spec) ValueBytes() int {
	if s.Kind.PerCPU() {
		return s.ValueStride() * PossibleCPUs()
	}
	return int(s.ValueSize)
}

// Compatible returns an error that names the first difference which makes a
// map that is described by t useless in place of one described by s. A
// bigger number of entries is not one.
func (s *Spec) Compatible(t *Spec) error {
	for _, c := range []struct {
		what       string
		have, want uint64
	}{
		{"key size", uint64(t.KeySize), uint64(s.KeySize)},
		{"value size", uint64(t.ValueSize), uint64(s.ValueSize)},
		{"flags", uint64(t.Flags), uint64(s.Flags)},
	} {
		if c.have != c.want {
			return fmt.Errorf("map has %s %d, want %d", c.what, c.have, c.want)
		}
	}
	if t.Kind != s.Kind {
		return fmt.Errorf("map is a %s, want a %s", t.Kind, s.Kind)
	}
	if t.MaxEntries < s.MaxEntries {
		return fmt.Errorf("map has room for %d entries, want %d", t.MaxEntries, s.MaxEntries)
	}
	return nil
}
