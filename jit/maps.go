package jit

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit/internal/kernelmap"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file finds the maps that programs refer to and puts them into the kernel.
//
// The map of a program that was compiled from a func value is a variable of this process.
// Process and source agree on where the variable's constructor was called, which is
// how the map is found. Source text and packages are no part of this process: their maps
// are made as the constructors in the source say, and belong to the collection.

// A mapSet is the maps of a collection.
type mapSet struct {
	byName   map[string]*cebpf.Map
	specs    map[string]*cebpf.MapSpec
	bindings []*bind.Use    // of maps of this process
	owned    []bind.Backend // of maps that belong to the collection
}

// bindMaps puts all maps of the collection's programs into the kernel.
func (c *Collection) bindMaps(f *front) error {
	c.maps = &mapSet{byName: make(map[string]*cebpf.Map), specs: make(map[string]*cebpf.MapSpec)}
	if err := checkMapNames(c.list, f.opts.maps); err != nil {
		return err
	}
	for _, p := range c.list {
		for _, d := range p.unit.Maps {
			if c.maps.byName[d.Name] != nil {
				continue
			}
			var list lower.DiagnosticError
			if err := c.maps.add(f, d); errors.As(err, &list) {
				return list
			} else if err != nil {
				return fmt.Errorf("map %s: %w", d.Name, err)
			}
		}
	}
	return nil
}

// checkMapNames returns an error if a map is given that no program uses.
func checkMapNames(programs []*Program, given map[string]*cebpf.Map) error {
	for _, name := range sortedKeys(given) {
		if !slices.ContainsFunc(programs, func(p *Program) bool {
			return slices.ContainsFunc(p.unit.Maps, func(d *lower.MapDecl) bool { return isCalled(d, name) })
		}) {
			return fmt.Errorf("WithMap: the program uses no map %s", name)
		}
	}
	return nil
}

// isCalled reports whether an option means the map d by name.
func isCalled(d *lower.MapDecl, name string) bool {
	return d.Field == "" && (d.Var == name || d.Name == name)
}

// opener returns what opens the kernel map for d, which is called name if it is a new one.
func (o *options) opener(d *lower.MapDecl, name string) func(*bind.Spec) (bind.Backend, bool, error) {
	for given, m := range o.maps {
		if isCalled(d, given) {
			return func(spec *bind.Spec) (bind.Backend, bool, error) {
				clone, err := m.Clone()
				if err != nil {
					return nil, false, err
				}
				b, err := kernelmap.Adopt(spec, clone)
				return b, true, err
			}
		}
	}
	return func(spec *bind.Spec) (bind.Backend, bool, error) {
		if o.pins != "" && spec.Pin == "" {
			pinned := *spec
			pinned.Pin = filepath.Join(o.pins, name)
			spec = &pinned
		}
		return kernelmap.Open(spec, name)
	}
}

// partName makes a name of that of a part of a variable, such as probe.queues[1].
var partName = strings.NewReplacer(".", "_", "[", "_", "]", "")

// add puts the map d into the kernel.
func (s *mapSet) add(f *front, d *lower.MapDecl) error {
	name := partName.Replace(d.Var)
	if d.Field != "" {
		name += "_" + d.Field
	}
	open := f.opts.opener(d, name)
	if f.value == nil && d.Live == 0 {
		spec, err := f.sourceSpec(d)
		if err != nil {
			return err
		}
		b, _, err := open(spec)
		if err != nil {
			return err
		}
		s.owned = append(s.owned, b)
		return s.use(d, b, spec, name)
	}
	m, err := liveMap(d)
	if err != nil {
		return err
	}
	opened := false
	binding, err := m.Bind(func(spec *bind.Spec) (bind.Backend, bool, error) {
		opened = true
		return open(spec)
	})
	if err != nil {
		return err
	}
	s.bindings = append(s.bindings, binding)
	if !opened {
		if err := f.opts.checkBound(d, m, name); err != nil {
			return err
		}
	}
	return s.use(d, m.Backend(), m.Spec(), name)
}

// checkBound makes sure that a map which an earlier program has put into the kernel is what the
// options want.
func (o *options) checkBound(d *lower.MapDecl, m *bind.Map, name string) error {
	k, ok := m.Backend().(kernelmap.Kernel)
	if !ok {
		return nil // use will tell
	}
	for given, with := range o.maps {
		if isCalled(d, given) && !sameMap(k.Map(), with) {
			return errors.New("WithMap: an earlier program uses another map for it; close that before")
		}
	}
	if o.pins == "" || m.Spec().Pin != "" {
		return nil
	}
	path := filepath.Join(o.pins, name)
	pinned, err := cebpf.LoadPinnedMap(path, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k.Pin(path)
	case err != nil:
		return fmt.Errorf("open map pinned at %s: %w", path, err)
	}
	defer pinned.Close()
	if !sameMap(k.Map(), pinned) {
		return fmt.Errorf("PinMaps: an earlier program uses another map than that pinned at %s; close it before", path)
	}
	return nil
}

// sameMap reports whether a and b are the same map of the kernel.
func sameMap(a, b *cebpf.Map) bool {
	infoA, errA := a.Info()
	infoB, errB := b.Info()
	if errA != nil || errB != nil {
		return false
	}
	idA, okA := infoA.ID()
	idB, okB := infoB.ID()
	return okA && okB && idA == idB
}

// use makes programs use the backend b for the map d.
func (s *mapSet) use(d *lower.MapDecl, b bind.Backend, spec *bind.Spec, name string) error {
	k, ok := b.(kernelmap.Kernel)
	if !ok {
		return errors.New("closed while a program is loaded with it")
	}
	s.byName[d.Name] = k.Map()
	s.specs[d.Name] = kernelmap.Spec(spec, name)
	// As it is, which may be larger.
	s.specs[d.Name].MaxEntries = k.Map().MaxEntries()
	s.specs[d.Name].Flags = k.Map().Flags()
	s.specs[d.Name].Key, s.specs[d.Name].Value = nil, nil
	return nil
}

// keep says that the programs have been loaded.
func (s *mapSet) keep() {
	for _, b := range s.bindings {
		b.Keep()
	}
	s.bindings = nil
}

// close undoes what keep has not kept, and closes the collection's own maps.
func (s *mapSet) close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, b := range s.bindings {
		errs = append(errs, b.Undo())
	}
	for _, b := range s.owned {
		errs = append(errs, b.Close())
	}
	s.bindings, s.owned = nil, nil
	return errors.Join(errs...)
}

// liveMap returns the map of this process that d is.
func liveMap(d *lower.MapDecl) (*bind.Map, error) {
	if d.Live != 0 {
		return givenMap(d)
	}
	if d.Call == nil {
		return nil, fmt.Errorf("declared at %v without a constructor: initialise it where it is declared, as in var %s = ebpf.NewHash[uint32, uint64](1024)", d.Pos, d.Var)
	}
	var found []*bind.Map
	for line := d.Site.Line; len(found) == 0 && line >= d.Pos.Line; line-- {
		found = mapsAt(d.Site.Filename, line)
	}
	if d.Order >= len(found) {
		return nil, fmt.Errorf("no map of this process was made at %v: is the variable assigned elsewhere, or the source not what this binary was built from?", d.Site)
	}
	return ownerOr(found[d.Order], d.Field)
}

// givenMap returns the map d, which was found in memory of this process.
func givenMap(d *lower.MapDecl) (*bind.Map, error) {
	m := bind.ByID(d.Live)
	if m == nil {
		panic("BUG: map " + d.Name + " was collected")
	}
	return ownerOr(m, d.Field)
}

// ownerOr returns m, or the map that belongs to it and is called field.
func ownerOr(m *bind.Map, field string) (*bind.Map, error) {
	if field == "" {
		return m, nil
	}
	if m = m.Child(field); m == nil {
		return nil, fmt.Errorf("has no map %s", field)
	}
	return m, nil
}

// mapsAt returns the maps that were made in a line. A file name that is not one of the
// binary's, as in sources given with WithSource, is matched from its end.
func mapsAt(file string, line int) []*bind.Map {
	if found := bind.At(file, line); len(found) > 0 {
		return found
	}
	var found []*bind.Map
	suffix := "/" + strings.TrimLeft(filepath.ToSlash(file), "./")
	for _, m := range bind.All() {
		if site := m.Site(); site.Line == line && strings.HasSuffix("/"+filepath.ToSlash(site.File), suffix) {
			found = append(found, m)
		}
	}
	return found
}

// LoadMaps puts typed maps of package ebpf into the kernel, with the entries that they have,
// before a program does that uses them: all of them, or none. Those that are there
// already stay as they are.
func LoadMaps(maps ...bind.Holder) error {
	s := &mapSet{byName: make(map[string]*cebpf.Map), specs: make(map[string]*cebpf.MapSpec)}
	for i, h := range maps {
		m := h.Binding()
		use, err := m.Bind(func(spec *bind.Spec) (bind.Backend, bool, error) { return kernelmap.Open(spec, "map") })
		if err != nil {
			return errors.Join(fmt.Errorf("load map %d: %w", i, err), s.close())
		}
		s.bindings = append(s.bindings, use)
	}
	s.keep()
	return nil
}

// ReplaceMap makes programs use a map of the kernel that exists in place of a new one for
// the typed map m: one that another process has made, or that was opened where it is
// pinned. It must have the same type, sizes and flags, and as many entries at least. Its
// entries count, not those that m has in memory. With is cloned.
func ReplaceMap(m bind.Holder, with *cebpf.Map) error {
	clone, err := with.Clone()
	if err != nil {
		return fmt.Errorf("replace map: %w", err)
	}
	taken := false
	use, err := m.Binding().Bind(func(spec *bind.Spec) (bind.Backend, bool, error) {
		taken = true
		b, err := kernelmap.Adopt(spec, clone)
		return b, true, err
	})
	switch {
	case err != nil:
		return fmt.Errorf("replace map: %w", err)
	case !taken:
		return errors.Join(errors.New("replace map: it is in the kernel already; close it before"), use.Undo(), clone.Close())
	}
	use.Keep()
	return nil
}
