package ir

// A Func is a function: a control-flow graph whose first block is the entry.
// The parameters of the entry block are the parameters of the function.
type Func struct {
	Name    string
	Module  *Module
	Blocks  []*Block
	Results []Type
	Slots   []*Slot
	Pos     Pos
	// NoInline keeps the function a BPF subprogram.
	NoInline bool
	// API marks a function of the package that programs are written against. Where it is inlined,
	// its instructions have the position of the call. The text form leaves it out.
	API bool
	// Callback is set if a helper calls the function. It then returns Stop to the
	// helper when it panics, which no status can tell.
	Callback bool
	Stop     int32

	nextValue ID
	nextBlock ID
}

// A Block is a sequence of instructions with one entry and one terminator.
// Checks may leave the program in the middle of it.
type Block struct {
	ID     ID
	Func   *Func
	Params []*Value
	Instrs []*Value
	Term   Term
}

// TermKind is the kind of a block's terminator.
type TermKind uint8

const (
	// TermNone marks a block under construction.
	TermNone TermKind = iota
	// TermJump continues at Succs[0]: `jump b1(v2)`.
	TermJump
	// TermBranch continues at Succs[0] if Args[0], an I32, is not 0, and at
	// Succs[1] otherwise: `branch v3, b1(), b2(v4)`.
	TermBranch
	// TermReturn leaves the function with Args as results: `return v1, v2`.
	TermReturn
	// TermPanic leaves the program at Site: `panic !site`. Without a site it
	// leaves the program because a callee panicked and returned the status
	// Args[0], an I64; the callee has counted its own site: `panic v1`.
	TermPanic
	// TermUnreachable is never reached: `unreachable`.
	TermUnreachable
)

// A Term is the terminator of a block.
type Term struct {
	Kind  TermKind
	Args  []*Value
	Succs []Edge
	Site  *Site
	Pos   Pos
}

// An Edge leads to a block and carries the arguments of its parameters.
type Edge struct {
	To   *Block
	Args []*Value
}

// A Slot is an object on the stack. Its content is undefined until it is
// written.
type Slot struct {
	Name  string // for diagnostics; need not be unique
	Index int    // position in Func.Slots
	Size  int64
	Align int64
	Pos   Pos
	// Looped marks a variable whose declaration may run more than once per
	// call. Its address must not outlive the iteration, because all of its
	// incarnations share this slot.
	Looped bool
	// Loose marks a part of a variable that is only copied and zeroed: what it is copied to
	// or from may be aligned less.
	Loose bool
}

// Entry returns the entry block.
func (f *Func) Entry() *Block { return f.Blocks[0] }

// Params returns the parameters of the function.
func (f *Func) Params() []*Value { return f.Blocks[0].Params }

// NumValues returns one more than the largest value ID.
func (f *Func) NumValues() int { return int(f.nextValue) }

// NumBlocks returns one more than the largest block ID.
func (f *Func) NumBlocks() int { return int(f.nextBlock) }

// NewBlock appends an empty block to f.
func (f *Func) NewBlock() *Block {
	b := &Block{ID: f.nextBlock, Func: f}
	f.nextBlock++
	f.Blocks = append(f.Blocks, b)
	return b
}

// NewSlot adds a stack object to f.
func (f *Func) NewSlot(name string, size, align int64, pos Pos) *Slot {
	s := &Slot{Name: name, Index: len(f.Slots), Size: size, Align: align, Pos: pos}
	f.Slots = append(f.Slots, s)
	return s
}

// NewValue makes a value of f that is not yet in any block.
func (f *Func) NewValue(op Op, t Type, pos Pos, args ...*Value) *Value {
	v := &Value{ID: f.nextValue, Op: op, Type: t, Pos: pos, Args: args}
	f.nextValue++
	return v
}

// AddParam adds a parameter to b. The edges to b must be given an argument.
func (b *Block) AddParam(t Type, pos Pos) *Value {
	v := b.Func.NewValue(OpParam, t, pos)
	v.Block = b
	b.Params = append(b.Params, v)
	return v
}

// Append adds v at the end of b's instructions and returns it.
func (b *Block) Append(v *Value) *Value {
	v.Block = b
	b.Instrs = append(b.Instrs, v)
	return v
}

// Add makes a value and appends it to b.
func (b *Block) Add(op Op, t Type, pos Pos, args ...*Value) *Value {
	return b.Append(b.Func.NewValue(op, t, pos, args...))
}

// Const appends the constant c of type t to b. An I32 is sign-extended from
// 32 bits.
func (b *Block) Const(t Type, c int64) *Value {
	v := b.Func.NewValue(OpConst, t, 0)
	if t == I32 {
		c = int64(int32(c))
	}
	v.Imm = c
	return b.Append(v)
}

// Jump ends b with a jump.
func (b *Block) Jump(pos Pos, to *Block, args ...*Value) {
	b.Term = Term{Kind: TermJump, Succs: []Edge{{to, args}}, Pos: pos}
}

// Branch ends b with a conditional branch.
func (b *Block) Branch(pos Pos, cond *Value, yes, no Edge) {
	b.Term = Term{Kind: TermBranch, Args: []*Value{cond}, Succs: []Edge{yes, no}, Pos: pos}
}

// Return ends b with a return.
func (b *Block) Return(pos Pos, results ...*Value) {
	b.Term = Term{Kind: TermReturn, Args: results, Pos: pos}
}

// PassPanic ends b by passing on the panic of a callee that returned status.
func (b *Block) PassPanic(pos Pos, status *Value) {
	b.Term = Term{Kind: TermPanic, Args: []*Value{status}, Pos: pos}
}

// Panic ends b with a panic.
func (b *Block) Panic(pos Pos, site *Site) {
	b.Term = Term{Kind: TermPanic, Site: site, Pos: pos}
}
