package isel

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file selects the clearing and copying of memory blocks.
//
// A block is accessed in pieces of 8, 4, 2 and 1 bytes, the widest that what is
// left of it and its alignment permit. Up to maxPieces of them are written out,
// which covers any object on the stack; larger blocks take a loop whose rounds do
// piecesPerRound of them. The loop counts a scalar down from a constant, so that
// the verifier can follow it round by round, at the cost the unrolled form would
// have.
//
// The alignment that matters is the one the verifier insists on. It does for the
// stack and the context. All other memory may be accessed at any address on
// machines with efficient unaligned access, which amd64 and arm64 are
// (check_ptr_alignment in kernel/bpf/verifier.c). A pointer that may point to the
// stack, but not to a known place there, counts as unaligned except for what
// its offset's computation tells.
const (
	maxPieces      = 64
	piecesPerRound = 8
	maxWidth       = 8
)

func (s *selector) memZero(v *ir.Value) {
	s.bulk(v.Size, []block{s.memBlock(v.Args[0], v.Imm)},
		func(at []addr, width uint8) { s.storeConst(v.Args[0], at[0], width, 0) })
}

func (s *selector) memCopy(v *ir.Value) {
	to, from := v.Args[0], v.Args[1]
	if s.values[to.ID].root == s.values[from.ID].root {
		return
	}
	s.bulk(v.Size, []block{s.memBlock(to, 0), s.memBlock(from, 0)},
		func(at []addr, width uint8) {
			t := s.out.NewReg()
			s.loadMem(t, at[1], width, false)
			s.storeMem(at[0], width, t)
		})
}

// A block is memory at ptr+disp, which is offset bytes after an address aligned
// to align.
type block struct {
	ptr          *ir.Value
	disp         int64
	align        int64
	offset       int64
	anyAlignment bool // align and offset do not matter
}

// A pieceFunc emits the code for a piece of width bytes at the given addresses.
type pieceFunc func(at []addr, width uint8)

// bulk emits each for all pieces of size bytes at the given blocks.
func (s *selector) bulk(size int64, blocks []block, each pieceFunc) {
	at := make([]addr, len(blocks))
	count := int64(0)
	for off := int64(0); off < size && count <= maxPieces; off += widthAt(blocks, off, size) {
		count++
	}
	if count <= maxPieces {
		for i, b := range blocks {
			at[i] = s.address(b.ptr, b.disp, size, 1)
		}
		pieces(blocks, 0, size, at, each)
		return
	}
	// Pieces of less than the full width come before the loop and after it.
	head, step := fullWidth(blocks)
	step *= piecesPerRound
	if head > 0 {
		for i, b := range blocks {
			at[i] = s.address(b.ptr, b.disp, head, 1)
		}
		pieces(blocks, 0, head, at, each)
	}
	for i, b := range blocks {
		at[i] = addr{base: s.pointer(b.ptr, b.disp+head)}
	}
	rounds := (size - head) / step
	s.repeat(rounds, at, step, func() { pieces(blocks, head, head+step, at, each) })
	pieces(blocks, head+rounds*step, size, at, each)
}

// pieces calls each for the pieces from offset off of the blocks to end; at is
// where off is.
func pieces(blocks []block, off, end int64, at []addr, each pieceFunc) {
	piece := make([]addr, len(at))
	for start := off; off < end; {
		for i := range at {
			piece[i] = at[i].plus(off - start)
		}
		width := widthAt(blocks, off, end)
		each(piece, uint8(width))
		off += width
	}
}

// widthAt returns the width of the piece at offset off of the blocks.
func widthAt(blocks []block, off, end int64) int64 {
	width := int64(maxWidth)
	for _, b := range blocks {
		if !b.anyAlignment {
			width = alignAt(min(width, b.align), b.offset+off)
		}
	}
	for width > end-off {
		width /= 2
	}
	return width
}

// fullWidth returns the width that pieces in the middle of the blocks have, and
// the offset of the first such piece.
func fullWidth(blocks []block) (head, width int64) {
	width = maxWidth
	var last *block
	for i := range blocks {
		b := &blocks[i]
		if b.anyAlignment {
			continue
		}
		width = min(width, b.align)
		if last != nil {
			width = alignAt(width, b.offset-last.offset)
		}
		last = b
	}
	if last != nil {
		head = -last.offset & (width - 1)
	}
	return head, width
}

// repeat emits body in a loop of the given number of rounds, and advances the
// registers of the addresses by step after each.
func (s *selector) repeat(rounds int64, at []addr, step int64, body func()) {
	depth := s.depth[s.block.ID]
	loop, done := s.newBlock(depth+1), s.newBlock(depth)
	count := s.out.NewReg()
	s.movImm(count, ir.I64, rounds)
	s.jump(loop)
	s.label(loop)
	body()
	for _, a := range at {
		s.aluImm(mir.OpAdd, false, a.base, step)
	}
	s.aluImm(mir.OpAdd, false, count, -1)
	s.emit(mir.Inst{Op: mir.OpBr, Cond: mir.Ne, Dst: count, Src: mir.NoReg, Src2: mir.NoReg, To: loop, Else: done})
	s.label(done)
}

// pointer returns a new register with the address ptr+disp.
func (s *selector) pointer(ptr *ir.Value, disp int64) mir.Reg {
	t := s.out.NewReg()
	if r := s.root(ptr); r.slot != nil && r.off+disp >= 0 && r.off+disp <= r.slot.Size {
		s.frameAddr(t, r.slot, r.off+disp)
		return t
	}
	s.addConst(t, s.reg(ptr), disp)
	return t
}

// memBlock returns the block at ptr+disp with what the verifier will know of
// its alignment.
func (s *selector) memBlock(ptr *ir.Value, disp int64) block {
	b := block{ptr: ptr, disp: disp, offset: disp, align: maxWidth}
	for {
		if r := s.root(ptr); r.slot != nil {
			b.align = min(b.align, r.slot.Align)
			b.offset += r.off
			return b
		}
		switch ptr.Type {
		case ir.PtrData, ir.PtrMapValue, ir.PtrPacket, ir.PtrMem, ir.PtrKernel:
			b.anyAlignment = true
			return b
		}
		root := s.values[ptr.ID].root
		if root.Op != ir.OpPtrAdd {
			b.align = 1
			return b
		}
		if c, ok := s.constant(root.Args[1]); ok {
			b.offset += c
		} else {
			b.align = min(b.align, s.multiple(root.Args[1], maxLook))
		}
		ptr = root.Args[0]
	}
}

// alignAt returns the alignment of what is off bytes after an address aligned to
// align.
func alignAt(align, off int64) int64 {
	if off == 0 {
		return align
	}
	return min(align, int64(1)<<bits.TrailingZeros64(uint64(off)))
}

// maxLook is how many operations multiple looks back.
const maxLook = 4

// multiple returns a power of two up to maxWidth that the integer v is a multiple
// of, by what the verifier knows of its low bits.
func (s *selector) multiple(v *ir.Value, look int) int64 {
	if c, ok := s.constant(v); ok {
		return alignAt(maxWidth, c)
	}
	root := s.values[v.ID].root
	if look == 0 {
		return 1
	}
	switch root.Op {
	case ir.OpShl:
		if c, ok := s.constant(root.Args[1]); ok {
			return min(maxWidth, int64(1)<<min(c&int64(root.Type.Bits()-1), 3))
		}
	case ir.OpMul, ir.OpAnd:
		return max(s.multiple(root.Args[0], look-1), s.multiple(root.Args[1], look-1))
	case ir.OpAdd, ir.OpSub:
		return min(s.multiple(root.Args[0], look-1), s.multiple(root.Args[1], look-1))
	}
	return 1
}
