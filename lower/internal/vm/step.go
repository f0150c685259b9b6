package vm

import "fmt"

// step executes one instruction other than an exit and sets f.pc to the next.
func (m *machine) step(f *frame, in *inst) error {
	pc := f.pc
	f.pc++
	switch in.op & classMask {
	case classALU, classALU6:
		return alu(f, in)
	case classLDX:
		return m.load(f, in)
	case classST:
		return m.store(f, in, uint64(int64(in.imm)))
	case classSTX:
		if err := f.need(in.src); err != nil {
			return err
		}
		if in.op&modeMask == modeAtomic {
			return m.atomic(f, in)
		}
		return m.store(f, in, f.regs[in.src])
	case classLD:
		f.pc++
		return m.load64(f, in, pc)
	}
	switch in.op {
	case opJa:
		f.pc += int(in.off)
		return nil
	case opMayGoto: // there is a limit to the number of steps anyway
		return nil
	case opGotol:
		f.pc += int(in.imm)
		return nil
	case opCall:
		return m.stepCall(f, in)
	}
	taken, err := branch(f, in)
	if taken {
		f.pc += int(in.off)
	}
	return err
}

// stepCall executes a call of a function or a helper.
func (m *machine) stepCall(f *frame, in *inst) error {
	var r0 uint64
	var err error
	if in.src == pseudoCall {
		// Arguments that are not written stay so: the callee may take fewer.
		var args []uint64
		for r := 1; r <= 5 && f.need(r) == nil; r++ {
			args = append(args, f.regs[r])
		}
		r0, err = m.call(f.pc+int(in.imm), args...)
	} else {
		r0, err = m.helper(f, in)
	}
	if err != nil {
		return err
	}
	f.defined &^= 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5
	f.set(0, r0)
	return nil
}

// operands returns the values of dst and of src or the immediate.
func operands(f *frame, in *inst) (x, y uint64, err error) {
	if err := f.need(in.dst); err != nil {
		return 0, 0, err
	}
	y = uint64(int64(in.imm))
	if in.op&srcReg != 0 {
		if err := f.need(in.src); err != nil {
			return 0, 0, err
		}
		y = f.regs[in.src]
	}
	return f.regs[in.dst], y, nil
}

// branch reports whether a conditional jump is taken.
func branch(f *frame, in *inst) (bool, error) {
	x, y, err := operands(f, in)
	if err != nil {
		return false, err
	}
	sx, sy := int64(x), int64(y)
	if in.op&classMask == classJMP3 {
		x, y = uint64(uint32(x)), uint64(uint32(y))
		sx, sy = int64(int32(x)), int64(int32(y))
	}
	switch in.op & opMask {
	case 0x10:
		return x == y, nil
	case 0x20:
		return x > y, nil
	case 0x30:
		return x >= y, nil
	case 0x40:
		return x&y != 0, nil
	case 0x50:
		return x != y, nil
	case 0x60:
		return sx > sy, nil
	case 0x70:
		return sx >= sy, nil
	case 0xa0:
		return x < y, nil
	case 0xb0:
		return x <= y, nil
	case 0xc0:
		return sx < sy, nil
	case 0xd0:
		return sx <= sy, nil
	}
	panic(fmt.Sprintf("BUG: vm: jump %#x", in.op))
}

// load64 executes a two-slot load.
func (m *machine) load64(f *frame, in *inst, pc int) error {
	high := m.prog.insts[pc+1].imm
	switch in.src {
	case 0:
		f.set(in.dst, uint64(uint32(in.imm))|uint64(high)<<32)
	case pseudoMapFD:
		f.set(in.dst, m.mapAddress(in.ref))
	case pseudoMapValue:
		base, size, err := m.section(in.ref)
		if err != nil {
			return err
		}
		if uint32(high) >= uint32(size) {
			return reasonf("offset %d into section %s of %d bytes", high, in.ref, size)
		}
		f.set(in.dst, base+uint64(uint32(high)))
	case pseudoFunc:
		f.set(in.dst, m.add(&region{kind: function, pc: pc + 1 + int(in.imm)}))
	default:
		return reasonf("unknown source %d of a 64-bit load", in.src)
	}
	return nil
}
