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
	{lower.ISAv4, features.HaveV4ISA},
	{lower.TraceVprintk, func() error { return features.HaveProgramHelper(cebpf.TracePoint, asm.FnTraceVprintk) }},
}
