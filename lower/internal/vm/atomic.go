package vm

// Atomic operations, the immediate of the instruction.
const (
	atomicFetch   = 0x01
	atomicXchg    = 0xe0 | atomicFetch
	atomicCmpXchg = 0xf0 | atomicFetch
)

// atomic executes an atomic operation. Nothing else runs, so that it need not be one.
func (m *machine) atomic(f *frame, in *inst) error {
	if err := f.need(in.dst); err != nil {
		return err
	}
	n := in.width()
	if n < 4 {
		return reasonf("atomic operation on %d bytes", n)
	}
	addr := f.regs[in.dst] + uint64(int64(in.off))
	if addr%uint64(n) != 0 {
		return reasonf("misaligned atomic operation at %#x", addr)
	}
	// It reads as well as writes.
	if _, _, err := m.access(addr, n, false); err != nil {
		return err
	}
	_, b, err := m.access(addr, n, true)
	if err != nil {
		return err
	}
	narrow := func(x uint64) uint64 {
		if n == 4 {
			return uint64(uint32(x))
		}
		return x
	}
	old, src := get(b), narrow(f.regs[in.src])
	result := 0
	switch in.imm {
	case atomicXchg:
		put(b, src)
		result = in.src
	case atomicCmpXchg:
		if err := f.need(0); err != nil {
			return err
		}
		if narrow(f.regs[0]) == old {
			put(b, src)
		}
	default:
		op := uint8(in.imm &^ atomicFetch)
		if op != aluAdd && op != aluOr && op != aluAnd && op != aluXor || in.imm>>8 != 0 {
			return reasonf("unknown atomic operation %#x", in.imm)
		}
		put(b, arith64(op, old, src, false))
		result = in.src
	}
	if in.imm&atomicFetch != 0 {
		f.set(result, old)
	}
	return nil
}
