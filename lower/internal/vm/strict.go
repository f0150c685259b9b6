package vm

import "slices"

// This file finds accesses to the stack at offsets that the verifier does not take for
// constants, which it refuses before Linux 5.12 (01f810ace9ed "bpf: Allow
// variable-offset stack access").
//
// Of each register and each byte of the stack it is known whether it varies: whether it
// is, or is offset by, a number that does not follow from constants alone, on the path
// that is taken. The verifier knows a little more, as it learns from comparisons.

// isVarying reports whether register r varies.
func (f *frame) isVarying(r int) bool { return f.varying&(1<<r) != 0 }

// setVarying says whether register r varies.
func (f *frame) setVarying(r int, is bool) {
	f.varying &^= 1 << r
	if is {
		f.varying |= 1 << r
	}
}

// strict checks the instruction that is executed next and follows what varies.
func (m *machine) strict(f *frame, in *inst) error {
	switch class := in.op & classMask; class {
	case classALU, classALU6:
		moves := in.op&opMask == aluMov
		reads := in.op&srcReg != 0 && in.op&opMask != aluEnd
		f.setVarying(in.dst, !moves && f.isVarying(in.dst) || reads && f.isVarying(in.src))
	case classLD:
		f.setVarying(in.dst, false)
	case classLDX:
		bytes, err := m.strictAccess(f, in, in.src)
		f.setVarying(in.dst, bytes == nil || slices.Contains(bytes, true))
		return err
	case classST, classSTX:
		bytes, err := m.strictAccess(f, in, in.dst)
		atomic := class == classSTX && in.op&modeMask == modeAtomic
		for i := range bytes {
			bytes[i] = atomic || class == classSTX && f.isVarying(in.src)
		}
		if atomic && in.imm&atomicFetch != 0 {
			result := in.src
			if in.imm == atomicCmpXchg {
				result = 0
			}
			f.setVarying(result, true)
		}
		return err
	default:
		if in.op == opCall {
			m.passed = f.varying
			f.setVarying(0, true)
		}
	}
	return nil
}

// strictAccess checks the access of in through register base. If it is to the
// stack, it returns which of the bytes vary.
func (m *machine) strictAccess(f *frame, in *inst, base int) (varying []bool, err error) {
	n := int64(in.width())
	r, off, err := m.region(f.regs[base] + uint64(int64(in.off)))
	if err != nil || r.kind != stack || off < 0 || off+n > int64(len(r.varying)) {
		return nil, nil // not the stack, or the access itself is a fault
	}
	if f.isVarying(base) {
		return nil, reasonf("variable stack access through R%d, of offset %d", base, off-stackSize)
	}
	return r.varying[off : off+n], nil
}
