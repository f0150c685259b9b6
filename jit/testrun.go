package jit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file runs loaded programs on packets and contexts that a test makes.

// A TestRun is what a program did in a test.
type TestRun struct {
	// Result is what the program returned.
	Result int32
	// Packet is the packet that it left.
	Packet []byte
	// Meta is the metadata that an XDP program has put before the packet.
	Meta []byte
	// Panic is the panic that ended it, or nil.
	Panic *PanicError
}

// testRoom is by how much a program can enlarge a packet: XDP_PACKET_HEADROOM of linux/bpf.h before
// it, and as much behind it.
const testRoom = 2 * 256

// Test runs the program once in the kernel on a packet (BPF_PROG_TEST_RUN), whether it is
// attached or not. The packet itself stays as it is.
//
// It is for XDP, TC and cgroup_skb programs and socket filters. Natively the same
// function, called with ebpf.NewXDP(packet) or ebpf.NewSKB(packet), does the same with the same
// packet: that of a program of a control group or a socket filter begins with its IP header, of others
// with its Ethernet header. The kernel refuses packets that are too short for an Ethernet
// header, and since Linux 6.18 IP packets that are too short for theirs; and those that do not fit in a page, unless
// the section begins with xdp.frags.
//
// Kernels before Linux 6.14 have no packet data for programs of control groups here, though they have it for those
// that are attached: Test fails for a program that calls Data with an error that wraps cilium's ErrNotSupported, and
// Load works. What the program changes in maps stays changed. Redirected packets go nowhere.
func (p *Program) Test(packet []byte) (TestRun, error) { return p.test(packet, nil) }

// TestContext is [Program.Test] with a context: a pointer to an [ebpf.XDP] or [ebpf.SKB] of which
// the fields count that the kernel lets a test choose (IngressIfindex and RxQueueIndex
// of an interface that exists; Mark, Priority, IngressIfindex, CB and Tstamp, WireLen, GSOSegs, GSOSize), or to an
// [ebpf.RawTracepoint], or to the struct that a syscall program takes; these two have no
// packet, which must be nil. What the program writes to the context is in *ctx afterwards,
// except for raw tracepoints.
//
// XDP contexts need Linux 5.15, as Test does for XDP programs that call AdjustMeta, raw tracepoints 5.10, syscall programs 5.14.
func (p *Program) TestContext(ctx any, packet []byte) (TestRun, error) {
	v := reflect.ValueOf(ctx)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return TestRun{}, fmt.Errorf("test %s: context is a %T, want a pointer to a struct", p.name, ctx)
	}
	size := v.Elem().Type().Size()
	switch c := ctx.(type) {
	case *ebpf.XDP:
		size = unsafe.Offsetof(c.EgressIfindex) + unsafe.Sizeof(c.EgressIfindex)
	case *ebpf.SKB:
		size = unsafe.Offsetof(c.GSOSize) + unsafe.Sizeof(c.GSOSize)
	default:
		if err := plainMemory(v.Elem().Type()); err != nil {
			return TestRun{}, fmt.Errorf("test %s: context %T: %w", p.name, ctx, err)
		}
	}
	return p.test(packet, unsafe.Slice((*byte)(v.UnsafePointer()), size))
}

// plainMemory returns an error unless t can be copied into the kernel as it is.
func plainMemory(t reflect.Type) error {
	switch t.Kind() {
	case reflect.Array:
		return plainMemory(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if err := plainMemory(t.Field(i).Type); err != nil {
				return fmt.Errorf("field %s: %w", t.Field(i).Name, err)
			}
		}
		return nil
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return nil
	}
	return fmt.Errorf("a %s cannot be copied into the kernel", t.Kind())
}

// test runs the program on the packet and the memory of a context, or nil.
func (p *Program) test(packet, ctx []byte) (r TestRun, err error) {
	if p.coll == nil {
		return r, fmt.Errorf("test %s: it is not loaded", p.name)
	}
	before, err := p.Panics()
	if err != nil {
		return r, err
	}
	head := p.linkHeader(packet)
	in := slices.Concat(head, packet)
	if ctx == nil && p.adjustsMeta() {
		ctx = make([]byte, xdpContext)
	}
	if err := p.testable(ctx != nil); err != nil {
		return r, fmt.Errorf("test %s: %w", p.name, err)
	}
	if p.unit.Scratch > 0 && p.row.typ == cebpf.Syscall { // see Memory in the package's documentation
		p.scratch.Lock()
		defer p.scratch.Unlock()
	}
	if r.Result, r.Packet, err = p.testOnce(in, ctx); err != nil {
		return r, fmt.Errorf("test %s: %w", p.name, err)
	}
	r.Packet = r.Packet[min(len(r.Packet), len(head)):]
	if ctx != nil && p.row.typ == cebpf.XDP {
		n := binary.NativeEndian.Uint32(ctx) // the field data counts from the metadata on
		r.Meta, r.Packet = r.Packet[:n:n], r.Packet[n:]
	}
	after, err := p.Panics()
	if err != nil {
		return r, err
	}
	for _, panicked := range after {
		if !slices.Contains(before, panicked) {
			r.Panic = &PanicError{Pos: panicked.Pos, Kind: panicked.Kind, Message: panicked.Message}
		}
	}
	return r, nil
}

// testable returns an error if the kernel is too old for test runs of p, with a context or without one.
func (p *Program) testable(withContext bool) error {
	target, err := runningTarget()
	switch {
	case err != nil:
		return err
	case p.row.typ == cebpf.XDP && withContext && !target.Kernel.AtLeast(xdpContextKernel):
		return fmt.Errorf("contexts of XDP programs, and their metadata, need Linux %s: %w", xdpContextKernel, cebpf.ErrNotSupported)
	case p.row.typ == cebpf.CGroupSKB && p.readsData() && !target.Kernel.AtLeast(cgroupDataKernel):
		return fmt.Errorf("packet data of programs of control groups needs Linux %s, Load does not: %w", cgroupDataKernel, cebpf.ErrNotSupported)
	}
	return nil
}

// linkHeader returns the Ethernet header that the kernel wants before packet and hides
// from programs of the type of p.
func (p *Program) linkHeader(packet []byte) []byte {
	switch p.row.typ {
	case cebpf.CGroupSKB, cebpf.SocketFilter:
	default:
		return nil
	}
	head := make([]byte, ethernetHeader)
	head[12] = ebpf.EtherTypeIPv4 >> 8
	if len(packet) > 0 && packet[0]>>4 == 6 {
		head[12], head[13] = ebpf.EtherTypeIPv6>>8, ebpf.EtherTypeIPv6&0xff
	}
	return head
}

// testOnce runs the program until it has run. A run that a signal interrupts counts as a
// success for cilium, but has no output: the kernel has not set its size.
func (p *Program) testOnce(packet, ctx []byte) (int32, []byte, error) {
	for {
		var out []byte
		o := cebpf.RunOptions{Data: packet}
		if packet != nil {
			o.DataOut = make([]byte, len(packet)+testRoom+1)
		}
		if ctx != nil {
			o.Context = ctx
			if p.row.typ != cebpf.RawTracepoint {
				out = make([]byte, max(len(ctx), p.contextSize()))
				o.ContextOut = out
			}
		}
		if p.row.typ == cebpf.XDP && ctx != nil {
			putBounds(ctx, len(packet))
		}
		result, err := p.BPF().Run(&o)
		if err != nil {
			if errors.Is(err, cebpf.ErrNotSupported) {
				return 0, nil, fmt.Errorf("the kernel runs no %s programs for tests: %w", p.row.kind, err)
			}
			return 0, nil, err
		}
		if packet == nil || len(o.DataOut) < len(packet)+testRoom+1 {
			copy(ctx, out)
			return int32(result), o.DataOut, nil
		}
	}
}

// contextSize returns the bytes of context that the kernel returns.
func (p *Program) contextSize() int {
	switch p.row.typ {
	case cebpf.SchedCLS, cebpf.SchedACT, cebpf.CGroupSKB, cebpf.SocketFilter:
		return 192 // sizeof(struct __sk_buff)
	}
	return 0
}

// xdpContextKernel is the release with 47316f4a3053 "bpf: Support input xdp_md context in
// BPF_PROG_TEST_RUN".
var xdpContextKernel = lower.Version{Major: 5, Minor: 15}

// cgroupDataKernel is the release with "bpf: fix cgroup_skb prog test run direct packet access", of
// Mahe Tardy. Before it, data_end is always 0 in test runs.
var cgroupDataKernel = lower.Version{Major: 6, Minor: 14}

// skbDataEnd is the offset of data_end in struct __sk_buff.
const skbDataEnd = 80

// readsData reports whether a program with the context __sk_buff reads packet data, for which it
// loads data_end. It may be wrong about a program that reads a number from the same offset of something else.
func (p *Program) readsData() bool {
	return slices.ContainsFunc(p.unit.Insns, func(i asm.Instruction) bool {
		return i.OpCode.Class() == asm.LdXClass && i.OpCode.Size() == asm.Word && i.Offset == skbDataEnd
	})
}

// xdpContext is the size of struct xdp_md.
const xdpContext = 24

// adjustsMeta reports whether the program may put metadata before the packet, which only a context
// tells from the packet then.
func (p *Program) adjustsMeta() bool {
	return slices.ContainsFunc(p.unit.Insns, func(i asm.Instruction) bool {
		return i.IsBuiltinCall() && i.Constant == int64(asm.FnXdpAdjustMeta)
	})
}

// putBounds makes the fields data, data_end and data_meta of a struct xdp_md those of a packet of the
// given size without metadata, as the kernel wants them.
func putBounds(md []byte, size int) {
	clear(md[:12])
	binary.NativeEndian.PutUint32(md[4:], uint32(size))
}
