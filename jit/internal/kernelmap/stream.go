package kernelmap

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf/perf"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// A stream is the backend of a map that carries records to the host.
type stream struct {
	*kernelMap
	reading sync.Mutex
	reader  *reader // the open one, or nil; guarded by reading
}

// OpenReader implements bind.Streamer.
func (s *stream) OpenReader() (bind.Reader, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.fd < 0:
		return nil, errClosed
	case s.reader != nil:
		return nil, unix.EBUSY
	}
	r := &reader{s: s, poll: s.spec.Poll}
	if s.spec.Kind == bind.RingBuf {
		ring, err := newRingSource(s.fd, s.m.MaxEntries())
		if err != nil {
			return nil, err
		}
		r.source = ring
	} else {
		p, err := perf.NewReader(s.m, s.spec.Buffer)
		if err != nil {
			return nil, err
		}
		r.source = &perfSource{perf: p}
	}
	s.reader = r
	return r, nil
}

// Unread implements bind.Streamer.
func (s *stream) Unread() (uint64, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.reader == nil {
		return 0, unix.EOPNOTSUPP
	}
	return uint64(s.reader.source.available()), nil
}

// Close implements bind.Backend.
func (s *stream) Close() error {
	s.reading.Lock()
	r := s.reader
	s.reading.Unlock()
	var err error
	if r != nil {
		err = r.source.interrupt()
	}
	return errors.Join(err, s.kernelMap.Close())
}

// A source is what records are read from, by one goroutine; flush and interrupt may be called by
// others.
type source interface {
	// read waits for a record, with a poll other than 0 as if it were woken up that often.
	read(rec *bind.Record, poll time.Duration) error
	available() int
	// flush makes a read that waits, or the next one, return errFlushed.
	flush() error
	// interrupt makes every read fail with os.ErrClosed that has no record left.
	interrupt() error
	// close releases what the source holds, once no read is under way.
	close() error
}

// A reader implements bind.Reader.
type reader struct {
	s      *stream
	source source
	poll   time.Duration

	ctx context.Context // of the last call of Next

	mu   sync.Mutex
	stop func() bool // of what ends a read when ctx does, or nil
}

// Next implements bind.Reader.
func (r *reader) Next(ctx context.Context, rec *bind.Record) error {
	if ctx != r.ctx {
		r.follow(ctx)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.source.read(rec, r.poll); err != errFlushed {
			return err
		}
	}
}

// follow makes the end of ctx end a read, and that of the context before do so no longer.
func (r *reader) follow(ctx context.Context) {
	r.release()
	r.ctx = ctx
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = context.AfterFunc(ctx, func() { _ = r.source.flush() })
}

func (r *reader) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

// Close implements bind.Reader.
func (r *reader) Close() error {
	r.s.reading.Lock()
	if r.s.reader == r {
		r.s.reader = nil
	}
	r.s.reading.Unlock()
	r.release()
	return r.source.close()
}

// A perfSource reads perf events with cilium/ebpf.
type perfSource struct {
	perf *perf.Reader
	rec  perf.Record
}

func (s *perfSource) read(rec *bind.Record, poll time.Duration) error {
	if poll > 0 {
		s.perf.SetDeadline(time.Now().Add(poll))
	}
	err := s.perf.ReadInto(&s.rec)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, perf.ErrFlushed):
		return errFlushed
	case err != nil:
		return err
	}
	*rec = bind.Record{Data: s.rec.RawSample, CPU: s.rec.CPU, Lost: s.rec.LostSamples, Remaining: s.rec.Remaining}
	return nil
}

func (s *perfSource) available() int   { return 0 }
func (s *perfSource) flush() error     { return s.perf.Flush() }
func (s *perfSource) interrupt() error { return s.perf.Close() }
func (s *perfSource) close() error     { return s.perf.Close() }
