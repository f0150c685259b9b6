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

// Maps are in variables beside one for whose value the package's initialiser is run when compiling.
func TestMapBesideInitialiser(t *testing.T) {
	const src = `package p
import "github.com/undergo-ebpf/undergo/ebpf"
type node struct { n uint32; next *node }
func newNode(n uint32, next *node) *node { return &node{n, next} }
var first = newNode(1, newNode(2, nil))
var unused = ebpf.NewHash[uint32, uint64](16)
var counts = ebpf.NewHash[uint32, uint64](16)
//ebpf:section xdp
func prog(ctx *ebpf.XDP) int { counts.Add(first.next.n, 7); return 2 }
`
	c, err := jit.CompileSource("p.go", src)
	needPrivilege(t, err)
	defer c.Close()
	p := c.Programs["prog"]
	if r, err := p.Test(make([]byte, 64)); err != nil || r.Result != 2 {
		t.Errorf("result %d, %v, want 2", r.Result, err)
	}
	m := p.Maps()["p.counts"]
	if m == nil || len(p.Maps()) != 1 {
		t.Fatalf("maps %v, want p.counts", p.Maps())
	}
	if n := uint64(0); m.Lookup(uint32(2), &n) != nil || n != 7 {
		t.Errorf("the map has %d, want 7", n)
	}
}
