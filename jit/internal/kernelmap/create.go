package kernelmap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// memlock removes the limit on locked memory, which counts BPF objects before
// Linux 5.11.
var memlock = sync.OnceValue(rlimit.RemoveMemlock)

// Open returns the kernel map that spec describes: the one that is pinned where spec says,
// or a new one. Adopted tells that it is one that existed before, whose entries count.
// The map is called name if spec has no name.
func Open(spec *bind.Spec, name string) (b bind.Backend, adopted bool, err error) {
	if err := memlock(); err != nil {
		return nil, false, err
	}
	if spec.Pin != "" {
		m, err := cebpf.LoadPinnedMap(spec.Pin, nil)
		if err == nil {
			b, err := Adopt(spec, m)
			return b, true, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, false, fmt.Errorf("open map pinned at %s: %w", spec.Pin, err)
		}
	}
	m, err := cebpf.NewMap(Spec(spec, name))
	if err != nil {
		return nil, false, fmt.Errorf("create %s %s: %w", spec.Kind, name, explain(spec.Kind, err))
	}
	if spec.Pin != "" {
		if err := m.Pin(spec.Pin); err != nil {
			return nil, false, errors.Join(fmt.Errorf("pin map at %s: %w", spec.Pin, err), m.Close())
		}
	}
	b, err = newBackend(spec, m)
	return b, false, err
}

// explain returns why a map of a kind could not be made: that the kernel has no such maps, or
// else err.
func explain(kind bind.Kind, err error) error {
	if missing := features.HaveMapType(cebpf.MapType(kind)); errors.Is(err, unix.EINVAL) && errors.Is(missing, cebpf.ErrNotSupported) {
		return missing
	}
	return err
}

// Adopt returns the backend of a map that exists, which belongs to the backend from
// then on. The error is that it is not like spec.
func Adopt(spec *bind.Spec, m *cebpf.Map) (bind.Backend, error) {
	have := bind.Spec{
		Kind: bind.Kind(m.Type()), KeySize: m.KeySize(), ValueSize: m.ValueSize(),
		MaxEntries: m.MaxEntries(), Flags: m.Flags(),
	}
	want := *spec
	if want.Kind == bind.PerfEventArray {
		want.MaxEntries = 0
	}
	want.Flags &^= unix.BPF_F_NUMA_NODE
	have.Flags &^= unix.BPF_F_NUMA_NODE
	if err := want.Compatible(&have); err != nil {
		return nil, errors.Join(fmt.Errorf("use the existing map %s: %w", m, err), m.Close())
	}
	actual := *spec
	actual.MaxEntries = have.MaxEntries
	return newBackend(&actual, m)
}

// Spec returns the description of a map for cilium/ebpf. The map is called name if spec
// has no name.
func Spec(spec *bind.Spec, name string) *cebpf.MapSpec {
	if spec.Name != "" {
		name = spec.Name
	}
	m := &cebpf.MapSpec{
		Name: name, Type: cebpf.MapType(spec.Kind), KeySize: spec.KeySize, ValueSize: spec.ValueSize,
		MaxEntries: spec.MaxEntries, Flags: spec.Flags, MapExtra: spec.Extra, NumaNode: spec.NUMANode,
	}
	switch spec.Kind {
	case bind.RingBuf, bind.UserRingBuf:
		m.KeySize, m.ValueSize = 0, 0
	case bind.PerfEventArray:
		m.MaxEntries = uint32(bind.PossibleCPUs())
	}
	if spec.Inner != nil {
		m.InnerMap = Spec(spec.Inner, name)
	}
	addTypes(m, spec)
	return m
}

// newBackend returns the backend for m, or closes m.
func newBackend(spec *bind.Spec, m *cebpf.Map) (bind.Backend, error) {
	b := &kernelMap{spec: *spec, m: m, fd: m.FD()}
	switch spec.Kind {
	case bind.RingBuf, bind.PerfEventArray:
		return &stream{kernelMap: b}, nil
	case bind.UserRingBuf:
		p, err := newProducer(b)
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		return p, nil
	case bind.ArrayOfMaps, bind.HashOfMaps:
		return &outerMap{kernelMap: b, inner: make(map[uint32]uint32)}, nil
	case bind.Array:
		if spec.Flags&unix.BPF_F_MMAPABLE != 0 {
			mem, err := mapMemory(b)
			if err != nil {
				return nil, errors.Join(err, m.Close())
			}
			return mem, nil
		}
	}
	return b, nil
}

// A Kernel is a backend of this package.
type Kernel interface {
	bind.Backend
	// Map returns the map as cilium/ebpf has it. It is closed with the backend.
	Map() *cebpf.Map
}

var errClosed = os.ErrClosed
