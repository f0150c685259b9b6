package build

import (
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// An Input is a program to build.
type Input struct {
	Fset *token.FileSet
	// Entry is the program function, or with a Shim the function to wrap.
	Entry *ssa.Function
	// Name is what Entry is called in Go, such as main.onWrite.
	Name string
	// Type is the program type in libbpf's naming: "tracepoint", "xdp",
	// "raw_tracepoint", "syscall" and so on.
	Type string
	// MaySleep says that the program may wait, as those of sleepable sections.
	MaySleep bool
	// Captures holds the values of the variables that a closure captures, in gc
	// layout. The program starts each run with these values.
	Captures map[*ssa.FreeVar][]byte
	// Globals holds the initial values, in gc layout, of package-level variables
	// that have another one than their source says.
	Globals map[*ssa.Global][]byte
	// Snapshots holds the values of package-level variables that stand for memory of the
	// host: constants of the program, which may hold maps.
	Snapshots map[*ssa.Global]*Snapshot
	// Unavailable is the fields that have no value in a snapshot, and why.
	Unavailable map[*types.Var]string
	// Traced is the number of parameters of the kernel function that a tracing or
	// lsm program is attached to, or negative if that is not known.
	Traced int
	// Library reports whether the package of the given import path is one that the
	// host's code cannot change the variables of, and in which the user does not look
	// for errors: of Go's standard library. It may be nil.
	Library func(importPath string) bool
	Shim    Shim
}

// Build translates in.Entry and everything it calls. The entry function of the
// module comes first; its parameter, if any, is the context, and it returns one
// integer. Everything that is wrong with the program is added to diags; the
// result is nil if that is anything at all.
func Build(in Input, t target.Target, diags *diag.List) *ir.Module {
	w := &world{objects: make(map[mapKey]*mapObject)}
	for {
		w.begin()
		var found diag.List
		m := build(in, t, w, &found)
		if w.complete() {
			diags.Append(found.All()...)
			return m
		}
	}
}

// build is an attempt to build the program for the world as far as it is known.
func build(in Input, t target.Target, w *world, diags *diag.List) *ir.Module {
	b := &builder{
		world:        w,
		in:           in,
		target:       t,
		diags:        diags,
		m:            &ir.Module{},
		layouts:      make(map[types.Type]layoutResult),
		instances:    make(map[*ssa.Function][]*instance),
		sites:        make(map[siteKey]*ir.Site),
		strings:      make(map[string]*ir.Data),
		globals:      make(map[*ssa.Global]*ir.Data),
		initialising: make(map[*ssa.Package]bool),
		literals:     make(map[*ssa.Alloc]*ir.Data),
		maps:         make(map[*mapObject]*ir.Map),
		mapValues:    make(map[*mapObject]*ir.Data),
		mapData:      make(map[*ir.Data]bool),
		uses:         make(map[*ssa.Package]map[*ssa.Global]*globalUse),
		dirs:         make(map[*ssa.Function]*directive),
		helpers:      make(map[*ssa.Function]*helper),
		quiet:        make(map[*ssa.Function]bool),
		funcObjects:  make(map[int64]*ir.Data),
		stringy:      make(map[*ssa.Function]bool),
		onlyRead:     make(map[*ir.Value]bool),
		names:        make(map[string]int),
	}
	b.initial = b.evaluate
	if in.Shim == ShimNone {
		b.buildProgram()
	} else {
		b.buildShim()
	}
	if diags.Len() > 0 {
		return nil
	}
	b.dropUnused()
	b.markMutable()
	b.checkDataPointers()
	b.refuseShared()
	b.refuseSnapshotWrites()
	if diags.Len() > 0 {
		return nil
	}
	return b.m
}

// A builder is the state of one Build.
type builder struct {
	in     Input
	target target.Target
	diags  *diag.List
	m      *ir.Module
	world  *world

	layouts   map[types.Type]layoutResult
	instances map[*ssa.Function][]*instance
	active    []*instance // being built, outermost first
	sites     map[siteKey]*ir.Site
	strings   map[string]*ir.Data
	globals   map[*ssa.Global]*ir.Data
	// initial is evaluate: the tables of intrinsics would refer to themselves by
	// the method.
	initial func(*ir.Data, *ssa.Global) bool
	// initialising is the packages whose initialisers are being built or have been run.
	initialising map[*ssa.Package]bool
	fixed        []*ir.Data // see addFixed
	snapshots    []*ir.Data
	literals     map[*ssa.Alloc]*ir.Data // of constant variables, by what initialises them
	maps         map[*mapObject]*ir.Map
	mapValues    map[*mapObject]*ir.Data // of maps of one entry
	mapData      map[*ir.Data]bool       // what holds numbers of maps, see mapvalue.go
	uses         map[*ssa.Package]map[*ssa.Global]*globalUse
	dirs         map[*ssa.Function]*directive
	helpers      map[*ssa.Function]*helper
	quiet        map[*ssa.Function]bool // see isQuiet
	funcObjects  map[int64]*ir.Data     // of functions that capture nothing, by number
	stringy      map[*ssa.Function]bool // see makesStrings
	onlyRead     map[*ir.Value]bool     // see paramOnlyRead
	names        map[string]int         // functions so far by base name

	instanceCount int  // see roomFor
	crowded       bool // there were too many
}

// An instance is a function built for arguments of given shapes.
type instance struct {
	src  *ssa.Function
	args []shape // of the free variables and then the parameters
	f    *ir.Func
	call token.Pos // of the first call
	// result is the shape of the results: of the only one, or of a tuple.
	result shape
	// frames are the variables of the function that outlive its activation:
	// the caller passes memory for each, after the big results.
	frames []frame
	// unwinds says that a panic returns to the caller. It does as the first result,
	// which exists if status is set, and is at one of sites. If recovers is set, the
	// function may recover from the panic that the caller passes. See unwind.go.
	unwinds, recovers bool
	status            bool
	sites             []*ir.Site
	// throwsMemory is where it panics with a value that is not a number, if the program looks
	// at values of panics.
	throwsMemory token.Pos

	done   bool
	failed bool
}

type siteKey struct {
	kind ir.PanicKind
	msg  string
	pos  ir.Pos
}

// site returns the panic site at a place in the source. Instances of one
// function share their sites.
func (b *builder) site(kind ir.PanicKind, msg string, pos token.Pos) *ir.Site {
	k := siteKey{kind, msg, ir.Pos(pos)}
	s := b.sites[k]
	if s == nil {
		s = b.m.NewSite(kind, msg, ir.Pos(pos))
		b.sites[k] = s
	}
	return s
}

// position returns the position of pos, which may be token.NoPos.
func (b *builder) position(pos token.Pos) token.Position { return b.in.Fset.Position(pos) }

// newFunc adds a function to the module under a name of its own.
func (b *builder) newFunc(name string, pos token.Pos) *ir.Func {
	b.names[name]++
	if n := b.names[name]; n > 1 {
		name += "#" + strconv.Itoa(n)
	}
	return b.m.NewFunc(name, ir.Pos(pos))
}

// dataName returns name, or one made of it that no object has.
func (b *builder) dataName(name string) string {
	key := "data " + name
	b.names[key]++
	if n := b.names[key]; n > 1 {
		name += "#" + strconv.Itoa(n)
	}
	return name
}

// dropUnused removes the functions and data that nothing refers to: those made
// for shapes that turned out too optimistic.
func (b *builder) dropUnused() {
	used := map[*ir.Func]bool{b.m.Funcs[0]: true}
	data := make(map[*ir.Data]bool)
	work := []*ir.Func{b.m.Funcs[0]}
	for len(work) > 0 {
		f := work[len(work)-1]
		work = work[:len(work)-1]
		for _, blk := range f.Blocks {
			for _, v := range blk.Instrs {
				switch o := v.Aux.(type) {
				case *ir.Data:
					data[o] = true
				case *ir.Func:
					if !used[o] {
						used[o] = true
						work = append(work, o)
					}
				}
			}
		}
	}
	b.m.Funcs = slices.DeleteFunc(b.m.Funcs, func(f *ir.Func) bool { return !used[f] })
	var refer func(d *ir.Data)
	refer = func(d *ir.Data) {
		for _, r := range d.Refs {
			if !data[r.To] {
				data[r.To] = true
				refer(r.To)
			}
		}
	}
	for _, d := range b.m.Data {
		if data[d] {
			refer(d)
		}
	}
	b.m.Data = slices.DeleteFunc(b.m.Data, func(d *ir.Data) bool { return !data[d] })
}
