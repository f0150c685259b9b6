package vm

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// Options is what a program runs with.
type Options struct {
	// Ctx is the memory that R1 points to at the start; the program may change it.
	Ctx []byte
	// Packet, if not nil, replaces Ctx: R1 then points to a struct xdp_md whose
	// data and data_end fields are the bounds of Packet.
	Packet []byte
	// Sections is the memory of data sections by name, changed by the program.
	// Those called .rodata or .rodata.* are read-only.
	Sections map[string][]byte
	// Helpers is the kernel helpers that the program may call, by number.
	Helpers map[int32]Helper
	// StrictStack refuses accesses to the stack at variable offsets, as the
	// verifier does before Linux 5.12.
	StrictStack bool
	// Fuel is the number of instructions after which Run gives up; 0 is a million.
	Fuel int
}

// ErrFuel is the error of a program that ran out of fuel.
var ErrFuel = errors.New("out of fuel")

// A Fault is what the kernel would not have let the program do.
type Fault struct {
	Offset int // of the instruction, in 8-byte slots
	Reason string
}

// Error returns the reason and place of the fault.
func (f *Fault) Error() string { return fmt.Sprintf("insn %d: %s", f.Offset, f.Reason) }

// Run loads insns and runs them once. It returns R0, or an error that is or
// wraps a *Fault, ErrFuel or the error of a helper.
func Run(insns asm.Instructions, o Options) (uint64, error) {
	p, err := Load(insns)
	if err != nil {
		return 0, err
	}
	return p.Run(o)
}

// Run runs the program once. Concurrent runs need Options of their own.
func (p *Program) Run(o Options) (uint64, error) {
	m := &machine{prog: p, opt: o, fuel: o.Fuel}
	if m.fuel == 0 {
		m.fuel = 1_000_000
	}
	var ctx uint64
	if o.Packet != nil {
		packet := m.add(&region{kind: memory, bytes: o.Packet})
		ctx = m.add(&region{kind: packetCtx, packet: packet, packetEnd: packet + uint64(len(o.Packet))})
	} else {
		ctx = m.add(&region{kind: context, bytes: o.Ctx})
	}
	m.symbols = make(map[string]uint64)
	return m.call(0, ctx)
}

// A machine is the state of one run.
type machine struct {
	prog    *Program
	opt     Options
	regions []*region
	symbols map[string]uint64 // addresses of sections and maps in use
	depth   int
	fuel    int
	passed  uint16 // frame.varying of the caller of the function that is called
}

// A frame is the state of one function call.
type frame struct {
	pc      int
	regs    [11]uint64
	defined uint16 // bit set of registers that were written
	varying uint16 // bit set of registers that vary, see strict.go
}

// maxFrames is MAX_CALL_FRAMES and stackSize MAX_BPF_STACK in the kernel.
const (
	maxFrames = 8
	stackSize = 512
)

// call runs the function at pc and returns its R0.
func (m *machine) call(pc int, args ...uint64) (uint64, error) {
	if m.depth == maxFrames {
		return 0, &Fault{pc, "calls are nested too deep"}
	}
	m.depth++
	defer func() { m.depth-- }()
	stack := &region{kind: stack, bytes: make([]byte, stackSize), written: make([]bool, stackSize)}
	if m.opt.StrictStack {
		stack.varying = make([]bool, stackSize)
	}
	base := m.add(stack)
	defer func() { stack.bytes = nil }() // dead: addresses of it fault from now on

	f := &frame{pc: pc, varying: m.passed &^ (1 << 10)}
	for i, arg := range args {
		f.set(1+i, arg)
	}
	f.set(10, base+stackSize)
	for {
		if m.fuel == 0 {
			return 0, ErrFuel
		}
		m.fuel--
		at := f.pc
		in := &m.prog.insts[at]
		if in.op == opExit {
			if err := f.need(0); err != nil {
				return 0, &Fault{at, err.Error()}
			}
			return f.regs[0], nil
		}
		var err error
		if m.opt.StrictStack {
			err = m.strict(f, in)
		}
		if err == nil {
			err = m.step(f, in)
		}
		if err != nil {
			var inner *Fault
			if errors.As(err, &inner) || errors.Is(err, ErrFuel) {
				return 0, err
			}
			var reason reason
			if errors.As(err, &reason) {
				return 0, &Fault{at, err.Error()}
			}
			return 0, fmt.Errorf("insn %d: %w", at, err)
		}
	}
}

// A reason is an error that becomes a Fault once its place is known.
type reason string

func (r reason) Error() string { return string(r) }

func reasonf(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

// set writes register r.
func (f *frame) set(r int, x uint64) {
	f.regs[r] = x
	f.defined |= 1 << r
}

// need fails if register r was not written.
func (f *frame) need(r int) error {
	if f.defined&(1<<r) == 0 {
		return reasonf("R%d !read_ok", r)
	}
	return nil
}
