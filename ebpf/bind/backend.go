package bind

import (
	"context"
	"unsafe"
)

// A Backend holds the entries of a map.
//
// Keys and values are bytes in the layout of the Go types, with zeros for
// padding, of the lengths that the Spec says ([Spec.ValueBytes] for values).
// The kinds without keys (queue, stack, Bloom filter) take nil for them, as the
// system call does: Update pushes, LookupAndDelete pops, Lookup peeks, or, given a
// value, tells whether a Bloom filter may hold it.
//
// Errors are values of [syscall.Errno], those that the kernel has for the kind,
// or [os.ErrClosed]. Arguments are not kept. Methods may be called concurrently.
type Backend interface {
	// Lookup copies the value of key into value. The error is ENOENT if there is none.
	Lookup(key, value []byte) error
	// Update sets the value of key. Flags are those of BPF_MAP_UPDATE_ELEM:
	// BPF_ANY, BPF_NOEXIST and BPF_EXIST.
	Update(key, value []byte, flags uint64) error
	// UpdateCPU sets one CPU's value of a per-CPU map, and that of others to 0
	// if it makes the entry.
	UpdateCPU(key, value []byte, cpu int, flags uint64) error
	// Delete removes key. The error is ENOENT if there is none.
	Delete(key []byte) error
	// LookupAndDelete copies the value of key into value and removes it, in one step.
	LookupAndDelete(key, value []byte) error
	// Add adds delta, modulo the size of the value, which is 4 or 8 bytes, to the
	// value of key (in a per-CPU map: of cpu), atomically with respect to every
	// other addition, by programs too. An entry that does not exist is
	// made, with the value 0, if the kind allows.
	Add(key []byte, cpu int, delta uint64) error
	// Pointer returns where the value of key (in a per-CPU map: of cpu) lies,
	// if it lies in memory of the process. The error is ENOENT if there is no
	// entry and EOPNOTSUPP if values are not in the process's memory. The memory
	// can be read and written even after Close; it may no longer be the
	// kernel's then.
	Pointer(key []byte, cpu int) (unsafe.Pointer, error)
	// Iterate calls yield for entries until it returns false. An entry
	// that exists during all of the iteration is passed once; one that
	// is made or removed meanwhile is passed at most once. The
	// arguments are valid during the call, in which the map may be used.
	Iterate(yield func(key, value []byte) bool) error
	// Info tells what the map is.
	Info() (Info, error)
	// Pin makes the map stay at a path in a BPF file system, or, if path is "",
	// stay no longer. The error is EOPNOTSUPP in memory.
	Pin(path string) error
	// Close releases what the backend holds. Every later or concurrent call,
	// of a reader too, fails with [os.ErrClosed].
	Close() error
}

// Info is what a backend tells of its map.
type Info struct {
	Spec  Spec   // as the map is, which may be bigger than it was asked for
	ID    uint32 // the kernel's, 0 in memory
	FD    int    // -1 in memory
	Bytes uint64 // memory that the map takes, as far as is known
}

// A Streamer is the backend of a kind that carries records from programs to the host:
// ring buffers and perf events.
type Streamer interface {
	Backend
	// OpenReader begins to read records. There is one reader at a time; for
	// a second the error is EBUSY.
	OpenReader() (Reader, error)
	// Unread returns the number of bytes that records take which have not been
	// read, as far as is known.
	Unread() (uint64, error)
}

// A Reader reads the records of a map, oldest first. It is for one goroutine. When the map is closed
// its records stay where they are until the reader is, too.
type Reader interface {
	// Next waits for a record. rec.Data is valid until the next call. The error
	// is that of ctx if ctx ends first, and [os.ErrClosed] after Close.
	Next(ctx context.Context, rec *Record) error
	Close() error
}

// A Record is what programs put out at once. Either it has data, or
// Lost is not 0.
type Record struct {
	Data []byte
	CPU  int // that it comes from, of perf events
	// Lost is the number of records that did not fit since the last report of the
	// kind, of perf events.
	Lost uint64
	// Remaining is the number of bytes that wait behind this record, as far
	// as is known.
	Remaining int
}

// A Producer is the backend of a kind that records are put into by this process:
// a user ring buffer in the kernel, both kinds of ring buffers in memory.
type Producer interface {
	Backend
	// Reserve returns size bytes of zeroed memory for a record, at an address
	// that is a multiple of 8, or ENOSPC.
	Reserve(size int) (unsafe.Pointer, error)
	// Commit ends a reservation: the record is passed on, or dropped if
	// discard is set. Flags are those of bpf_ringbuf_submit.
	Commit(rec unsafe.Pointer, discard bool, flags uint64) error
}
