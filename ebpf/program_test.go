package ebpf_test

import (
	"testing"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/sim"
	"github.com/undergo-ebpf/undergo/ebpf/testdata/program"
)

// The program that uses every kind of map, natively. The results are worked out by hand.
func TestProgramNatively(t *testing.T) {
	onCPU(t, 0)
	var ctx ebpf.Context
	// 3 for the entry, 1*3 + 2 + 3 for iterations, 5, 11, 2*100, and 5 from limit.
	if got, want := program.Hashes(ctx), 3+1*3+2+3+5+11+200+5; got != want {
		t.Errorf("Hashes = %d, want %d", got, want)
	}
	if got, want := program.Streams(ctx), 5+7; got != want {
		t.Errorf("Streams = %d, want %d", got, want)
	}
	if got, want := program.Lookups(ctx), 1+10+100; got != want {
		t.Errorf("Lookups = %d, want %d", got, want)
	}
	if got := program.Packet(new(ebpf.XDP)); got != ebpf.XDPDrop {
		t.Errorf("Packet = %d, want %d", got, ebpf.XDPDrop)
	}
	defer sim.Replace(ebpf.SkSelectReuseport, func(ebpf.Context, ebpf.MapRef, unsafe.Pointer, uint64) int64 { return -2 })()
	defer sim.Replace(ebpf.SockMapUpdate, func(ebpf.Context, ebpf.MapRef, unsafe.Pointer, uint64) int64 { return 0 })()
	defer sim.Replace(ebpf.SockHashUpdate, func(ebpf.Context, ebpf.MapRef, unsafe.Pointer, uint64) int64 { return 0 })()
	defer sim.Replace(ebpf.SkRedirectMap, func(_ ebpf.Context, _ ebpf.MapRef, i uint32, flags uint64) int64 { return int64(flags) + 10 })()
	defer sim.Replace(ebpf.SkRedirectHash, func(ebpf.Context, ebpf.MapRef, unsafe.Pointer, uint64) int64 { return 5 })()
	if got, want := program.Sockets(ctx), 16; got != want {
		t.Errorf("Sockets = %d, want %d", got, want)
	}
}
