package lower

import (
	"bytes"
	"fmt"
	"go/token"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/vm"
)

// panicked is what a program returns here when it panics.
const panicked = 0x70616e63

// A packetOutcome is what a function of packets did.
type packetOutcome struct {
	result uint32
	packet []byte
}

func (o packetOutcome) equal(p packetOutcome) bool {
	return o.result == p.result && bytes.Equal(o.packet, p.packet)
}

// packetProgram returns the program that calls the function name of the corpus with the packet.
func packetProgram(t *testing.T, name string) Input {
	t.Helper()
	text, err := fs.ReadFile(corpus.Source(), "packet.go")
	if err != nil {
		t.Fatal(err)
	}
	_, funcs, _ := strings.Cut(string(text), "func be16(")
	src := "package p\nfunc be16(" + funcs + `
type xdp struct{ _ [6]uint32 }

//ebpf:intrinsic packet.xdp
func (x *xdp) Data() []byte

func program(ctx *xdp) uint32 { return ` + name + `(ctx.Data()) }
`
	in, err := programInput(token.NewFileSet(), src, "program")
	if err != nil {
		t.Fatal(err)
	}
	in.Type, in.Shim = "xdp", ShimNone
	return in
}

// packets returns packets of many lengths, with small numbers that make sense as lengths.
func packets() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	var list [][]byte
	for n := 0; n < 90; n++ {
		for kind := range 4 {
			p := make([]byte, n)
			for i := range p {
				p[i] = byte(r.Uint32())
				if kind > 1 {
					p[i] &= 15
				}
			}
			if kind&1 == 1 && n > 16 {
				p[12], p[13], p[14] = 8, 0, 0x45
			}
			list = append(list, p)
		}
	}
	return append(list, []byte{1, 2, 3, 4, 5, 6, 'G', 'E', 'T', ' '}, make([]byte, 1600))
}

func nativePacket(f func([]byte) uint32, packet []byte) (o packetOutcome) {
	o = packetOutcome{panicked, slices.Clip(slices.Clone(packet))}
	defer func() { _ = recover() }()
	o.result = f(o.packet)
	return o
}

// interpretPacket runs m on a packet.
func interpretPacket(m *ir.Module, packet []byte) (packetOutcome, error) {
	o := packetOutcome{panicked, slices.Clone(packet)}
	machine := interp.New(m, interp.Options{Helper: helpers(m)})
	result, site, err := machine.RunPacket(o.packet)
	if err == nil && site == nil {
		o.result = uint32(result)
	}
	return o, err
}

// executePacket runs u on a packet.
func executePacket(u *Unit, target Target, packet []byte) (packetOutcome, error) {
	o := packetOutcome{0, append([]byte{}, packet...)}
	opt := vm.Options{Packet: o.packet, Sections: map[string][]byte{}, StrictStack: !target.Has(VarOffStack)}
	for _, d := range u.Data {
		opt.Sections[d.Name] = slices.Clone(d.Bytes)
	}
	opt.Helpers = map[int32]vm.Helper{181: {Args: 4, Func: func(c *vm.Call) (uint64, error) {
		return loopHelper(c.Args[:], func(args ...uint64) (uint64, error) { return c.Invoke(args[0], args[1:]...) })
	}}}
	if u.Scratch > 0 {
		opt.Sections[ScratchMap] = garbage(int64(u.Scratch))
		opt.Helpers[1] = vm.Helper{Args: 2, Func: func(c *vm.Call) (uint64, error) { return c.Section(ScratchMap) }}
	}
	r0, err := vm.Run(u.Insns, opt)
	o.result = uint32(r0)
	return o, err
}

// TestPackets runs the functions of packets natively, in the interpreter of the IR after
// each pass, and as BPF.
func TestPackets(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(corpus.PacketFuncs)) {
		t.Run(name, func(t *testing.T) {
			in := packetProgram(t, name)
			list := packets()
			want := make([]packetOutcome, len(list))
			for i, p := range list {
				want[i] = nativePacket(corpus.PacketFuncs[name], p)
			}
			for _, v := range variants {
				if err := comparePackets(in, v, list, want); err != nil {
					t.Fatalf("linux %v, %d registers: %v", v.target.Kernel, v.registers, err)
				}
			}
		})
	}
}

func comparePackets(in Input, v variant, list [][]byte, want []packetOutcome) error {
	var wrong error
	c := &compilation{in: in, target: v.target, opt: Options{Verify: true, Registers: v.registers, LoopWork: v.loopWork, Live: v.live, Doubt: v.doubt, OnPanic: panicked}}
	c.observe = func(stage string, m *ir.Module) {
		if v != variants[0] && stage != passes[len(passes)-1].name {
			return
		}
		for i := 0; i < len(list) && wrong == nil; i += 1 + i%7 {
			got, err := interpretPacket(m, list[i])
			if err == nil && !got.equal(want[i]) {
				err = fmt.Errorf("got %#x", got)
			}
			if err != nil {
				wrong = fmt.Errorf("interpreter after %s, packet %x: %w, want %#x", stage, list[i], err, want[i])
			}
		}
	}
	unit, err := c.compile()
	if wrong != nil {
		return wrong
	}
	if err != nil {
		return err
	}
	for i, p := range list {
		got, err := executePacket(unit, v.target, p)
		if err == nil && !got.equal(want[i]) {
			err = fmt.Errorf("got %#x", got)
		}
		if err != nil {
			return fmt.Errorf("BPF, packet %x: %w, want %#x", p, err, want[i])
		}
	}
	return nil
}
