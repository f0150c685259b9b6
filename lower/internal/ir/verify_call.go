package ir

// maxHelperArgs is the number of argument registers, r1 to r5.
const maxHelperArgs = 5

// ruleCall: arguments and result as the callee declares them.
func (c *verifier) ruleCall(v *Value) {
	f := v.Callee()
	if len(f.Blocks) == 0 {
		c.errorf("callee has no entry block")
		return
	}
	t := Void
	if len(f.Results) == 1 {
		t = f.Results[0]
	}
	c.wantType(v, t)
	params := f.Params()
	if len(v.Args) != len(params) {
		c.errorf("%d arguments for %d parameters", len(v.Args), len(params))
		return
	}
	for i, a := range v.Args {
		c.checkFlow(a, params[i].Type, "argument", i)
	}
}

// ruleResult: a result of a call that has several.
func (c *verifier) ruleResult(v *Value) {
	call := v.Args[0]
	f, ok := call.Aux.(*Func)
	switch {
	case call.Op != OpCall || !ok || f == nil:
		c.errorf("operand 0 is not a call")
	case len(f.Results) < 2:
		c.errorf("operand 0 is a call with %d results", len(f.Results))
	case v.Imm < 0 || v.Imm >= int64(len(f.Results)):
		c.errorf("result %d of %d", v.Imm, len(f.Results))
	default:
		c.wantType(v, f.Results[v.Imm])
	}
}

// checkResultPlace checks that nothing but results of the same call stands
// between the call and the OpResult v at position pos.
func (c *verifier) checkResultPlace(v *Value, pos int) {
	for i := pos - 1; i >= 0; i-- {
		w := c.b.Instrs[i]
		if w == v.Args[0] {
			return
		}
		if w.Op != OpResult {
			break
		}
	}
	c.errorf("does not follow its call")
}

// ruleHelper: a well-formed declaration, called as it says. Scalars at the end
// may be left out, which is how the kernel's variadic helpers are called.
func (c *verifier) ruleHelper(v *Value) {
	h := v.Helper()
	c.checkHelperDecl(h)
	c.wantType(v, h.Result)
	if len(v.Args) > len(h.Args) {
		c.errorf("%d arguments for %d parameters", len(v.Args), len(h.Args))
		return
	}
	for i, k := range h.Args {
		if i >= len(v.Args) {
			if k != ArgScalar {
				c.errorf("argument %d (%s) is missing", i, k)
			}
			continue
		}
		if !k.takes(v.Args[i]) {
			c.errorf("argument %d has type %s, want %s", i, v.Args[i].Type, k)
		}
	}
}

func (c *verifier) checkHelperDecl(h *Helper) {
	if len(h.Args) > maxHelperArgs {
		c.errorf("helper with %d parameters", len(h.Args))
	}
	for i, k := range h.Args {
		if k >= numArgKinds {
			c.errorf("helper parameter %d has kind %d", i, k)
			return
		}
	}
	for i, n := range h.Sizes {
		if n < -1 || n >= len(h.Args) {
			c.errorf("helper size %d is parameter %d of %d", i, n, len(h.Args))
		}
	}
	if r := h.Result; r != Void && r != I64 && !r.IsPtr() {
		c.errorf("helper with a result of type %s", r)
	}
	if h.Flags&^(ReadsMem|WritesMem) != 0 {
		c.errorf("helper with flags %#x", h.Flags)
	}
}

// takes reports whether a may be passed to a helper's parameter of kind k.
func (k ArgKind) takes(a *Value) bool {
	t := a.Type
	switch k {
	case ArgScalar:
		return t.IsInt()
	case ArgMem, ArgOut:
		return t.IsPtr() && t != PtrCtx && t != PtrPacketEnd
	case ArgMap:
		return t == MapRef || t == PtrKernel // that a lookup in a map of maps returned
	case ArgCtx:
		return flowsTo(a, PtrCtx)
	case ArgFunc:
		return t == FuncRef
	case ArgKernel:
		return t.IsPtr()
	}
	return false
}

// ruleCheck: a condition.
func (c *verifier) ruleCheck(v *Value) {
	c.wantArg(v, 0, I32)
	c.wantType(v, Void)
}

// ruleCheckIdx: two integers of one type; the result is the first.
func (c *verifier) ruleCheckIdx(v *Value) { c.ruleArith(v) }

// ruleCheckULe: as ruleCheckIdx, or two pointers to a packet.
func (c *verifier) ruleCheckULe(v *Value) {
	if isPacket(v.Args[0].Type) && isPacket(v.Args[1].Type) {
		c.wantType(v, v.Args[0].Type)
		return
	}
	c.ruleArith(v)
}

// ruleCheckNonNil: any pointer.
func (c *verifier) ruleCheckNonNil(v *Value) {
	c.wantPtr(v, 0)
	c.wantType(v, v.Args[0].Type)
}
