package jit_test

import (
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

type unwindState struct {
	Lock ebpf.SpinLock
	Sum  uint32
}

var (
	unwindStates  = ebpf.NewArray[unwindState](1)
	unwindRecords = ebpf.NewRingBuf[uint64](4096)
	unwindTable   = [4]uint32{1, 2, 3, 4}
	unwindIndex   uint32
)

// addLocked gives back its record and the lock when it panics.
func addLocked(i uint32) uint32 {
	rec := unwindRecords.Reserve()
	if rec == nil {
		return 1000
	}
	defer unwindRecords.Discard(rec)
	s := unwindStates.Lookup(0)
	if s == nil {
		return 2000
	}
	s.Lock.Lock()
	defer s.Lock.Unlock()
	s.Sum += unwindTable[i&7]
	return s.Sum
}

func unwindProgram(ctx *ebpf.XDP) ebpf.XDPAction {
	defer func() { unwindIndex++ }()
	func() {
		defer func() { recover() }()
		addLocked(unwindIndex)
	}()
	addLocked(unwindIndex)
	return ebpf.XDPPass
}

// TestPanicReleases checks that deferred calls give back on a panic what the verifier does
// not let a program keep, and that only panics that nothing stops are counted.
func TestPanicReleases(t *testing.T) {
	p, err := jit.Compile(unwindProgram, jit.OnPanic(1))
	needPrivilege(t, err)
	defer p.Close()
	for i := range 12 {
		ret, err := p.BPF().Run(&cebpf.RunOptions{Data: make([]byte, 64)})
		want := uint32(ebpf.XDPPass)
		if i%8 >= 4 {
			want = 1
		}
		if err != nil || ret != want {
			t.Errorf("run %d: got %d, %v", i, ret, err)
		}
	}
	panics, err := p.Panics()
	if err != nil || len(panics) != 1 || panics[0].Count != 4 || panics[0].Kind != "index" {
		t.Errorf("got %v, %v", panics, err)
	}
}
