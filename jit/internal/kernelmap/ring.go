package kernelmap

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file reads ring buffers where they are: records are passed on without being copied.
//
// A ring buffer of n bytes is three things in the memory of the process (kernel/bpf/ringbuf.c,
// and ring_buffer in Documentation/bpf/ringbuf.rst): a page with the consumer's position, which is
// ours to write; a page with the producers'; and its data twice in a row, so that a record
// that is cut by the end is in one piece. Positions only grow; modulo n they are places in the data. A
// record is a header of 8 bytes, whose first 4 are the length and two flags, and its data,
// rounded up to 8 bytes. A record that has been reserved and not been submitted is busy,
// and holds up those behind it.
//
// Programs wake a reader up that has caught up with them, and no other: so the position is
// published before the reader looks for the last time and waits.

const (
	ringBusy    = 1 << 31 // BPF_RINGBUF_BUSY_BIT
	ringDiscard = 1 << 30 // BPF_RINGBUF_DISCARD_BIT
	ringHeader  = 8       // BPF_RINGBUF_HDR_SZ
)

// errFlushed says that a read was interrupted.
var errFlushed = errors.New("flushed")

// A ringSource reads the records of a ring buffer.
type ringSource struct {
	control  []byte // the page with the consumer's position
	data     []byte // the page with the producers', and the data twice
	consumed *atomic.Uint64
	produced *atomic.Uint64
	records  unsafe.Pointer
	mask     uint64
	next     uint64 // the position behind the record that was returned last
	last     uint64 // that of the producers when it was last looked at

	epoll  int
	events [2]unix.EpollEvent

	mu     sync.Mutex
	wake   int // an eventfd, -1 when closed; guarded by mu
	closed atomic.Bool
}

// newRingSource opens the ring buffer of size bytes that fd is.
func newRingSource(fd int, size uint32) (s *ringSource, err error) {
	page := os.Getpagesize()
	s = &ringSource{mask: uint64(size) - 1, epoll: -1, wake: -1}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	if s.control, err = unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("map consumer page: %w", err)
	}
	if s.data, err = unix.Mmap(fd, int64(page), page+2*int(size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("map data pages: %w", err)
	}
	s.consumed = (*atomic.Uint64)(unsafe.Pointer(&s.control[0]))
	s.produced = (*atomic.Uint64)(unsafe.Pointer(&s.data[0]))
	s.records = unsafe.Pointer(&s.data[page])
	s.next = s.consumed.Load()
	s.last = s.next
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("create eventfd: %w", err)
	}
	for _, fd := range []int{fd, s.wake} {
		if err = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return nil, fmt.Errorf("wait for ring buffer: %w", err)
		}
	}
	return s, nil
}

// read implements source. The record is valid until the next call.
func (s *ringSource) read(rec *bind.Record, poll time.Duration) error {
	for {
		if s.next != s.consumed.Load() {
			s.consumed.Store(s.next)
		}
		if s.next == s.last {
			s.last = s.produced.Load()
		}
		for s.next < s.last {
			header := unsafe.Add(s.records, s.next&s.mask)
			length := atomic.LoadUint32((*uint32)(header))
			if length&ringBusy != 0 {
				break
			}
			n := uint64(length &^ ringDiscard)
			s.next += (n + ringHeader + 7) &^ 7
			if length&ringDiscard != 0 {
				s.consumed.Store(s.next)
				continue
			}
			*rec = bind.Record{Data: unsafe.Slice((*byte)(unsafe.Add(header, ringHeader)), n), Remaining: int(s.last - s.next)}
			return nil
		}
		if s.closed.Load() {
			return os.ErrClosed
		}
		if s.next < s.last { // a record is busy, for as long as a program takes
			runtime.Gosched()
			if err := s.wait(poll); err != nil {
				return err
			}
			continue
		}
		if s.next != s.produced.Load() {
			continue
		}
		if err := s.wait(poll); err != nil {
			return err
		}
	}
}

// wait waits for a wake-up, or, with a poll other than 0, for no longer than that. It returns
// errFlushed after flush. If a record is busy it does not wait.
func (s *ringSource) wait(poll time.Duration) error {
	timeout := -1
	switch {
	case s.next < s.last:
		timeout = 0
	case poll > 0:
		timeout = int((poll + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.EpollWait(s.epoll, s.events[:], timeout)
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("wait for ring buffer: %w", err)
	}
	for i := range max(n, 0) {
		if int(s.events[i].Fd) == s.wake {
			var count [8]byte
			_, _ = unix.Read(s.wake, count[:])
			return errFlushed
		}
	}
	return nil
}

// available implements source.
func (s *ringSource) available() int { return int(s.produced.Load() - s.consumed.Load()) }

// flush implements source.
func (s *ringSource) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake < 0 {
		return nil
	}
	_, err := unix.Write(s.wake, []byte{1, 7: 0})
	return err
}

// interrupt implements source.
func (s *ringSource) interrupt() error {
	s.closed.Store(true)
	return s.flush()
}

// close implements source.
func (s *ringSource) close() error {
	s.mu.Lock()
	wake := s.wake
	s.wake = -1
	s.mu.Unlock()
	var errs []error
	for _, fd := range []int{wake, s.epoll} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	s.epoll = -1
	if s.consumed != nil && s.data != nil {
		s.consumed.Store(s.next)
	}
	for _, mem := range [][]byte{s.data, s.control} {
		if mem != nil {
			errs = append(errs, unix.Munmap(mem))
		}
	}
	s.data, s.control = nil, nil
	return errors.Join(errs...)
}
