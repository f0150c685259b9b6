package e2e

import (
	"testing"
	"unsafe"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/ringbuf"

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

// BenchmarkRing reads records that wait in a ring buffer.
func BenchmarkRing(b *testing.B) {
	if err := jit.LoadMaps(fastRing); err != nil {
		b.Skip(err)
	}
	defer fastRing.Close()
	k := kernelMap(b, fastRing)
	p := ringProducer(b, k)
	const records = 100_000
	fill := func(b *testing.B) {
		for range records / 200 {
			if _, _, err := p.Test(make([]byte, 64)); err != nil {
				b.Fatal(err)
			}
		}
	}
	check := func(b *testing.B, sum uint64) {
		if sum != records*199/2 {
			b.Fatal(sum)
		}
	}
	typed := func(b *testing.B, read func(func(uint64))) {
		for b.Loop() {
			b.StopTimer()
			fill(b)
			b.StartTimer()
			sum := uint64(0)
			read(func(n uint64) { sum += n })
			check(b, sum)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
	}
	b.Run("Read", func(b *testing.B) {
		typed(b, func(f func(uint64)) {
			n := 0
			for v, err := range fastRing.Read(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
				f(v.Number)
				if n++; n == records {
					break
				}
			}
		})
	})
	b.Run("ReadInPlace", func(b *testing.B) {
		typed(b, func(f func(uint64)) {
			n := 0
			for v, err := range fastRing.ReadInPlace(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
				f(v.Number)
				if n++; n == records {
					break
				}
			}
		})
	})
	b.Run("cilium", func(b *testing.B) {
		typed(b, func(f func(uint64)) {
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
				f((*numbered)(unsafe.Pointer(unsafe.SliceData(rec.RawSample))).Number)
			}
		})
	})
}
