package ebpf

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"reflect"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file reads what programs put out.

// A LostError says that programs put out records for which there was no room.
type LostError struct {
	Count uint64 // since the last report
}

func (e *LostError) Error() string { return fmt.Sprintf("%d records lost", e.Count) }

// lostEvery is the number of records after which a reader looks for lost ones at the latest.
const lostEvery = 64

// records calls yield for records until it returns false, ctx ends, or the map
// is closed. It follows the map from memory to the kernel. Count, if it is not nil,
// returns the number of records lost since the map was made.
//
// Host only.
func records(ctx context.Context, m *object, count func() uint64, yield func(data []byte, err error) bool) {
	lost := func() bool {
		if count == nil {
			return true
		}
		n := count()
		reported := m.reported.Swap(n)
		if n < reported {
			reported = 0 // the map has been closed
		}
		return n == reported || yield(nil, &LostError{n - reported})
	}
	read := 0
	for {
		s, ok := m.Backend().(bind.Streamer)
		if !ok {
			panic("BUG: " + m.Spec().Kind.String() + " is no stream")
		}
		err := recordsOf(ctx, s, func(rec *bind.Record) bool {
			read++
			// The counter is not looked at for every record, which takes as long as reading it.
			return ((rec.Remaining > 0 && read%lostEvery != 1) || lost()) &&
				(rec.Lost == 0 && yield(rec.Data, nil) || rec.Lost > 0 && yield(nil, &LostError{rec.Lost}))
		})
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case !errors.Is(err, os.ErrClosed):
			yield(nil, fmt.Errorf("read %s: %w", m.Spec().Kind, err))
			return
		case m.State() == bind.Closed || m.Backend() == bind.Backend(s):
			lost()
			return
		}
	}
}

// recordsOf calls yield for the records of s until it returns false, and returns the error that ended
// reading before.
func recordsOf(ctx context.Context, s bind.Streamer, yield func(*bind.Record) bool) error {
	r, err := s.OpenReader()
	if err != nil {
		return err
	}
	defer r.Close()
	for rec := new(bind.Record); ; {
		if err := r.Next(ctx, rec); err != nil {
			return err
		}
		if !yield(rec) {
			return nil
		}
	}
}

// typed calls yield with the value that a record is. The record may be longer by
// slack bytes.
func typed[T any](data []byte, err error, slack int, yield func(*T, error) bool) bool {
	size := int(sizeOf[T]())
	switch {
	case err != nil:
		return yield(new(T), err)
	case len(data) < size || len(data) > size+slack:
		return yield(new(T), fmt.Errorf("record of %d bytes, want the %d of %v", len(data), size, reflect.TypeFor[T]()))
	case uintptr(unsafe.Pointer(unsafe.SliceData(data)))%unsafe.Alignof(*new(T)) != 0 || size == 0:
		v := new(T)
		*v = getKey[T](data)
		return yield(v, nil)
	}
	return yield((*T)(unsafe.Pointer(unsafe.SliceData(data))), nil)
}

// Read returns an iterator over the records that programs put out, oldest first. It
// waits for more until ctx ends or the map is closed, which ends the iteration.
//
// An error takes the place of a value. It is a [*LostError] where records did not fit
// into the buffer, and says so of a record that is not of T's size, as
// OutputBytes may make them; reading goes on after these. There may be one reader at a
// time: for a second the error is syscall.EBUSY, and the only thing that it gets.
//
// Host only.
func (m *RingBuf[T]) Read(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range m.ReadInPlace(ctx) {
			if !yield(*v, err) {
				return
			}
		}
	}
}

// ReadInPlace is Read without copying: the values are where programs have put them, in memory
// that can only be read, and are valid until the next one is asked for.
//
// Host only.
func (m *RingBuf[T]) ReadInPlace(ctx context.Context) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		records(ctx, m.ref().native(), m.lost.Load, func(data []byte, err error) bool {
			return typed(data, err, 0, yield)
		})
	}
}

// ReadBytes is Read for records of any size, which are where programs have put them, as those of
// ReadInPlace.
//
// Host only.
func (m *RingBuf[T]) ReadBytes(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { records(ctx, m.ref().native(), m.lost.Load, yield) }
}

// Lost returns the number of records for which there was no room, since the map was made.
//
// Host only.
func (m *RingBuf[T]) Lost() uint64 { return m.lost.Load() }

// perfSlack is how much longer than its data the record of a perf event may be: with
// its size, 4 bytes, it is a multiple of 8.
const perfSlack = 7

// Read returns an iterator over the records that programs put out, oldest first on
// each CPU. Like [RingBuf.Read] it waits for more until ctx ends or the map is closed,
// and has errors take the places of values.
//
// Host only.
func (m *PerfEvents[T]) Read(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range m.ReadInPlace(ctx) {
			if !yield(*v, err) {
				return
			}
		}
	}
}

// ReadInPlace is Read without copying: the values are where they were received, and
// are valid until the next one is asked for.
//
// Host only.
func (m *PerfEvents[T]) ReadInPlace(ctx context.Context) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		records(ctx, m.ref().native(), nil, func(data []byte, err error) bool {
			return typed(data, err, perfSlack, yield)
		})
	}
}

// ReadBytes is Read for records of any size. They are valid until the next one is
// asked for.
//
// Host only.
func (m *PerfEvents[T]) ReadBytes(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { records(ctx, m.ref().native(), nil, yield) }
}
