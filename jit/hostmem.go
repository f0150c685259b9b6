package jit

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"unsafe"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file gives programs what captured pointers, and receivers of methods, point to.
//
// A function literal may capture maps, structs that hold maps, and pointers to such structs:
//
//	type Probe struct {
//		events *ebpf.RingBuf[Event]
//		limit  uint64
//	}
//
//	func (p *Probe) onExec(ctx ebpf.Context) int { ... }
//
//	jit.Compile(p.onExec)
//
// What p points to becomes a package-level variable of the program,
//
//	var host.p Probe
//
// whose value is a constant: the maps that *p holds, and its integers as they are when the
// program is compiled. A program that assigns to it is refused. Fields of other types, such as
// strings and slices, are not there; only a program that uses them is refused.
//
// Two programs that are compiled of two probes have two such constants, and so each has
// the maps of its own probe.

// A hostVar is a variable of the program that stands for memory of this process.
type hostVar struct {
	what string         // what the user calls it
	mem  unsafe.Pointer // where it is
	pos  token.Pos
	typ  ast.Expr
}

// hostTypes returns the names of the types that variables which stand for memory of this process have.
func (f *front) hostTypes() map[string]bool {
	names := make(map[string]bool)
	for _, v := range f.hostVars {
		if id, ok := v.typ.(*ast.Ident); ok {
			names[id.Name] = true
		}
	}
	return names
}

// newHostVar declares a variable of type typ for the memory at mem, which the user calls what,
// and returns its name.
func (f *front) newHostVar(file *file, what string, typ ast.Expr, mem unsafe.Pointer, pos token.Pos) *ast.Ident {
	name := "host." + what // no identifier of Go
	gen := &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{
		&ast.ValueSpec{Names: []*ast.Ident{{NamePos: pos, Name: name}}, Type: typ},
	}}
	d := &decl{file: file, gen: gen}
	d.group = []*decl{d}
	file.pkg.decls[name] = d
	f.hostVars[name] = hostVar{what, mem, pos, typ}
	return &ast.Ident{NamePos: pos, Name: name}
}

// A capture is how a captured value of a type that is not plain data is taken over.
type capture uint8

const (
	captureNone  capture = iota
	captureValue         // a value that holds maps
	capturePointer
)

// captureOf returns how values of type t are taken over, or why they are not.
func captureOf(t types.Type) (capture, error) {
	if isMap(t) {
		return captureValue, nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		if isMap(p) {
			return captureValue, nil
		}
		switch p.Elem().Underlying().(type) {
		case *types.Struct, *types.Array:
			return capturePointer, nil
		}
	} else if holdsMaps(t) {
		return captureValue, nil
	}
	return captureNone, fmt.Errorf("is of type %s, and only integers, bools, maps of package ebpf, arrays and structs of them and pointers to those can be taken over",
		types.TypeString(t, types.RelativeTo(nil)))
}

// isMap reports whether t is a map type of package ebpf or a pointer to one.
func isMap(t types.Type) bool { return mapType(t) != nil }

// mapType returns the map type that t is or points to, or nil.
func mapType(t types.Type) *types.Named {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != ebpfPath {
		return nil
	}
	for t := types.Type(n); ; {
		s, ok := t.Underlying().(*types.Struct)
		if !ok || s.NumFields() == 0 {
			return nil
		}
		if t = s.Field(0).Type(); s.Field(0).Name() == "handle" {
			return n
		}
	}
}

// holdsMaps reports whether values of type t hold maps.
func holdsMaps(t types.Type) bool {
	if isMap(t) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return holdsMaps(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if holdsMaps(f.Type()) {
				return true
			}
		}
	}
	return false
}

// takeHostVars reads the values of the variables that stand for memory of this process.
func (f *front) takeHostVars(prog *ssa.Program, k *checked, r *reach) {
	for _, name := range sortedKeys(f.hostVars) {
		v, ok := k.types.Scope().Lookup(name).(*types.Var)
		if !ok {
			continue // the program does not use it
		}
		h := f.hostVars[name]
		s := &hostReader{front: f, unsized: r.unsized, snap: &lower.Snapshot{Bytes: make([]byte, sizes.Sizeof(v.Type()))}, what: h.what}
		if err := s.read(v.Type(), h.mem, 0, ""); err != nil {
			f.diags.Add(lower.UnsuitableCapture, f.fset.Position(h.pos), "", "%s%v", h.what, err)
			continue
		}
		f.snapshots[prog.Package(k.types).Var(name)] = s.snap
	}
}

// takeGivenMaps makes the maps of UseMap the values of their variables.
func (f *front) takeGivenMaps(prog *ssa.Program, k *checked) {
	for _, name := range sortedKeys(f.opts.given) {
		m := f.opts.given[name]
		v, ok := k.types.Scope().Lookup(name).(*types.Var)
		if !ok || !isPointer(v.Type()) || !isMap(v.Type()) {
			f.diags.Add(lower.UnknownConst, token.Position{}, "", "UseMap: the program has no variable %s that holds a map", name)
			continue
		}
		t := mapType(v.Type())
		want, err := f.typeSpec(t)
		have := m.Spec()
		if err == nil && (want.Kind != have.Kind || want.KeySize != have.KeySize || want.ValueSize != have.ValueSize) {
			err = fmt.Errorf("a %s map with keys of %d and values of %d bytes", have.Kind, have.KeySize, have.ValueSize)
		}
		if err != nil {
			f.diags.Add(lower.UnknownConst, f.fset.Position(v.Pos()), "", "UseMap: variable %s of type %s cannot be given %v", name, typeName(v.Type()), err)
			continue
		}
		f.snapshots[prog.Package(k.types).Var(name)] = &lower.Snapshot{Bytes: make([]byte, ptrSize),
			Maps: []lower.GivenMap{{Name: name, Type: t, Live: m.ID()}}}
	}
}

// A hostReader copies a value of this process into a snapshot.
type hostReader struct {
	*front
	unsized map[token.Pos]bool
	snap    *lower.Snapshot
	what    string
}

// read copies the value of type t at mem, which is off bytes into the variable and called path.
func (s *hostReader) read(t types.Type, mem unsafe.Pointer, off int64, path string) error {
	if m := mapType(t); m != nil {
		return s.readMap(t, m, mem, off, path)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		n := sizes.Sizeof(t)
		copy(s.snap.Bytes[off:off+n], unsafe.Slice((*byte)(mem), n))
	case *types.Array:
		size := sizes.Sizeof(u.Elem())
		for i := range u.Len() {
			if err := s.read(u.Elem(), unsafe.Add(mem, i*size), off+i*size, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case *types.Struct:
		fields := slices.Collect(u.Fields())
		unsized := ""
		for i, o := range sizes.Offsetsof(fields) {
			field := fields[i]
			switch {
			case s.unsized[field.Pos()]:
				unsized = field.Name()
				s.unavailable[field.Origin()] = "its type is of a package that cannot be compiled"
			case unsized != "":
				s.unavailable[field.Origin()] = fmt.Sprintf("it stands behind field %s, whose size is not known", unsized)
			case !holdsMaps(field.Type()) && plainData(field.Type()) != nil:
				s.unavailable[field.Origin()] = "only maps, integers and bools are"
			default:
				if err := s.read(field.Type(), unsafe.Add(mem, o), off+o, path+"."+field.Name()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// readMap notes the map of type m at mem, or, if that is what t is, the one that the pointer at mem
// points to.
func (s *hostReader) readMap(t types.Type, m *types.Named, mem unsafe.Pointer, off int64, path string) error {
	if _, ok := t.Underlying().(*types.Pointer); ok {
		mem = *(*unsafe.Pointer)(mem)
	}
	if mem == nil {
		return nil
	}
	live := bind.FromPointer(mem)
	switch {
	case live == nil && path == "":
		return fmt.Errorf(" is a map that no constructor has made")
	case live == nil:
		return nil
	case !live.Registered():
		return fmt.Errorf("%s is not the map that the source says: has the source changed since this binary was built?", path)
	}
	s.snap.Maps = append(s.snap.Maps, lower.GivenMap{Offset: off, Path: path, Name: s.what + path, Type: m, Live: live.ID()})
	s.keep = append(s.keep, live)
	return nil
}
