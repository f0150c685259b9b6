package lower

import (
	"go/token"
	"time"

	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/opt"
)

// A Unit is a compiled program: what a loader needs to hand to the kernel, and
// what a person needs to understand it. It refers to data sections, maps and
// functions by name; it knows no file descriptor.
type Unit struct {
	// Name is the program's name in Go, such as main.onWrite.
	Name string
	// Insns is the program, entry function first, each function's first
	// instruction carrying its symbol and, like every instruction of known origin, its source
	// line (both as cilium metadata, so that they reach the kernel as BTF).
	Insns asm.Instructions
	// Data is the data sections that Insns refer to by name, each a single-entry array map.
	Data []DataSection
	// Maps is the maps that Insns refer to by name.
	Maps []*MapDecl
	// Vars is the package-level variables that Insns refer to, and where they lie in Data.
	Vars []Var
	// Scratch is the size in bytes of the value of the per-CPU array with one entry
	// that Insns refer to as ScratchMap, or 0 if they do not: memory for the variables
	// for which the stack is too small. Its content before a run does not matter.
	// Two runs of the program on one CPU must not overlap.
	Scratch int
	// Panics is the panic sites, in the order of their counters in the section PanicSection.
	Panics []PanicSite
	// Lines maps instructions to source positions.
	Lines []Line
	// Funcs is the functions in order.
	Funcs []FuncInfo
	Stats Stats
}

// A MapDecl says which map a program refers to.
type MapDecl = build.MapDecl

// A MapOption is an option in the call of a map's constructor.
type MapOption = build.MapOption

// Map returns the map that is called name in Insns.
func (u *Unit) Map(name string) (m *MapDecl, ok bool) {
	for _, m := range u.Maps {
		if m.Name == name {
			return m, true
		}
	}
	return nil, false
}

// A Var is a package-level variable.
type Var struct {
	build.VarDecl
	Section string // the name of a DataSection
	Offset  int64  // of the variable in it, in bytes
}

// Name returns the name of the variable with its package.
func (v Var) Name() string { return v.Package + "." + v.VarDecl.Var }

// Names of the data sections a Unit may have.
const (
	// RodataSection holds constants. The loader freezes it.
	RodataSection = ".rodata"
	// DataSectionName holds package-level variables. The host may map it.
	DataSectionName = ".data"
	// PanicSection holds one 64-bit counter for each entry of Unit.Panics.
	PanicSection = ".data.panics"
	// ScratchMap is memory for variables, see Unit.Scratch.
	ScratchMap = opt.ScratchMap
)

// VarRoom is the bytes that must be behind the variables of a section that several programs use: the
// verifier may think that they are accessed. A section that is used as it is has as many as its program needs.
const VarRoom = ir.VarRoom

// PanicLoop is the kind of a PanicSite at which Go does not panic: there the kernel ends a
// loop that takes longer than a program may.
const PanicLoop = "loop"

// A DataSection is the initial content of a single-entry array map.
type DataSection struct {
	Name     string
	Bytes    []byte
	ReadOnly bool
}

// A PanicSite is a place in the source at which the program may panic.
type PanicSite struct {
	Pos     token.Position
	Kind    string // "index", "slice", "nil", "divide", "shift", "assert", "convert", "explicit", or PanicLoop
	Message string // as Go's runtime words it
}

// A Line says that the instructions from raw offset Offset (in 8-byte slots) on come from Pos.
type Line struct {
	Offset int
	Pos    token.Position
}

// A FuncInfo describes one function of a Unit.
type FuncInfo struct {
	Name   string // in Go
	Symbol string // in Insns and BTF
	Offset int    // raw, in 8-byte slots
	Stack  int    // bytes of frame
}

// Stats is what a compilation cost and produced.
type Stats struct {
	Insns  int // 8-byte slots
	Stack  int // bytes of the deepest call chain
	Stages []StageTime
}

// A StageTime is the time one stage or pass took.
type StageTime struct {
	Stage string
	Time  time.Duration
}
