package ir

import (
	"cmp"
	"slices"
)

// A Module is one BPF program: its entry function first, the functions it
// calls or passes to helpers, and the objects they refer to.
type Module struct {
	Funcs []*Func
	Data  []*Data
	Maps  []*Map
	Sites []*Site
	// Scratch is the size in bytes of the value of the per-CPU map that holds
	// the variables for which the stack is too small, or 0 if there is none.
	Scratch int64
}

// NewFunc adds an empty function to m.
func (m *Module) NewFunc(name string, pos Pos) *Func {
	f := &Func{Name: name, Module: m, Pos: pos}
	m.Funcs = append(m.Funcs, f)
	return f
}

// NewSite adds a panic site to m.
func (m *Module) NewSite(kind PanicKind, msg string, pos Pos) *Site {
	s := &Site{Index: len(m.Sites), Kind: kind, Message: msg, Pos: pos}
	m.Sites = append(m.Sites, s)
	return s
}

// A Data is an object that outlives the program's run: a constant string or
// table, or a package-level variable.
type Data struct {
	Name    string
	Bytes   []byte
	Align   int64
	Mutable bool
	// Refs are the addresses in Bytes, sorted by offset. A program can use them as
	// long as the object is not mutable; the bytes are zero there.
	Refs []Ref
	// Room is the bytes that there must be in its section behind the object, of whatever: the
	// verifier thinks that they are read.
	Room int64
	// Fixed is that the section ends with the object, so that there is no room.
	Fixed bool
	// Origin is what the producer of the module knows of the object, for the
	// loader. The text form leaves it out.
	Origin any
}

// VarRoom is the bytes that there are behind every mutable object that is not fixed,
// whichever program has laid it out: a page.
const VarRoom = 4096

// A Ref is the address ToOff bytes into To, at offset Off of an object.
type Ref struct {
	Off   int64
	To    *Data
	ToOff int64
}

// AddRef adds r to the addresses in d.
func (d *Data) AddRef(r Ref) {
	i, found := slices.BinarySearchFunc(d.Refs, r.Off, func(r Ref, off int64) int { return cmp.Compare(r.Off, off) })
	if found {
		d.Refs[i] = r
		return
	}
	d.Refs = slices.Insert(d.Refs, i, r)
}

// A Map is a BPF map the program refers to. The compiler knows no more of it
// than its name; the loader binds it.
type Map struct {
	Name   string
	Origin any // as of a Data
}

// A PanicKind says which of Go's run-time panics a site raises.
type PanicKind uint8

const (
	PanicIndex    PanicKind = iota // index out of range
	PanicSlice                     // slice bounds out of range
	PanicNil                       // nil dereference
	PanicDivide                    // integer divide by zero
	PanicShift                     // negative shift amount
	PanicAssert                    // failed type assertion
	PanicConvert                   // slice to array conversion
	PanicExplicit                  // panic(...)
	PanicLoop                      // none of Go's: the kernel has ended a loop that took too long

	NumPanicKinds
)

var panicNames = [NumPanicKinds]string{
	"index", "slice", "nil", "divide", "shift", "assert", "convert", "explicit", "loop",
}

// String returns the name of k as the text form prints it.
func (k PanicKind) String() string { return panicNames[k] }

// A Site is a place in the source that may panic.
type Site struct {
	Index   int // position in Module.Sites
	Kind    PanicKind
	Message string // as Go's runtime words it
	Pos     Pos
}

// ProofMessage is the message of sites at which no program panics: their checks are for
// the kernel's verifier only.
const ProofMessage = "unreachable: a proof for the verifier"

// An ArgKind says what a kernel helper takes for an argument.
type ArgKind uint8

const (
	ArgScalar ArgKind = iota // an integer
	ArgMem                   // a pointer to memory the helper reads
	ArgOut                   // a pointer to memory the helper writes
	ArgMap                   // a map
	ArgCtx                   // the program's context
	ArgFunc                  // a function that the helper calls
	ArgKernel                // a pointer to a kernel object

	numArgKinds
)

var argKindNames = [numArgKinds]string{
	"scalar", "mem", "out", "map", "ctx", "func", "kernel",
}

// String returns the name of k as the text form prints it.
func (k ArgKind) String() string { return argKindNames[k] }

// A Helper is a kernel helper as the compiler needs to know it.
type Helper struct {
	ID   int32  // BPF_FUNC_* number
	Name string // as in the kernel, without bpf_
	Args []ArgKind
	// Sizes holds, for each ArgMem and ArgOut, the index of the argument that
	// gives its size, or -1 if the map or the helper determines it.
	Sizes []int
	// Result is Void, I64 or the pointer type returned, which may be nil.
	Result Type
	// Flags are ReadsMem and WritesMem, as far as memory that the program can
	// also reach is concerned; neither is set for a query of the environment.
	Flags Flags
	// InvalidatesPacket is set for helpers that may move packet data.
	InvalidatesPacket bool
	// TakesPacket is set for helpers whose memory arguments may be packet data.
	TakesPacket bool
}
