package mem

import (
	"context"
	"math"
	"sync"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// A ring is a ring buffer. Its records are objects of their own; what it has of a
// ring is the accounting: positions in bytes, each record rounded up to 8
// with a header of 8 (kernel/bpf/ringbuf.c), so that it is full exactly when the
// kernel's is. As there, records come out in the order of their reservation, and
// one that is not committed holds up all behind it.
type ring struct {
	common
	mu        sync.Mutex
	records   []*record // between consumer and producer
	reserved  map[unsafe.Pointer]*record
	produced  uint64 // position, bytes
	consumed  uint64
	lost      uint64
	closed    bool
	hasReader bool
	wake      chan struct{} // 1 buffered: a record may be ready
}

type record struct {
	words     []uint64
	size      int
	bytes     uint64 // of the ring
	committed bool
	discarded bool
}

const (
	headerBytes = 8
	// maxRecord is RINGBUF_MAX_RECORD_SZ.
	maxRecord = math.MaxUint32 / 4

	flagNoWakeup    = 1 // BPF_RB_NO_WAKEUP
	flagForceWakeup = 2 // BPF_RB_FORCE_WAKEUP
)

func newRing(spec *bind.Spec) *ring {
	return &ring{
		common:   common{spec},
		reserved: make(map[unsafe.Pointer]*record),
		wake:     make(chan struct{}, 1),
	}
}

func (r *ring) Reserve(size int) (unsafe.Pointer, error) {
	if size < 0 || size > maxRecord {
		return nil, syscall.E2BIG
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	bytes := uint64(size+headerBytes+7) &^ 7
	if r.produced+bytes-r.consumed > uint64(r.spec.MaxEntries)-1 {
		return nil, syscall.ENOSPC
	}
	rec := &record{words: newWords(max(size, 1)), size: size, bytes: bytes}
	r.produced += bytes
	r.records = append(r.records, rec)
	p := unsafe.Pointer(&rec.words[0])
	r.reserved[p] = rec
	return p, nil
}

func (r *ring) Commit(p unsafe.Pointer, discard bool, flags uint64) error {
	if flags&^(flagNoWakeup|flagForceWakeup) != 0 {
		return syscall.EINVAL
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.reserved[p]
	if rec == nil {
		return syscall.EINVAL
	}
	delete(r.reserved, p)
	rec.committed, rec.discarded = true, discard
	if flags&flagNoWakeup == 0 {
		r.signal()
	}
	return nil
}

// signal wakes the reader, if it waits.
func (r *ring) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Unread counts what is reserved too, as BPF_RB_AVAIL_DATA does.
func (r *ring) Unread() (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.produced - r.consumed, nil
}

// Close makes readers return once they have what is committed.
func (r *ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.signal() // there is one reader at most
	return nil
}

func (r *ring) OpenReader() (bind.Reader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil, errClosed
	case r.hasReader:
		return nil, syscall.EBUSY
	}
	r.hasReader = true
	return &reader{ring: r}, nil
}

type reader struct {
	ring   *ring
	closed bool // guarded by ring.mu
}

func (rd *reader) Next(ctx context.Context, rec *bind.Record) error {
	r := rd.ring
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := rd.take(rec)
		if got || err != nil {
			return err
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
		}
	}
}

// take removes the first committed record, if there is one.
func (rd *reader) take(rec *bind.Record) (ok bool, err error) {
	r := rd.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	if rd.closed {
		return false, errClosed
	}
	for len(r.records) > 0 && r.records[0].committed {
		first := r.records[0]
		r.records[0] = nil
		r.records = r.records[1:]
		r.consumed += first.bytes
		if first.discarded {
			continue
		}
		*rec = bind.Record{
			Data:      unsafe.Slice((*byte)(unsafe.Pointer(&first.words[0])), first.size),
			Remaining: int(r.produced - r.consumed),
		}
		return true, nil
	}
	if r.closed {
		return false, errClosed
	}
	return false, nil
}

func (rd *reader) Close() error {
	r := rd.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	if !rd.closed {
		rd.closed = true
		r.hasReader = false
		r.signal()
	}
	return nil
}
