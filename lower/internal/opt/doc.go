// Package opt holds the passes of the optimiser, one file each. A pass is a
// plain function that changes a function or a module in place; which passes run,
// in which order and why is a table in package lower.
//
// # What this package may know
//
// opt knows the IR, the target as a plain value, and how to report a
// diagnostic. It knows neither go/ssa, from which the IR was built, nor the
// instructions it becomes; what it knows of BPF is which operations are cheap
// (each is one or two instructions, a division is not slow to encode but slow
// to run, a constant costs nothing as an operand) and what the kernel verifier
// is able to prove.
//
// # Rules for every pass
//
// The result of a pass is valid as [ir.Verify] defines it, computes the same
// results and panics at the same site. No pass may take from the verifier a
// comparison that it needs:
//
//   - the results of checks and of pi are values of their own, never merged with
//     their operand (see package ir);
//   - a fact that lets a memory-safety check go must be one the verifier finds
//     as well, at the same place; see facts.go for which those are;
//   - whatever is used for addressing stays computed from the value that was
//     compared.
//
// Passes take time linear in the size of the function but for constant factors
// and the depth of its loops, and depend on nothing but their input: no map is
// ever ranged over.
package opt

import (
	"go/token"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// A Config is what passes know of the compilation they are part of.
type Config struct {
	// Target is the kernel the program is compiled for.
	Target target.Target
	// ProgramType is that of the program, as in BPF_PROG_TYPE_* but in lower case; "" if any.
	ProgramType string
	// MaySleep says that the program may wait, as those of sleepable sections.
	MaySleep bool
	// Spill is the number of bytes of the stack that variables must leave to
	// spilled values.
	Spill int
	// Live, if not 0, is the number of values that may live across a call, for whatever
	// reason; others are put into variables if they can be.
	Live int
	// Doubt makes Guard rely on nothing that the verifier knows.
	Doubt bool
	// Diags receives the reasons why the program cannot be compiled that show
	// only after optimisation.
	Diags *diag.List
	// Fset gives meaning to source positions.
	Fset *token.FileSet
	// LoopWork is the number of instructions for the verifier to follow that a loop may
	// be before it is limited, if it can be; 0 stands for what is best for most programs.
	LoopWork uint64
	// Visit, if not nil, is told which function a pass turns to.
	Visit func(*ir.Func)
}

// position returns the source position of pos.
func (c *Config) position(pos ir.Pos) token.Position {
	if c.Fset == nil || pos == 0 {
		return token.Position{}
	}
	return c.Fset.Position(token.Pos(pos))
}
