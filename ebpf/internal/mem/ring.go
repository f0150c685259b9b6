package mem

import (
	"context"
	"math"
	"sync"
	"syscall"
	"time"
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
	capacity  uint64
	perf      bool
	lost      uint64 // records of perf events, since the last report
	closed    bool
	hasReader bool          // one reads, or drains
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
	r := &ring{
		common:   common{spec},
		capacity: uint64(spec.MaxEntries),
		perf:     spec.Kind == bind.PerfEventArray,
		reserved: make(map[unsafe.Pointer]*record),
		wake:     make(chan struct{}, 1),
	}
	if r.perf {
		r.capacity = uint64(spec.Buffer)
	}
	return r
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
	if r.produced+bytes-r.consumed > r.capacity-1 {
		if r.perf {
			r.lost++
		}
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
	var poll <-chan time.Time
	if r.spec.Poll > 0 {
		t := time.NewTicker(r.spec.Poll)
		defer t.Stop()
		poll = t.C
	}
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
		case <-poll:
		case <-ctx.Done():
		}
	}
}

// next removes and returns the first record, or nil. It is called with the lock held.
func (r *ring) next() *record {
	for len(r.records) > 0 && r.records[0].committed {
		first := r.records[0]
		r.records[0] = nil
		r.records = r.records[1:]
		r.consumed += first.bytes
		if !first.discarded {
			return first
		}
	}
	return nil
}

func (r *record) data() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&r.words[0])), r.size)
}

// Drain removes records and passes them to f until it returns false, and returns
// their number, as bpf_user_ringbuf_drain does. The error is EBUSY if another drains.
func (r *ring) Drain(f func(data []byte) bool) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, errClosed
	case r.hasReader:
		return 0, syscall.EBUSY
	}
	r.hasReader = true
	defer func() { r.hasReader = false }()
	for {
		rec := r.next()
		if rec == nil {
			return n, nil
		}
		n++
		if !r.unlocked(func() bool { return f(rec.data()) }) {
			return n, nil
		}
	}
}

// unlocked calls f without the lock, which is held before and after.
func (r *ring) unlocked(f func() bool) bool {
	r.mu.Unlock()
	defer r.mu.Lock()
	return f()
}

// take removes the first committed record, if there is one.
func (rd *reader) take(rec *bind.Record) (ok bool, err error) {
	r := rd.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	if rd.closed {
		return false, errClosed
	}
	if r.lost > 0 {
		*rec = bind.Record{Lost: r.lost}
		r.lost = 0
		return true, nil
	}
	if first := r.next(); first != nil {
		*rec = bind.Record{
			Data:      first.data(),
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
