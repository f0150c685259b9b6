package e2e

import (
	"context"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// The programs of this file panic while they hold something, if they are told to.

type guarded struct {
	lock ebpf.SpinLock
	N    [4]uint64
}

var (
	panicRing  = ebpf.NewRingBuf[[4]uint64](4096)
	panicLocks = ebpf.NewArray[guarded](1)
	badIndex   = ebpf.NewVar[uint64](0)
)

func reserveAndIndex(*ebpf.XDP) ebpf.XDPAction {
	r := panicRing.Reserve()
	if r == nil {
		return ebpf.XDPDrop
	}
	r[badIndex.Load()] = 7
	panicRing.Submit(r)
	return ebpf.XDPPass
}

func reserveAndDefer(*ebpf.XDP) ebpf.XDPAction {
	r := panicRing.Reserve()
	if r == nil {
		return ebpf.XDPDrop
	}
	defer panicRing.Discard(r)
	if badIndex.Load() > 3 {
		panic("too large")
	}
	return ebpf.XDPPass
}

func lockAndIndex(*ebpf.XDP) ebpf.XDPAction {
	v := panicLocks.Lookup(0)
	i := badIndex.Load()
	v.lock.Lock()
	v.N[i]++
	v.lock.Unlock()
	return ebpf.XDPPass
}

func lockAndDefer(*ebpf.XDP) ebpf.XDPAction {
	v := panicLocks.Lookup(0)
	i := badIndex.Load()
	v.lock.Lock()
	defer v.lock.Unlock()
	v.N[i]++
	return ebpf.XDPPass
}

// TestPanicReleases runs programs that panic with a reserved record, or with a lock, several times.
// A lock that was not given back would be the end of it.
func TestPanicReleases(t *testing.T) {
	for _, tt := range []struct {
		name string
		prog func(*ebpf.XDP) ebpf.XDPAction
	}{
		{"record", reserveAndIndex}, {"record deferred", reserveAndDefer}, {"lock", lockAndIndex}, {"lock deferred", lockAndDefer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ringBuffers.test(t)
			p := ringBuffers.compile(t, tt.prog)
			const times = 40
			badIndex.Store(4)
			feed(t, p, times)
			panics, err := p.Panics()
			if err != nil || len(panics) != 1 || panics[0].Count != times {
				t.Errorf("panics %v, %v, want one %d times", panics, err, times)
			}
			badIndex.Store(2)
			ret, _, err := p.BPF().Test(make([]byte, 64))
			if err != nil || ebpf.XDPAction(ret) != ebpf.XDPPass {
				t.Errorf("afterwards: result %d, %v", ret, err)
			}
		})
	}
	if v, _ := panicLocks.Get(0); v.N[2] != 2 {
		t.Errorf("counted %d behind locks, want 2", v.N[2])
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got := [4]uint64{}
	for v, err := range panicRing.Read(ctx) {
		if err != nil {
			t.Error(err)
		}
		got = v
		break
	}
	if got != [4]uint64{2: 7} {
		t.Errorf("record %v, want the one that was submitted", got)
	}
}
