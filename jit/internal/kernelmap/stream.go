package kernelmap

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf/perf"
	"github.com/cilium/ebpf/ringbuf"
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
		ring, err := ringbuf.NewReader(s.m)
		if err != nil {
			return nil, err
		}
		r.source = &ringSource{ring: ring}
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
		err = r.Close()
	}
	return errors.Join(err, s.kernelMap.Close())
}

// A source is one of cilium/ebpf's readers.
type source interface {
	read(rec *bind.Record) error
	setDeadline(time.Time)
	available() int
	// flush makes a read that waits, or the next one, return an error.
	flush() error
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
		if r.poll > 0 {
			r.source.setDeadline(time.Now().Add(r.poll))
		}
		err := r.source.read(rec)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ringbuf.ErrFlushed) || errors.Is(err, perf.ErrFlushed) {
			continue
		}
		return err
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

type ringSource struct {
	ring *ringbuf.Reader
	rec  ringbuf.Record
}

func (s *ringSource) read(rec *bind.Record) error {
	if err := s.ring.ReadInto(&s.rec); err != nil {
		return err
	}
	*rec = bind.Record{Data: s.rec.RawSample, Remaining: s.rec.Remaining}
	return nil
}

func (s *ringSource) setDeadline(t time.Time) { s.ring.SetDeadline(t) }
func (s *ringSource) available() int          { return s.ring.AvailableBytes() }
func (s *ringSource) flush() error            { return s.ring.Flush() }
func (s *ringSource) close() error            { return s.ring.Close() }

type perfSource struct {
	perf *perf.Reader
	rec  perf.Record
}

func (s *perfSource) read(rec *bind.Record) error {
	if err := s.perf.ReadInto(&s.rec); err != nil {
		return err
	}
	*rec = bind.Record{Data: s.rec.RawSample, CPU: s.rec.CPU, Lost: s.rec.LostSamples, Remaining: s.rec.Remaining}
	return nil
}

func (s *perfSource) setDeadline(t time.Time) { s.perf.SetDeadline(t) }
func (s *perfSource) available() int          { return 0 }
func (s *perfSource) flush() error            { return s.perf.Flush() }
func (s *perfSource) close() error            { return s.perf.Close() }
