package bind

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

// A Map is the host's side of a map variable.
//
// Its methods may be called concurrently.
type Map struct {
	spec     Spec
	id       uint32
	site     Site
	children map[string]*Map
	memory   func(*Spec) Backend

	current atomic.Pointer[held]

	mu      sync.Mutex // of transitions
	before  *held      // what to return to if no Use is kept
	pending int        // Uses that are neither kept nor undone
	kept    bool
}

// A held is a backend in use.
type held struct {
	Backend
	state State
}

// A State is where a map's entries are.
type State uint8

const (
	InMemory State = iota
	InKernel
	Closed
)

// New makes and registers a map that is described by spec. Its
// entries are in memory, in what the function memory makes. Site tells where
// the constructor is called, see [Caller]. Children are maps that belong to it,
// by the name of the field that refers to them.
func New(spec Spec, site Site, memory func(*Spec) Backend, children map[string]*Map) *Map {
	m := new(Map)
	m.Init(spec, site, memory, children)
	return m
}

// Init is [New] for a Map in other memory.
func (m *Map) Init(spec Spec, site Site, memory func(*Spec) Backend, children map[string]*Map) {
	m.spec, m.memory, m.children = spec, memory, children
	m.current.Store(&held{memory(&m.spec), InMemory})
	register(m, site)
}

// Spec returns the description of the map. It must not be changed.
func (m *Map) Spec() *Spec { return &m.spec }

// ID returns the number of the map in this process. It stands for the map in
// the values of maps of maps.
func (m *Map) ID() uint32 { return m.id }

// Registered reports whether m is a map that was made in this process. m may be anything
// else than nil: it is only compared.
func (m *Map) Registered() bool { return slices.Contains(All(), m) }

// Site returns where the map was made.
func (m *Map) Site() Site { return m.site }

// Child returns the map that belongs to m and is called name, or nil.
func (m *Map) Child(name string) *Map { return m.children[name] }

// Backend returns what holds the entries now.
func (m *Map) Backend() Backend { return m.current.Load().Backend }

// State tells where the entries are now.
func (m *Map) State() State { return m.current.Load().state }

// Configure changes the description of a map that is in memory. Entries are
// kept as far as they fit; the error is that of the first that does not.
func (m *Map) Configure(change func(*Spec)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current.Load().state == InKernel {
		return errors.New("the map is in the kernel, where it cannot be changed; change it before programs are loaded")
	}
	spec := m.spec
	change(&spec)
	b := m.memory(&spec)
	if err := move(b, m.current.Load().Backend, &spec); err != nil {
		return err
	}
	m.spec = spec
	m.current.Store(&held{b, InMemory})
	return nil
}

// A Use is a use of the map by a program that is being loaded. It is to be
// ended by either Keep or Undo.
type Use struct {
	m    *Map
	used *held
	once sync.Once
}

// Bind puts the map into the kernel: unless it is there already, it calls open
// for a backend and copies the entries to it that the map has in
// memory. Entries that others add meanwhile may be missed.
//
// With an adopted map, whose entries count, adopt is set: nothing is copied.
//
// The map stays in the kernel if any of the Uses that exist at the same
// time is kept.
func (m *Map) Bind(open func(*Spec) (b Backend, adopt bool, err error)) (*Use, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cur := m.current.Load(); cur.state != InKernel {
		b, adopt, err := open(&m.spec)
		if err != nil {
			return nil, err
		}
		if cur.state == InMemory && !adopt {
			if err := move(b, cur.Backend, &m.spec); err != nil {
				return nil, errors.Join(fmt.Errorf("copy entries into the kernel: %w", err), b.Close())
			}
		}
		m.before, m.kept, m.pending = cur, false, 0
		m.current.Store(&held{b, InKernel})
	}
	m.pending++
	return &Use{m: m, used: m.current.Load()}, nil
}

// move copies the entries of one backend to another.
func move(to, from Backend, spec *Spec) error {
	if !spec.Kind.Stored() {
		return nil
	}
	if u, ok := from.(interface{ Untouched() bool }); ok && u.Untouched() {
		return nil
	}
	array := spec.Kind == Array || spec.Kind == PerCPUArray
	var failed error
	err := from.Iterate(func(key, value []byte) bool {
		if array && !slices.ContainsFunc(value, func(b byte) bool { return b != 0 }) {
			return true // as it is there already
		}
		failed = to.Update(key, value, 0)
		return failed == nil
	})
	if errors.Is(err, os.ErrClosed) {
		err = nil // of a closed map nothing is left
	}
	return errors.Join(err, failed)
}

// Keep says that the program has been loaded.
func (b *Use) Keep() {
	b.once.Do(func() {
		b.m.mu.Lock()
		defer b.m.mu.Unlock()
		if b.m.current.Load() != b.used {
			return // closed meanwhile
		}
		b.m.pending--
		b.m.kept = true
		if b.m.before != nil {
			_ = b.m.before.Close() // memory; what reads from it goes on in the kernel
			b.m.before = nil
		}
	})
}

// Undo says that the program has not been loaded. If no other program has
// been loaded with the map, and none is about to, the kernel map is released and
// the map is what it was before.
func (b *Use) Undo() error {
	var err error
	b.once.Do(func() {
		m := b.m
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.current.Load() != b.used {
			return
		}
		m.pending--
		if m.pending == 0 && !m.kept {
			m.current.Store(m.before)
			m.before = nil
			err = b.used.Close()
		}
	})
	return err
}

// closedMap holds nothing.
var closedMap = &held{closedBackend{}, Closed}

// Close releases the entries. Closing twice is no error.
func (m *Map) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.current.Swap(closedMap)
	m.before, m.kept = nil, false
	var errs []error
	if old.state != Closed {
		errs = append(errs, old.Close())
	}
	for _, name := range sortedNames(m.children) {
		errs = append(errs, m.children[name].Close())
	}
	return errors.Join(errs...)
}
