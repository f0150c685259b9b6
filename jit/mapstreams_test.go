package jit_test

import (
	"reflect"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file has the rows of TestMapSides for types of maps of which the host does a part: buffers,
// storages, and places that packets are redirected to.
//
// What programs do with other types cannot be the same in memory: perf events without a reader keep
// records there and none in the kernel; a tail call does not come back, a stack is another one, and who is in
// a control group, or which socket gets a packet, only the kernel knows. These are tested in e2e, in the
// kernel.

// A wide is a record of which four fit into a page.
type wide struct {
	A uint8
	B uint64
	C [124]uint64
}

func TestStreamSides(t *testing.T) {
	for _, c := range []struct {
		name string
		need *kerneltest.Feature
		// make returns what programs do, what the host does before, and after, and the map.
		make func(t *testing.T) (fn func() results, before func(), after func() []any, m bind.Holder)
	}{
		{"RingBuf", kerneltest.RingBuffers, func(t *testing.T) (func() results, func(), func() []any, bind.Holder) {
			m := ebpf.NewRingBuf[wide](4096)
			fn := func() (r results) {
				if rec := m.Reserve(); rec != nil {
					rec.A, rec.B = 1, 2
					m.Submit(rec)
				}
				if rec := m.Reserve(); rec != nil {
					rec.B = 3
					m.Discard(rec)
				}
				r[0] = codeOf(m.Output(wide{A: 4}))
				r[1] = codeOf(m.OutputFlags(wide{B: 5}, ebpf.RingbufNoWakeup))
				if rec := m.Reserve(); rec != nil {
					m.Discard(rec)
				} else {
					r[2] = 1 // full
				}
				r[3] = codeOf(m.Output(wide{}))
				return r
			}
			after := func() (got []any) {
				for rec, err := range m.Read(t.Context()) {
					if got = append(got, rec, err); rec.B == 5 {
						break
					}
				}
				return append(got, m.Lost())
			}
			return fn, func() {}, after, m
		}},
		{"bytes of a RingBuf", kerneltest.RingBuffers, func(t *testing.T) (func() results, func(), func() []any, bind.Holder) {
			m := ebpf.NewRingBuf[byte](4096)
			fn := func() (r results) {
				b := [16]byte{1, 2, 3, 4, 5}
				for i := range uint64(4) {
					r[i] = codeOf(m.OutputBytes(b[:1+3*i]))
				}
				return r
			}
			after := func() (got []any) {
				for rec, err := range m.ReadBytes(t.Context()) {
					if got = append(got, string(rec), err); len(rec) == 10 {
						break
					}
				}
				return got
			}
			return fn, func() {}, after, m
		}},
		{"UserRingBuf", kerneltest.UserRings, func(t *testing.T) (func() results, func(), func() []any, bind.Holder) {
			m := ebpf.NewUserRingBuf[nestedKey](4096)
			before := func() {
				for i := range uint64(4) {
					if err := m.Send(makeKey(i)); err != nil {
						t.Error(err)
					}
				}
				m.Discard(m.Reserve())
				rec := m.Reserve()
				rec.Kind = 77
				m.Submit(rec)
			}
			fn := func() (r results) {
				n, err := m.Drain(func(k *nestedKey) bool {
					r[4] = r[4]*31 + uint64(k.Kind) + uint64(k.Wide)
					return k.Kind != 2 // the rest is for the next time
				})
				r[0], r[1] = uint64(n), codeOf(err)
				n, err = m.Drain(func(k *nestedKey) bool {
					r[5] = r[5]*31 + uint64(k.Kind) + uint64(k.Wide)
					return true
				})
				r[2], r[3] = uint64(n), codeOf(err)
				return r
			}
			return fn, before, func() []any { return nil }, m
		}},
		// An array whose index is counted by the callback, without a bound: the verifier would try out each.
		{"UserRingBuf into an Array", kerneltest.UserRings, func(t *testing.T) (func() results, func(), func() []any, bind.Holder) {
			m, a := ebpf.NewUserRingBuf[uint64](4096), ebpf.NewArray[uint64](8)
			before := func() {
				for i := range uint64(10) {
					if err := m.Send(100 + i); err != nil {
						t.Error(err)
					}
				}
			}
			fn := func() (r results) {
				var i, failed uint32
				n, err := m.Drain(func(v *uint64) bool {
					if a.Set(i, *v) != nil {
						failed++
					}
					i++
					return true
				})
				r[0], r[1], r[2], r[3] = uint64(n), codeOf(err), uint64(i), uint64(failed)
				return r
			}
			after := func() (got []any) {
				for i, v := range a.All() {
					got = append(got, i, v)
				}
				return got
			}
			return fn, before, after, m
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.need.Test(t)
			native, before, after, _ := c.make(t)
			before()
			want := native()
			wantAfter := after()
			fn, before, after, m := c.make(t)
			defer m.Binding().Close()
			f, err := jit.Func(fn)
			c.need.Require(t, err)
			before()
			if got := f(); !reflect.DeepEqual(got, want) {
				t.Errorf("%d\nin memory %d", got, want)
			}
			wantSteps(t, after(), wantAfter)
		})
	}
}

// entryOf returns the entry that the first byte of a packet asks for.
func entryOf(ctx *ebpf.XDP) uint32 {
	if pkt := ctx.Data(); len(pkt) > 0 {
		return uint32(pkt[0])
	}
	return 0
}

// TestRedirectSides asks programs where a packet would go.
func TestRedirectSides(t *testing.T) {
	for _, c := range []struct {
		name string
		need *kerneltest.Feature
		make func() (m bind.Holder, set func() error, prog func(*ebpf.XDP) ebpf.XDPAction)
	}{
		{"DevMap", kerneltest.Redirects, func() (bind.Holder, func() error, func(*ebpf.XDP) ebpf.XDPAction) {
			m := ebpf.NewDevMap(2)
			return m, func() error { return m.Set(1, 1) }, func(ctx *ebpf.XDP) ebpf.XDPAction { return m.Redirect(entryOf(ctx), uint64(ebpf.XDPPass)) }
		}},
		{"DevMapHash", kerneltest.Redirects, func() (bind.Holder, func() error, func(*ebpf.XDP) ebpf.XDPAction) {
			m := ebpf.NewDevMapHash(2)
			return m, func() error { return m.Set(1, 1) }, func(ctx *ebpf.XDP) ebpf.XDPAction { return m.Redirect(entryOf(ctx), uint64(ebpf.XDPTX)) }
		}},
		{"CPUMap", kerneltest.Redirects, func() (bind.Holder, func() error, func(*ebpf.XDP) ebpf.XDPAction) {
			m := ebpf.NewCPUMap(2)
			return m, func() error { return m.Set(1, 64) }, func(ctx *ebpf.XDP) ebpf.XDPAction { return m.Redirect(entryOf(ctx), uint64(ebpf.XDPDrop)) }
		}},
		{"XSKMap", kerneltest.XdpSocketMaps, func() (bind.Holder, func() error, func(*ebpf.XDP) ebpf.XDPAction) {
			m := ebpf.NewXSKMap(2)
			return m, func() error { return nil }, func(ctx *ebpf.XDP) ebpf.XDPAction { return m.Redirect(entryOf(ctx), 0) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.need.Test(t)
			native, setNative, nativeProg := c.make()
			defer native.Binding().Close()
			m, set, prog := c.make()
			defer m.Binding().Close()
			p, err := jit.Compile(prog)
			c.need.Require(t, err)
			defer p.Close()
			if err := setNative(); err != nil {
				t.Fatal(err)
			}
			c.need.Require(t, set())
			for i := range byte(4) {
				packet := make([]byte, 64)
				packet[0] = i
				want := nativeProg(ebpf.NewXDP(packet))
				r, err := p.Test(packet)
				if got := ebpf.XDPAction(r.Result); err != nil || got != want {
					t.Errorf("entry %d: %d, %v, want %d", i, got, err, want)
				}
			}
		})
	}
}
