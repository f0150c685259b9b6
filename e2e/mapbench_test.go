package e2e

import (
	"slices"
	"testing"
	"unsafe"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file compares the host's side of maps with cilium/ebpf's, on the same maps.

var (
	manyEntries = ebpf.NewHash[uint64, uint64](1 << 20)
	fastRing    = ebpf.NewRingBuf[numbered](1 << 24)
)

// kernelMap returns the map that the host's variable is.
func kernelMap(b *testing.B, m interface{ Info() (ebpf.MapInfo, error) }) *cebpf.Map {
	b.Helper()
	info, err := m.Info()
	if err != nil {
		b.Fatal(err)
	}
	k, err := cebpf.NewMapFromID(cebpf.MapID(info.ID))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { k.Close() })
	return k
}

// BenchmarkIterate reads a million entries: in batches, as All does, and one by one.
func BenchmarkIterate(b *testing.B) {
	const n = 1_000_000
	for i := range uint64(n) {
		if err := manyEntries.Set(i, 3*i); err != nil {
			b.Fatal(err)
		}
	}
	if err := jit.LoadMaps(manyEntries); err != nil {
		b.Skip(err)
	}
	defer manyEntries.Close()
	k := kernelMap(b, manyEntries)
	const want = 3 * n * (n - 1) / 2
	b.Run("All", func(b *testing.B) {
		for b.Loop() {
			sum := uint64(0)
			for _, v := range manyEntries.All() {
				sum += v
			}
			if sum != want {
				b.Fatal(sum)
			}
		}
	})
	b.Run("one by one", func(b *testing.B) {
		for b.Loop() {
			sum, key, v := uint64(0), uint64(0), uint64(0)
			for it := k.Iterate(); it.Next(&key, &v); {
				sum += v
			}
			if sum != want {
				b.Fatal(sum)
			}
		}
	})
}

// ringProducer puts 200 records with their numbers into a ring buffer, and wakes nobody up.
func ringProducer(b *testing.B, ring *cebpf.Map) *cebpf.Program {
	insns := asm.Instructions{
		asm.Mov.Imm(asm.R6, 0),
		asm.LoadMapPtr(asm.R1, ring.FD()).WithSymbol("loop"),
		asm.Mov.Imm(asm.R2, int32(unsafe.Sizeof(numbered{}))),
		asm.Mov.Imm(asm.R3, 0),
		asm.FnRingbufReserve.Call(),
		asm.JEq.Imm(asm.R0, 0, "full"),
		asm.StoreMem(asm.R0, 0, asm.R6, asm.DWord),
		asm.Mov.Reg(asm.R1, asm.R0),
		asm.Mov.Imm(asm.R2, ebpf.RingbufNoWakeup),
		asm.FnRingbufSubmit.Call(),
		asm.Add.Imm(asm.R6, 1).WithSymbol("full"),
		asm.JLT.Imm(asm.R6, 200, "loop"),
		asm.Mov.Imm(asm.R0, int32(ebpf.XDPPass)),
		asm.Return(),
	}
	p, err := cebpf.NewProgram(&cebpf.ProgramSpec{Type: cebpf.XDP, Instructions: insns, License: "MIT"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	return p
}

// cpuTime returns the time that this process has had on CPUs, in nanoseconds: other work of the machine
// does not count.
func cpuTime(b *testing.B) float64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		b.Fatal(err)
	}
	return float64(ts.Nano())
}

// median returns the median of list, which it sorts.
func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// BenchmarkRing reads records that wait in a ring buffer: in turns with Read, ReadInPlace and cilium's
// reader. It reports medians of the times for a record, and of what the first two take in proportion to the
// third in the same turn.
func BenchmarkRing(b *testing.B) {
	if err := jit.LoadMaps(fastRing); err != nil {
		b.Skip(err)
	}
	defer fastRing.Close()
	k := kernelMap(b, fastRing)
	p := ringProducer(b, k)
	const records = 100_000
	inPlace := func() (sum uint64) {
		n := 0
		for v, err := range fastRing.ReadInPlace(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			sum += v.Number
			if n++; n == records {
				break
			}
		}
		return sum
	}
	copies := func() (sum uint64) {
		n := 0
		for v, err := range fastRing.Read(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			sum += v.Number
			if n++; n == records {
				break
			}
		}
		return sum
	}
	cilium := func() (sum uint64) {
		r, err := ringbuf.NewReader(k)
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		var rec ringbuf.Record
		for range records {
			if err := r.ReadInto(&rec); err != nil {
				b.Fatal(err)
			}
			sum += (*numbered)(unsafe.Pointer(unsafe.SliceData(rec.RawSample))).Number
		}
		return sum
	}
	readers := []struct {
		name string
		read func() uint64
	}{{"Read", copies}, {"ReadInPlace", inPlace}, {"cilium", cilium}}
	times, ratios := make([][]float64, len(readers)), make([][]float64, len(readers))
	for b.Loop() {
		var turn [3]float64
		for i, r := range readers {
			for range records / 200 {
				if _, _, err := p.Test(make([]byte, 64)); err != nil {
					b.Fatal(err)
				}
			}
			start := cpuTime(b)
			if sum := r.read(); sum != records*199/2 {
				b.Fatal(sum)
			}
			turn[i] = cpuTime(b) - start
			times[i] = append(times[i], turn[i]/records)
		}
		for i := range readers {
			ratios[i] = append(ratios[i], turn[i]/turn[len(readers)-1])
		}
	}
	for i, r := range readers {
		b.ReportMetric(median(times[i]), r.name+"-ns/record")
		if r.name != "cilium" {
			b.ReportMetric(median(ratios[i]), r.name+"/cilium")
		}
	}
}
