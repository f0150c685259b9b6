package ebpf_test

import (
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// BenchmarkNative is what operations cost on the host that do not enter the kernel.
func BenchmarkNative(b *testing.B) {
	h := ebpf.NewHash[uint32, uint64](16)
	h.Set(1, 1)
	p := ebpf.NewPerCPUArray[uint64](1)
	v := ebpf.NewVar[uint64](0)
	r := ebpf.NewRingBuf[event](1 << 16)
	for name, f := range map[string]func(){
		"Hash.Get":        func() { h.Get(1) },
		"Hash.Set":        func() { h.Set(1, 2) },
		"Hash.Add":        func() { h.Add(1, 2) },
		"Hash.Lookup":     func() { h.Lookup(1) },
		"PerCPUArray.Add": func() { p.Add(0, 1) },
		"Var.Load":        func() { v.Load() },
		"Var.Add":         func() { v.Add(1) },
		"RingBuf.Submit": func() {
			if rec := r.Reserve(); rec != nil {
				r.Submit(rec)
			} else {
				r.Resize(1 << 16) // empty again
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
