package e2e

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file passes helpers slices whose length only the running program knows.

// A sliceRun is what loadPart has found.
type sliceRun struct {
	Bytes [16]byte
	Err   uint32
}

var sliceRuns = ebpf.NewArray[sliceRun](1)

func loadPart(ctx *ebpf.SKB) ebpf.TCAction {
	r := sliceRuns.Lookup(0)
	var buf [16]byte
	n := int(ctx.Mark)
	if n > len(buf) {
		n = len(buf)
	}
	err := ebpf.SkbLoadBytes(ctx, 12, buf[:n])
	r.Bytes, r.Err = buf, 0
	if err == syscall.EINVAL {
		r.Err = uint32(syscall.EINVAL)
	} else if err != nil {
		r.Err = 1
	}
	return ebpf.TCOK
}

// storePart stores as many of four bytes as the mark says, beginning with the second.
func storePart(ctx *ebpf.SKB) ebpf.TCAction {
	buf := [4]byte{1, 2, 3, 4}
	part := buf[min(1, ctx.Mark):min(ctx.Mark, 4)]
	if err := ebpf.SkbStoreBytes(ctx, 20, part, 0); err != nil {
		return ebpf.TCShot
	}
	return ebpf.TCOK
}

// An empty slice is EINVAL where the kernel takes no less than a byte, in the kernel and natively
// the same as far as the bytes go.
func TestHelperSlices(t *testing.T) {
	language.test(t)
	packet := bytes.Repeat([]byte{8, 0, 0x45, 7}, 16)
	load := language.compile(t, loadPart, jit.As("tc"))
	store := language.compile(t, storePart, jit.As("tc"))
	for _, n := range []uint32{0, 1, 5, 16, 17, 1 << 31} {
		if _, err := load.TestContext(&ebpf.SKB{Mark: n}, packet); err != nil {
			t.Fatal(err)
		}
		var want sliceRun
		if copy(want.Bytes[:min(n, 16)], packet[12:]); n == 0 {
			want.Err = uint32(syscall.EINVAL)
		}
		if got, _ := sliceRuns.Get(0); got != want {
			t.Errorf("load of %d bytes: %v, want %v", n, got, want)
		}
		r, err := store.TestContext(&ebpf.SKB{Mark: n}, packet)
		if err != nil {
			t.Fatal(err)
		}
		stored := bytes.Clone(packet)
		result := int32(ebpf.TCOK)
		if k := copy(stored[20:], []byte{1, 2, 3, 4}[min(1, n):min(n, 4)]); k == 0 {
			result = int32(ebpf.TCShot)
		}
		if r.Result != result || !bytes.Equal(r.Packet, stored) {
			t.Errorf("store with mark %d: %d, % x; want %d, % x", n, r.Result, r.Packet, result, stored)
		}
	}
}
