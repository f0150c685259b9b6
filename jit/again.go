package jit

import (
	"errors"
	"slices"
	"strings"

	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file is the second attempt at a program that the verifier refuses: because it does not see
// the end of a loop, be it of a helper that calls a function of the program, or because it loses
// track of an offset.

// leastLoopWork makes the compiler limit every loop that it can.
const leastLoopWork = 1

// compileAgain sets how p is compiled once more, if the kernel finds it too complex, a
// loop of it endless, or refuses it otherwise: with every loop limited that can be, variables that
// callbacks count with hidden, and, unless it is a matter of complexity, each offset checked
// where it is used. The verifier has the least work then, and the program is somewhat slower.
func (p *Program) compileAgain(in lower.Input, target lower.Target, o lower.Options) {
	o.LoopWork = leastLoopWork
	p.again = func(doubt bool) (*lower.Unit, error) {
		o.Doubt = doubt
		return lower.Compile(in, target, o)
	}
}

// load loads the program, and one compiled again if it is refused. If that is of no use either, the
// error is that of the first attempt, unless it was about a loop.
func (p *Program) load(o *options, c *Collection) error {
	again := p.again
	p.again = nil // and what it refers to
	err := p.loadUnit(o, c)
	if again == nil || !tooComplex(err) && !isRefused(err) {
		return err
	}
	doubt := !tooComplex(err) && !isEndless(err)
	unit, compileErr := again(doubt)
	if compileErr == nil && (doubt || limitsLoops(unit) || hasCallbacks(unit)) {
		first := p.unit
		p.unit = unit
		if again := p.loadUnit(o, c); doubt && again != nil && !limitsLoops(first) {
			p.unit = first // whose error says more
		} else {
			err = again
		}
	}
	if isEndless(err) {
		return endlessError(err)
	}
	return err
}

// endlessError returns what is wrong with a loop that the kernel cannot limit, and that the
// verifier has refused with err.
func endlessError(err error) error {
	var refused *VerifierError
	errors.As(err, &refused)
	return lower.DiagnosticError{{
		Code:    lower.UnboundedLoop,
		Pos:     refused.Pos,
		Message: "this loop has no bound that this kernel could verify",
		Fix:     "give it one, as in for i := 0; i < n && i < 1000; i++, or run it on Linux " + lower.MayGoto.MinKernel().String() + " or newer",
	}}
}

// isRefused reports whether the verifier has refused the program.
func isRefused(err error) bool {
	var refused *VerifierError
	return errors.As(err, &refused)
}

// isEndless reports whether the verifier has found a path around a loop that changes
// nothing it knows of. There need be none: it does not know that
//
//	for a[i] < a[k] {
//		i++
//	}
//
// ends at k.
func isEndless(err error) bool {
	var refused *VerifierError
	return errors.As(err, &refused) && strings.HasPrefix(refused.Reason, "infinite loop detected")
}

// limitsLoops reports whether some loop of the program is ended by the kernel when it
// takes too long.
func limitsLoops(u *lower.Unit) bool {
	for _, s := range u.Panics {
		if s.Kind == lower.PanicLoop {
			return true
		}
	}
	return false
}

// hasCallbacks reports whether helpers call functions of the program.
func hasCallbacks(u *lower.Unit) bool {
	return slices.ContainsFunc(u.Insns, func(i asm.Instruction) bool { return i.IsLoadOfFunctionPointer() })
}
