package ebpf_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf"
)

func bytesOf[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}

type event struct {
	N   uint32
	Tag uint8
}

func TestRingBuf(t *testing.T) {
	m := ebpf.NewRingBuf[event](4096)
	if err := m.Output(event{1, 1}); err != nil {
		t.Fatal(err)
	}
	a, b, c := m.Reserve(), m.Reserve(), m.Reserve()
	if *a != (event{}) {
		t.Errorf("reserved memory is not zero: %v", *a)
	}
	*a, *b, *c = event{N: 2}, event{N: 3}, event{N: 4}
	m.Submit(c)
	m.Discard(b)
	m.SubmitFlags(a, ebpf.RingbufForceWakeup)
	m.OutputBytes([]byte("abc"))
	m.OutputFlags(event{N: 5}, ebpf.RingbufNoWakeup)
	if n := m.Unread(); n != 6*16 {
		t.Errorf("Unread = %d, want 6 records of 16", n)
	}
	var got []uint32
	for ev, err := range m.Read(t.Context()) {
		if err != nil {
			if want := "record of 3 bytes, want the 8 of ebpf_test.event"; err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			continue
		}
		got = append(got, ev.N)
		if ev.N == 5 {
			break
		}
	}
	if want := []uint32{1, 2, 4, 5}; !equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	if n := m.Unread(); n != 0 {
		t.Errorf("Unread = %d at the end", n)
	}
}

func equal(a, b []uint32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestRingBufFull(t *testing.T) {
	m := ebpf.NewRingBuf[[120]byte](4096) // records of 128: 31 fit, since a full ring is not told from an empty one
	n := 0
	for m.Output([120]byte{}) == nil {
		n++
	}
	if n != 31 {
		t.Errorf("%d records fit, want 31", n)
	}
	if err := m.Output([120]byte{}); err != syscall.EAGAIN {
		t.Errorf("Output to a full ring: %v", err)
	}
	if m.Reserve() != nil {
		t.Error("Reserve in a full ring is not nil")
	}
	if m.Lost() != 3 {
		t.Errorf("%d lost, want 3", m.Lost())
	}
	n = 0
	var lost *ebpf.LostError
	for _, err := range m.ReadInPlace(t.Context()) {
		if err != nil {
			if n != 0 || !errors.As(err, &lost) || lost.Count != 3 {
				t.Errorf("after %d records: %v, want 3 lost at the beginning", n, err)
			}
			continue
		}
		if n++; n == 31 {
			break
		}
	}
	if lost == nil {
		t.Error("the loss has not been reported")
	}
	if err := m.Output([120]byte{}); err != nil {
		t.Errorf("Output to an empty ring: %v", err)
	}
}

func TestRingBufHeldUp(t *testing.T) {
	m := ebpf.NewRingBuf[event](4096)
	a := m.Reserve()
	m.Output(event{N: 2})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for ev := range m.Read(ctx) {
		t.Errorf("read %v before an earlier record is committed", ev)
	}
	a.N = 1
	m.Submit(a)
	n := uint32(0)
	for ev, err := range m.Read(t.Context()) {
		if n++; ev.N != n || err != nil {
			t.Errorf("read %v, %v, want %d", ev, err, n)
		}
		if n == 2 {
			break
		}
	}
}

func TestRingBufReaders(t *testing.T) {
	m := ebpf.NewRingBuf[event](4096)
	m.Output(event{})
	for range m.Read(t.Context()) {
		n := 0
		for _, err := range m.Read(t.Context()) {
			if n++; !errors.Is(err, syscall.EBUSY) || n > 1 {
				t.Errorf("second reader: %v", err)
			}
		}
		break
	}
	m.Output(event{N: 7})
	for ev := range m.Read(t.Context()) {
		if ev.N != 7 {
			t.Errorf("reader after another: %v", ev)
		}
		m.Close() // ends the loop
	}
	if err := m.Output(event{}); err == nil {
		t.Error("Output to a closed ring succeeds")
	}
}

func TestRingBufBadCommit(t *testing.T) {
	m := ebpf.NewRingBuf[event](4096)
	rec := m.Reserve()
	m.Submit(rec)
	defer func() {
		if recover() == nil {
			t.Error("a record can be submitted twice")
		}
	}()
	m.Submit(rec)
}

func TestRingBufConcurrent(t *testing.T) {
	const goroutines, rounds = 64, 100
	m := ebpf.NewRingBuf[event](4096)
	var put, lost atomic.Uint64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range rounds {
				if i%2 == 0 {
					if m.Output(event{N: 1}) != nil {
						lost.Add(1)
					} else {
						put.Add(1)
					}
					continue
				}
				rec := m.Reserve()
				switch {
				case rec == nil:
					lost.Add(1)
				case i%3 == 0:
					m.Discard(rec)
				default:
					rec.N = 1
					m.Submit(rec)
					put.Add(1)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		wg.Wait()
		for m.Unread() > 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	var got uint64
	for ev, err := range m.Read(ctx) {
		if err == nil {
			got += uint64(ev.N)
		}
	}
	if got != put.Load() || m.Lost() != lost.Load() {
		t.Errorf("read %d of %d, %d lost of %d", got, put.Load(), m.Lost(), lost.Load())
	}
}

// A reader that waits is not woken up for a record with RingbufNoWakeup, but finds it by
// itself.
func TestRingPoll(t *testing.T) {
	m := ebpf.NewRingBuf[event](4096, ebpf.RingPoll(time.Millisecond))
	go func() {
		for i := range uint32(3) {
			m.OutputFlags(event{N: i}, m.WakeupFrom(1<<20))
		}
	}()
	n := uint32(0)
	for ev, err := range m.Read(t.Context()) {
		if ev.N != n || err != nil {
			t.Errorf("%v, %v, want %d", ev, err, n)
		}
		if n++; n == 3 {
			break
		}
	}
	m.Output(event{})
	if a, b := m.WakeupFrom(16), m.WakeupFrom(17); a != ebpf.RingbufForceWakeup || b != ebpf.RingbufNoWakeup {
		t.Errorf("with 16 bytes unread: from 16 on %d, from 17 on %d", a, b)
	}
}
