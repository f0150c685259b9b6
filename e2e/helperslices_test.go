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

// Variables and a table of which parts with two variable ends are passed on.
var (
	partTable  = [...]byte{10, 11, 12, 13, 14, 15, 16, 17}
	partBuffer [8]byte
)

// parts passes the part of kind Priority of a variable that Mark says the ends of: stores 8 bytes of a table, of a
// local array or of a package-level variable into the packet, or loads them from it into the variable.
func parts(ctx *ebpf.SKB) ebpf.TCAction {
	i, j := int(ctx.Mark&15), int(ctx.Mark>>4&15)
	local := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	var err error
	switch ctx.Priority {
	case 0:
		err = ebpf.SkbStoreBytes(ctx, 20, local[i:j], 0)
	case 1:
		err = ebpf.SkbStoreBytes(ctx, 20, partTable[i:j], 0)
	case 2:
		partBuffer = local
		err = ebpf.SkbStoreBytes(ctx, 20, partBuffer[i:j], 0)
	case 3:
		partBuffer = local
		err = ebpf.SkbLoadBytes(ctx, 20, partBuffer[i:j])
		if err == nil {
			err = ebpf.SkbStoreBytes(ctx, 30, partBuffer[:], 0)
		}
	case 4:
		err = ebpf.SkbLoadBytes(ctx, 20, local[i:j])
		if err == nil {
			err = ebpf.SkbStoreBytes(ctx, 30, local[:], 0)
		}
	}
	if err != nil {
		return ebpf.TCShot
	}
	return ebpf.TCOK
}

// sharesPartBuffer is a program that has nothing to do with parts of the variable that it has first.
func sharesPartBuffer(ctx *ebpf.SKB) ebpf.TCAction {
	partBuffer[ctx.Mark&7]++
	return ebpf.TCOK
}

// wantParts does what parts does, and reports whether it panics.
func wantParts(mark, kind uint32, packet []byte) (result int32, panics bool) {
	i, j := int(mark&15), int(mark>>4&15)
	if i > j || j > 8 {
		return 0, true
	}
	local := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	switch {
	case i == j:
		return int32(ebpf.TCShot), false
	case kind == 0 || kind == 2:
		copy(packet[20:], local[i:j])
	case kind == 1:
		copy(packet[20:], partTable[i:j])
	default:
		copy(local[i:j], packet[20:])
		copy(packet[30:], local)
	}
	return int32(ebpf.TCOK), false
}

// Both ends of a part that a helper is passed may be variables, of a local array, a table and a variable that other
// programs share.
func TestHelperParts(t *testing.T) {
	language.test(t)
	language.compile(t, sharesPartBuffer, jit.As("tc"))
	p := language.compile(t, parts, jit.As("tc"), jit.OnPanic(77))
	for kind := range uint32(5) {
		for mark := range uint32(256) {
			packet := bytes.Repeat([]byte{8, 0, 0x45, 7}, 16)
			want := bytes.Clone(packet)
			result, panics := wantParts(mark, kind, want)
			if panics {
				result = 77
			}
			got, err := p.TestContext(&ebpf.SKB{Mark: mark, Priority: kind}, packet)
			if err != nil {
				t.Fatal(err)
			}
			if got.Result != result || !bytes.Equal(got.Packet, want) {
				t.Fatalf("kind %d, mark %#x: %d, % x; want %d, % x", kind, mark, got.Result, got.Packet, result, want)
			}
		}
	}
}

// markAt returns the mark at the index that Priority is.
func markAt(ctx *ebpf.SKB) ebpf.TCAction {
	ctx.CB[0], ctx.CB[1], ctx.CB[2], ctx.CB[3], ctx.CB[4] = ctx.Mark, 11, 12, 13, 14
	old := ctx.CB[ctx.Priority]
	ctx.CB[0] = 100
	return ebpf.TCAction(ctx.CB[ctx.Priority] + old<<8)
}

// Elements of the arrays of a context can be read by a variable index, and are what they are then.
func TestContextIndex(t *testing.T) {
	language.test(t)
	p := language.compile(t, markAt, jit.As("tc"), jit.OnPanic(77))
	for i := range uint32(7) {
		want := ebpf.TCAction(77)
		if i < 5 {
			want = markAt(&ebpf.SKB{Mark: 9, Priority: i})
		}
		r, err := p.TestContext(&ebpf.SKB{Mark: 9, Priority: i}, make([]byte, 64))
		if err != nil {
			t.Fatal(err)
		}
		if r.Result != int32(want) {
			t.Errorf("index %d: %#x, want %#x", i, r.Result, want)
		}
	}
}
