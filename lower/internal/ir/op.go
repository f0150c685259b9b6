package ir

// An Op is the operation of a [Value].
//
// The comment of each operation gives its printed form, its meaning, and
// whether it can panic. All that passes need to know in general is in the
// [OpInfo] table; a test holds printer, parser, verifier, interpreter and
// instruction selection against it.
type Op uint8

const (
	OpInvalid Op = iota

	// OpParam is a parameter of a block, or of the function when the block is
	// the entry. It stands in Block.Params, never in Block.Instrs.
	OpParam

	// OpConst is the constant Imm: `const 42`. An I32 constant is stored
	// sign-extended from 32 bits. A constant of pointer type is nil and 0.
	OpConst

	// Integer arithmetic, `add a, b`: both operands and the result have the
	// same integer type. Division and shifts are total, see the package comment.
	OpAdd
	OpSub
	OpMul
	OpUDiv
	OpSDiv
	OpURem
	OpSRem
	OpAnd
	OpOr
	OpXor
	OpShl
	OpLShr
	OpAShr
	// OpNeg is 0 - a: `neg a`.
	OpNeg

	// OpSExtIn sign-extends the low Imm bits (8, 16, or 32 for I64) of a within
	// its own type: `sextin 8 a`.
	OpSExtIn
	// OpTrunc is the low 32 bits of an I64 as an I32: `trunc a`.
	OpTrunc
	// OpZExt and OpSExt widen an I32 to I64: `zext a`, `sext a`.
	OpZExt
	OpSExt
	// OpBswap reverses the low Imm/8 bytes (16, 32 or 64 bits) of a and zeroes
	// the bits above: `bswap 16 a`.
	OpBswap

	// Comparisons, `ult a, b`: operands of one integer type, or pointers for
	// eq and ne (and ult.. between packet pointers); the result is an I32 0 or 1.
	OpEq
	OpNe
	OpULt
	OpULe
	OpUGt
	OpUGe
	OpSLt
	OpSLe
	OpSGt
	OpSGe

	// OpSelect is b if a != 0, else c: `select a, b, c`; a is I32.
	OpSelect

	// OpPi is a under a new name that carries a proven fact, see the package
	// comment: `pi a`. It costs nothing and must not be merged with a.
	OpPi
	// OpOpaque is the integer a under a new name, of which the verifier knows
	// nothing: `opaque a`. Counters of loops that the kernel limits start with it,
	// see [OpLoopLimit].
	OpOpaque

	// OpSlotAddr is the address of the stack object Aux.(*Slot): `slotaddr s0`.
	OpSlotAddr
	// OpDataAddr is the address of byte Imm of Aux.(*Data): `dataaddr @d +8`.
	OpDataAddr
	// OpMapRef refers to the map Aux.(*Map): `mapref @m`.
	OpMapRef
	// OpFuncAddr refers to the function Aux.(*Func): `funcaddr @f`.
	OpFuncAddr
	// OpPtrAdd is pointer a plus the I64 b: `ptradd a, b`. The result has a's type.
	OpPtrAdd
	// OpPtrDiff is the distance in bytes from pointer b to pointer a, an I64:
	// `ptrdiff a, b`.
	OpPtrDiff
	// OpPtrToInt is the bits of a pointer as an I64, OpIntToPtr the reverse; the
	// verifier will not dereference the latter: `ptrtoint a`, `inttoptr a`.
	OpPtrToInt
	OpIntToPtr

	// OpLoad reads Width bytes at pointer a plus Imm and zero-extends them (or
	// sign-extends them, if Signed) to its integer type; a load of pointer type
	// reads 8 bytes: `load.2s i32 a +4`.
	OpLoad
	// OpStore writes the low Width bytes of b at pointer a plus Imm:
	// `store.2 a +4, b`.
	OpStore
	// OpMemZero zeroes Size bytes at a plus Imm: `memzero 24 a +0`.
	OpMemZero
	// OpMemCopy copies Size bytes from b to a, which do not overlap unless they are
	// equal: `memcopy 24 a, b`.
	OpMemCopy

	// OpAtomic performs the atomic operation Aux.(AtomicOp) of Width 4 or 8 bytes at
	// pointer a plus Imm: `atomic.8 add a +0, b`. Operations that fetch have the
	// type of b and return the old value; the others are Void. CmpXchg takes
	// the expected old value b and the new value c.
	OpAtomic

	// OpCall calls Aux.(*Func): `call @f(a, b)`. With one result it has its type;
	// with several it is Void-typed and is followed by OpResult.
	OpCall
	// OpResult is result number Imm of the OpCall a with several results:
	// `result 1 a`.
	OpResult
	// OpHelper calls the kernel helper Aux.(*Helper): `helper get_prandom_u32()`. Size, if
	// not 0, is that of the object whose address it returns: `helper size 8 map_lookup_elem(a, b)`.
	OpHelper

	// OpCheck panics at Aux.(*Site) if the I32 a is 0: `check a !site`.
	OpCheck
	// OpCheckIdx panics at Aux.(*Site) unless a < b unsigned, and is a; a and b are
	// of one integer type: `checkidx a, b !site`.
	OpCheckIdx
	// OpCheckULe panics at Aux.(*Site) unless a <= b unsigned, and is a:
	// `checkule a, b !site`.
	OpCheckULe
	// OpCheckNonNil panics at Aux.(*Site) if pointer a is nil, and is a:
	// `checknonnil a !site`.
	OpCheckNonNil
	// OpLoopLimit lets the kernel end a loop: it panics at Aux.(*Site) when the loop
	// takes too long for a BPF program: `looplimit !site`. It stands at the beginning of
	// the loop's header. In exchange the verifier does not follow each iteration
	// but one of which it knows only what holds in all.
	OpLoopLimit

	numOps
)

// Flags describe what passes may do with an operation.
type Flags uint8

const (
	// Pure operations depend on their operands only, have no effect and may be
	// removed, duplicated, merged with equal ones and moved.
	Pure Flags = 1 << iota
	// Commutative operations may have their two operands exchanged.
	Commutative
	// ReadsMem operations depend on memory.
	ReadsMem
	// WritesMem operations change memory.
	WritesMem
	// MayPanic operations may leave the program.
	MayPanic
	// Proof operations return their first operand with a fact: they may not be
	// merged with it nor with each other across different operands.
	Proof
	// Compare operations are the ten comparisons.
	Compare
)

// AuxKind says what a value's Aux holds.
type AuxKind uint8

const (
	NoAux AuxKind = iota
	AuxSlot
	AuxData
	AuxMap
	AuxFunc
	AuxHelper
	AuxSite
	AuxAtomic
)

// ImmKind says what a value's Imm means.
type ImmKind uint8

const (
	NoImm    ImmKind = iota
	ImmConst         // the constant itself
	ImmBits          // a number of bits
	ImmDisp          // a displacement in bytes
	ImmIndex         // a result number
)

// OpInfo is what is known of an operation in general.
type OpInfo struct {
	Name  string
	Args  int // number of operands, or -1 if it varies
	Flags Flags
	Imm   ImmKind
	Aux   AuxKind
}

const arith = Pure

var opTable = [numOps]OpInfo{
	OpParam:       {"param", 0, 0, NoImm, NoAux},
	OpConst:       {"const", 0, Pure, ImmConst, NoAux},
	OpAdd:         {"add", 2, arith | Commutative, NoImm, NoAux},
	OpSub:         {"sub", 2, arith, NoImm, NoAux},
	OpMul:         {"mul", 2, arith | Commutative, NoImm, NoAux},
	OpUDiv:        {"udiv", 2, arith, NoImm, NoAux},
	OpSDiv:        {"sdiv", 2, arith, NoImm, NoAux},
	OpURem:        {"urem", 2, arith, NoImm, NoAux},
	OpSRem:        {"srem", 2, arith, NoImm, NoAux},
	OpAnd:         {"and", 2, arith | Commutative, NoImm, NoAux},
	OpOr:          {"or", 2, arith | Commutative, NoImm, NoAux},
	OpXor:         {"xor", 2, arith | Commutative, NoImm, NoAux},
	OpShl:         {"shl", 2, arith, NoImm, NoAux},
	OpLShr:        {"lshr", 2, arith, NoImm, NoAux},
	OpAShr:        {"ashr", 2, arith, NoImm, NoAux},
	OpNeg:         {"neg", 1, arith, NoImm, NoAux},
	OpSExtIn:      {"sextin", 1, arith, ImmBits, NoAux},
	OpTrunc:       {"trunc", 1, arith, NoImm, NoAux},
	OpZExt:        {"zext", 1, arith, NoImm, NoAux},
	OpSExt:        {"sext", 1, arith, NoImm, NoAux},
	OpBswap:       {"bswap", 1, arith, ImmBits, NoAux},
	OpEq:          {"eq", 2, arith | Commutative | Compare, NoImm, NoAux},
	OpNe:          {"ne", 2, arith | Commutative | Compare, NoImm, NoAux},
	OpULt:         {"ult", 2, arith | Compare, NoImm, NoAux},
	OpULe:         {"ule", 2, arith | Compare, NoImm, NoAux},
	OpUGt:         {"ugt", 2, arith | Compare, NoImm, NoAux},
	OpUGe:         {"uge", 2, arith | Compare, NoImm, NoAux},
	OpSLt:         {"slt", 2, arith | Compare, NoImm, NoAux},
	OpSLe:         {"sle", 2, arith | Compare, NoImm, NoAux},
	OpSGt:         {"sgt", 2, arith | Compare, NoImm, NoAux},
	OpSGe:         {"sge", 2, arith | Compare, NoImm, NoAux},
	OpSelect:      {"select", 3, arith, NoImm, NoAux},
	OpPi:          {"pi", 1, Proof, NoImm, NoAux},
	OpOpaque:      {"opaque", 1, Proof, NoImm, NoAux},
	OpSlotAddr:    {"slotaddr", 0, Pure, NoImm, AuxSlot},
	OpDataAddr:    {"dataaddr", 0, Pure, ImmDisp, AuxData},
	OpMapRef:      {"mapref", 0, Pure, NoImm, AuxMap},
	OpFuncAddr:    {"funcaddr", 0, Pure, NoImm, AuxFunc},
	OpPtrAdd:      {"ptradd", 2, Pure, NoImm, NoAux},
	OpPtrDiff:     {"ptrdiff", 2, Pure, NoImm, NoAux},
	OpPtrToInt:    {"ptrtoint", 1, Pure, NoImm, NoAux},
	OpIntToPtr:    {"inttoptr", 1, Pure, NoImm, NoAux},
	OpLoad:        {"load", 1, ReadsMem, ImmDisp, NoAux},
	OpStore:       {"store", 2, WritesMem, ImmDisp, NoAux},
	OpMemZero:     {"memzero", 1, WritesMem, ImmDisp, NoAux},
	OpMemCopy:     {"memcopy", 2, ReadsMem | WritesMem, NoImm, NoAux},
	OpAtomic:      {"atomic", -1, ReadsMem | WritesMem, ImmDisp, AuxAtomic},
	OpCall:        {"call", -1, ReadsMem | WritesMem | MayPanic, NoImm, AuxFunc},
	OpResult:      {"result", 1, 0, ImmIndex, NoAux},
	OpHelper:      {"helper", -1, ReadsMem | WritesMem, NoImm, AuxHelper},
	OpCheck:       {"check", 1, MayPanic, NoImm, AuxSite},
	OpCheckIdx:    {"checkidx", 2, MayPanic | Proof, NoImm, AuxSite},
	OpCheckULe:    {"checkule", 2, MayPanic | Proof, NoImm, AuxSite},
	OpCheckNonNil: {"checknonnil", 1, MayPanic | Proof, NoImm, AuxSite},
	OpLoopLimit:   {"looplimit", 0, MayPanic, NoImm, AuxSite},
}

// NumOps is one more than the largest operation, for tables indexed by Op.
const NumOps = int(numOps)

// Info returns the table row of op.
func (op Op) Info() *OpInfo { return &opTable[op] }

// String returns the name of op as the text form prints it.
func (op Op) String() string {
	if op == OpInvalid || op >= numOps {
		return "invalid"
	}
	return opTable[op].Name
}

// Is reports whether op has all of the given flags.
func (op Op) Is(f Flags) bool { return opTable[op].Flags&f == f }

// Swapped returns the comparison that holds for (b, a) exactly if op holds for
// (a, b).
func (op Op) Swapped() Op {
	switch op {
	case OpULt:
		return OpUGt
	case OpULe:
		return OpUGe
	case OpUGt:
		return OpULt
	case OpUGe:
		return OpULe
	case OpSLt:
		return OpSGt
	case OpSLe:
		return OpSGe
	case OpSGt:
		return OpSLt
	case OpSGe:
		return OpSLe
	}
	return op
}

// Negated returns the comparison that holds exactly if op does not.
func (op Op) Negated() Op {
	switch op {
	case OpEq:
		return OpNe
	case OpNe:
		return OpEq
	case OpULt:
		return OpUGe
	case OpULe:
		return OpUGt
	case OpUGt:
		return OpULe
	case OpUGe:
		return OpULt
	case OpSLt:
		return OpSGe
	case OpSLe:
		return OpSGt
	case OpSGt:
		return OpSLe
	case OpSGe:
		return OpSLt
	}
	panic("BUG: Negated of " + op.String())
}
