package e2e

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file reads what programs put out, slower than they do.

// A numbered is a record. Sum is that of the others, so that a torn one is found.
type numbered struct {
	Number uint64
	Tag    uint8
	Fill   [5]uint64
	Sum    uint64
}

var (
	perfEvents = ebpf.NewPerfEvents[numbered](4096)
	ringEvents = ebpf.NewRingBuf[numbered](4096)
	lastNumber = ebpf.NewVar[uint64](0)
	failures   = ebpf.NewVar[uint64](0) // of Output
)

func nextRecord() numbered {
	n := lastNumber.Load() + 1
	lastNumber.Store(n)
	v := numbered{Number: n, Tag: uint8(n), Fill: [5]uint64{n, 2 * n, 3 * n, 4 * n, 5 * n}}
	v.Sum = v.Number + uint64(v.Tag) + v.Fill[0] + v.Fill[1] + v.Fill[2] + v.Fill[3] + v.Fill[4]
	return v
}

func (v *numbered) torn() bool {
	sum := v.Number + uint64(v.Tag)
	for _, x := range v.Fill {
		sum += x
	}
	return v.Sum != sum || v.Sum == 0
}

func outputPerf(ctx *ebpf.XDP) ebpf.XDPAction {
	if perfEvents.Output(ctx.Context(), nextRecord()) != nil {
		failures.Add(1)
	}
	return ebpf.XDPPass
}

func outputRing(*ebpf.XDP) ebpf.XDPAction {
	if ringEvents.Output(nextRecord()) != nil {
		failures.Add(1)
	}
	return ebpf.XDPPass
}

func reserveRing(*ebpf.XDP) ebpf.XDPAction {
	v := nextRecord()
	ev := ringEvents.Reserve()
	if ev == nil {
		failures.Add(1)
		return ebpf.XDPPass
	}
	*ev = v
	ringEvents.Submit(ev)
	if ringEvents.Unread() < 2048 {
		if other := ringEvents.Reserve(); other != nil {
			other.Number = 1 << 60
			ringEvents.Discard(other)
		}
	}
	return ebpf.XDPPass
}

// feed runs an XDP program n times on a packet.
func feed(t *testing.T, p *jit.Program, n int) {
	t.Helper()
	for range n {
		if _, _, err := p.BPF().Test(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
}

// A received is what a reader gets.
type received struct {
	v   numbered
	err error
}

// A reading is Read of a buffer, or one like it.
type reading func(context.Context) func(func(numbered, error) bool)

// TestSlowReader has more records put out than there is room for while the reader does not read.
// The rest arrives whole and in order, and what is lost is counted.
func TestSlowReader(t *testing.T) {
	inPlace := func(read func(context.Context) func(func(*numbered, error) bool)) reading {
		return func(ctx context.Context) func(func(numbered, error) bool) {
			return func(yield func(numbered, error) bool) {
				for v, err := range read(ctx) {
					if !yield(*v, err) {
						return
					}
				}
			}
		}
	}
	for _, tt := range []struct {
		name    string
		feature *feature
		output  func(*ebpf.XDP) ebpf.XDPAction
		read    reading
	}{
		{"perf events", perfBuffers, outputPerf, func(ctx context.Context) func(func(numbered, error) bool) { return perfEvents.Read(ctx) }},
		{"perf events in place", perfBuffers, outputPerf, inPlace(func(ctx context.Context) func(func(*numbered, error) bool) { return perfEvents.ReadInPlace(ctx) })},
		{"ring", ringBuffers, outputRing, func(ctx context.Context) func(func(numbered, error) bool) { return ringEvents.Read(ctx) }},
		{"ring in place", ringBuffers, outputRing, inPlace(func(ctx context.Context) func(func(*numbered, error) bool) { return ringEvents.ReadInPlace(ctx) })},
		{"ring reserved", ringBuffers, reserveRing, func(ctx context.Context) func(func(numbered, error) bool) { return ringEvents.Read(ctx) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.feature.test(t)
			p := tt.feature.compile(t, tt.output)
			stayOnCPU(t) // whose records are in order
			ctx, cancel := context.WithCancel(t.Context())
			records := make(chan received) // which the reader waits for
			go func() {
				defer close(records)
				for v, err := range tt.read(ctx) {
					select {
					case records <- received{v, err}:
					case <-ctx.Done():
					}
				}
			}()
			defer func() {
				cancel()
				for range records {
				}
			}()
			var first numbered
			for first.Number == 0 { // the first records may come before anybody reads
				feed(t, p, 1)
				select {
				case r := <-records:
					if r.err != nil {
						t.Fatal(r.err)
					}
					first = r.v
				case <-time.After(time.Millisecond):
				}
			}
			failed := failures.Load()
			feed(t, p, 500)
			got, lost := uint64(1), uint64(0)
			for last := first.Number; last < lastNumber.Load(); {
				r := <-records
				var le *ebpf.LostError
				switch {
				case errors.As(r.err, &le):
					lost += le.Count
					continue
				case r.err != nil:
					t.Fatal(r.err)
				case r.v.torn() || r.v.Number <= last:
					t.Fatalf("record %+v after %d", r.v, last)
				}
				last = r.v.Number
				if got++; got == 10 {
					feed(t, p, 1) // for which there is room, so that it tells what is lost
				}
			}
			failed = failures.Load() - failed
			if n := lastNumber.Load() - first.Number + 1; lost == 0 || got+lost != n || lost != failed {
				t.Errorf("%d received and %d lost of %d; %d could not be put out", got, lost, n, failed)
			}
		})
	}
}

var (
	ringBytes = ebpf.NewRingBuf[byte](4096)
	ringQuiet = ebpf.NewRingBuf[uint64](65536, ebpf.RingPoll(time.Millisecond))
	partSize  = ebpf.NewVar[uint32](0)
)

func outputPart(*ebpf.XDP) ebpf.XDPAction {
	var text [16]byte
	for i := range text {
		text[i] = 'a' + byte(i)
	}
	if n := partSize.Load(); n <= uint32(len(text)) {
		ringBytes.OutputBytes(text[:n])
	}
	return ebpf.XDPPass
}

// outputQuietly does not wake the reader up for a few records.
func outputQuietly(*ebpf.XDP) ebpf.XDPAction {
	n := lastNumber.Load() + 1
	lastNumber.Store(n)
	if ringQuiet.OutputFlags(n, ringQuiet.WakeupFrom(1<<15)) != nil {
		failures.Add(1)
	}
	return ebpf.XDPPass
}

// TestRingBytes puts out records of various sizes.
func TestRingBytes(t *testing.T) {
	ringBuffers.test(t)
	p := ringBuffers.compile(t, outputPart)
	for n := range uint32(17) {
		partSize.Store(n)
		feed(t, p, 1)
	}
	n := 0
	for b, err := range ringBytes.ReadBytes(t.Context()) {
		if want := "abcdefghijklmnop"[:n]; err != nil || string(b) != want {
			t.Errorf("record %q, %v, want %q", b, err, want)
		}
		if n++; n == 17 {
			break
		}
	}
	// As records of the type of the map they have the wrong size, all but one.
	for n := range uint32(3) {
		partSize.Store(n)
		feed(t, p, 1)
	}
	var errs []error
	for v, err := range ringBytes.Read(t.Context()) {
		if err == nil && v != 'a' {
			t.Errorf("record %c, want a", v)
		}
		if errs = append(errs, err); len(errs) == 3 {
			break
		}
	}
	if errs[1] != nil {
		t.Error(errs[1])
	}
	wantError(t, errs[0], "record of 0 bytes, want the 1 of uint8")
	wantError(t, errs[2], "record of 2 bytes")
}

// TestRingPoll reads records for which nobody is woken up, and many for which somebody is.
func TestRingPoll(t *testing.T) {
	ringBuffers.test(t)
	p := ringBuffers.compile(t, outputQuietly)
	lastNumber.Store(0)
	failures.Store(0)
	feed(t, p, 3)
	want := uint64(1)
	for v, err := range ringQuiet.Read(t.Context()) {
		if err != nil || v != want {
			t.Fatalf("record %d, %v, want %d", v, err, want)
		}
		if want == 3 {
			feed(t, p, 3000)
		}
		if want++; want > lastNumber.Load() {
			break
		}
	}
	if want != 3004 || failures.Load() != 0 {
		t.Errorf("%d records, and %d lost", want-1, failures.Load())
	}
}
