// Package interp runs modules of package ir. It is the oracle of the compiler's
// tests: a function computes the same before and after every pass, and the same
// as the Go function it was made from.
//
// It is strict where the kernel is: memory consists of objects that no pointer
// can leave, accesses are aligned, stack bytes are written before they are read,
// constants are not written, a frame's slots die with it. Every error that
// [Machine.Run] returns, except [ErrFuel] and those of helpers, is a bug of what
// produced the module.
//
// # What this package may know
//
// interp imports ir and nothing else of the compiler. It knows no helper: they
// are given by the caller.
package interp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// ErrFuel is the error of a run that took more steps than [Options.Fuel].
var ErrFuel = errors.New("out of fuel")

// DefaultFuel is the number of steps of a run for which none is given, the
// number of instructions that the kernel verifier follows.
const DefaultFuel = 1_000_000

// maxDepth is the number of frames a run may have: far above what the kernel
// allows (8), low enough for the Go stack.
const maxDepth = 1000

// Options are the environment of a module.
type Options struct {
	// Helper performs a call of a kernel helper and returns its result. The
	// arguments are the bits of the operands, I32 zero-extended; m gives access
	// to the memory they point to. If it is nil, calls of helpers are errors.
	Helper func(m *Machine, h *ir.Helper, args []uint64) (uint64, error)
	// Fuel is the number of steps a run may take: instructions and terminators,
	// and one for each 8 bytes of a memory block. 0 means DefaultFuel.
	Fuel int64
	// Unaligned allows accesses of [ir.Data] that are not aligned, as the kernel
	// does where they are fast.
	Unaligned bool
	// KeepSlots keeps the slots of functions that have returned.
	KeepSlots bool
}

// A Machine is a module with its memory. What a run writes to [ir.Data] and to
// objects of the caller is there in the next run. A Machine is not safe for
// concurrent use, and the module must not change while it is in use.
type Machine struct {
	module *ir.Module
	opt    Options
	// objects is memory, see memory.go; by number, nil for those that are gone.
	objects []*Object
	data    map[*ir.Data]uint64
	maps    map[*ir.Map]uint64
	funcs   map[*ir.Func]uint64
	fuel    int64
	depth   int
}

// New returns a machine for m, which must be valid. All data has its initial
// content.
func New(m *ir.Module, opt Options) *Machine {
	if opt.Fuel == 0 {
		opt.Fuel = DefaultFuel
	}
	vm := &Machine{
		module:  m,
		opt:     opt,
		objects: make([]*Object, 1),
		data:    make(map[*ir.Data]uint64),
		maps:    make(map[*ir.Map]uint64),
		funcs:   make(map[*ir.Func]uint64),
	}
	for _, d := range m.Data {
		vm.data[d] = vm.NewObject(Object{
			Name:     "data " + d.Name,
			Bytes:    append([]byte(nil), d.Bytes...),
			Align:    d.Align,
			AnyAlign: opt.Unaligned,
			ReadOnly: !d.Mutable,
		})
	}
	for _, d := range m.Data {
		for _, r := range d.Refs {
			binary.LittleEndian.PutUint64(vm.Data(d)[r.Off:], vm.data[r.To]+uint64(r.ToOff))
		}
	}
	for _, o := range m.Maps {
		vm.maps[o] = vm.NewObject(Object{Name: "map " + o.Name, Map: o})
	}
	for _, f := range m.Funcs {
		vm.funcs[f] = vm.NewObject(Object{Name: "func " + f.Name, Func: f})
	}
	return vm
}

// Data returns the current content of d.
func (m *Machine) Data(d *ir.Data) []byte { return m.objects[m.data[d]>>offsetBits].Bytes }

// Address returns the address of d.
func (m *Machine) Address(d *ir.Data) uint64 { return m.data[d] }

// Run calls f, a function of the module, with the given arguments: integers, of
// which an I32 takes the low 32 bits, or addresses of objects. It returns f's
// results, I32 zero-extended; or the site where it panicked; or an error.
func (m *Machine) Run(f *ir.Func, args ...uint64) (results []uint64, panicked *ir.Site, err error) {
	m.fuel = m.opt.Fuel
	m.depth = 0
	results, err = m.Call(f, args...)
	var p *panicError
	if errors.As(err, &p) {
		return nil, p.site, nil
	}
	return results, nil, err
}

// RunProgram calls the module's entry function with a context of the given
// bytes, which it may write, and returns the program's result.
func (m *Machine) RunProgram(ctx []byte) (result uint64, panicked *ir.Site, err error) {
	addr := m.NewObject(Object{Name: "context", Bytes: ctx, Align: 8})
	defer m.Free(addr)
	results, panicked, err := m.Run(m.module.Funcs[0], addr)
	if len(results) > 0 {
		result = results[0]
	}
	return result, panicked, err
}

// Offsets of the fields data and data_end of struct xdp_md in linux/bpf.h, and its size.
const (
	xdpData    = 0
	xdpDataEnd = 4
	xdpSize    = 24
)

// RunPacket calls the module's entry function with the context of an XDP program, which
// refers to the given packet, and returns the program's result.
func (m *Machine) RunPacket(packet []byte) (result uint64, panicked *ir.Site, err error) {
	data := m.NewObject(Object{Name: "packet", Bytes: packet, Align: 1, AnyAlign: true})
	defer m.Free(data)
	ctx := m.NewObject(Object{
		Name: "context", Bytes: make([]byte, xdpSize), Align: 8, ReadOnly: true,
		Pointers: map[int64]uint64{xdpData: data, xdpDataEnd: data + uint64(len(packet))},
	})
	defer m.Free(ctx)
	results, panicked, err := m.Run(m.module.Funcs[0], ctx)
	if len(results) > 0 {
		result = results[0]
	}
	return result, panicked, err
}

// Call calls f within a run, for helpers that call back. The error, which may
// stand for a panic, is for the helper to return.
func (m *Machine) Call(f *ir.Func, args ...uint64) ([]uint64, error) {
	params := f.Params()
	if len(args) != len(params) {
		return nil, fmt.Errorf("func @%s: called with %d arguments for %d parameters", f.Name, len(args), len(params))
	}
	if m.depth == maxDepth {
		return nil, fmt.Errorf("func @%s: calls are nested more than %d deep", f.Name, maxDepth)
	}
	m.depth++
	defer func() { m.depth-- }()

	fr := &frame{m: m, f: f, values: make([]uint64, f.NumValues())}
	for i, v := range params {
		fr.set(v, args[i])
	}
	for _, s := range f.Slots {
		fr.slots = append(fr.slots, m.newSlot(f, s))
	}
	defer func() {
		for _, addr := range fr.slots {
			if !m.opt.KeepSlots {
				m.Free(addr)
			}
		}
	}()
	return fr.run()
}

// burn takes n steps.
func (m *Machine) burn(n int64) error {
	if m.fuel -= n; m.fuel < 0 {
		return ErrFuel
	}
	return nil
}

// A panicError carries a panic out of all frames.
type panicError struct{ site *ir.Site }

func (e *panicError) Error() string { return "panic: " + e.site.Message }
