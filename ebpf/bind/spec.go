package bind

import (
	"fmt"
	"reflect"
	"strings"
	"time"
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
	// for one per CPU or, of storages, no limit.
	MaxEntries uint32
	Flags      uint32 // BPF_F_... of the map
	// Extra is map_extra: the number of hash functions of a Bloom filter.
	Extra uint64
	// NUMANode is where the map's memory should be, if Flags has BPF_F_NUMA_NODE.
	NUMANode uint32
	// Buffer is the bytes of each CPU's buffer of perf events.
	Buffer int
	// Poll is the time after which a reader of a ring buffer looks for records even if it
	// has not been woken up, or 0.
	Poll time.Duration
	// Pin is the path in a BPF file system at which the map is found or put, or "".
	Pin string
	// Inner describes the maps that are the values of a map of maps. Values
	// that backends of such a map get and return are the IDs of maps, see [Map.ID].
	Inner *Spec
}

// A Field is a part of a value that belongs to the kernel: a lock or a timer.
type Field struct {
	Name         string // of the kernel's struct, such as bpf_spin_lock
	Offset, Size int    // bytes
}

// KernelFields returns the kernel's fields of the type t, which may be nil.
func KernelFields(t reflect.Type) []Field {
	if t == nil {
		return nil
	}
	return appendFields(nil, t, 0)
}

// kernelTypes is the types of package ebpf that stand for structs of the kernel.
var kernelTypes = map[string]string{"SpinLock": "bpf_spin_lock", "Timer": "bpf_timer"}

func appendFields(to []Field, t reflect.Type, at int) []Field {
	switch t.Kind() {
	case reflect.Array:
		for i := range t.Len() {
			before := len(to)
			if to = appendFields(to, t.Elem(), at+i*int(t.Elem().Size())); len(to) == before {
				break // so have all others none
			}
		}
	case reflect.Struct:
		if name, ok := kernelTypes[t.Name()]; ok && t.PkgPath() == ebpfPath {
			return append(to, Field{name, at, int(t.Size())})
		}
		for i := range t.NumField() {
			f := t.Field(i)
			to = appendFields(to, f.Type, at+int(f.Offset))
		}
	}
	return to
}

// ebpfPath is the import path of package ebpf, which imports this one.
var ebpfPath = strings.TrimSuffix(reflect.TypeFor[Field]().PkgPath(), "/bind")

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
