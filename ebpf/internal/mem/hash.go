package mem

import (
	"sync"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// A hash is a hash map, of any value per CPU or not, with LRU eviction or not. The
// local storage maps are hash maps too, with what they belong to as the key.
//
// As in the kernel an update of an existing entry makes a new one: pointers to
// the old value go on pointing to the old value. Only per-CPU values are changed in
// place (kernel/bpf/hashtab.c, htab_map_update_elem and
// __htab_percpu_map_update_elem).
type hash struct {
	common
	lru     bool
	percpu  bool
	max     int // entries, or 0 for no limit
	stride  int // words from one CPU's value to the next
	mu      sync.Mutex
	entries map[string]*entry
	// The entries in a ring: root.next is the oldest, or of an LRU map the one
	// whose last use is longest ago.
	root entry
}

type entry struct {
	prev, next *entry
	key        string
	words      []uint64
}

func newHash(spec *bind.Spec, lru bool) *hash {
	h := &hash{
		common:  common{spec},
		lru:     lru,
		percpu:  spec.Kind.PerCPU(),
		max:     int(spec.MaxEntries),
		stride:  spec.ValueStride() / 8,
		entries: make(map[string]*entry),
	}
	h.root.prev, h.root.next = &h.root, &h.root
	return h
}

func (h *hash) unlink(e *entry) { e.prev.next, e.next.prev = e.next, e.prev }

// push makes e the newest entry.
func (h *hash) push(e *entry) {
	e.prev, e.next = h.root.prev, &h.root
	e.prev.next, e.next.prev = e, e
}

// find returns the entry of key, or nil. It counts as a use.
func (h *hash) find(key []byte) *entry {
	e := h.entries[string(key)]
	if e != nil && h.lru {
		h.unlink(e)
		h.push(e)
	}
	return e
}

// insert makes an entry, or replaces the one that there is.
func (h *hash) insert(key []byte, words []uint64) error {
	e := &entry{key: string(key), words: words}
	if old := h.entries[e.key]; old != nil {
		e.prev, e.next = old.prev, old.next
		e.prev.next, e.next.prev = e, e
		h.entries[e.key] = e
		return nil
	}
	if h.max > 0 && len(h.entries) >= h.max {
		if !h.lru {
			return syscall.E2BIG
		}
		h.remove(h.root.next)
	}
	h.entries[e.key] = e
	h.push(e)
	return nil
}

func (h *hash) remove(e *entry) {
	h.unlink(e)
	delete(h.entries, e.key)
}

func (h *hash) Lookup(key, value []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.find(key)
	if e == nil {
		return syscall.ENOENT
	}
	load(value, e.words)
	return nil
}

func (h *hash) Update(key, value []byte, flags uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.find(key)
	if err := checkExist(flags, e != nil); err != nil {
		return err
	}
	if e != nil && (h.percpu || flags&flagLock != 0) {
		store(e.words, value)
		return nil
	}
	words := newWords(len(value))
	store(words, value)
	return h.insert(key, words)
}

func (h *hash) UpdateCPU(key, value []byte, cpu int, flags uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.find(key)
	if err := checkExist(flags, e != nil); err != nil {
		return err
	}
	if e != nil {
		store(e.words[cpu*h.stride:], value)
		return nil
	}
	words := newWords(h.spec.ValueBytes())
	store(words[cpu*h.stride:], value)
	return h.insert(key, words)
}

func (h *hash) Delete(key []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.entries[string(key)]
	if e == nil {
		return syscall.ENOENT
	}
	h.remove(e)
	return nil
}

func (h *hash) LookupAndDelete(key, value []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.entries[string(key)]
	if e == nil {
		return syscall.ENOENT
	}
	load(value, e.words)
	h.remove(e)
	return nil
}

// Add holds the lock not for the sake of the addition but so that no update
// replaces the entry meanwhile.
func (h *hash) Add(key []byte, cpu int, delta uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.find(key)
	if e == nil {
		if err := h.insert(key, newWords(h.spec.ValueBytes())); err != nil {
			return err
		}
		e = h.entries[string(key)]
	}
	add(e.words[h.offset(cpu):], h.spec.ValueSize, delta)
	return nil
}

func (h *hash) offset(cpu int) int {
	if h.percpu {
		return cpu * h.stride
	}
	return 0
}

func (h *hash) Pointer(key []byte, cpu int) (unsafe.Pointer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.find(key)
	if e == nil {
		return nil, syscall.ENOENT
	}
	return unsafe.Pointer(&e.words[h.offset(cpu)]), nil
}

// Owner returns the entry in whose value p is.
func (h *hash) Owner(p unsafe.Pointer) (key []byte, value unsafe.Pointer, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for e := h.root.next; e != &h.root; e = e.next {
		first := unsafe.Pointer(&e.words[0])
		if uintptr(p)-uintptr(first) < uintptr(8*len(e.words)) {
			return []byte(e.key), first, true
		}
	}
	return nil, nil, false
}

// Iterate passes the entries that exist when it begins and still do when it
// comes to them. It does not count as a use of them.
func (h *hash) Iterate(yield func(key, value []byte) bool) error {
	h.mu.Lock()
	keys := make([]string, 0, len(h.entries))
	for e := h.root.next; e != &h.root; e = e.next {
		keys = append(keys, e.key)
	}
	h.mu.Unlock()
	value := make([]byte, h.spec.ValueBytes())
	for _, key := range keys {
		h.mu.Lock()
		e := h.entries[key]
		if e != nil {
			load(value, e.words)
		}
		h.mu.Unlock()
		if e != nil && !yield([]byte(key), value) {
			break
		}
	}
	return nil
}
