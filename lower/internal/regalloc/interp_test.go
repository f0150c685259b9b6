package regalloc

import (
	"fmt"
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// run interprets f and returns a trace of what it does: calls with their
// arguments, and how it ends. It serves to compare a function before and after
// allocation.
func run(f *mir.Func) (trace []string) {
	m := &machine{regs: make([]uint64, f.NumRegs()), mem: map[*mir.Slot][]uint64{}}
	for _, s := range f.Slots {
		m.mem[s] = make([]uint64, s.Size/8)
	}
	m.slots = f.Slots
	for i := range m.regs {
		m.regs[i] = 0xdead0000 + uint64(i)
	}
	for i := range f.Params {
		m.regs[int(mir.R1)+i] = uint64(1000 * (i + 1))
	}
	b := f.Blocks[0]
	for steps := 0; b != nil; steps++ {
		if steps > 20000 {
			return append(m.trace, "out of steps")
		}
		b = m.block(b)
	}
	return m.trace
}

type machine struct {
	regs  []uint64
	mem   map[*mir.Slot][]uint64
	slots []*mir.Slot
	trace []string
}

const frame = 0x7000_0000_0000

func (m *machine) event(format string, args ...any) {
	// Long traces are folded to keep the test fast; the start is what one
	// looks at.
	if len(m.trace) < 300 {
		m.trace = append(m.trace, fmt.Sprintf(format, args...))
	}
}

// word returns the memory that in addresses by base and Off, or by Slot.
func (m *machine) word(in *mir.Inst, base mir.Reg) *uint64 {
	if in.Slot != nil {
		return &m.mem[in.Slot][in.Off/8]
	}
	a := m.regs[base] + uint64(in.Off) - frame
	return &m.mem[m.slots[a>>16]][a&0xffff/8]
}

func (m *machine) src(in *mir.Inst) uint64 { return m.regOr(in.Src, in.Imm) }

func (m *machine) regOr(r mir.Reg, imm int64) uint64 {
	if r == mir.NoReg {
		return uint64(imm)
	}
	return m.regs[r]
}

func (m *machine) block(b *mir.Block) *mir.Block {
	for i := range b.Insts {
		in := &b.Insts[i]
		switch in.Op {
		case mir.OpFrameAddr:
			m.regs[in.Dst] = frame + uint64(in.Slot.Index)<<16 + uint64(in.Imm)
		case mir.OpLoad:
			m.regs[in.Dst] = *m.word(in, in.Src)
		case mir.OpStore:
			*m.word(in, in.Dst) = m.src(in)
		case mir.OpAtomic:
			m.atomic(in)
		case mir.OpCallHelper:
			h := uint64(in.Sym.ID) + 1
			for r := mir.R1; r <= mir.Reg(in.NArgs); r++ {
				h = h*0x9e3779b97f4a7c15 + m.regs[r]
				h ^= h >> 29
			}
			m.event("call %d %#x", in.Sym.ID, h)
			m.regs[mir.R0] = h
			for r := mir.R1; r <= mir.R5; r++ {
				m.regs[r] = 0xbad00000 + uint64(r)
			}
		case mir.OpCSet:
			m.regs[in.Dst] = 1
			if !compare(in, m.regs[in.Src], m.regOr(in.Src2, in.Imm)) {
				m.regs[in.Dst] = 0
			}
		case mir.OpCMov:
			if !compare(in, m.regs[in.Src], uint64(in.Imm)) {
				m.regs[in.Dst] = m.regOr(in.Src2, int64(in.Off))
			}
		case mir.OpCheck:
			if compare(in, m.regs[in.Dst], m.src(in)) {
				m.event("panic %d", in.Site)
				return nil
			}
		case mir.OpJmp:
			return in.To
		case mir.OpBr:
			if compare(in, m.regs[in.Dst], m.src(in)) {
				return in.To
			}
			return in.Else
		case mir.OpPanic:
			m.event("panic %d", in.Site)
			return nil
		case mir.OpExit:
			m.event("exit %#x", m.regs[mir.R0])
			return nil
		default:
			v := arith(in, m.regs[in.Dst], m.src(in))
			if in.W32 {
				v = uint64(uint32(v))
			}
			m.regs[in.Dst] = v
		}
	}
	panic("block without terminator")
}

func (m *machine) atomic(in *mir.Inst) {
	p := m.word(in, in.Dst)
	old := *p
	switch in.Imm {
	case mir.AtomicAdd:
		*p += m.regs[in.Src]
	case mir.AtomicFetchAdd:
		*p += m.regs[in.Src]
		m.regs[in.Src] = old
	case mir.AtomicCmpXchg:
		if old == m.regs[mir.R0] {
			*p = m.regs[in.Src]
		}
		m.regs[mir.R0] = old
	}
}

func arith(in *mir.Inst, x, y uint64) uint64 {
	width := uint64(64)
	if in.W32 {
		x, y, width = uint64(uint32(x)), uint64(uint32(y)), 32
	}
	switch in.Op {
	case mir.OpMov:
		return y
	case mir.OpAdd:
		return x + y
	case mir.OpSub:
		return x - y
	case mir.OpMul:
		return x * y
	case mir.OpDiv:
		if y == 0 {
			return 0
		}
		return x / y
	case mir.OpRem:
		if y == 0 {
			return x
		}
		return x % y
	case mir.OpAnd:
		return x & y
	case mir.OpOr:
		return x | y
	case mir.OpXor:
		return x ^ y
	case mir.OpLsh:
		return x << (y % width)
	case mir.OpRsh:
		return x >> (y % width)
	case mir.OpArsh:
		if in.W32 {
			return uint64(int32(x) >> (y % width))
		}
		return uint64(int64(x) >> (y % width))
	}
	panic("interpreter does not know " + in.Op.String())
}

func compare(in *mir.Inst, x, y uint64) bool {
	sx, sy := int64(x), int64(y)
	if in.W32 {
		x, y = uint64(uint32(x)), uint64(uint32(y))
		sx, sy = int64(int32(x)), int64(int32(y))
	}
	_, less := bits.Sub64(x, y, 0)
	switch in.Cond {
	case mir.Eq:
		return x == y
	case mir.Ne:
		return x != y
	case mir.ULt:
		return less == 1
	case mir.ULe:
		return less == 1 || x == y
	case mir.UGt:
		return less == 0 && x != y
	case mir.UGe:
		return less == 0
	case mir.SLt:
		return sx < sy
	case mir.SLe:
		return sx <= sy
	case mir.SGt:
		return sx > sy
	case mir.SGe:
		return sx >= sy
	case mir.Set:
		return x&y != 0
	}
	panic("no condition")
}
