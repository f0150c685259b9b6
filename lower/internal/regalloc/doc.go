// Package regalloc gives physical registers and spill slots to the virtual
// registers of machine code.
//
// # What this package may know
//
// regalloc knows mir, and of the BPF calling convention that calls clobber R0 to
// R5 and preserve R6 to R9. It does not know what instructions mean beyond which
// registers they read and write, but for copies, constants and addresses. It
// performs no I/O and keeps no global state.
//
// # Method
//
// BPF code is full of calls with arguments in fixed registers, so the quality of
// an allocation is decided by which moves are coalesced and what gets one of the
// four registers that survive calls. Graph colouring with iterated coalescing
// is best at the first. Its weakness is that it spills whole live ranges, at
// every use. So spilling is done first and by another method, which splits live
// ranges where they are not used:
//
//  1. Webs (webs.go). Every virtual register is renamed apart into its
//     independent webs of definitions and uses.
//  2. Pressure (spill.go). If anywhere more webs are live than there are
//     registers, or more across a call than R6 to R9, a walk over the blocks
//     decides what is in registers at each point: where a register is missing, the
//     web goes to memory whose next use is furthest away, by the algorithm
//     MIN of Belady (1966), extended to control flow as by Braun and Hack,
//     "Register Spilling and Live-Range Splitting for SSA-Form Programs",
//  2009. A spilled web is reloaded once and stays until it is evicted again;
//     what a loop does not use is reloaded behind it. Constants and addresses are
//     computed again instead of reloaded. The code need not be in SSA form for
//     this: a web that is written again only makes its copy in memory stale.
//  3. Stores (place.go). They are placed at evictions or at definitions,
//     whichever is estimated to be cheaper for the web. Memory holds only values
//     from behind the last OpCheck of the register.
//  4. Webs again. Reloads are definitions, so spilling has cut the spilled webs
//     into short ones.
//  5. Colouring (interfere.go, color.go, coalesce.go): iterated register
//     coalescing, George and Appel 1996, with optimistic colouring, Briggs et
//     al. 1994. Interference is by value: registers that hold copies of one
//     value do not interfere. As pressure is within limits everywhere, the graph
//     has a number of edges linear in the size of the function.
//  6. Where colouring fails, which happens because the interference graph of
//     code that is not in SSA form may need more colours than pressure tells,
//     the webs that failed are cut at calls (split.go), or spilled block by block
//     (respill.go), and colouring starts anew.
//  7. Slots (slots.go) are shared by colouring as well, and what has become
//     redundant on the way is removed (tidy.go).
//
// For example, with R0, R1 and R6 to allocate,
//
//	mov v16, r1              mov r6, r1
//	callhelper h#1(0)        callhelper h#1(0)
//	mov v17, r0              store.8 [s0+0], r0
//	load.8 v18, [v16+0]      load.8 r6, [r6+0]
//	callhelper h#1(0)        callhelper h#1(0)
//	add v17, v18             load.8 r1, [s0+0]
//	mov v19, r0              add r1, r6
//	add v17, v19             add r1, r0
//
// # Verifier
//
// The kernel's verifier tracks bounds by register and by spill slot. Principle:
// the register that was compared is the register that is used. Therefore OpCheck
// counts as a write, so that a copy from before a check never stands for the value
// behind it; and a branch on a comparison with a constant makes copies in memory
// stale, as kernels before 6.8 do not carry what they learn over to memory.
//
// # Checking
//
// [Check] proves an allocation right without trusting any of this.
package regalloc
