package jit

import (
	"errors"
	"fmt"
	"go/token"
	"runtime"
	"sync"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file gives the package-level variables that programs write their place in
// the kernel.
//
// The compiler lays out the variables of each program by themselves. Programs that use
// the same variable share it, as Go functions do: a variable stays where the first
// program that is loaded with it has put it, and the code of others is directed there.
// Variables of this process, in programs made of func values, are shared by all of them,
// those of source text and packages by the programs of a collection. They are gone, with
// their values, when the last program that uses them is closed; the next one begins with
// the initial values.

// A varScope is the variables that programs share.
type varScope struct {
	mu     sync.Mutex
	places map[varKey]varPlace
}

// A varKey is which variable it is in a scope.
type varKey struct {
	pkg, name string
	pos       token.Position
}

// A varPlace is where a variable is.
type varPlace struct {
	object *dataObject
	offset int64
	size   int64
}

// processVars is the variables of this process that are in the kernel.
var processVars = newVarScope()

func newVarScope() *varScope { return &varScope{places: make(map[varKey]varPlace)} }

// A dataObject is a map of one entry that holds variables, and its memory in this process.
type dataObject struct {
	m    *cebpf.Map
	mem  []byte
	keys []varKey
	refs int // programs that use it; guarded by the scope
}

// A varUse is the variables of one program.
type varUse struct {
	scope   *varScope
	places  map[string]varPlace // by what the compiler calls the variable
	objects []*dataObject       // the first is the section of the program, if there is one

}

// useVars gives the variables of p their places, in new memory or where they are already, and
// directs the program in spec there. Variables that have got a value for this program by an
// option are not shared.
func (p *Program) useVars(scope *varScope, private map[string]any, spec *cebpf.CollectionSpec, opts *cebpf.CollectionOptions) error {
	section := p.dataSection(lower.DataSectionName)
	if section == nil {
		return nil
	}
	scope.mu.Lock()
	defer scope.mu.Unlock()
	u := &varUse{scope: scope, places: make(map[string]varPlace)}
	var fresh []lower.Var
	for _, v := range p.unit.Vars {
		if v.Section != lower.DataSectionName {
			continue
		}
		pl, known := scope.places[keyOf(v)]
		if _, ok := private[v.Var]; ok || !known || pl.size != v.Size {
			fresh = append(fresh, v)
			continue
		}
		u.places[v.Name()] = pl
		u.add(pl.object)
	}
	if len(fresh) > 0 {
		o, err := newDataObject(section)
		if err != nil {
			return fmt.Errorf("variables of %s: %w", p.name, err)
		}
		for _, v := range fresh {
			pl := varPlace{o, v.Offset, v.Size}
			u.places[v.Name()] = pl
			if _, ok := private[v.Var]; !ok {
				scope.places[keyOf(v)] = pl
				o.keys = append(o.keys, keyOf(v))
			}
		}
		u.add(o)
	}
	for _, o := range u.objects {
		o.refs++
	}
	p.vars = u
	p.direct(spec, opts)
	return nil
}

func keyOf(v lower.Var) varKey { return varKey{v.Package, v.VarDecl.Var, v.Pos} }

func (u *varUse) add(o *dataObject) {
	for _, have := range u.objects {
		if have == o {
			return
		}
	}
	u.objects = append(u.objects, o)
}

// dataSection returns a section of data of the program, or nil.
func (p *Program) dataSection(name string) *lower.DataSection {
	for i := range p.unit.Data {
		if p.unit.Data[i].Name == name {
			return &p.unit.Data[i]
		}
	}
	return nil
}

// direct makes the instructions in spec refer to the objects that the variables are in. They
// are called like the section, with a number from the second on.
func (p *Program) direct(spec *cebpf.CollectionSpec, opts *cebpf.CollectionOptions) {
	names := make(map[*dataObject]string)
	for i, o := range p.vars.objects {
		name := lower.DataSectionName
		if i > 0 {
			name = fmt.Sprintf("%s.%d", name, i+1)
		}
		names[o] = name
		spec.Maps[name] = dataSpec(len(o.mem))
		opts.MapReplacements[name] = o.m
	}
	insns := spec.Programs[programKey].Instructions
	for i := range insns {
		if ins := &insns[i]; ins.Reference() == lower.DataSectionName {
			offset := int64(uint64(ins.Constant) >> 32)
			v := p.varAt(offset)
			pl := p.vars.places[v.Name()]
			*ins = asm.LoadMapValue(ins.Dst, 0, uint32(offset-v.Offset+pl.offset)).WithReference(names[pl.object]).WithMetadata(ins.Metadata)
			*ins = ins.WithReference(names[pl.object])
		}
	}
}

// varAt returns the variable at an offset in the section, or right behind which it is.
func (p *Program) varAt(offset int64) lower.Var {
	var at lower.Var
	for _, v := range p.unit.Vars {
		if v.Section == lower.DataSectionName && v.Offset <= offset && (at.Section == "" || v.Offset >= at.Offset) {
			at = v
		}
	}
	if at.Section == "" {
		panic(fmt.Sprintf("BUG: no variable at offset %d", offset))
	}
	return at
}

func dataSpec(size int) *cebpf.MapSpec {
	return &cebpf.MapSpec{
		Name: lower.DataSectionName, Type: cebpf.Array, KeySize: 4, ValueSize: uint32(size), MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE,
	}
}

// newDataObject makes a map that has the content of section, and room for the programs that come later.
func newDataObject(section *lower.DataSection) (*dataObject, error) {
	size := len(section.Bytes) + lower.VarRoom
	m, err := cebpf.NewMap(dataSpec(size))
	if err != nil {
		return nil, err
	}
	page := unix.Getpagesize()
	mem, err := unix.Mmap(m.FD(), 0, (size+page-1)/page*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	copy(mem, section.Bytes)
	o := &dataObject{m: m, mem: mem[:size]}
	// Not when it is closed, since the host may still have pointers.
	runtime.AddCleanup(o, func(mem []byte) { _ = unix.Munmap(mem) }, mem)
	return o, nil
}

// release ends the program's use of its variables.
func (u *varUse) release() error {
	if u == nil {
		return nil
	}
	u.scope.mu.Lock()
	defer u.scope.mu.Unlock()
	var errs []error
	for _, o := range u.objects {
		if o.refs--; o.refs == 0 {
			for _, k := range o.keys {
				delete(u.scope.places, k)
			}
			errs = append(errs, o.m.Close())
		}
	}
	u.objects = nil
	return errors.Join(errs...)
}
