package ir

// hasWidth reports whether op accesses Value.Width bytes.
func (op Op) hasWidth() bool { return opSyntax[op] != "" && opSyntax[op][0] == '.' }

// checkAccess checks an access of v.Width bytes at operand 0 plus Imm.
func (c *verifier) checkAccess(v *Value) {
	base := v.Args[0]
	if base.Op != OpSlotAddr {
		return
	}
	s, ok := base.Aux.(*Slot)
	if ok && s != nil && v.Width > 0 && (v.Imm%int64(v.Width) != 0 || s.Align < int64(v.Width)) {
		c.errorf("unaligned access to s%d, which is aligned to %d", s.Index, s.Align)
	}
}

// ruleLoad: an integer no wider than its type, sign-extended only if narrower;
// or a pointer.
func (c *verifier) ruleLoad(v *Value) {
	if !c.wantPtr(v, 0, PtrPacketEnd) {
		return
	}
	c.checkAccess(v)
	switch {
	case v.Type.IsInt():
		c.checkIntWidth(v, v.Type)
		if v.Signed && int64(v.Width) >= v.Type.Size() {
			c.errorf("sign extension of all %d bytes", v.Width)
		}
	case v.Signed:
		c.errorf("sign extension of type %s", v.Type)
	case isPacket(v.Type) && v.Args[0].Type == PtrCtx && v.Width == 4:
		// The kernel makes a pointer of these 32-bit fields of the context.
	default:
		c.checkPtrAccess(v, v.Type)
	}
}

// ruleStore: the low bytes of an integer, or a whole pointer.
func (c *verifier) ruleStore(v *Value) {
	c.wantType(v, Void)
	if !c.wantPtr(v, 0, PtrPacketEnd) {
		return
	}
	c.checkAccess(v)
	if t := v.Args[1].Type; t.IsInt() {
		c.checkIntWidth(v, t)
	} else {
		c.checkPtrAccess(v, t)
	}
}

// checkIntWidth checks the width of an access to an integer of type t.
func (c *verifier) checkIntWidth(v *Value, t Type) {
	if !isPowerOfTwo(int64(v.Width)) || int64(v.Width) > t.Size() {
		c.errorf("width %d of type %s", v.Width, t)
	}
}

// checkPtrAccess checks an access to a pointer of type t.
func (c *verifier) checkPtrAccess(v *Value, t Type) {
	switch {
	case !t.IsPtr():
		c.errorf("type %s cannot be in memory", t)
	case v.Width != 8:
		c.errorf("width %d of a pointer", v.Width)
	case v.Imm%8 != 0:
		c.errorf("pointer at displacement %d, which is not a multiple of 8", v.Imm)
	}
}

// ruleMemBlock: pointers to plain memory.
func (c *verifier) ruleMemBlock(v *Value) {
	c.wantType(v, Void)
	for i := range v.Args {
		c.wantPtr(v, i, PtrCtx, PtrPacketEnd)
	}
	if v.Size <= 0 {
		c.errorf("size %d", v.Size)
	}
}

// ruleAtomic: a naturally aligned integer in memory that the kernel allows
// atomic operations on.
func (c *verifier) ruleAtomic(v *Value) {
	op := v.Aux.(AtomicOp)
	want := 2
	if op == AtomicCmpXchg {
		want = 3
	}
	if len(v.Args) != want {
		c.errorf("%d operands, want %d", len(v.Args), want)
		return
	}
	// Of packet data it is for opt/packetuse.go to refuse.
	if c.wantPtr(v, 0, PtrCtx, PtrPacketEnd) {
		c.checkAccess(v)
	}
	t := v.Args[1].Type
	if !t.IsInt() || t.Size() != int64(v.Width) {
		c.errorf("width %d of type %s", v.Width, t)
		return
	}
	if want == 3 {
		c.wantArg(v, 2, t)
	}
	if !op.Fetches() {
		t = Void
	}
	c.wantType(v, t)
	if v.Imm%int64(v.Width) != 0 {
		c.errorf("atomic access at displacement %d", v.Imm)
	}
}
