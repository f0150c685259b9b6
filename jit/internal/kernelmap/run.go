package kernelmap

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// This file does by programs what no system call does.
//
// The programs are of type XDP, which all kernels run on request on a packet that
// the caller makes up. The packet is: 8 bytes (what to add, or flags), the key, and the value,
// the latter two at multiples of 8. The program's result is an error number. Where it runs
// is a matter of the calling thread.

// A programKind is one of the programs.
type programKind int

const (
	addProgram programKind = iota
	updateProgram
	numPrograms
)

// anyCPU says that it does not matter on which CPU a program runs.
const anyCPU = -1

// maxPacket is how long a packet surely may be: a page, less the room that the
// kernel takes (xdp_test_run_setup in net/bpf/test_run.c).
const maxPacket = 3 << 10

// minPacket is ETH_HLEN, which bpf_prog_test_run_xdp demands, rounded up.
const minPacket = 16

// A runner holds the programs that a map has needed so far.
type runner struct {
	mu    sync.Mutex
	progs [numPrograms]*cebpf.Program
}

func (r *runner) close() {
	for _, p := range r.progs {
		if p != nil {
			_ = p.Close()
		}
	}
	r.progs = [numPrograms]*cebpf.Program{}
}

// run runs a program on an entry.
func (k *kernelMap) run(kind programKind, key, value []byte, cpu int, flags uint64) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.fd < 0 {
		return errClosed
	}
	prog, err := k.program(kind)
	if err != nil {
		return err
	}
	packet := make([]byte, k.packetSize())
	if kind == addProgram {
		copy(packet, value[:8])
	} else {
		binary.NativeEndian.PutUint64(packet, flags)
		copy(packet[k.valueOffset():], value)
	}
	copy(packet[8:], key)
	var ret uint32
	err = onCPU(cpu, func() error {
		ret, err = prog.Run(&cebpf.RunOptions{Data: packet, Repeat: 1})
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("run a program on the map: %w", err)
	case ret != 0:
		return unix.Errno(ret)
	}
	return nil
}

// onCPU calls f in a thread that runs on a CPU.
func onCPU(cpu int, f func() error) error {
	if cpu == anyCPU {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	only.Set(cpu)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return fmt.Errorf("CPU %d: %w", cpu, err)
	}
	err := f()
	if e := unix.SchedSetaffinity(0, &before); err == nil {
		err = e
	}
	return err
}

func (k *kernelMap) valueOffset() int { return 8 + (int(k.spec.KeySize)+7)&^7 }

func (k *kernelMap) packetSize() int { return max(k.valueOffset()+k.spec.ValueStride(), minPacket) }

// program returns the program of a kind for the map.
func (k *kernelMap) program(kind programKind) (*cebpf.Program, error) {
	if k.packetSize() > maxPacket {
		return nil, fmt.Errorf("entry of %d bytes is too large to be changed on one CPU: %w", k.packetSize(), unix.E2BIG)
	}
	r := &k.running
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.progs[kind] != nil {
		return r.progs[kind], nil
	}
	insns := k.prologue()
	if kind == addProgram {
		insns = append(insns, k.add()...)
	} else {
		insns = append(insns, k.update()...)
	}
	p, err := cebpf.NewProgramWithOptions(&cebpf.ProgramSpec{Name: "entry", Type: cebpf.XDP, License: "MIT", Instructions: insns},
		cebpf.ProgramOptions{LogDisabled: true})
	if err != nil {
		return nil, fmt.Errorf("program that changes entries: %w", err)
	}
	r.progs[kind] = p
	return p, nil
}

// prologue checks the length of the packet and leaves its start in R6.
func (k *kernelMap) prologue() asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R6, asm.R1, 0, asm.Word),
		asm.LoadMem(asm.R7, asm.R1, 4, asm.Word),
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.Add.Imm(asm.R1, int32(k.packetSize())),
		asm.JLE.Reg(asm.R1, asm.R7, "fits"),
		asm.Mov.Imm(asm.R0, int32(unix.EINVAL)),
		asm.Return(),
		asm.Mov.Reg(asm.R9, asm.R6).WithSymbol("fits"),
	}
}

// lookup looks the entry up.
func (k *kernelMap) lookup() asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, k.fd),
		asm.Mov.Reg(asm.R2, asm.R6),
		asm.Add.Imm(asm.R2, 8),
		asm.FnMapLookupElem.Call(),
	}
}

// put makes or sets the entry, with the flags in R4.
func (k *kernelMap) put() asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, k.fd),
		asm.Mov.Reg(asm.R2, asm.R6),
		asm.Add.Imm(asm.R2, 8),
		asm.Mov.Reg(asm.R3, asm.R6),
		asm.Add.Imm(asm.R3, int32(k.valueOffset())),
		asm.FnMapUpdateElem.Call(),
	}
}

// add adds to the value of the entry, which it makes if need be.
func (k *kernelMap) add() asm.Instructions {
	size := asm.DWord
	if k.spec.ValueSize == 4 {
		size = asm.Word
	}
	insns := append(k.lookup(), asm.JNE.Imm(asm.R0, 0, "found"), asm.Mov.Imm(asm.R4, unix.BPF_NOEXIST))
	insns = append(insns, k.put()...)
	insns = append(insns, asm.Mov.Reg(asm.R8, asm.R0))
	insns = append(insns, k.lookup()...)
	return append(insns,
		asm.JNE.Imm(asm.R0, 0, "found"),
		asm.Mov.Reg(asm.R0, asm.R8),
		asm.Neg.Imm(asm.R0, 0),
		asm.JNE.Imm(asm.R0, 0, "exit"),
		asm.Mov.Imm(asm.R0, int32(unix.ENOENT)),
		asm.Ja.Label("exit"),
		asm.LoadMem(asm.R1, asm.R6, 0, size).WithSymbol("found"),
		asm.AddAtomic.Mem(asm.R0, asm.R1, size, 0),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return().WithSymbol("exit"),
	)
}

// update sets the value of the entry, in a per-CPU map on this CPU.
func (k *kernelMap) update() asm.Instructions {
	insns := append(asm.Instructions{asm.LoadMem(asm.R4, asm.R6, 0, asm.DWord)}, k.put()...)
	return append(insns, asm.Neg.Imm(asm.R0, 0), asm.Return())
}
