package jit

import (
	"fmt"
	"runtime"
	"sync"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"

	"github.com/undergo-ebpf/undergo/lower"
)

// runningTarget describes the running kernel. It is found out once.
var runningTarget = sync.OnceValues(func() (lower.Target, error) {
	code, err := features.LinuxVersionCode()
	if err != nil {
		return lower.Target{}, fmt.Errorf("find out the kernel's version: %w", err)
	}
	v := lower.Version{Major: int(code >> 16), Minor: int(code >> 8 & 0xff)}
	if !v.AtLeast(lower.MinKernel) {
		return lower.Target{}, fmt.Errorf("this kernel is Linux %s, and programs need at least %s", v, lower.MinKernel)
	}
	t := lower.TargetFor(v, runtime.GOARCH)
	for _, p := range probes {
		if !t.Has(p.feature) && p.probe() == nil {
			t.Features |= 1 << p.feature
		}
	}
	return t, nil
})

// probes find features that a distribution has brought to an older kernel. They
// are tried only where the version says that the feature is missing.
var probes = []struct {
	feature lower.Feature
	probe   func() error
}{
	{lower.ISAv4, probeISAv4},
	{lower.VarOffStack, probeVarOffStack},
	{lower.TraceVprintk, func() error { return features.HaveProgramHelper(cebpf.TracePoint, asm.FnTraceVprintk) }},
}

// probeISAv4 loads each of the instructions of -mcpu=v4. Longterm kernels have
// been given some of them and not the others (6.1 has the long jump), so none
// stands for all.
func probeISAv4() error {
	return probe(asm.Instructions{
		asm.Mov.Imm(asm.R0, 8),
		asm.Mov.Imm(asm.R1, 2),
		asm.StoreMem(asm.RFP, -8, asm.R0, asm.DWord),
		asm.LoadMemSX(asm.R2, asm.RFP, -8, asm.Byte),
		asm.SDiv.Reg(asm.R0, asm.R1),
		asm.SMod.Reg32(asm.R2, asm.R1),
		asm.MovSX8.Reg(asm.R0, asm.R0),
		asm.BSwap(asm.R0, asm.DWord),
		asm.JEq.Imm(asm.R1, 2, "exit"),
		asm.LongJump("exit"),
		asm.Return().WithSymbol("exit"),
	})
}

// probeVarOffStack reads the stack at an offset that is not constant.
func probeVarOffStack() error {
	return probe(asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.StoreImm(asm.RFP, -8, 0, asm.Word),
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.LoadMem(asm.R1, asm.R6, 0, asm.Word), // of the context: the length of the packet
		asm.And.Imm(asm.R1, 7),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -8),
		asm.Add.Reg(asm.R2, asm.R1),
		asm.LoadMem(asm.R0, asm.R2, 0, asm.Byte),
		asm.Return(),
	})
}

// probe loads a socket filter.
func probe(insns asm.Instructions) error {
	p, err := cebpf.NewProgramWithOptions(&cebpf.ProgramSpec{Type: cebpf.SocketFilter, License: license, Instructions: insns},
		cebpf.ProgramOptions{LogDisabled: true})
	if err != nil {
		return err
	}
	return p.Close()
}
