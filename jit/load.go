package jit

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file loads compiled programs with cilium/ebpf.

// programKey is the name of the one program in a collection of cilium's.
const programKey = "program"

// license lets programs call the helpers that the kernel keeps for GPL code.
// undergo's own part of the code is MIT.
const license = "Dual MIT/GPL"

// Spec returns the program as a collection of cilium's that can be loaded
// with it: the program, called "program", and its sections of data.
func (p *Program) Spec() *cebpf.CollectionSpec {
	spec := &cebpf.CollectionSpec{
		Maps: make(map[string]*cebpf.MapSpec),
		Programs: map[string]*cebpf.ProgramSpec{programKey: {
			Name:         p.name,
			Type:         p.row.typ,
			AttachType:   p.row.attach,
			Flags:        p.row.flags,
			SectionName:  p.section,
			License:      license,
			Instructions: p.unit.Insns,
		}},
	}
	if p.row.target == mustTarget {
		spec.Programs[programKey].AttachTo = p.target
	}
	for _, d := range p.unit.Data {
		spec.Maps[d.Name] = dataMap(d)
	}
	if p.unit.Scratch > 0 {
		spec.Maps[lower.ScratchMap] = scratchMap(p.unit.Scratch)
	}
	return spec.Copy()
}

// scratchMap returns the memory for variables for which the stack is too small.
func scratchMap(size int) *cebpf.MapSpec {
	return &cebpf.MapSpec{
		Name:       lower.ScratchMap,
		Type:       cebpf.PerCPUArray,
		KeySize:    4,
		ValueSize:  uint32(size),
		MaxEntries: 1,
	}
}

// dataMap returns the single-entry array that holds a section of data. The name
// of a section makes cilium freeze it (.rodata) or make it mmapable (.data).
func dataMap(d lower.DataSection) *cebpf.MapSpec {
	m := &cebpf.MapSpec{
		Name:       d.Name,
		Type:       cebpf.Array,
		KeySize:    4,
		ValueSize:  uint32(len(d.Bytes)),
		MaxEntries: 1,
		Contents:   []cebpf.MapKV{{Key: uint32(0), Value: d.Bytes}},
	}
	if d.ReadOnly {
		m.Flags |= unix.BPF_F_RDONLY_PROG
	}
	return m
}

// bindAndLoad puts the collection's maps and programs into the kernel: all of them, or
// nothing stays there.
func (c *Collection) bindAndLoad(f *front) (err error) {
	loaded := false
	defer func() {
		if !loaded {
			err = errors.Join(err, c.Close())
		}
	}()
	c.vars = newVarScope()
	if f.value != nil {
		c.vars = processVars
	}
	if err := c.bindMaps(f); err != nil {
		return err
	}
	if err := c.load(f.opts); err != nil {
		return err
	}
	c.maps.keep()
	loaded = true
	return nil
}

// load loads all programs of the collection.
func (c *Collection) load(o *options) error {
	for _, p := range c.list {
		if err := p.load(o, c); err != nil {
			return err
		}
	}
	return nil
}

// kernelTypes is the kernel's BTF for all loads of the process, because reading
// it takes about 10 ms.
var kernelTypes = sync.OnceValue(btf.NewCache)

// memlock removes the limit on locked memory, which counts BPF objects before
// Linux 5.11.
var memlock = sync.OnceValue(rlimit.RemoveMemlock)

// loadUnit loads the program as it is. The first try asks for no log: the kernel writes one
// of up to hundreds of megabytes for a program that it gives up on. Only if the
// kernel has a reason that a log would tell is it asked again.
func (p *Program) loadUnit(o *options, c *Collection) error {
	start := time.Now()
	if err := memlock(); err != nil {
		return fmt.Errorf("load %s: %w", p.name, p.privileges(err))
	}
	spec := p.Spec()
	opts := cebpf.CollectionOptions{Cache: kernelTypes(), MapReplacements: make(map[string]*cebpf.Map)}
	for _, d := range p.unit.Maps {
		spec.Maps[d.Name] = c.maps.specs[d.Name]
		opts.MapReplacements[d.Name] = c.maps.byName[d.Name]
	}
	if err := p.checkAlignment(runtime.GOARCH, spec.Maps); err != nil {
		return err
	}
	if err := p.useVars(c.vars, o.consts, spec, &opts); err != nil {
		return p.privileges(err)
	}
	opts.Programs.LogDisabled = o.log == nil
	if o.log != nil {
		opts.Programs.LogLevel = cebpf.LogLevelInstruction | cebpf.LogLevelStats
	}
	coll, err := cebpf.NewCollectionWithOptions(spec, opts)
	if err != nil && opts.Programs.LogDisabled && wantsLog(err) {
		opts.Programs.LogDisabled = false
		coll, err = cebpf.NewCollectionWithOptions(spec, opts)
	}
	if err != nil {
		return p.loadError(o, err)
	}
	p.coll = coll
	p.loading = time.Since(start)
	if o.log != nil {
		if _, err := fmt.Fprintln(o.log, p.BPF().VerifierLog); err != nil {
			return fmt.Errorf("write verifier log: %w", err)
		}
	}
	return nil
}

// wantsLog reports whether the verifier's log says more than err does. It does not
// for a program that is too complex: then it is long and ends anywhere.
func wantsLog(err error) bool {
	return !errors.Is(err, unix.EPERM) && !tooComplex(err)
}

// privileges says what to do about a missing privilege.
func (p *Program) privileges(err error) error {
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	if p.row.target == mustTarget {
		return fmt.Errorf("%w: not permitted, or this kernel lacks %s programs; run as root or with CAP_BPF and CAP_PERFMON", unix.EPERM, p.section)
	}
	return fmt.Errorf("%w: run as root or with CAP_BPF and CAP_PERFMON (CAP_NET_ADMIN for network programs)", unix.EPERM)
}
