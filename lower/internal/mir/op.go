package mir

// An Op is the operation of an [Inst]. In the comments d, s and t are Dst, Src
// and Src2, and "s|imm" is s, or Imm where Src is NoReg.
type Op uint8

const (
	OpInvalid Op = iota

	// OpMov is d = s|imm, zero-extended from 32 bits if W32. An immediate that
	// does not fit in 32 signed bits becomes a two-slot load.
	OpMov
	// OpMovSX is d = s sign-extended from Width bytes (to 32 bits if W32); ISA v4.
	OpMovSX
	// OpFrameAddr is d = address of Slot plus Imm.
	OpFrameAddr
	// OpOpaque is d = 0 by a computation that the verifier does not see through.
	OpOpaque
	// OpLoadSym is d = address of Sym plus Imm (SymData), the map (SymMap) or
	// the function (SymFunc); two slots.
	OpLoadSym

	// ALU operations: d = d op s|imm, on 32 bits if W32. Immediates are signed
	// 32-bit. OpSDiv and OpSRem need ISA v4.
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpSDiv
	OpRem
	OpSRem
	OpAnd
	OpOr
	OpXor
	OpLsh
	OpRsh
	OpArsh
	// OpNeg is d = -d.
	OpNeg
	// OpToBE is d = the low Width bytes of d converted between host and big
	// endian, zero-extended; OpToLE the same for little endian; OpBswap swaps
	// unconditionally (ISA v4).
	OpToBE
	OpToLE
	OpBswap

	// OpLoad is d = Width bytes at s+Off or at Slot+Off (Src is NoReg),
	// zero-extended to 64 bits, or sign-extended if Signed (ISA v4).
	OpLoad
	// OpStore is Width bytes at d+Off or at Slot+Off (Dst is NoReg) = s|imm; d is read.
	OpStore
	// OpAtomic performs atomic operation Imm (an Atomic*) of Width bytes at d+Off or
	// Slot+Off with s. Fetching operations return the old value in s; AtomicCmpXchg
	// compares with R0, stores s, and returns the old value in R0.
	OpAtomic

	// OpCallHelper calls Sym, reads R1..R(NArgs), writes R0, clobbers R1-R5.
	OpCallHelper
	// OpCallFn calls Sym, likewise.
	OpCallFn

	// OpCSet is d = 1 if d' Cond t|imm holds, else 0, where d' is s: that is
	// d = (s cond t|imm), on 32 bits if W32. d is written before s and t are
	// read, so it must differ from both.
	OpCSet
	// OpCMov is d = t if (s cond imm) is false, else d stays: d is read and
	// written. If Src2 is NoReg, the value moved is Off, a small immediate that is
	// sign-extended to 64 bits. W32 makes the comparison 32 bits wide; the move
	// is always of 64.
	OpCMov

	// OpCheck panics at Site if (d cond s|imm) holds, on 32 bits if W32. d counts
	// as written as well, so that a spilled copy is taken after the comparison
	// the verifier learns from.
	OpCheck
	// OpLoopLimit panics at Site if the kernel finds that the loop takes too long.
	OpLoopLimit

	// OpJmp continues at To.
	OpJmp
	// OpBr continues at To if (d cond s|imm) holds, on 32 bits if W32, and at Else otherwise;
	// d is read.
	OpBr
	// OpExit returns from the function; R0 is read.
	OpExit
	// OpPanic leaves the program at Site. If that is SitePropagate, R0 is read.
	OpPanic
	// OpUnreachable is never executed.
	OpUnreachable

	numOps
)

// NumOps is one more than the largest operation, for tables indexed by Op.
const NumOps = int(numOps)

// RegUse says how an operation uses a register operand.
type RegUse uint8

const (
	NoUse RegUse = 0
	Read  RegUse = 1 << 0
	Write RegUse = 1 << 1
	// Early marks a write that happens before the reads.
	Early RegUse = 1 << 2
)

// OpInfo is what is known of an operation in general.
type OpInfo struct {
	Name     string
	Dst      RegUse
	Src      RegUse
	Src2     RegUse
	Term     bool // ends a block
	Call     bool // clobbers R0-R5
	HasImm   bool // Imm replaces Src when that is NoReg
	Commutes bool
}

var opTable = [numOps]OpInfo{
	OpMov:         {Name: "mov", Dst: Write, Src: Read, HasImm: true},
	OpMovSX:       {Name: "movsx", Dst: Write, Src: Read},
	OpFrameAddr:   {Name: "frameaddr", Dst: Write},
	OpOpaque:      {Name: "opaque", Dst: Write},
	OpLoadSym:     {Name: "loadsym", Dst: Write},
	OpAdd:         {Name: "add", Dst: Read | Write, Src: Read, HasImm: true, Commutes: true},
	OpSub:         {Name: "sub", Dst: Read | Write, Src: Read, HasImm: true},
	OpMul:         {Name: "mul", Dst: Read | Write, Src: Read, HasImm: true, Commutes: true},
	OpDiv:         {Name: "div", Dst: Read | Write, Src: Read, HasImm: true},
	OpSDiv:        {Name: "sdiv", Dst: Read | Write, Src: Read, HasImm: true},
	OpRem:         {Name: "rem", Dst: Read | Write, Src: Read, HasImm: true},
	OpSRem:        {Name: "srem", Dst: Read | Write, Src: Read, HasImm: true},
	OpAnd:         {Name: "and", Dst: Read | Write, Src: Read, HasImm: true, Commutes: true},
	OpOr:          {Name: "or", Dst: Read | Write, Src: Read, HasImm: true, Commutes: true},
	OpXor:         {Name: "xor", Dst: Read | Write, Src: Read, HasImm: true, Commutes: true},
	OpLsh:         {Name: "lsh", Dst: Read | Write, Src: Read, HasImm: true},
	OpRsh:         {Name: "rsh", Dst: Read | Write, Src: Read, HasImm: true},
	OpArsh:        {Name: "arsh", Dst: Read | Write, Src: Read, HasImm: true},
	OpNeg:         {Name: "neg", Dst: Read | Write},
	OpToBE:        {Name: "be", Dst: Read | Write},
	OpToLE:        {Name: "le", Dst: Read | Write},
	OpBswap:       {Name: "bswap", Dst: Read | Write},
	OpLoad:        {Name: "load", Dst: Write, Src: Read},
	OpStore:       {Name: "store", Dst: Read, Src: Read, HasImm: true},
	OpAtomic:      {Name: "atomic", Dst: Read, Src: Read}, // Src is also written if the operation fetches, see Inst.Uses
	OpCallHelper:  {Name: "callhelper", Call: true},
	OpCallFn:      {Name: "callfn", Call: true},
	OpCSet:        {Name: "cset", Dst: Write | Early, Src: Read, Src2: Read},
	OpCMov:        {Name: "cmov", Dst: Read | Write, Src: Read, Src2: Read},
	OpCheck:       {Name: "check", Dst: Read | Write, Src: Read, HasImm: true},
	OpLoopLimit:   {Name: "looplimit"},
	OpJmp:         {Name: "jmp", Term: true},
	OpBr:          {Name: "br", Dst: Read, Src: Read, HasImm: true, Term: true},
	OpExit:        {Name: "exit", Term: true},
	OpPanic:       {Name: "panic", Term: true},
	OpUnreachable: {Name: "unreachable", Term: true},
}

// Info returns the table row of op.
func (op Op) Info() *OpInfo { return &opTable[op] }

// String returns the name of op as the text form prints it.
func (op Op) String() string {
	if op == OpInvalid || op >= numOps {
		return "invalid"
	}
	return opTable[op].Name
}

// A Cond is a comparison, as BPF's conditional jumps make it.
type Cond uint8

const (
	CondNone Cond = iota
	Eq
	Ne
	ULt
	ULe
	UGt
	UGe
	SLt
	SLe
	SGt
	SGe
	Set // d & s != 0

	NumConds
)

var condNames = [NumConds]string{"none", "eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge", "set"}

// String returns the name of c as the text form prints it.
func (c Cond) String() string { return condNames[c] }

// Negated returns the condition that holds exactly if c does not. There is none
// for Set.
func (c Cond) Negated() (Cond, bool) {
	switch c {
	case Eq:
		return Ne, true
	case Ne:
		return Eq, true
	case ULt:
		return UGe, true
	case ULe:
		return UGt, true
	case UGt:
		return ULe, true
	case UGe:
		return ULt, true
	case SLt:
		return SGe, true
	case SLe:
		return SGt, true
	case SGt:
		return SLe, true
	case SGe:
		return SLt, true
	}
	return c, false
}

// Atomic operations, the values of Imm of an OpAtomic: as the imm field of the
// instruction encodes them (Documentation/bpf/standardization/instruction-set.rst,
// "Atomic operations").
const (
	AtomicAdd      = 0x00
	AtomicOr       = 0x40
	AtomicAnd      = 0x50
	AtomicXor      = 0xa0
	AtomicFetch    = 0x01 // flag
	AtomicFetchAdd = AtomicAdd | AtomicFetch
	AtomicFetchOr  = AtomicOr | AtomicFetch
	AtomicFetchAnd = AtomicAnd | AtomicFetch
	AtomicFetchXor = AtomicXor | AtomicFetch
	AtomicXchg     = 0xe0 | AtomicFetch
	AtomicCmpXchg  = 0xf0 | AtomicFetch
)
