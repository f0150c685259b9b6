package ir

// An opRule checks the operands, type, width and immediate of v, whose
// operands are present, as many as the table says, and values of the function.
type opRule func(c *verifier, v *Value)

// opRules has a rule for every operation but OpParam.
var opRules = [numOps]opRule{
	OpConst:       (*verifier).ruleConst,
	OpAdd:         (*verifier).ruleArith,
	OpSub:         (*verifier).ruleArith,
	OpMul:         (*verifier).ruleArith,
	OpUDiv:        (*verifier).ruleArith,
	OpSDiv:        (*verifier).ruleArith,
	OpURem:        (*verifier).ruleArith,
	OpSRem:        (*verifier).ruleArith,
	OpAnd:         (*verifier).ruleArith,
	OpOr:          (*verifier).ruleArith,
	OpXor:         (*verifier).ruleArith,
	OpShl:         (*verifier).ruleArith,
	OpLShr:        (*verifier).ruleArith,
	OpAShr:        (*verifier).ruleArith,
	OpNeg:         (*verifier).ruleArith,
	OpSExtIn:      (*verifier).ruleSExtIn,
	OpTrunc:       convRule(I64, I32),
	OpZExt:        convRule(I32, I64),
	OpSExt:        convRule(I32, I64),
	OpBswap:       (*verifier).ruleBswap,
	OpEq:          (*verifier).ruleEqual,
	OpNe:          (*verifier).ruleEqual,
	OpULt:         (*verifier).ruleUnsigned,
	OpULe:         (*verifier).ruleUnsigned,
	OpUGt:         (*verifier).ruleUnsigned,
	OpUGe:         (*verifier).ruleUnsigned,
	OpSLt:         (*verifier).ruleSigned,
	OpSLe:         (*verifier).ruleSigned,
	OpSGt:         (*verifier).ruleSigned,
	OpSGe:         (*verifier).ruleSigned,
	OpSelect:      (*verifier).ruleSelect,
	OpPi:          (*verifier).rulePi,
	OpOpaque:      (*verifier).ruleArith,
	OpSlotAddr:    typeRule(PtrStack),
	OpDataAddr:    (*verifier).ruleDataAddr,
	OpMapRef:      typeRule(MapRef),
	OpFuncAddr:    typeRule(FuncRef),
	OpPtrAdd:      (*verifier).rulePtrAdd,
	OpPtrDiff:     (*verifier).rulePtrDiff,
	OpPtrToInt:    (*verifier).rulePtrToInt,
	OpIntToPtr:    convRule(I64, PtrAny),
	OpLoad:        (*verifier).ruleLoad,
	OpStore:       (*verifier).ruleStore,
	OpMemZero:     (*verifier).ruleMemBlock,
	OpMemCopy:     (*verifier).ruleMemBlock,
	OpAtomic:      (*verifier).ruleAtomic,
	OpCall:        (*verifier).ruleCall,
	OpResult:      (*verifier).ruleResult,
	OpHelper:      (*verifier).ruleHelper,
	OpCheck:       (*verifier).ruleCheck,
	OpCheckIdx:    (*verifier).ruleCheckIdx,
	OpCheckULe:    (*verifier).ruleCheckULe,
	OpCheckNonNil: (*verifier).ruleCheckNonNil,
	OpLoopLimit:   typeRule(Void),
}

// checkOp checks the instruction v at position pos of the current block.
func (c *verifier) checkOp(v *Value, pos int) {
	if v.Type >= numTypes {
		c.errorf("invalid type %d", v.Type)
		return
	}
	if want := v.Op.Info().Args; want >= 0 && len(v.Args) != want {
		c.errorf("%d operands, want %d", len(v.Args), want)
		return
	}
	c.checkUnusedFields(v)
	if !c.checkAux(v) {
		return
	}
	opRules[v.Op](c, v)
	if v.Op == OpResult {
		c.checkResultPlace(v, pos)
	}
}

// checkUnusedFields checks that the fields v's operation does not use are zero.
func (c *verifier) checkUnusedFields(v *Value) {
	info := v.Op.Info()
	sized := v.Op == OpMemZero || v.Op == OpMemCopy || v.Op == OpHelper && v.Type.IsPtr() && v.Size > 0
	switch {
	case v.Width != 0 && !v.Op.hasWidth():
		c.errorf("unused Width is %d", v.Width)
	case v.Signed && v.Op != OpLoad:
		c.errorf("unused Signed is set")
	case v.Size != 0 && !sized:
		c.errorf("unused Size is %d", v.Size)
	case v.Imm != 0 && info.Imm == NoImm:
		c.errorf("unused Imm is %d", v.Imm)
	case v.Aux != nil && info.Aux == NoAux:
		c.errorf("unused Aux is a %T", v.Aux)
	}
}

// checkAux checks that Aux is of the kind the table says and belongs to the
// function's module.
func (c *verifier) checkAux(v *Value) bool {
	ok := !isMissing(v.Aux)
	switch v.Op.Info().Aux {
	case NoAux:
		return true
	case AuxSite:
		s, _ := v.Aux.(*Site)
		return c.checkSite(s)
	case AuxSlot:
		s, is := v.Aux.(*Slot)
		ok = ok && is && s.Index >= 0 && s.Index < len(c.f.Slots) && c.f.Slots[s.Index] == s
	case AuxHelper:
		_, is := v.Aux.(*Helper)
		ok = ok && is
	case AuxAtomic:
		_, is := v.Aux.(AtomicOp)
		ok = ok && is
	case AuxData:
		_, is := v.Aux.(*Data)
		ok = is && c.owns(v.Aux)
	case AuxMap:
		_, is := v.Aux.(*Map)
		ok = is && c.owns(v.Aux)
	case AuxFunc:
		_, is := v.Aux.(*Func)
		ok = is && c.owns(v.Aux)
	}
	if !ok {
		c.errorf("the object it refers to is missing or belongs elsewhere")
	}
	return ok
}

// owns reports whether the module lists o, a *Data, *Map or *Func.
func (c *verifier) owns(o Aux) bool {
	if c.owned == nil {
		c.owned = make(map[Aux]bool)
		if m := c.module; m != nil {
			for _, f := range m.Funcs {
				c.owned[f] = true
			}
			for _, d := range m.Data {
				c.owned[d] = true
			}
			for _, o := range m.Maps {
				c.owned[o] = true
			}
		}
	}
	return c.owned[o]
}

func (c *verifier) checkSite(s *Site) bool {
	if s == nil || c.module == nil || s.Index < 0 || s.Index >= len(c.module.Sites) ||
		c.module.Sites[s.Index] != s {
		c.errorf("the site is missing or belongs elsewhere")
		return false
	}
	return true
}

// wantType checks that v has type t.
func (c *verifier) wantType(v *Value, t Type) {
	if v.Type != t {
		c.errorf("has type %s, want %s", v.Type, t)
	}
}

// wantArg checks that operand i of v has type t.
func (c *verifier) wantArg(v *Value, i int, t Type) {
	if got := v.Args[i].Type; got != t {
		c.errorf("operand %d has type %s, want %s", i, got, t)
	}
}

// wantPtr checks that operand i of v is a pointer of a type that is not among
// the excluded ones.
func (c *verifier) wantPtr(v *Value, i int, except ...Type) bool {
	t := v.Args[i].Type
	ok := t.IsPtr()
	for _, x := range except {
		ok = ok && t != x
	}
	if !ok {
		c.errorf("operand %d has type %s, which %s does not take", i, t, v.Op)
	}
	return ok
}

// wantInts checks that all operands have one integer type, and returns it.
func (c *verifier) wantInts(v *Value) (Type, bool) {
	t := v.Args[0].Type
	if !t.IsInt() {
		c.errorf("operand 0 has type %s, want an integer", t)
		return t, false
	}
	for i := range v.Args {
		c.wantArg(v, i, t)
	}
	return t, true
}

// typeRule checks nothing but the result.
func typeRule(t Type) opRule {
	return func(c *verifier, v *Value) { c.wantType(v, t) }
}

// convRule is for operations of one operand with fixed types.
func convRule(from, to Type) opRule {
	return func(c *verifier, v *Value) {
		c.wantArg(v, 0, from)
		c.wantType(v, to)
	}
}

// ruleConst: an integer in its canonical form, or nil.
func (c *verifier) ruleConst(v *Value) {
	switch {
	case v.Type == I32 && v.Imm != int64(int32(v.Imm)):
		c.errorf("the constant is not sign-extended from 32 bits")
	case v.Type.IsPtr() && v.Imm != 0:
		c.errorf("the constant is a pointer and not nil")
	case !v.Type.IsInt() && !v.Type.IsPtr():
		c.errorf("constant of type %s", v.Type)
	}
}

// ruleArith: operands and result have one integer type.
func (c *verifier) ruleArith(v *Value) {
	if t, ok := c.wantInts(v); ok {
		c.wantType(v, t)
	}
}

// ruleSExtIn: from fewer bits than the type has.
func (c *verifier) ruleSExtIn(v *Value) {
	c.ruleArith(v)
	if v.Imm != 8 && v.Imm != 16 && (v.Imm != 32 || v.Type != I64) {
		c.errorf("cannot extend from %d bits", v.Imm)
	}
}

// ruleBswap: of as many bits as the type has, or fewer.
func (c *verifier) ruleBswap(v *Value) {
	c.ruleArith(v)
	if v.Imm != 16 && v.Imm != 32 && (v.Imm != 64 || v.Type != I64) {
		c.errorf("cannot swap %d bits", v.Imm)
	}
}

// ruleEqual: two integers of one type, or two pointers of any type.
func (c *verifier) ruleEqual(v *Value) {
	c.wantType(v, I32)
	if v.Args[0].Type.IsPtr() && v.Args[1].Type.IsPtr() {
		return
	}
	c.wantInts(v)
}

// ruleUnsigned: two integers of one type, or two pointers to a packet.
func (c *verifier) ruleUnsigned(v *Value) {
	c.wantType(v, I32)
	if isPacket(v.Args[0].Type) && isPacket(v.Args[1].Type) {
		return
	}
	c.wantInts(v)
}

func isPacket(t Type) bool { return t == PtrPacket || t == PtrPacketEnd }

// ruleSigned: two integers of one type.
func (c *verifier) ruleSigned(v *Value) {
	c.wantType(v, I32)
	c.wantInts(v)
}

// ruleSelect: chosen by an I32, from values that may flow into the result.
func (c *verifier) ruleSelect(v *Value) {
	c.wantArg(v, 0, I32)
	if v.Type == Void {
		c.errorf("has no value")
		return
	}
	c.checkFlow(v.Args[1], v.Type, "operand", 1)
	c.checkFlow(v.Args[2], v.Type, "operand", 2)
}

// rulePi: any value, under the same type.
func (c *verifier) rulePi(v *Value) { c.wantType(v, v.Args[0].Type) }

// ruleDataAddr: a byte of the object, or one past its end.
func (c *verifier) ruleDataAddr(v *Value) {
	c.wantType(v, PtrData)
	if size := int64(len(v.Data().Bytes)); v.Imm < 0 || v.Imm > size {
		c.errorf("offset %d of %d bytes", v.Imm, size)
	}
}

// rulePtrAdd: any pointer that the kernel allows arithmetic on.
func (c *verifier) rulePtrAdd(v *Value) {
	c.wantPtr(v, 0, PtrCtx, PtrPacketEnd)
	c.wantArg(v, 1, I64)
	c.wantType(v, v.Args[0].Type)
}

func (c *verifier) rulePtrDiff(v *Value) {
	c.wantPtr(v, 0)
	c.wantPtr(v, 1)
	c.wantType(v, I64)
}

func (c *verifier) rulePtrToInt(v *Value) {
	c.wantPtr(v, 0)
	c.wantType(v, I64)
}
