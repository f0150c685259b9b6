package mir

// VisitRegs calls visit for every register that in reads or writes, explicit
// or implicit: argument and result registers of calls, R0 of OpExit, of AtomicCmpXchg
// and of an OpPanic that propagates. visit may replace explicit operands through the pointer; for
// implicit ones the pointer is to a copy. Clobbers of calls are not
// reported, see [Inst.Clobbers].
func (in *Inst) VisitRegs(visit func(r *Reg, use RegUse)) {
	info := in.Op.Info()
	if in.Src != NoReg && info.Src != NoUse {
		use := info.Src
		if in.Op == OpAtomic && in.Imm&AtomicFetch != 0 && in.Imm != AtomicCmpXchg {
			use |= Write
		}
		visit(&in.Src, use)
	}
	if in.Src2 != NoReg && info.Src2 != NoUse {
		visit(&in.Src2, info.Src2)
	}
	if in.Dst != NoReg && info.Dst != NoUse {
		visit(&in.Dst, info.Dst)
	}
	switch {
	case info.Call:
		for i := range Reg(in.NArgs) {
			r := R1 + i
			visit(&r, Read)
		}
		r := R0
		visit(&r, Write)
	case in.Op == OpExit, in.Op == OpPanic && in.Site == SitePropagate:
		r := R0
		visit(&r, Read)
	case in.Op == OpAtomic && in.Imm == AtomicCmpXchg:
		r := R0
		visit(&r, Read|Write)
	}
}

// Clobbers reports whether in destroys R0 to R5.
func (in *Inst) Clobbers() bool { return in.Op.Info().Call }
