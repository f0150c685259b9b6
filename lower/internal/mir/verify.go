package mir

import (
	"errors"
	"fmt"
	"math/bits"
)

// This file and the other verify files check the invariants of the
// representation:
//
//  1. A module has one entry function, the first; names of functions are unique;
//     every function that is called or whose address is taken is in the
//     module, and is called with as many arguments as it has parameters.
//  2. A function has at least one block, and at most five parameters in R1-R5,
//     the entry function one. Block numbers are unique and below NumBlocks.
//  3. A block ends in a terminator and has no other; targets of jumps are
//     blocks of the function.
//  4. An instruction has the operands its operation takes and no others:
//     registers that are not used are NoReg, other unused fields zero.
//  5. The 32-bit form, the width, the condition and the immediate are among
//     those that the operation has. Immediates fit in 32 signed bits but for
//     those of 64-bit moves; no division by a constant zero, no constant shift
//     by the width or more. Displacements fit in 16 signed bits.
//  6. Slots are numbered by position, their alignment is 1, 2, 4 or 8, and
//     direct accesses are inside of the slot and aligned by it.
//  7. A register is written on every path before it is read. Calls leave R1-R5
//     undefined. R10 is not written.
//  8. Physical registers other than R10 are not live across block boundaries; at
//     the function's entry only those that hold parameters are defined.
//  9. The destination of OpCSet differs from its sources.
//
// After register allocation, instead of 8:
//
//  10. There are no virtual registers.
//  11. Spill slots are 8 bytes, aligned to 8, accessed by whole 8-byte loads and
//      stores at offset 0, and written on every path before they are read; their
//      address is not taken.

// Verify reports all violations of the invariants in a module before register
// allocation, joined, or nil.
func Verify(m *Module) error {
	var errs []error
	names := map[string]*Func{}
	for i, f := range m.Funcs {
		if names[f.Name] != nil {
			errs = append(errs, fmt.Errorf("%s: two functions of this name", f.Name))
		}
		names[f.Name] = f
		if f.Entry != (i == 0) {
			errs = append(errs, fmt.Errorf("%s: the first function must be the entry, and no other", f.Name))
		}
	}
	if len(m.Funcs) == 0 {
		errs = append(errs, errors.New("no functions"))
	}
	for _, f := range m.Funcs {
		errs = append(errs, verify(f, false)...)
		for _, b := range f.Blocks {
			for i := range b.Insts {
				if err := verifyLink(&b.Insts[i], names); err != nil {
					errs = append(errs, fmt.Errorf("%s: %v: inst %d: %v: %w", f.Name, b, i, &b.Insts[i], err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// verifyLink checks a reference to another function of the module.
func verifyLink(in *Inst, names map[string]*Func) error {
	if in.Sym == nil || in.Sym.Kind != SymFunc {
		return nil
	}
	callee := names[in.Sym.Name]
	switch {
	case callee == nil:
		return errors.New("no such function in the module")
	case callee.Entry:
		return errors.New("the entry function cannot be referred to")
	case in.Op == OpCallFn && int(in.NArgs) != callee.Params:
		return fmt.Errorf("call with %d arguments of a function with %d parameters", in.NArgs, callee.Params)
	}
	return nil
}

// VerifyFunc is [Verify] for one function.
func VerifyFunc(f *Func) error { return errors.Join(verify(f, false)...) }

// VerifyAllocated reports all violations of the invariants in a function after
// register allocation, joined, or nil.
func VerifyAllocated(f *Func) error { return errors.Join(verify(f, true)...) }

func verify(f *Func, allocated bool) []error {
	v := &verifier{f: f, allocated: allocated, blocks: make(map[*Block]int, len(f.Blocks))}
	v.function()
	for _, s := range f.Slots {
		v.slot(s)
	}
	for _, b := range f.Blocks {
		v.block(b)
	}
	// The data flow needs a graph that holds together.
	if len(v.errs) == 0 {
		v.flow()
	}
	return v.errs
}

// A verifier checks one function.
type verifier struct {
	f         *Func
	allocated bool
	blocks    map[*Block]int // position in f.Blocks
	errs      []error

	// The instruction being checked.
	b     *Block
	index int
}

func (v *verifier) errorf(format string, args ...any) {
	where := v.f.Name
	if v.b != nil {
		where += fmt.Sprintf(": %v: inst %d", v.b, v.index)
		if v.index < len(v.b.Insts) {
			where += fmt.Sprintf(": %v", &v.b.Insts[v.index])
		}
	}
	v.errs = append(v.errs, fmt.Errorf("%s: %w", where, fmt.Errorf(format, args...)))
}

func (v *verifier) function() {
	f := v.f
	if f.Params < 0 || f.Params > 5 {
		v.errorf("%d parameters", f.Params)
	}
	if f.Entry && f.Params != 1 {
		v.errorf("entry function with %d parameters", f.Params)
	}
	if len(f.Blocks) == 0 {
		v.errorf("no blocks")
	}
	ids := map[int]bool{}
	for i, b := range f.Blocks {
		if _, dup := v.blocks[b]; dup || ids[b.ID] {
			v.errorf("two blocks numbered %v", b)
		}
		if b.ID < 0 || b.ID >= f.NumBlocks() {
			v.errorf("block number %v not below %d", b, f.NumBlocks())
		}
		v.blocks[b] = i
		ids[b.ID] = true
	}
}

func (v *verifier) slot(s *Slot) {
	if s.Index < 0 || s.Index >= len(v.f.Slots) || v.f.Slots[s.Index] != s {
		v.errorf("slot %v is not at its index", s)
	}
	if s.Size < 0 {
		v.errorf("slot %v has size %d", s, s.Size)
	}
	if s.Align < 1 || s.Align > 8 || bits.OnesCount64(uint64(s.Align)) != 1 {
		v.errorf("slot %v has alignment %d", s, s.Align)
	}
	if s.Spill && (s.Size != 8 || s.Align != 8) {
		v.errorf("spill slot %v has size %d and alignment %d", s, s.Size, s.Align)
	}
	if s.Spill && !v.allocated {
		v.errorf("spill slot %v before register allocation", s)
	}
}

func (v *verifier) block(b *Block) {
	v.b, v.index = b, 0
	defer func() { v.b = nil }()
	for i := range b.Insts {
		v.index = i
		v.inst(&b.Insts[i])
	}
	v.index = len(b.Insts)
	if len(b.Insts) == 0 || !b.Term().Op.Info().Term {
		v.errorf("block does not end in a terminator")
	}
}

func (v *verifier) target(name string, b *Block) {
	if b == nil {
		v.errorf("no %s block", name)
	} else if _, ok := v.blocks[b]; !ok {
		v.errorf("%s block %v is not in the function", name, b)
	}
}
