package mir

import "strings"

// opSyntax is the text form of each operation's operands. Printer, parser and
// verifier walk it, so that they cannot disagree on which fields an operation
// uses. An instruction is written
//
//	name[32][.width[s]] operands [@pos]
//
// with 32 for the 32-bit form, s for a sign-extending load, and _ for a register
// that is absent though it should not be. In the operands capital letters
// stand for fields:
//
//	W  stands first and says that the name carries the width
//	D  Dst
//	S  Src, or Imm if Src is absent and the operation takes an immediate
//	R  Src, always a register
//	T  Src2, or Imm if absent
//	X  Src2, or Off if absent
//	I  Imm
//	M  memory at Src or Slot, plus Off: [v16+8] or [s0+8]
//	N  memory at Dst or Slot, plus Off
//	F  Slot plus Imm
//	Y  Sym plus Imm
//	G  Sym of the kind that is called: f, or h#6 for helper number 6
//	A  NArgs in parentheses
//	O  Imm as the name of an atomic operation
//	C  Cond
//	P  Site
//	B  To
//	E  Else
//
// and the remaining characters stand for themselves.
var opSyntax = [numOps]string{
	OpMov:         "D, S",
	OpMovSX:       "WD, R",
	OpFrameAddr:   "D, F",
	OpOpaque:      "D",
	OpLoadSym:     "D, Y",
	OpAdd:         "D, S",
	OpSub:         "D, S",
	OpMul:         "D, S",
	OpDiv:         "D, S",
	OpSDiv:        "D, S",
	OpRem:         "D, S",
	OpSRem:        "D, S",
	OpAnd:         "D, S",
	OpOr:          "D, S",
	OpXor:         "D, S",
	OpLsh:         "D, S",
	OpRsh:         "D, S",
	OpArsh:        "D, S",
	OpNeg:         "D",
	OpToBE:        "WD",
	OpToLE:        "WD",
	OpBswap:       "WD",
	OpLoad:        "WD, M",
	OpStore:       "WN, S",
	OpAtomic:      "WO N, R",
	OpCallHelper:  "GA",
	OpCallFn:      "GA",
	OpCSet:        "D, R C T",
	OpCMov:        "D, R C I else X",
	OpCheck:       "D C S, panic P",
	OpLoopLimit:   "panic P",
	OpJmp:         "B",
	OpBr:          "D C S, B, E",
	OpExit:        "",
	OpPanic:       "P",
	OpUnreachable: "",
}

// uses reports whether the text form of op mentions any of the fields.
func (op Op) uses(fields string) bool { return strings.ContainsAny(opSyntax[op], fields) }

// symKindNames are the names of the kinds of symbols in the text form.
var symKindNames = [...]string{
	SymData:   "data",
	SymMap:    "map",
	SymFunc:   "func",
	SymHelper: "helper",
}

// atomicNames are the names of the atomic operations in the text form.
var atomicNames = []struct {
	imm  int64
	name string
}{
	{AtomicAdd, "add"},
	{AtomicOr, "or"},
	{AtomicAnd, "and"},
	{AtomicXor, "xor"},
	{AtomicFetchAdd, "fetchadd"},
	{AtomicFetchOr, "fetchor"},
	{AtomicFetchAnd, "fetchand"},
	{AtomicFetchXor, "fetchxor"},
	{AtomicXchg, "xchg"},
	{AtomicCmpXchg, "cmpxchg"},
}

// atomicName returns the name of atomic operation imm, or "" if there is none.
func atomicName(imm int64) string {
	for _, a := range atomicNames {
		if a.imm == imm {
			return a.name
		}
	}
	return ""
}
