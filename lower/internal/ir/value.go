package ir

// A Pos is a source position: a go/token.Pos that this package does not
// interpret. Zero is no position.
type Pos int32

// An ID numbers the values or the blocks of a function, densely from 0 in
// order of creation.
type ID int32

// A Value is an instruction or a block parameter, and its result.
//
// Args, Imm, Width, Signed, Size and Aux mean what the comment of Op says;
// those that the operation does not use are zero.
type Value struct {
	ID     ID
	Op     Op
	Type   Type
	Width  uint8 // bytes accessed by OpLoad, OpStore, OpAtomic
	Signed bool  // OpLoad sign-extends
	Imm    int64
	Size   int64 // bytes of OpMemZero, OpMemCopy, and of the object at the beginning of which an OpHelper points, if known
	Aux    Aux
	Args   []*Value
	Block  *Block
	Pos    Pos
}

// Aux is the object an operation refers to: a *Slot, *Data, *Map, *Func,
// *Helper, *Site or AtomicOp.
type Aux interface{ aux() }

func (*Slot) aux()    {}
func (*Data) aux()    {}
func (*Map) aux()     {}
func (*Func) aux()    {}
func (*Helper) aux()  {}
func (*Site) aux()    {}
func (AtomicOp) aux() {}

// IsConst reports whether v is a constant, and its value.
func (v *Value) IsConst() (int64, bool) { return v.Imm, v.Op == OpConst }

// Slot returns the stack object of an OpSlotAddr.
func (v *Value) Slot() *Slot { return v.Aux.(*Slot) }

// Data returns the data object of an OpDataAddr.
func (v *Value) Data() *Data { return v.Aux.(*Data) }

// Map returns the map of an OpMapRef.
func (v *Value) Map() *Map { return v.Aux.(*Map) }

// Callee returns the function of an OpCall or OpFuncAddr.
func (v *Value) Callee() *Func { return v.Aux.(*Func) }

// Helper returns the kernel helper of an OpHelper.
func (v *Value) Helper() *Helper { return v.Aux.(*Helper) }

// Site returns the panic site of a check.
func (v *Value) Site() *Site { return v.Aux.(*Site) }

// An AtomicOp is the kind of an OpAtomic.
type AtomicOp uint8

const (
	AtomicAdd AtomicOp = iota
	AtomicAnd
	AtomicOr
	AtomicXor
	AtomicFetchAdd
	AtomicFetchAnd
	AtomicFetchOr
	AtomicFetchXor
	AtomicXchg
	AtomicCmpXchg

	NumAtomicOps
)

var atomicNames = [NumAtomicOps]string{
	"add", "and", "or", "xor", "fetchadd", "fetchand", "fetchor", "fetchxor", "xchg", "cmpxchg",
}

// String returns the name of a as the text form prints it.
func (a AtomicOp) String() string { return atomicNames[a] }

// Fetches reports whether a returns the old value.
func (a AtomicOp) Fetches() bool { return a >= AtomicFetchAdd }
