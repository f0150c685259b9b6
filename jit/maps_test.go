package jit_test

import (
	"maps"
	"os"
	"testing"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

var counts = ebpf.NewHash[uint32, uint64](1024)

//ebpf:section raw_tracepoint/sys_enter
func countGetppid(ctx *ebpf.RawTracepoint) int {
	if ctx.Arg(1) == getppidNumber {
		counts.Add(uint32(ebpf.GetCurrentPidTgid()>>32), 1)
	}
	return 0
}

const getppidNumber = unix.SYS_GETPPID

func TestMap(t *testing.T) {
	defer counts.Close()
	p, err := jit.Compile(countGetppid)
	needPrivilege(t, err)
	defer p.Close()
	if err := counts.Set(7, 70); err != nil {
		t.Fatal(err)
	}
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sys_enter", Program: p.BPF()})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		unix.Getppid()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	self := uint32(os.Getpid())
	if n, ok := counts.Get(self); !ok || n != 5 {
		t.Errorf("Get = %d, %t, want 5 calls", n, ok)
	}
	got := maps.Collect(counts.All())
	if got[7] != 70 || got[self] != 5 {
		t.Errorf("All = %v, want 7: 70 and %d: 5", got, self)
	}
	if err := counts.Add(self, 37); err != nil {
		t.Error(err)
	}
	if n, _ := counts.Get(self); n != 42 {
		t.Errorf("%d after Add, want 42", n)
	}
}
