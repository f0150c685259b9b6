// Package isel selects instructions: it turns a function of ir into one of mir.
//
// # What this package may know
//
// isel knows ir, mir and target, that is Go's operations and BPF's
// instructions, but nothing of go/ssa, of register allocation or of encoding.
// It performs no I/O and keeps no state between calls.
//
// # Preconditions
//
// The module is valid ([ir.Verify]) and its calls have the form that the
// calling convention gives them: at most five parameters and one result, an
// entry function with one parameter. Functions that a helper calls take no I32,
// since the kernel does not promise zero upper halves. Names of data objects are
// unique. Nothing else is required: whatever the optimiser leaves is selected, in
// more instructions than necessary perhaps.
//
// # Method
//
// Blocks are visited in postorder and their instructions from the last to the
// first, so that every value is met after its uses. A use asks for the value's
// register ([selector.reg]), for its address ([selector.address]), or for the
// comparison that it is ([selector.condition]). When the definition is reached, it
// is selected only if somebody asked for its register: what all users have
// folded into themselves, and what has no users, costs nothing. The code of one
// value is written forwards and the values' pieces are put together backwards.
// All of it is linear in the size of the function.
//
// Three decisions are made before, in one forward pass (see [values]):
//
//   - which values are constants;
//   - which values share the register of another one, because they are the same
//     bits: proofs, zero extensions, casts between pointers and integers,
//     truncations that nobody can tell from their operand, parameters of blocks
//     with one predecessor;
//   - which values are addresses of stack objects at known offsets.
//
// Constants and addresses of stack objects have no register of their own. They
// become immediates and displacements, or are made anew where they are needed.
//
// # Proofs
//
// A check compares the very register that holds the checked value, and the
// check's result is that register. There is no copy the kernel verifier would have
// to follow, and none the allocator could split from the original.
//
// # Code for the verifier
//
// Pointers are computed in 64 bits only and are never added to where a
// displacement will do, in particular not the context. Unsigned comparisons of
// 32-bit values are made on 64 bits where the upper halves are zero anyway,
// because the verifier then learns the bounds of the whole register even if it
// has lost track of the upper half, as it does after a byte swap.
package isel
