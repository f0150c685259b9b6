package e2e

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// A capture is the beginning of packets, as the programs of this file keep it.
type capture struct {
	N    uint32
	Head [40]byte
}

var captures = ebpf.NewArray[capture](4)

// exchangeValue exchanges a part of the packet, wherever its second byte says that it begins, with
// what a map has of the packet before, and moves the latter in the map.
func exchangeValue(ctx *ebpf.XDP) ebpf.XDPAction {
	p := ctx.Data()
	if len(p) < 14 {
		return ebpf.XDPAborted
	}
	c := captures.Lookup(uint32(p[0] & 3))
	if c == nil {
		return ebpf.XDPAborted
	}
	from := int(p[1] & 31)
	if from > len(p) {
		return ebpf.XDPDrop
	}
	old := c.Head
	c.N += uint32(copy(c.Head[:], p[from:]))
	copy(p[2:14], old[:])
	copy(c.Head[4:], c.Head[:20]) // these overlap
	if bytes.Equal(c.Head[:4], old[:4]) {
		return ebpf.XDPTX
	}
	copy(p[from:], c.Head[8:16])
	return ebpf.XDPPass
}

// TestPacketValues compares packets and values of maps that are copied to each other natively and in
// the kernel.
func TestPacketValues(t *testing.T) {
	packets.test(t)
	r := rand.New(rand.NewPCG(11, 12))
	var sent [][]byte
	for n := 14; n < 120; n++ {
		packet := make([]byte, n)
		for i := range packet {
			packet[i] = byte(r.Uint32() & 1) // so that some beginnings are equal
		}
		packet[0], packet[1] = byte(r.Uint32()), byte(r.Uint32())
		sent = append(sent, packet)
	}
	type outcome struct {
		action ebpf.XDPAction
		packet []byte
	}
	var native []outcome
	for _, packet := range sent {
		ctx := ebpf.NewXDP(slices.Clone(packet))
		native = append(native, outcome{exchangeValue(ctx), ctx.Packet()})
	}
	values := slices.Collect(captures.Values())
	if err := captures.Close(); err != nil {
		t.Fatal(err)
	}

	p := packets.compile(t, exchangeValue)
	t.Cleanup(func() { captures.Close() })
	actions := make(map[ebpf.XDPAction]int)
	for i, packet := range sent {
		run, err := p.Test(packet)
		if err != nil {
			t.Fatal(err)
		}
		want := native[i]
		if actions[want.action]++; run.Panic != nil || ebpf.XDPAction(run.Result) != want.action || !bytes.Equal(run.Packet, want.packet) {
			t.Fatalf("packet %x: %d, packet %x, panic %v in the kernel; %d, packet %x natively", packet, run.Result, run.Packet, run.Panic, want.action, want.packet)
		}
	}
	if got := slices.Collect(captures.Values()); !slices.Equal(got, values) {
		t.Errorf("the map holds %v in the kernel, %v natively", got, values)
	}
	if actions[ebpf.XDPTX] == 0 || actions[ebpf.XDPPass] == 0 || actions[ebpf.XDPDrop] == 0 {
		t.Errorf("not all of the program has been run: %v", actions)
	}
}
