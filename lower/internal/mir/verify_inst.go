package mir

import "math"

// This file checks the form of single instructions.

func (v *verifier) inst(in *Inst) {
	if in.Op == OpInvalid || in.Op >= numOps {
		v.errorf("operation %d", in.Op)
		return
	}
	if in.Op.Info().Term && v.index != len(v.b.Insts)-1 {
		v.errorf("terminator before the end of the block")
	}
	v.registers(in)
	v.unused(in)
	v.form(in)
	v.immediate(in)
	v.memory(in)
	v.symbol(in)
	v.targets(in)
}

// registers checks that the register operands are there.
func (v *verifier) registers(in *Inst) {
	info := in.Op.Info()
	v.reg(in, "dst", in.Dst, in.Op.uses("D") || in.Op.uses("N") && in.Slot == nil)
	v.reg(in, "src", in.Src, in.Op.uses("R") || in.Op.uses("S") && !info.HasImm || in.Op.uses("M") && in.Slot == nil)
	v.reg(in, "src2", in.Src2, false)
	in.VisitRegs(func(r *Reg, use RegUse) {
		if *r == R10 && use&Write != 0 {
			v.errorf("r10 is written")
		}
	})
	if in.Op == OpCSet && (in.Dst == in.Src || in.Dst == in.Src2) {
		v.errorf("destination is also a source")
	}
}

// reg checks one register operand. Whether it may be there at all is the
// concern of unused.
func (v *verifier) reg(in *Inst, name string, r Reg, needed bool) {
	switch {
	case r == NoReg && needed:
		v.errorf("no %s register", name)
	case r == NoReg:
	case !r.IsPhys() && !r.IsVirtual():
		v.errorf("%s is register %d", name, r)
	case r.IsVirtual() && v.allocated:
		v.errorf("%s is virtual register %v", name, r)
	case r.IsVirtual() && int(r) >= v.f.NumRegs():
		v.errorf("%s register %v is not below %d", name, r, v.f.NumRegs())
	}
}

// unused checks that fields the operation has no use for are empty.
func (v *verifier) unused(in *Inst) {
	op := in.Op
	bad := func(field string, wrong bool) {
		if wrong {
			v.errorf("unused field %s is set", field)
		}
	}
	bad("Dst", in.Dst != NoReg && (!op.uses("DN") || op.uses("N") && in.Slot != nil))
	bad("Src", in.Src != NoReg && (!op.uses("RSM") || op.uses("M") && in.Slot != nil))
	bad("Src2", in.Src2 != NoReg && !op.uses("TX"))
	bad("W32", in.W32 && !op.has32())
	bad("Width", in.Width != 0 && !op.uses("W"))
	bad("Signed", in.Signed && op != OpLoad)
	bad("Cond", in.Cond != CondNone && !op.uses("C"))
	bad("Imm", in.Imm != 0 && (!op.uses("STIFYO") ||
		op.uses("S") && in.Src != NoReg || op.uses("T") && in.Src2 != NoReg))
	bad("Off", in.Off != 0 && (!op.uses("MNX") || op.uses("X") && in.Src2 != NoReg))
	bad("Slot", in.Slot != nil && !op.uses("MNF"))
	bad("Sym", in.Sym != nil && !op.uses("YG"))
	bad("Site", in.Site != 0 && !op.uses("P"))
	bad("NArgs", in.NArgs != 0 && !op.uses("A"))
	bad("To", in.To != nil && !op.uses("B"))
	bad("Else", in.Else != nil && !op.uses("E"))
}

// has32 reports whether op has a 32-bit form.
func (op Op) has32() bool {
	switch op {
	case OpMov, OpMovSX, OpNeg, OpCSet, OpCMov, OpCheck, OpBr:
		return true
	}
	return op >= OpAdd && op <= OpArsh
}

// form checks widths, conditions and counts.
func (v *verifier) form(in *Inst) {
	var widths uint16 // bit set
	switch in.Op {
	case OpMovSX:
		widths = 1<<1 | 1<<2
		if !in.W32 {
			widths |= 1 << 4
		}
	case OpToBE, OpToLE, OpBswap:
		widths = 1<<2 | 1<<4 | 1<<8
	case OpAtomic:
		widths = 1<<4 | 1<<8
		if atomicName(in.Imm) == "" {
			v.errorf("atomic operation %#x", in.Imm)
		}
	case OpLoad, OpStore:
		widths = 1<<1 | 1<<2 | 1<<4 | 1<<8
		if in.Signed {
			widths &^= 1 << 8
		}
	}
	if widths != 0 && (in.Width > 8 || widths&(1<<in.Width) == 0) {
		v.errorf("width %d", in.Width)
	}
	if in.Op.uses("C") && (in.Cond == CondNone || in.Cond >= NumConds) {
		v.errorf("condition %d", in.Cond)
	}
	if in.Site < 0 && (in.Site != SitePropagate || in.Op != OpPanic) {
		v.errorf("panic site %d", in.Site)
	}
	if in.NArgs > 5 {
		v.errorf("%d arguments", in.NArgs)
	}
}

// immediate checks the range of immediate operands.
func (v *verifier) immediate(in *Inst) {
	switch in.Op {
	case OpMov:
		if in.W32 && (in.Imm < math.MinInt32 || in.Imm > math.MaxUint32) {
			v.errorf("immediate %d does not fit in 32 bits", in.Imm)
		}
		return
	case OpFrameAddr, OpLoadSym:
		return // checked by memory and symbol
	}
	if int64(int32(in.Imm)) != in.Imm {
		v.errorf("immediate %d does not fit in 32 signed bits", in.Imm)
	}
	if in.Src != NoReg {
		return
	}
	switch in.Op {
	case OpDiv, OpSDiv, OpRem, OpSRem:
		if in.Imm == 0 {
			v.errorf("division by the constant zero")
		}
	case OpLsh, OpRsh, OpArsh:
		width := int64(64)
		if in.W32 {
			width = 32
		}
		if in.Imm < 0 || in.Imm >= width {
			v.errorf("shift by %d", in.Imm)
		}
	}
}

// memory checks displacements and accesses to slots.
func (v *verifier) memory(in *Inst) {
	s := in.Slot
	if s == nil {
		if in.Op == OpFrameAddr {
			v.errorf("no slot")
		}
		if in.Op.uses("MN") && int32(int16(in.Off)) != in.Off {
			v.errorf("displacement %d does not fit in 16 signed bits", in.Off)
		}
		return
	}
	if s.Index < 0 || s.Index >= len(v.f.Slots) || v.f.Slots[s.Index] != s {
		v.errorf("slot %v is not in the function", s)
		return
	}
	if in.Op == OpFrameAddr {
		if in.Imm < 0 || in.Imm > s.Size {
			v.errorf("address outside of slot of %d bytes", s.Size)
		}
		if s.Spill {
			v.errorf("address of a spill slot")
		}
		return
	}
	width := int64(in.Width)
	off := int64(in.Off)
	switch {
	case off < 0 || off+width > s.Size:
		v.errorf("access outside of slot of %d bytes", s.Size)
	case width != 0 && (off%width != 0 || s.Align%width != 0):
		v.errorf("misaligned access to slot aligned to %d", s.Align)
	}
	if s.Spill && (in.Op != OpLoad && in.Op != OpStore || in.Width != 8) {
		v.errorf("spill slot not accessed by an 8-byte load or store")
	}
}

func (v *verifier) symbol(in *Inst) {
	if !in.Op.uses("YG") {
		return
	}
	if in.Sym == nil {
		v.errorf("no symbol")
		return
	}
	kind := in.Sym.Kind
	switch in.Op {
	case OpCallHelper:
		if kind != SymHelper {
			v.errorf("helper call of something else")
		}
	case OpCallFn:
		if kind != SymFunc {
			v.errorf("call of something other than a function")
		}
	case OpLoadSym:
		switch {
		case kind != SymData && kind != SymMap && kind != SymFunc:
			v.errorf("symbol has no address")
		case kind == SymData && (in.Imm < 0 || in.Imm > math.MaxInt32):
			v.errorf("offset %d into data", in.Imm)
		case kind != SymData && in.Imm != 0:
			v.errorf("offset %d into something other than data", in.Imm)
		}
	}
}

func (v *verifier) targets(in *Inst) {
	if in.Op.uses("B") {
		v.target("to", in.To)
	}
	if in.Op.uses("E") {
		v.target("else", in.Else)
	}
}
