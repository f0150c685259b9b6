package build

import (
	"encoding/binary"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file gives the program memory of the host as it is when the program is compiled: what
// a captured pointer, or the receiver of a method, points to.
//
// It is a package-level variable that the front end declares, whose value is a constant
// of the program. Nothing can write it, wherever its address goes, and
// a program that would is refused.

// A Snapshot is the value of a variable.
type Snapshot struct {
	Bytes []byte // in gc layout, zero where a map is
	Maps  []GivenMap
}

// A GivenMap is a map in a Snapshot, or a pointer to one.
type GivenMap struct {
	Offset int64
	Path   string // of the map in the variable, such as .events, or "" if that is the map
	Name   string // by which the user knows it
	Type   *types.Named
	Live   uint32 // not 0, see MapDecl
}

// givenMap returns the map m of the variable g.
func (b *builder) givenMap(g *ssa.Global, m GivenMap) *mapObject {
	key := mapKey{live: m.Live}
	if o := b.world.objects[key]; o != nil {
		return o
	}
	return b.world.newMap(key, &MapDecl{
		Name: g.String() + m.Path, Package: g.Pkg.Pkg.Path(), Var: m.Name, Type: m.Type,
		Pos: b.position(g.Pos()), Live: m.Live,
	})
}

// takeSnapshot makes s the content of d, the object of g.
func (b *builder) takeSnapshot(d *ir.Data, g *ssa.Global, s *Snapshot) {
	copy(d.Bytes, s.Bytes)
	for _, m := range s.Maps {
		binary.LittleEndian.PutUint64(d.Bytes[m.Offset:], uint64(b.world.mapID(b.givenMap(g, m))))
	}
	b.noteMaps(d, elemType(g.Type()))
	b.snapshots = append(b.snapshots, d)
	b.addFixed(d)
}

// snapshotAlloc returns the address of a snapshot that a is a copy of which is only read, if it
// is one: a captured variable.
func (fn *function) snapshotAlloc(a *ssa.Alloc) (operand, bool) {
	if len(fn.b.in.Snapshots) == 0 {
		return operand{}, false
	}
	var store *ssa.Store
	for _, r := range *a.Referrers() {
		if s, ok := r.(*ssa.Store); ok && s.Addr == a {
			if store != nil {
				return operand{}, false
			}
			store = s
		}
	}
	if store == nil {
		return operand{}, false
	}
	load, ok := store.Val.(*ssa.UnOp)
	if !ok {
		return operand{}, false
	}
	g, ok := load.X.(*ssa.Global)
	if !ok || fn.b.in.Snapshots[g] == nil || !onlyRead(a, store) {
		return operand{}, false
	}
	for _, r := range *a.Referrers() {
		if r != store && !comesAfter(r, store) {
			return operand{}, false
		}
	}
	fn.skip[store] = true
	return fn.globalAddr(g), true
}

// onlyRead reports whether nothing is done with the address v but to read what is there, except
// for init.
func onlyRead(v ssa.Value, init *ssa.Store) bool {
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.DebugRef, *ssa.UnOp:
		case *ssa.FieldAddr, *ssa.IndexAddr:
			if t := elemType(r.(ssa.Value).Type()); !isMapType(t) && !onlyRead(r.(ssa.Value), nil) {
				return false
			}
		case *ssa.MakeClosure:
			for i, b := range r.Bindings {
				if b == v && !onlyRead(r.Fn.(*ssa.Function).FreeVars[i], nil) {
					return false
				}
			}
		case *ssa.Store:
			if r != init {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// failUnavailable reports the use of a field that has no value here, and whether it is one.
func (fn *function) failUnavailable(f *types.Var) bool {
	why := fn.b.in.Unavailable[f.Origin()]
	if why == "" {
		return false
	}
	fn.fail(diag.UnsuitableCapture, "keep what the program needs in an integer, an array or a map",
		"field %s is not taken over from the host: %s", f.Name(), why)
	return true
}

// refuseSnapshotWrites reports an error for each instruction that writes to a snapshot, or that
// keeps the address of one where it cannot be followed.
func (b *builder) refuseSnapshotWrites() {
	if len(b.snapshots) == 0 {
		return
	}
	fl := &snapshotFlow{b: b, from: make(map[*ir.Value]*ir.Data), refused: make(map[*ir.Value]bool)}
	for _, d := range b.snapshots {
		fl.follow(d)
	}
}

// A snapshotFlow follows the addresses of snapshots through the program.
type snapshotFlow struct {
	b       *builder
	from    map[*ir.Value]*ir.Data // addresses in a snapshot
	refused map[*ir.Value]bool
	grown   bool
}

func (fl *snapshotFlow) add(v *ir.Value, d *ir.Data) {
	if fl.from[v] == nil {
		fl.from[v] = d
		fl.grown = true
	}
}

// follow visits all uses of the addresses in d until nothing is added.
func (fl *snapshotFlow) follow(d *ir.Data) {
	for _, f := range fl.b.m.Funcs {
		for _, blk := range f.Blocks {
			for _, v := range blk.Instrs {
				if v.Op == ir.OpDataAddr && v.Data() == d {
					fl.add(v, d)
				}
			}
		}
	}
	for fl.grown {
		fl.grown = false
		for _, f := range fl.b.m.Funcs {
			for _, blk := range f.Blocks {
				for _, v := range blk.Instrs {
					for i, a := range v.Args {
						if fl.from[a] == d {
							fl.use(v, i, d)
						}
					}
				}
				for _, e := range blk.Term.Succs {
					for i, a := range e.Args {
						if fl.from[a] == d {
							fl.add(e.To.Params[i], d)
						}
					}
				}
				for i, a := range blk.Term.Args {
					if fl.from[a] == d && blk.Term.Kind == ir.TermReturn {
						fl.results(f, i, d)
					}
				}
			}
		}
	}
}

// use handles v, whose operand i is an address in d.
func (fl *snapshotFlow) use(v *ir.Value, i int, d *ir.Data) {
	switch {
	case v.Op == ir.OpCall:
		fl.add(v.Callee().Params()[i], d)
	case v.Type.IsPtr() && v.Op != ir.OpLoad:
		fl.add(v, d)
	case v.Op == ir.OpStore && i == 1: // in a function value; the verifier sees to it
	case onlyReads(v, i) || !v.Type.IsPtr() && v.Type != ir.Void && v.Op != ir.OpAtomic && v.Op != ir.OpHelper:
	case !fl.refused[v]:
		fl.refused[v] = true
		fl.b.fail(diag.UnsupportedExpr, token.Pos(v.Pos), "keep what changes in a map, or in a field that is an *ebpf.Var",
			"assignment to memory of the host: what "+strings.TrimPrefix(d.Origin.(*VarDecl).Var, "host.")+" refers to is a constant of the program")
	}
}

// results handles a return of f whose operand i is an address in d.
func (fl *snapshotFlow) results(f *ir.Func, i int, d *ir.Data) {
	for _, g := range fl.b.m.Funcs {
		for _, blk := range g.Blocks {
			for _, v := range blk.Instrs {
				switch {
				case v.Op == ir.OpCall && v.Callee() == f && len(f.Results) == 1:
					fl.add(v, d)
				case v.Op == ir.OpResult && v.Args[0].Callee() == f && v.Imm == int64(i):
					fl.add(v, d)
				}
			}
		}
	}
}
