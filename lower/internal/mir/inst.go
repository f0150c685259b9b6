package mir

// A Reg is a physical register (R0 to R10), a virtual register, or NoReg.
type Reg uint32

const (
	R0 Reg = iota
	R1
	R2
	R3
	R4
	R5
	R6
	R7
	R8
	R9
	R10 // frame pointer, read-only

	NumPhys = 11

	// NoReg is the absence of a register operand.
	NoReg Reg = 15
	// FirstVirtual is the first virtual register.
	FirstVirtual Reg = 16
)

// IsVirtual reports whether r is a virtual register.
func (r Reg) IsVirtual() bool { return r >= FirstVirtual }

// IsPhys reports whether r is one of R0 to R10.
func (r Reg) IsPhys() bool { return r < NumPhys }

// A Pos is a source position: a go/token.Pos that this package does not
// interpret. Zero is no position.
type Pos int32

// An Inst is a machine instruction or pseudo-instruction. Which fields an
// operation uses is in the comment of its Op; unused fields are zero, unused
// registers NoReg.
type Inst struct {
	Op     Op
	W32    bool  // 32-bit form
	Width  uint8 // bytes accessed by memory operations; 8, 16 or 32 bits/8 for OpMovSX; bytes for OpBswap, OpToBE, OpToLE
	Signed bool  // OpLoad sign-extends to 64 bits (ISA v4)
	Cond   Cond
	Dst    Reg
	Src    Reg // NoReg selects the immediate form
	Src2   Reg // third register operand, NoReg if absent
	Imm    int64
	Off    int32 // displacement of memory operations; result byte offset
	Slot   *Slot // frame object that a memory operation or OpFrameAddr addresses instead of a base register
	Sym    *Sym  // what OpLoadSym, OpCallFn and OpCallHelper refer to
	Site   int   // panic site of OpCheck and OpPanic
	NArgs  uint8 // argument registers R1..R(NArgs) that a call reads
	To     *Block
	Else   *Block
	Pos    Pos
}

// SitePropagate is the Site of an OpPanic that passes on a panic that a callee has
// reported by the status it returned. The panic is counted already. R0 holds
// the status, which is handed on to the caller.
const SitePropagate = -1

// A Sym is something outside of the function that an instruction refers to.
type Sym struct {
	Kind SymKind
	Name string // name of the data object, map or function; helper name for SymHelper
	ID   int32  // helper number for SymHelper
}

// SymKind is the kind of a [Sym].
type SymKind uint8

const (
	SymData   SymKind = iota // address of a data object plus Imm
	SymMap                   // reference to a map
	SymFunc                  // a function of the same module
	SymHelper                // a kernel helper
)

// A Slot is a frame object: a variable of the program or a spill slot. The
// emitter gives it its offset from R10.
type Slot struct {
	Name  string // for diagnostics
	Index int    // position in Func.Slots
	Size  int64
	Align int64
	Spill bool // made by the register allocator
	Pos   Pos
}

// A Block is a basic block, extended by the mid-block exits of OpCheck.
type Block struct {
	ID    int // position in Func.Blocks when created; unique in the function
	Insts []Inst
	// Depth is the loop nesting depth, 0 outside loops: the weight of a spill.
	Depth int
}

// A Func is a function of the program.
type Func struct {
	Name   string
	Blocks []*Block
	Slots  []*Slot
	// Params is the number of arguments, in R1 to R5 on entry.
	Params int
	// Entry marks the program's entry function, whose R1 is the context.
	Entry bool
	// Callback marks a function that a helper calls, which returns Stop when it
	// panics.
	Callback bool
	Stop     int32
	Pos      Pos

	nextReg   Reg
	nextBlock int
}

// NewReg returns a fresh virtual register.
func (f *Func) NewReg() Reg {
	if f.nextReg < FirstVirtual {
		f.nextReg = FirstVirtual
	}
	r := f.nextReg
	f.nextReg++
	return r
}

// NumRegs returns one more than the largest register number in use.
func (f *Func) NumRegs() int { return int(max(f.nextReg, FirstVirtual)) }

// NewBlock appends an empty block to f.
func (f *Func) NewBlock() *Block {
	b := &Block{ID: f.nextBlock}
	f.nextBlock++
	f.Blocks = append(f.Blocks, b)
	return b
}

// NumBlocks returns one more than the largest block ID.
func (f *Func) NumBlocks() int { return f.nextBlock }

// NewSlot adds a frame object to f.
func (f *Func) NewSlot(name string, size, align int64, pos Pos) *Slot {
	s := &Slot{Name: name, Index: len(f.Slots), Size: size, Align: align, Pos: pos}
	f.Slots = append(f.Slots, s)
	return s
}

// Term returns the terminator of b.
func (b *Block) Term() *Inst { return &b.Insts[len(b.Insts)-1] }

// Succs appends the successors of b to dst and returns it.
func (b *Block) Succs(dst []*Block) []*Block {
	switch t := b.Term(); t.Op {
	case OpJmp:
		dst = append(dst, t.To)
	case OpBr:
		dst = append(dst, t.To, t.Else)
	}
	return dst
}

// A Module is the machine code of one program.
type Module struct {
	Funcs []*Func
}
