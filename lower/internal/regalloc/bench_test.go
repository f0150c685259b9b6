package regalloc

import (
	"fmt"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// BenchmarkAllocate measures allocation of random functions of increasing size;
// the time per instruction should not grow.
func BenchmarkAllocate(b *testing.B) {
	for _, size := range []int{100, 1000, 10_000, 50_000} {
		for _, regs := range [][]mir.Reg{nil, {mir.R0, mir.R1, mir.R6}} {
			f := generate(7, size, 12)
			n := 0
			for _, blk := range f.Blocks {
				n += len(blk.Insts)
			}
			b.Run(fmt.Sprintf("insts=%d/regs=%d", size, len(registersOf(regs))), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					g := f.Clone()
					b.StartTimer()
					Allocate(g, Config{Regs: regs})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/inst")
			})
		}
	}
}

func registersOf(regs []mir.Reg) []mir.Reg {
	if regs == nil {
		return make([]mir.Reg, 10)
	}
	return regs
}

// BenchmarkCheck measures the checker.
func BenchmarkCheck(b *testing.B) {
	f := generate(7, 10_000, 12)
	g := f.Clone()
	Allocate(g, Config{})
	for b.Loop() {
		if err := Check(f, g); err != nil {
			b.Fatal(err)
		}
	}
}
