package ir

// opSyntax is the text form of each operation's operands. Printer and parser
// both walk it, so that they cannot disagree. An instruction is written
//
//	[vN =] name[.width[s]] [type] operands
//
// where the type is present exactly if the value is named. In the operands
//
//	.      stands first and says that the name carries the width (and s if signed)
//	a b c  are operands 0, 1 and 2
//	?      is every operand after b, each after a comma
//	*      is all operands, separated by commas
//	i      is Imm
//	+      is Imm with its sign, a displacement
//	n      is Size
//	x      is Aux, written as its kind demands
//
// and the remaining characters stand for themselves.
var opSyntax = [numOps]string{
	OpConst:       "i",
	OpAdd:         "a, b",
	OpSub:         "a, b",
	OpMul:         "a, b",
	OpUDiv:        "a, b",
	OpSDiv:        "a, b",
	OpURem:        "a, b",
	OpSRem:        "a, b",
	OpAnd:         "a, b",
	OpOr:          "a, b",
	OpXor:         "a, b",
	OpShl:         "a, b",
	OpLShr:        "a, b",
	OpAShr:        "a, b",
	OpNeg:         "a",
	OpSExtIn:      "i a",
	OpTrunc:       "a",
	OpZExt:        "a",
	OpSExt:        "a",
	OpBswap:       "i a",
	OpEq:          "a, b",
	OpNe:          "a, b",
	OpULt:         "a, b",
	OpULe:         "a, b",
	OpUGt:         "a, b",
	OpUGe:         "a, b",
	OpSLt:         "a, b",
	OpSLe:         "a, b",
	OpSGt:         "a, b",
	OpSGe:         "a, b",
	OpSelect:      "a, b, c",
	OpPi:          "a",
	OpOpaque:      "a",
	OpSlotAddr:    "x",
	OpDataAddr:    "x +",
	OpMapRef:      "x",
	OpFuncAddr:    "x",
	OpPtrAdd:      "a, b",
	OpPtrDiff:     "a, b",
	OpPtrToInt:    "a",
	OpIntToPtr:    "a",
	OpLoad:        ".a +",
	OpStore:       ".a +, b",
	OpMemZero:     "n a +",
	OpMemCopy:     "n a, b",
	OpAtomic:      ".x a +, b?",
	OpCall:        "x(*)",
	OpResult:      "i a",
	OpHelper:      "x(*)",
	OpCheck:       "a x",
	OpCheckIdx:    "a, b x",
	OpCheckULe:    "a, b x",
	OpCheckNonNil: "a x",
	OpLoopLimit:   "x",
}

// termNames are the names of the terminators in the text form.
var termNames = [...]string{
	TermNone:        "",
	TermJump:        "jump",
	TermBranch:      "branch",
	TermReturn:      "return",
	TermPanic:       "panic",
	TermUnreachable: "unreachable",
}

// helperFlags are the flags of a helper in the text form, in printed order.
var helperFlags = [...]struct {
	flag Flags
	name string
}{
	{ReadsMem, "reads"},
	{WritesMem, "writes"},
}

// isPlainName reports whether name may be written without quotes.
func isPlainName(name string) bool {
	for i := range len(name) {
		if !isNameByte(name[i]) || i == 0 && isDigit(name[0]) {
			return false
		}
	}
	return name != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNameByte reports whether c can stand in an unquoted name. The set covers
// most names of Go functions, of their closures (f$1) and of types (p.T).
func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) ||
		c == '_' || c == '.' || c == '$' || c == '#'
}
