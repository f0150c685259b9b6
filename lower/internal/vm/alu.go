package vm

import (
	"fmt"
	"math/bits"
)

// Operations of the ALU classes.
const (
	aluAdd  = 0x00
	aluSub  = 0x10
	aluMul  = 0x20
	aluDiv  = 0x30
	aluOr   = 0x40
	aluAnd  = 0x50
	aluLsh  = 0x60
	aluRsh  = 0x70
	aluNeg  = 0x80
	aluMod  = 0x90
	aluXor  = 0xa0
	aluMov  = 0xb0
	aluArsh = 0xc0
	aluEnd  = 0xd0
)

// alu executes an arithmetic instruction.
func alu(f *frame, in *inst) error {
	op := in.op & opMask
	if op == aluMov {
		// The one operation that does not read dst.
		y := uint64(int64(in.imm))
		if in.op&srcReg != 0 {
			if err := f.need(in.src); err != nil {
				return err
			}
			y = f.regs[in.src]
		}
		y = signExtend(y, in.off)
		if in.op&classMask == classALU {
			y = uint64(uint32(y))
		}
		f.set(in.dst, y)
		return nil
	}
	if op == aluEnd || op == aluNeg {
		if err := f.need(in.dst); err != nil {
			return err
		}
		x := f.regs[in.dst]
		switch {
		case op == aluEnd:
			x = swap(in, x)
		case in.op&classMask == classALU:
			x = uint64(uint32(-x))
		default:
			x = -x
		}
		f.set(in.dst, x)
		return nil
	}
	x, y, err := operands(f, in)
	if err != nil {
		return err
	}
	if in.op&classMask == classALU {
		x = uint64(arith32(op, uint32(x), uint32(y), in.off == 1))
	} else {
		x = arith64(op, x, y, in.off == 1)
	}
	f.set(in.dst, x)
	return nil
}

// signExtend extends the low bits of x, 8, 16 or 32; 0 leaves it alone.
func signExtend(x uint64, bits int16) uint64 {
	switch bits {
	case 8:
		return uint64(int8(x))
	case 16:
		return uint64(int16(x))
	case 32:
		return uint64(int32(x))
	}
	return x
}

// swap executes a byte swap on a little-endian machine.
func swap(in *inst, x uint64) uint64 {
	toLittle := in.op&classMask == classALU && in.op&srcReg == 0
	switch {
	case in.imm == 16 && toLittle:
		return uint64(uint16(x))
	case in.imm == 16:
		return uint64(bits.ReverseBytes16(uint16(x)))
	case in.imm == 32 && toLittle:
		return uint64(uint32(x))
	case in.imm == 32:
		return uint64(bits.ReverseBytes32(uint32(x)))
	case toLittle:
		return x
	}
	return bits.ReverseBytes64(x)
}

func arith64(op uint8, x, y uint64, signed bool) uint64 {
	switch op {
	case aluAdd:
		return x + y
	case aluSub:
		return x - y
	case aluMul:
		return x * y
	case aluDiv:
		switch {
		case y == 0:
			return 0
		case signed:
			return uint64(int64(x) / int64(y))
		}
		return x / y
	case aluMod:
		switch {
		case y == 0:
			return x
		case signed:
			return uint64(int64(x) % int64(y))
		}
		return x % y
	case aluOr:
		return x | y
	case aluAnd:
		return x & y
	case aluXor:
		return x ^ y
	case aluLsh:
		return x << (y & 63)
	case aluRsh:
		return x >> (y & 63)
	case aluArsh:
		return uint64(int64(x) >> (y & 63))
	}
	panic(fmt.Sprintf("BUG: vm: operation %#x", op))
}

// arith32 is arith64 on 32 bits.
func arith32(op uint8, x, y uint32, signed bool) uint32 {
	switch op {
	case aluDiv, aluMod:
		if signed {
			return uint32(arith64(op, uint64(int32(x)), uint64(int32(y)), true))
		}
	case aluLsh, aluRsh:
		y &= 31
	case aluArsh:
		return uint32(int32(x) >> (y & 31))
	}
	return uint32(arith64(op, uint64(x), uint64(y), false))
}
